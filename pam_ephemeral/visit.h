/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One call of a host program into the module: its line, its login, and at most one question to
 * credd. */
#pragma once

#include <security/pam_modules.h>

#include "pam_ephemeral/options.h"
#include "pam_ephemeral/person.h"
#include "pam_ephemeral/question.h"
#include "pam_ephemeral/reply.h"
#include "pam_ephemeral/verdict.h"

#define VISIT_ASIDE 1

typedef struct Visit {
        pam_handle_t *pamh; /* the host's */
        Phase phase;
        int flags;
        Options options;     /* borrows argv */
        const char *service; /* libpam's */
        Person person;
} Visit;

/* 0: the login is ours. VISIT_ASIDE: it is not, say nothing and ask nothing. Negative: it is ours
 * or could be, and the line is wrong or libpam or NSS failed; logged. The caller has set pamh, phase
 * and flags; the rest is filled as far as it goes, so that visit_debug() works. */
int visit_begin(Visit *visit, int argc, const char *const *argv);

/* It is a login at the console of this host: a code may be typed. */
bool visit_takes_codes(const Visit *visit);

/* One call to credd within the line's timeout, which starts now. GOOD: *ret_reply is set; failures
 * are logged here. The person must be known. proof: see Question. */
Outcome visit_ask(const Visit *visit, LoginVerb verb, const char *proof, Reply *ret_reply);

/* What came of it, at LOG_DEBUG if the line says so; names nobody. */
void visit_debug(const Visit *visit, Outcome outcome);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The nonce that names a login, on its way from authentication to the session; or the mark of a person
 * who came without a token and whom require_credential lets in, from account to the session. */
#pragma once

#include <security/pam_modules.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/secret.h"
#include "pam_ephemeral/person.h"
#include "pam_ephemeral/reply.h"

#define NONCE_VARIABLE   "CREDD_LOGIN"
#define NONCE_FRESH_USEC UINT64_C(2000000)
#define NONCE_NONE       1
#define NONCE_GATE       2
#define NONCE_GATE_TEXT  "gate" /* credd's have a "-" in them */

typedef struct Nonce {
        char text[REPLY_LOGIN_MAX + 1];
        Person person;
        pid_t pid;                /* the process that authenticated */
        uint64_t since_mono_usec; /* no later than credd's answer */
        uint64_t left_usec;       /* from then on, as credd saw it */
} Nonce;

/* Whether account may be answered from what authenticate learned: the same process, the same
 * person, NONCE_FRESH_USEC at most, and not past the end of the access. Pure. */
bool nonce_is_fresh(const Nonce *nonce, const Person *person, pid_t pid, uint64_t now_mono_usec);

/* Who that name was, if this process kept a nonce that is fresh: so credd has just let in that name
 * with that uid. */
bool nonce_recall(pam_handle_t *pamh, const char *name, Person *ret_person);

/* Puts the nonce into this handle's data and into the PAM environment. */
int nonce_keep(pam_handle_t *pamh, const Reply *reply, const Person *person,
               uint64_t since_mono_usec);

/* The same with the mark. It is never fresh. */
int nonce_keep_gate(pam_handle_t *pamh, const Person *person);

/* What this process kept, until the next nonce_keep() or nonce_forget(); NULL: nothing. */
const Nonce *nonce_own(pam_handle_t *pamh);

/* 0; NONCE_NONE: there is no login of ours; NONCE_GATE: there is the mark; -EBADMSG: the environment
 * has something that is neither; -EIO: libpam does not say. */
int nonce_find(pam_handle_t *pamh, Secret *ret_text);
void nonce_forget(pam_handle_t *pamh);

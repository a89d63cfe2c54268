/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From what is stored and loaded to what rights.c and policy.c judge by. */
#pragma once

#include "credd/policy.h"
#include "credd/session.h"
#include "credd/verbs.h"

/* What stands for a role of that name now, from memory; NULL: no role. */
PolicyRules facts_rules(const Manager *manager, const char *role);

/* Right facts about a credential, with room for what they point to. */
typedef struct Facts {
        RightsFacts rights;
        Party askers[1]; /* who issued it; of a request, who asked */
} Facts;

/* Who said yes to a credential that was asked for. */
typedef struct Parties {
        Party *list;
        size_t n;
} Parties;

int facts_approvers(const Manager *manager, int64_t credential, Parties *ret);
void parties_done(Parties *parties);

/* All but who approved it. Keep ret where it is: it points into itself. */
void facts_of_credential(const Request *request, const Credential *credential, Facts *ret);
/* Of a role by its name; NULL: without one. */
RightsFacts facts_of_role(const Request *request, const char *role);

/* The session that the calling process stands in, by the process that the kernel names; NULL: it stands
 * in none, or is gone. */
const Session *facts_own_session(const Request *request);

/* For lists, row by row. What they filter by is read once. */
typedef struct Sight {
        const Request *request;
        bool all;  /* nothing is hidden from the caller */
        bool some; /* there is a role whose credentials he may see though they are not his */
        int64_t own_session; /* the credential whose session he stands in; 0: none */
} Sight;

Sight sight_of(const Request *request);
/* RIGHT_SEE, of a credential of that number, role and issuer. */
bool sight_has(const Sight *sight, int64_t num, const char *role, uid_t issuer_uid);

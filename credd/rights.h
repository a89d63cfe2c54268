/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may do what: a pure function of who asks, and of what is known about the thing asked for. How much
 * one may have is policy.h's. Rights are looked at in each call; none is kept. */
#pragma once

#include "credd/credential.h"
#include "credd/role.h"

typedef enum Right {
        RIGHT_ISSUE,   /* under the role, or without one */
        RIGHT_REQUEST, /* to ask for one */
        RIGHT_APPROVE,
        RIGHT_DENY,
        RIGHT_COLLECT,
        RIGHT_SEE, /* a credential, its sessions and its events */
        RIGHT_REVOKE,
        RIGHT_EXTEND,
        RIGHT_OWN_SESSION, /* what is left of it, giving it back */
        RIGHT_ACK,
        RIGHT_SEE_ROLE,
        RIGHT_SWITCH_ROLE,
        RIGHT_FREEZE,
        RIGHT_BACKUP,
        RIGHT_STATUS_DETAIL,
        RIGHT_SEE_ALL, /* the whole list, the audit, all events */
        RIGHT_MAX,
} Right;

/* One who took part, for "not the same person". */
typedef struct Party {
        uid_t uid, loginuid; /* UID_NONE: nobody, not set */
} Party;

/* What is known about the thing. Zero: a thing of nobody's, without a role. */
typedef struct RightsFacts {
        bool names_role;  /* it is under a role, or a role was named */
        const Role *role; /* as it is loaded now; NULL: it is gone, or there was none */
        bool role_off;

        bool own;            /* the caller's uid asked for it or issued it, or his session is its */
        bool asked;          /* it is the caller's uid that asked for it */
        bool own_session;    /* the caller stands in a session of it */
        const Party *askers; /* who asked for it, who issued it */
        size_t n_askers;
        const Party *approvers; /* who said yes so far. Looked at for APPROVE, COLLECT and ACK */
        size_t n_approvers;
        uid_t user; /* whom it logs in. Looked at for APPROVE, DENY and ACK */
} RightsFacts;

typedef enum Permission {
        PERMISSION_REFUSED = 0,
        PERMISSION_UNSEEN, /* to this caller it does not exist: the answer is that of an unknown id */
        PERMISSION_GRANTED,
} Permission;

/* Both texts are constants: the journal's names the rule, the asker's says what would do. NULL when granted. */
typedef struct RightsVerdict {
        Permission permission;
        const char *journal, *asker;
} RightsVerdict;

RightsVerdict rights_may(Right right, const Caller *caller, const RightsFacts *facts);
/* The same, where the reason is of no interest. */
bool rights_allow(Right right, const Caller *caller, const RightsFacts *facts);
/* What is said where it matters who stands behind a process, and that cannot be told. */
RightsVerdict rights_not_known(void);
/* How many of those who said yes are approvers of the role still. Of a group nobody but its member's own
 * process tells (the loop never asks NSS), so where the role names one, all of them stand. */
size_t rights_standing(const Role *role, const Party *approvers, size_t n);

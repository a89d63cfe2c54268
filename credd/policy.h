/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may have what, as pure functions over values. Nothing is capped silently: what does not fit
 * is refused in words that say what would. */
#pragma once

#include "credd/config.h"
#include "credd/credential.h"
#include "credd/role.h"

#define POLICY_TEXT_MAX 256

typedef struct IssueRequest {
        const char *user;
        uid_t uid;
        const char *role, *holder, *reason;                     /* NULL: none */
        uint64_t ttl_usec, session_ttl_usec, max_lifetime_usec; /* USEC_INFINITY: default */
        uint64_t not_before_usec;                               /* on the line; 0: now */
        int64_t uses;                                           /* 0: default */
        CredentialKind kind;
        const json_t *services, *sources; /* NULL: default */
} IssueRequest;

/* The effective limits. */
typedef struct Grant {
        uint64_t not_before_usec, ttl_usec, login_limit_usec, ceiling_usec, session_ttl_usec;
        int64_t uses;
} Grant;

/* By what it is judged. */
typedef struct PolicyRules {
        const Config *config;
        const Role *role; /* of that name, as it is loaded now; NULL: none, or it is gone */
        bool role_off;
        bool host_full; /* no more sessions can be watched */
} PolicyRules;

/* 0: allowed; 1: refused, and the reason is in refusal. By whom is rights.h's. A request that names a role
 * is held to the role's limits, else to the host's. */
int policy_grant(const PolicyRules *rules, const IssueRequest *request, uint64_t now_usec,
                 Grant *ret_grant, char refusal[static POLICY_TEXT_MAX]);
/* What is stored: what was asked for, or all that the role (or the host) has. New; NULL: out of memory. */
json_t *policy_services(const PolicyRules *rules, const json_t *asked);
json_t *policy_sources(const PolicyRules *rules, const json_t *asked);

/* Would its role still hand out a credential like this? Asked again at the approval, when it is collected
 * and when it is extended. Without a role: yes. 0: yes; 1: no, in words. */
int policy_fits(const PolicyRules *rules, const Credential *credential,
                char refusal[static POLICY_TEXT_MAX]);

/* What a request for a code must be, and its own defaults for ttl and uses. Before policy_grant(); of
 * other kinds it says nothing. max_ttl_usec: what is allowed besides. Results as above. */
int policy_kind(uint64_t max_ttl_usec, IssueRequest *request, char refusal[static POLICY_TEXT_MAX]);

/* How many approvals a request needs: as its role said when it was asked for, or more if it says so now. */
int64_t policy_approvals(const PolicyRules *rules, int64_t needed_then);

/* By how much each limit moves is one and the same; what moves is what is still open: the login limit
 * (if limit_open), and live sessions, the latest of which ends at latest_usec (0: none). 0: allowed; 1:
 * refused, in words. */
int policy_extend(const PolicyRules *rules, const Credential *credential, bool limit_open,
                  uint64_t latest_usec, uint64_t by_usec, char refusal[static POLICY_TEXT_MAX]);

/* Why a login is refused: for the journal, never for the person at the prompt. */
typedef enum Refusal {
        REFUSAL_NONE = 0,
        REFUSAL_UNKNOWN, /* no such id */
        REFUSAL_SECRET,  /* wrong secret */
        REFUSAL_USER,    /* another user's, by name or by uid */
        REFUSAL_REVOKED, /* or returned */
        REFUSAL_USED,
        REFUSAL_EXPIRED,
        REFUSAL_NOT_YET,
        REFUSAL_SERVICE,
        REFUSAL_SOURCE,
        REFUSAL_CLOCK,     /* the wall clock stands before the last moment recorded */
        REFUSAL_FROZEN,    /* the host is */
        REFUSAL_LOGIN,     /* no such login, or it was claimed before */
        REFUSAL_PEER,      /* the process that asked is gone */
        REFUSAL_PENDING,   /* asked for, not collected */
        REFUSAL_LOCKED,    /* a code that was guessed at too often */
        REFUSAL_RATE,      /* too many wrong codes of this user from this source */
        REFUSAL_ROLE_OFF,  /* switched off */
        REFUSAL_ROLE,      /* its role is gone, or allows less than it did at the issue */
        REFUSAL_SESSIONS,  /* as many sessions of it are open as its role allows */
        REFUSAL_HOST_FULL, /* as many sessions are open as can be watched */
        REFUSAL_NONE_LIVE, /* a gated user without a live credential */
        REFUSAL_MAX,
} Refusal;

typedef struct LoginFacts {
        const char *user;
        uid_t uid;
        const char *service, *tty, *rhost; /* tty, rhost: NULL if none */
} LoginFacts;

/* Everything but the secret and the clock's standing. frozen: the host is. REFUSAL_NONE: one use may
 * be spent. */
Refusal policy_login(const PolicyRules *rules, const Credential *credential,
                     const LoginFacts *facts, bool frozen, uint64_t now_usec);
/* May a login that was accepted then still open its session? Its use is spent already, and it counts
 * among the open ones of its credential. */
Refusal policy_session(const PolicyRules *rules, const Credential *credential,
                       const LoginFacts *facts, bool frozen, uint64_t accepted_usec,
                       uint64_t now_usec);
/* No login with it is accepted now, whoever comes from wherever, and that may pass. */
bool policy_suspended(const PolicyRules *rules, const Credential *credential, bool frozen);
/* "wrong-secret" */
const char *refusal_to_string(Refusal refusal);

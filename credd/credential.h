/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The record of a credential, and the state that follows from it. Pure. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/cleanup.h"
#include "common/token.h"

#define USER_NAME_LEN_MAX 32 /* as useradd(8) has it */
#define UID_NONE          ((uid_t)-1)
#define HASH_LEN          32

/* The most uses that one may be issued for, and services or sources that it may name. */
#define USES_MAX 1000
#define LIST_MAX 16

/* Who did something: from the kernel's peer credentials, never from a message. */
typedef struct Actor {
        char name[USER_NAME_LEN_MAX + 1]; /* of /etc/passwd; "" if the uid is not there */
        uid_t uid;
        uid_t loginuid; /* UID_NONE: not set */
} Actor;

/* Why a credential is closed to logins. Stored: the numbers are the file's. */
typedef enum Cause {
        CAUSE_NONE = 0,
        CAUSE_USED = 1, /* its last use is spent */
        CAUSE_EXPIRED =
                2, /* its login limit passed, or a session of it was ended at its deadline */
        CAUSE_REVOKED = 3,
        CAUSE_RETURNED = 4, /* given back from within its session */
        CAUSE_PENDING = 5,  /* asked for, not collected yet */
        CAUSE_DENIED = 6,   /* asked for, and an approver said no */
        CAUSE_LAPSED = 7,   /* asked for, and not collected in time */
        CAUSE_LOCKED = 8,   /* a code that was guessed at too often */
        CAUSE_MAX,
} Cause;

/* Stored. */
typedef enum CredentialKind {
        KIND_TOKEN = 0,
        KIND_CODE = 1,  /* short, for consoles: single use, and locked after a few wrong tries */
        KIND_DRILL = 2, /* a token that tests the way from issue to receipt */
        KIND_MAX,
        KIND_INVALID = -22,
} CredentialKind;

typedef enum CredentialState {
        STATE_PENDING, /* asked for */
        STATE_ACTIVE,
        STATE_IN_USE,
        STATE_SUSPENDED, /* what is active while the host is frozen or its role is off */
        STATE_ENDING,
        STATE_USED,
        STATE_EXPIRED,
        STATE_REVOKED,
        STATE_RETURNED,
        STATE_LOCKED,
        STATE_DENIED,
        STATE_LAPSED,
        STATE_MAX,
        STATE_INVALID = -22,
} CredentialState;

typedef struct Credential {
        int64_t num;
        char id[TOKEN_ID_LEN + 1];
        CredentialKind kind;
        char *user;
        uid_t uid;
        char *role, *holder, *reason; /* NULL: none */
        json_t *services, *sources;   /* arrays of strings */
        int64_t uses;
        uint64_t ttl_usec; /* as granted; 0: not known */
        uint64_t issued_usec, issued_real_usec, not_before_usec;
        uint64_t session_ttl_usec; /* USEC_INFINITY: none */
        uint64_t ceiling_usec;
        Actor issuer;

        bool has_hash;
        uint8_t hash[HASH_LEN];
        int64_t uses_left;
        uint64_t login_limit_usec;
        Cause cause;
        int64_t open_logins;
        int64_t last_event;
} Credential;

/* Its sessions end with it, at once. */
bool cause_ends_sessions(Cause cause);
/* It was asked for, and never made. */
bool cause_before_issue(Cause cause);

void credential_done(Credential *credential);
#define AUTO_CREDENTIAL CLEANUP(credential_done)

/* The end of a session whose login was accepted then: never past the ceiling. */
uint64_t credential_deadline_usec(const Credential *credential, uint64_t accepted_usec);

/* ending: a session of it is past its deadline and not yet verified gone. Suspension is not the
 * credential's: it is told from here on by who knows of it (describe.c). */
CredentialState credential_state(const Credential *credential, bool ending, uint64_t now_usec);
bool credential_state_final(CredentialState state);
/* It has had a secret: a login was possible, and so a receipt is due at its end. Requests that are
 * pending, denied, lapsed, or revoked before they were collected have not. */
bool credential_was_issued(const Credential *credential);
const char *credential_kind_to_string(CredentialKind kind);
/* KIND_INVALID: no such kind */
CredentialKind credential_kind_from_string(const char *text);
const char *credential_state_to_string(CredentialState state);
/* STATE_INVALID: no such state */
CredentialState credential_state_from_string(const char *text);

/* User, service, holder and role names: 1 to USER_NAME_LEN_MAX of [A-Za-z0-9._-] (and a closing "$"
 * for users), not beginning with "-" or ".", not numbers alone. */
bool name_valid(const char *text);
/* Free text of people: UTF-8 without controls, and without what is invisible itself but reverses or hides
 * other text (common/codepoint.h); at most max bytes, not empty. */
bool text_valid(const char *text, size_t max);

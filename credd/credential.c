/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a credential is and which state its stored bytes amount to. The state is derived each time
 * and never stored, so it cannot disagree with them. How much is handed out is policy.c. */
#include "credd/credential.h"

#include <ctype.h>
#include <string.h>

#include "common/codepoint.h"

void credential_done(Credential *credential)
{
        free(credential->user);
        free(credential->role);
        free(credential->holder);
        free(credential->reason);
        json_decref(credential->services);
        json_decref(credential->sources);
        *credential = (Credential){0};
}

uint64_t credential_deadline_usec(const Credential *credential, uint64_t accepted_usec)
{
        uint64_t deadline = credential->login_limit_usec;

        if (credential->session_ttl_usec != USEC_INFINITY)
                deadline = accepted_usec + credential->session_ttl_usec;
        return deadline < credential->ceiling_usec ? deadline : credential->ceiling_usec;
}

static CredentialState final_state(Cause cause)
{
        switch (cause) {
        case CAUSE_USED:
                return STATE_USED;
        case CAUSE_REVOKED:
                return STATE_REVOKED;
        case CAUSE_RETURNED:
                return STATE_RETURNED;
        case CAUSE_PENDING: /* its time has passed, and that is about to be written */
        case CAUSE_LAPSED:
                return STATE_LAPSED;
        case CAUSE_DENIED:
                return STATE_DENIED;
        case CAUSE_LOCKED:
                return STATE_LOCKED;
        case CAUSE_NONE: /* the limit has passed, and its event is about to be written */
        case CAUSE_EXPIRED:
        case CAUSE_MAX:
                return STATE_EXPIRED;
        }
        return STATE_EXPIRED;
}

bool cause_ends_sessions(Cause cause)
{
        return cause == CAUSE_REVOKED || cause == CAUSE_RETURNED;
}

bool cause_before_issue(Cause cause)
{
        return cause == CAUSE_PENDING || cause == CAUSE_DENIED || cause == CAUSE_LAPSED;
}

CredentialState credential_state(const Credential *credential, bool ending, uint64_t now_usec)
{
        bool over = now_usec >= credential->login_limit_usec;

        if (!over && credential->cause == CAUSE_NONE)
                return STATE_ACTIVE;
        if (!over && credential->cause == CAUSE_PENDING)
                return STATE_PENDING;
        if (credential->open_logins == 0)
                return final_state(credential->cause);
        return ending || cause_ends_sessions(credential->cause) ? STATE_ENDING : STATE_IN_USE;
}

static const char *const state_names[STATE_MAX] = {
        [STATE_ACTIVE] = "active",       [STATE_IN_USE] = "in-use",     [STATE_ENDING] = "ending",
        [STATE_USED] = "used",           [STATE_EXPIRED] = "expired",   [STATE_REVOKED] = "revoked",
        [STATE_SUSPENDED] = "suspended", [STATE_RETURNED] = "returned", [STATE_PENDING] = "pending",
        [STATE_LOCKED] = "locked",       [STATE_DENIED] = "denied",     [STATE_LAPSED] = "lapsed",
};

const char *credential_state_to_string(CredentialState state)
{
        return state_names[state];
}

CredentialState credential_state_from_string(const char *text)
{
        for (int i = 0; i < STATE_MAX; i++)
                if (strcmp(text, state_names[i]) == 0)
                        return (CredentialState)i;
        return STATE_INVALID;
}

bool credential_state_final(CredentialState state)
{
        switch (state) {
        case STATE_USED:
        case STATE_EXPIRED:
        case STATE_REVOKED:
        case STATE_RETURNED:
        case STATE_LOCKED:
        case STATE_DENIED:
        case STATE_LAPSED:
                return true;
        case STATE_PENDING:
        case STATE_ACTIVE:
        case STATE_IN_USE:
        case STATE_SUSPENDED:
        case STATE_ENDING:
        case STATE_MAX:
        case STATE_INVALID:
                return false;
        }
        return false;
}

bool credential_was_issued(const Credential *credential)
{
        return credential->issued_usec > 0;
}

static const char *const kind_names[KIND_MAX] = {"token", "code", "drill"};

const char *credential_kind_to_string(CredentialKind kind)
{
        return kind_names[kind];
}

CredentialKind credential_kind_from_string(const char *text)
{
        for (int i = 0; i < KIND_MAX; i++)
                if (strcmp(text, kind_names[i]) == 0)
                        return (CredentialKind)i;
        return KIND_INVALID;
}

bool name_valid(const char *text)
{
        size_t len = strlen(text);
        bool digits_only = true;

        if (len == 0 || len > USER_NAME_LEN_MAX || text[0] == '-' || text[0] == '.')
                return false;
        for (size_t i = 0; i < len; i++) {
                unsigned char c = (unsigned char)text[i];

                if (c >= 0x80 || (!isalnum(c) && !strchr("._-", c) && !(c == '$' && i == len - 1)))
                        return false;
                digits_only = digits_only && isdigit(c);
        }
        return !digits_only;
}

bool text_valid(const char *text, size_t max)
{
        size_t len = strlen(text);

        if (len == 0 || len > max)
                return false;
        for (size_t at = 0; at < len;) {
                uint32_t point = 0;
                size_t n = codepoint_read(text + at, &point);

                if (n == 0 || codepoint_misleads(point))
                        return false;
                at += n;
        }
        return true;
}

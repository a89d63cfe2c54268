/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a login is good. Total and pure; the first result is a refusal. Expired means now >= limit,
 * everywhere. A role is taken as it is now, not as it was when the credential was issued: what it has
 * come to forbid is refused, and what it has come to allow is not added. */
#include <string.h>

#include "credd/policy-internal.h"
#include "credd/source.h"

static bool service_allowed(const json_t *services, const char *service)
{
        for (size_t i = 0; i < json_array_size(services); i++)
                if (strcmp(text_at(services, i), service) == 0)
                        return true;
        return false;
}

static bool source_allowed(const json_t *sources, const char *rhost)
{
        Source source;

        if (json_array_size(sources) == 0)
                return true;
        for (size_t i = 0; i < json_array_size(sources); i++)
                if (source_parse(text_at(sources, i), &source) == 0 &&
                    source_matches(&source, rhost))
                        return true;
        return false;
}

/* --- the role as it is now --- */

static bool role_still_allows(const PolicyRules *rules, const Credential *credential,
                              const LoginFacts *facts)
{
        const Role *role = rules->role;

        if (!role_allows_user(role, credential->user) || !policy_says_enough(role, credential))
                return false;
        if (json_array_size(role->services) > 0 && !service_allowed(role->services, facts->service))
                return false;
        return source_allowed(role->sources, facts->rhost) && policy_still_long(rules, credential);
}

/* The host's room, and what its role says. open: how many logins of it are open beside this one. */
static Refusal check_rules(const PolicyRules *rules, const Credential *credential,
                           const LoginFacts *facts, int64_t open)
{
        if (rules->host_full)
                return REFUSAL_HOST_FULL;
        if (!credential->role)
                return REFUSAL_NONE;
        if (rules->role_off)
                return REFUSAL_ROLE_OFF;
        if (!rules->role || !role_still_allows(rules, credential, facts))
                return REFUSAL_ROLE;
        if (rules->role->max_sessions > 0 && open >= rules->role->max_sessions)
                return REFUSAL_SESSIONS;
        return REFUSAL_NONE;
}

/* Break-glass is for the hour when all else is shut, where the host says so. */
static bool frozen_out(const PolicyRules *rules, bool frozen)
{
        return frozen &&
               !(rules->config->break_glass_when_frozen && rules->role && rules->role->break_glass);
}

/* A name can be given to another uid, and a uid to another name, while a credential lives. */
static bool user_is(const Credential *credential, const LoginFacts *facts)
{
        return strcmp(credential->user, facts->user) == 0 && credential->uid == facts->uid;
}

Refusal policy_login(const PolicyRules *rules, const Credential *credential,
                     const LoginFacts *facts, bool frozen, uint64_t now_usec)
{
        if (frozen_out(rules, frozen))
                return REFUSAL_FROZEN;
        if (!user_is(credential, facts))
                return REFUSAL_USER;
        if (cause_ends_sessions(credential->cause))
                return REFUSAL_REVOKED;
        if (credential->cause == CAUSE_EXPIRED || now_usec >= credential->login_limit_usec)
                return REFUSAL_EXPIRED;
        if (credential->cause == CAUSE_LOCKED)
                return REFUSAL_LOCKED;
        if (cause_before_issue(credential->cause))
                return REFUSAL_PENDING;
        if (credential->cause != CAUSE_NONE || credential->uses_left <= 0)
                return REFUSAL_USED;
        if (now_usec < credential->not_before_usec)
                return REFUSAL_NOT_YET;
        if (!service_allowed(credential->services, facts->service))
                return REFUSAL_SERVICE;
        if (!source_allowed(credential->sources, facts->rhost))
                return REFUSAL_SOURCE;
        return check_rules(rules, credential, facts, credential->open_logins);
}

Refusal policy_session(const PolicyRules *rules, const Credential *credential,
                       const LoginFacts *facts, bool frozen, uint64_t accepted_usec,
                       uint64_t now_usec)
{
        if (frozen_out(rules, frozen))
                return REFUSAL_FROZEN;
        if (!user_is(credential, facts))
                return REFUSAL_USER;
        if (cause_ends_sessions(credential->cause))
                return REFUSAL_REVOKED;
        if (now_usec >= credential_deadline_usec(credential, accepted_usec))
                return REFUSAL_EXPIRED;
        if (!service_allowed(credential->services, facts->service))
                return REFUSAL_SERVICE;
        return check_rules(rules, credential, facts, credential->open_logins - 1);
}

bool policy_suspended(const PolicyRules *rules, const Credential *credential, bool frozen)
{
        return frozen_out(rules, frozen) || (credential->role && (rules->role_off || !rules->role));
}

const char *refusal_to_string(Refusal refusal)
{
        static const char *const names[REFUSAL_MAX] = {
                [REFUSAL_NONE] = "none",
                [REFUSAL_UNKNOWN] = "unknown-id",
                [REFUSAL_SECRET] = "wrong-secret",
                [REFUSAL_USER] = "wrong-user",
                [REFUSAL_REVOKED] = "revoked",
                [REFUSAL_USED] = "used",
                [REFUSAL_EXPIRED] = "expired",
                [REFUSAL_NOT_YET] = "not-yet-valid",
                [REFUSAL_SERVICE] = "wrong-service",
                [REFUSAL_SOURCE] = "wrong-source",
                [REFUSAL_CLOCK] = "clock-behind",
                [REFUSAL_FROZEN] = "frozen",
                [REFUSAL_LOGIN] = "unknown-login",
                [REFUSAL_PEER] = "caller-gone",
                [REFUSAL_PENDING] = "not-collected",
                [REFUSAL_LOCKED] = "locked",
                [REFUSAL_RATE] = "too-many-tries",
                [REFUSAL_ROLE_OFF] = "role-off",
                [REFUSAL_ROLE] = "role-changed",
                [REFUSAL_SESSIONS] = "too-many-sessions",
                [REFUSAL_HOST_FULL] = "host-full",
                [REFUSAL_NONE_LIVE] = "no-live-credential",
        };

        return names[refusal];
}

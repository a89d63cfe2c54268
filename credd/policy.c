/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The decisions. Each function is total and pure, its first result a refusal; what they leave out
 * is reading the facts, keeping the answer and acting on it. Expired means now >= limit,
 * everywhere. */
#include "credd/policy.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/duration.h"
#include "credd/source.h"

#define USES_MAX     1000
#define LIST_MAX     16
#define TEXT_LEN_MAX 200
#define START_MAX    (UINT64_C(365) * 24 * 3600 * USEC_PER_SEC)

static const char *const services_known[] = {"sshd", "login"};

__attribute__((format(printf, 2, 3))) static int refuse(char *refusal, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(refusal, POLICY_TEXT_MAX, format, arguments);
        va_end(arguments);
        return 1;
}

static bool service_known(const char *name)
{
        for (size_t i = 0; i < ELEMENTSOF(services_known); i++)
                if (strcmp(name, services_known[i]) == 0)
                        return true;
        return false;
}

static int check_lists(const IssueRequest *request, char *refusal)
{
        json_t *item;
        Source source;
        size_t i;

        if (json_array_size(request->services) > LIST_MAX ||
            json_array_size(request->sources) > LIST_MAX)
                return refuse(refusal, "at most %d services and %d sources", LIST_MAX, LIST_MAX);
        json_array_foreach (request->services, i, item)
                if (!service_known(json_string_value(item)))
                        return refuse(refusal, "a service is one of sshd and login");
        json_array_foreach (request->sources, i, item)
                if (source_parse(json_string_value(item), &source) < 0)
                        return refuse(refusal, "a source is a network such as 10.0.0.0/24 or "
                                               "2001:db8::/32, an address, or \"local\"");
        return 0;
}

static int check_words(const Config *config, const IssueRequest *request, char *refusal)
{
        if (!name_valid(request->user))
                return refuse(refusal, "that is not a user name");
        if (request->uid == 0 || request->uid == UID_NONE)
                return refuse(refusal, "no credentials for root: log in as a person and use sudo");
        if (request->role)
                return refuse(refusal, "there is no such role");
        if (request->holder && !text_valid(request->holder, TEXT_LEN_MAX))
                return refuse(refusal, "a holder is 1 to %d bytes of plain text", TEXT_LEN_MAX);
        if (request->reason && !text_valid(request->reason, TEXT_LEN_MAX))
                return refuse(refusal, "a reason is 1 to %d bytes of plain text", TEXT_LEN_MAX);
        if (config->reason_required && !request->reason)
                return refuse(refusal, "a reason is required on this host: --reason TEXT");
        if (request->uses < 0 || request->uses > USES_MAX)
                return refuse(refusal, "uses are 1 to %d", USES_MAX);
        return 0;
}

/* The table "how long": each limit from its flag or its default, each checked against the host's.
 */
static int check_limits(const Config *config, const IssueRequest *request, uint64_t now_usec,
                        Grant *ret_grant, char *refusal)
{
        uint64_t ttl = request->ttl_usec, session = request->session_ttl_usec;
        uint64_t lifetime = request->max_lifetime_usec, needed, start;
        char a[DURATION_TEXT_MAX], b[DURATION_TEXT_MAX];

        if (ttl == USEC_INFINITY)
                ttl = config->default_ttl_usec;
        if (ttl == 0 || session == 0)
                return refuse(refusal, "a lifetime is longer than zero");
        if (ttl > config->max_ttl_usec)
                return refuse(refusal,
                              "--ttl %s is more than this host allows: at most %s (MaxTTL)",
                              duration_format(ttl, a), duration_format(config->max_ttl_usec, b));
        if (session != USEC_INFINITY && session > config->max_lifetime_usec)
                return refuse(refusal,
                              "--session-ttl %s is more than this host allows: at most %s "
                              "(MaxLifetime)",
                              duration_format(session, a),
                              duration_format(config->max_lifetime_usec, b));
        needed = ttl + (session == USEC_INFINITY ? 0 : session);
        if (lifetime == USEC_INFINITY)
                lifetime = needed;
        if (lifetime > config->max_lifetime_usec)
                return refuse(refusal,
                              "a lifetime of %s is more than this host allows: at most %s "
                              "(MaxLifetime)",
                              duration_format(lifetime, a),
                              duration_format(config->max_lifetime_usec, b));
        if (needed > lifetime)
                return refuse(refusal,
                              "a login at the last moment could last until %s, past the "
                              "--max-lifetime of %s: shorten --ttl or --session-ttl",
                              duration_format(needed, a), duration_format(lifetime, b));
        start = request->not_before_usec > now_usec ? request->not_before_usec : now_usec;
        if (start - now_usec > START_MAX)
                return refuse(refusal, "--not-before is at most a year ahead");
        *ret_grant = (Grant){
                .not_before_usec = start,
                .ttl_usec = ttl,
                .login_limit_usec = start + ttl,
                .ceiling_usec = start + lifetime,
                .session_ttl_usec = session,
                .uses = request->uses ?: 1,
        };
        return 0;
}

int policy_issue(const Config *config, bool admin, const IssueRequest *request, uint64_t now_usec,
                 Grant *ret_grant, char refusal[static POLICY_TEXT_MAX])
{
        int r = 1;

        if (!admin)
                return refuse(refusal, "only root and members of credd-admin may issue");
        r = check_words(config, request, refusal);
        if (r == 0)
                r = check_lists(request, refusal);
        if (r == 0)
                r = check_limits(config, request, now_usec, ret_grant, refusal);
        return r;
}

int policy_extend(const Credential *credential, bool limit_open, uint64_t latest_usec,
                  uint64_t by_usec, char refusal[static POLICY_TEXT_MAX])
{
        uint64_t latest = latest_usec, left;
        char a[DURATION_TEXT_MAX];

        if (limit_open && credential->login_limit_usec > latest)
                latest = credential->login_limit_usec;
        if (by_usec == 0)
                return refuse(refusal, "an extension is longer than zero");
        if (credential->kind == KIND_CODE && limit_open)
                return refuse(refusal, "a code is not extended before its login: issue another");
        if (latest == 0)
                return refuse(refusal, "nothing is open any more that could be extended");
        left = credential->ceiling_usec > latest ? credential->ceiling_usec - latest : 0;
        if (by_usec <= left)
                return 0;
        if (left == 0)
                return refuse(refusal,
                              "nothing is left: it ends at the ceiling that was fixed when it "
                              "was issued (--max-lifetime); issue another one");
        return refuse(
                refusal,
                "that passes the ceiling that was fixed when it was issued; at most %s is left",
                duration_format(left, a));
}

static bool service_allowed(const json_t *services, const char *service)
{
        json_t *item;
        size_t i;

        json_array_foreach (services, i, item)
                if (strcmp(json_string_value(item), service) == 0)
                        return true;
        return false;
}

static bool source_allowed(const json_t *sources, const char *rhost)
{
        Source source;
        json_t *item;
        size_t i;

        if (json_array_size(sources) == 0)
                return true;
        json_array_foreach (sources, i, item)
                if (source_parse(json_string_value(item), &source) == 0 &&
                    source_matches(&source, rhost))
                        return true;
        return false;
}

/* A name can be given to another uid, and a uid to another name, while a credential lives. */
static bool user_is(const Credential *credential, const LoginFacts *facts)
{
        return strcmp(credential->user, facts->user) == 0 && credential->uid == facts->uid;
}

Refusal policy_login(const Credential *credential, const LoginFacts *facts, uint64_t now_usec)
{
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
        return REFUSAL_NONE;
}

Refusal policy_session(const Credential *credential, const LoginFacts *facts,
                       uint64_t accepted_usec, uint64_t now_usec)
{
        if (!user_is(credential, facts))
                return REFUSAL_USER;
        if (cause_ends_sessions(credential->cause))
                return REFUSAL_REVOKED;
        if (now_usec >= credential_deadline_usec(credential, accepted_usec))
                return REFUSAL_EXPIRED;
        if (!service_allowed(credential->services, facts->service))
                return REFUSAL_SERVICE;
        return REFUSAL_NONE;
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
                [REFUSAL_NONE_LIVE] = "no-live-credential",
        };

        return names[refusal];
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much of what. Each function is total and pure; what they leave out is reading the facts, keeping
 * the answer and acting on it. Who may ask at all is rights.c, whether a login is good policy-login.c.
 * Invariant: whoever asks, a role's credential stays within its role. */
#include "credd/policy-internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/duration.h"
#include "credd/source.h"

#define TEXT_LEN_MAX 200
#define JOINED_MAX   120
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

/* What is allowed at most, and by whom, for the words. */
typedef struct Limits {
        const char *whose;
        uint64_t default_ttl_usec, max_ttl_usec, max_lifetime_usec;
        uint64_t lifetime_usec; /* if none is asked for; USEC_INFINITY: as long as it needs */
        int64_t max_uses;
} Limits;

/* What a role leaves open is the host's to say. */
static Limits limits_of(const PolicyRules *rules)
{
        const Config *config = rules->config;
        const Role *role = rules->role;
        Limits limits = {
                .whose = "this host",
                .default_ttl_usec = config->default_ttl_usec,
                .max_ttl_usec = config->max_ttl_usec,
                .max_lifetime_usec = config->max_lifetime_usec,
                .lifetime_usec = USEC_INFINITY,
                .max_uses = USES_MAX,
        };

        if (!role)
                return limits;
        limits.whose = "this role";
        limits.max_ttl_usec = role->max_ttl_usec ?: limits.max_ttl_usec;
        if (limits.default_ttl_usec > limits.max_ttl_usec)
                limits.default_ttl_usec = limits.max_ttl_usec;
        limits.default_ttl_usec = role->default_ttl_usec ?: limits.default_ttl_usec;
        limits.max_lifetime_usec = role->max_lifetime_usec ?: limits.max_lifetime_usec;
        limits.lifetime_usec = role->max_lifetime_usec ?: USEC_INFINITY;
        limits.max_uses = role->max_uses ?: 1;
        return limits;
}

/* --- lists --- */

static bool has_text(const json_t *array, const char *text)
{
        for (size_t i = 0; i < json_array_size(array); i++)
                if (strcmp(text_at(array, i), text) == 0)
                        return true;
        return false;
}

static bool service_known(const char *name)
{
        for (size_t i = 0; i < ELEMENTSOF(services_known); i++)
                if (strcmp(name, services_known[i]) == 0)
                        return true;
        return false;
}

/* An empty list of the role leaves it open. */
static bool services_within(const json_t *services, const Role *role)
{
        if (json_array_size(role->services) == 0)
                return true;
        for (size_t i = 0; i < json_array_size(services); i++)
                if (!has_text(role->services, text_at(services, i)))
                        return false;
        return json_array_size(services) > 0;
}

static bool source_in(const json_t *networks, const Source *source)
{
        Source network;

        for (size_t i = 0; i < json_array_size(networks); i++)
                if (source_parse(text_at(networks, i), &network) == 0 &&
                    source_within(source, &network))
                        return true;
        return false;
}

/* No list means from anywhere: that is within a role that leaves it open, and within no other. */
static bool sources_within(const json_t *sources, const Role *role)
{
        Source source;

        if (json_array_size(role->sources) == 0)
                return true;
        for (size_t i = 0; i < json_array_size(sources); i++)
                if (source_parse(text_at(sources, i), &source) < 0 ||
                    !source_in(role->sources, &source))
                        return false;
        return json_array_size(sources) > 0;
}

static int check_shapes(const IssueRequest *request, char *refusal)
{
        Source source;

        if (json_array_size(request->services) > LIST_MAX ||
            json_array_size(request->sources) > LIST_MAX)
                return refuse(refusal, "at most %d services and %d sources", LIST_MAX, LIST_MAX);
        for (size_t i = 0; i < json_array_size(request->services); i++)
                if (!service_known(text_at(request->services, i)))
                        return refuse(refusal, "a service is one of sshd and login");
        for (size_t i = 0; i < json_array_size(request->sources); i++)
                if (source_parse(text_at(request->sources, i), &source) < 0)
                        return refuse(refusal, "a source is a network such as 10.0.0.0/24 or "
                                               "2001:db8::/32, an address, or \"local\"");
        return 0;
}

/* "sshd, login", cut where the room ends. */
static const char *join(const json_t *array, char buffer[static JOINED_MAX])
{
        size_t used = 0;

        buffer[0] = '\0';
        for (size_t i = 0; i < json_array_size(array); i++)
                if (used < JOINED_MAX)
                        used += (size_t)snprintf(buffer + used, JOINED_MAX - used, "%s%s",
                                                 i > 0 ? ", " : "", text_at(array, i));
        return buffer;
}

static int refuse_services(const Role *role, char *refusal)
{
        char list[JOINED_MAX];

        return refuse(refusal, "this role allows the services %s: --service",
                      join(role->services, list));
}

static int refuse_sources(const Role *role, char *refusal)
{
        char list[JOINED_MAX];

        return refuse(refusal, "this role allows logins from %s: --from",
                      join(role->sources, list));
}

static int check_lists(const Role *role, const IssueRequest *request, char *refusal)
{
        int r = check_shapes(request, refusal);

        if (r != 0 || !role)
                return r;
        if (json_array_size(request->services) > 0 && !services_within(request->services, role))
                return refuse_services(role, refusal);
        if (json_array_size(request->sources) > 0 && !sources_within(request->sources, role))
                return refuse_sources(role, refusal);
        return 0;
}

json_t *policy_services(const PolicyRules *rules, const json_t *asked)
{
        if (json_array_size(asked) > 0)
                return json_deep_copy(asked);
        if (rules->role && json_array_size(rules->role->services) > 0)
                return json_deep_copy(rules->role->services);
        return json_pack("[ss]", services_known[0], services_known[1]);
}

json_t *policy_sources(const PolicyRules *rules, const json_t *asked)
{
        if (json_array_size(asked) > 0)
                return json_deep_copy(asked);
        if (rules->role && json_array_size(rules->role->sources) > 0)
                return json_deep_copy(rules->role->sources);
        return json_array();
}

/* --- a request --- */

static int check_words(const IssueRequest *request, char *refusal)
{
        if (!name_valid(request->user))
                return refuse(refusal, "that is not a user name");
        if (request->uid == 0 || request->uid == UID_NONE)
                return refuse(refusal, "no credentials for root: log in as a person and use sudo");
        if (request->holder && !text_valid(request->holder, TEXT_LEN_MAX))
                return refuse(refusal,
                              "a holder is 1 to %d bytes of plain text, none of it invisible",
                              TEXT_LEN_MAX);
        if (request->reason && !text_valid(request->reason, TEXT_LEN_MAX))
                return refuse(refusal,
                              "a reason is 1 to %d bytes of plain text, none of it invisible",
                              TEXT_LEN_MAX);
        if (request->uses < 0 || request->uses > USES_MAX)
                return refuse(refusal, "uses are 1 to %d", USES_MAX);
        return 0;
}

static int check_role(const PolicyRules *rules, const IssueRequest *request, char *refusal)
{
        const Role *role = rules->role;

        if (request->role && !role)
                return refuse(refusal, "there is no such role");
        if (!request->role && role)
                return refuse(refusal, "no role was named"); /* not reached; and no way around it */
        if (role && rules->role_off)
                return refuse(refusal, "this role is switched off");
        if (role && !role_allows_user(role, request->user))
                return refuse(refusal, "this role is not for that user: see credctl role show");
        if (role && role->holder_required && !request->holder)
                return refuse(refusal, "this role wants to know for whom it is: --holder WHO");
        if (role && (role->reason_required || role->break_glass) && !request->reason)
                return refuse(refusal, "this role requires a reason: --reason TEXT");
        if (rules->config->reason_required && !request->reason)
                return refuse(refusal, "a reason is required on this host: --reason TEXT");
        return 0;
}

static int refuse_length(const Limits *limits, const char *what, uint64_t is_usec,
                         uint64_t max_usec, const char *key, char *refusal)
{
        char a[DURATION_TEXT_MAX], b[DURATION_TEXT_MAX];

        return refuse(refusal, "%s %s is more than %s allows: at most %s (%s)", what,
                      duration_format(is_usec, a), limits->whose, duration_format(max_usec, b),
                      key);
}

/* The table "how long": each limit from its flag or its default, each checked. */
static int check_limits(const Limits *limits, const IssueRequest *request, uint64_t now_usec,
                        Grant *ret_grant, char *refusal)
{
        uint64_t ttl = request->ttl_usec, session = request->session_ttl_usec;
        uint64_t lifetime = request->max_lifetime_usec, needed, start;
        char a[DURATION_TEXT_MAX], b[DURATION_TEXT_MAX];

        if (ttl == USEC_INFINITY)
                ttl = limits->default_ttl_usec;
        if (ttl == 0 || session == 0)
                return refuse(refusal, "a lifetime is longer than zero");
        if (ttl > limits->max_ttl_usec)
                return refuse_length(limits, "--ttl", ttl, limits->max_ttl_usec, "MaxTTL", refusal);
        if (session != USEC_INFINITY && session > limits->max_lifetime_usec)
                return refuse_length(limits, "--session-ttl", session, limits->max_lifetime_usec,
                                     "MaxLifetime", refusal);
        needed = ttl + (session == USEC_INFINITY ? 0 : session);
        if (lifetime == USEC_INFINITY)
                lifetime = limits->lifetime_usec == USEC_INFINITY ? needed : limits->lifetime_usec;
        if (lifetime > limits->max_lifetime_usec)
                return refuse_length(limits, "a lifetime of", lifetime, limits->max_lifetime_usec,
                                     "MaxLifetime", refusal);
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

int policy_grant(const PolicyRules *rules, const IssueRequest *request, uint64_t now_usec,
                 Grant *ret_grant, char refusal[static POLICY_TEXT_MAX])
{
        const Limits limits = limits_of(rules);
        int r;

        r = check_words(request, refusal);
        if (r == 0)
                r = check_role(rules, request, refusal);
        if (r == 0)
                r = check_lists(rules->role, request, refusal);
        if (r == 0 && request->uses > limits.max_uses)
                r = refuse(refusal, "%s allows at most %" PRId64 " uses (MaxUses)", limits.whose,
                           limits.max_uses);
        if (r == 0)
                r = check_limits(&limits, request, now_usec, ret_grant, refusal);
        return r;
}

/* --- what is there already --- */

bool policy_still_long(const PolicyRules *rules, const Credential *credential)
{
        const Limits limits = limits_of(rules);

        return credential->uses <= limits.max_uses && credential->ttl_usec <= limits.max_ttl_usec &&
               credential->ceiling_usec - credential->not_before_usec <= limits.max_lifetime_usec;
}

bool policy_says_enough(const Role *role, const Credential *credential)
{
        return (!role->holder_required || credential->holder) &&
               (!(role->reason_required || role->break_glass) || credential->reason);
}

int policy_fits(const PolicyRules *rules, const Credential *credential,
                char refusal[static POLICY_TEXT_MAX])
{
        const Limits limits = limits_of(rules);
        uint64_t lifetime = credential->ceiling_usec - credential->not_before_usec;
        const Role *role = rules->role;

        if (!credential->role)
                return 0;
        if (!role)
                return refuse(refusal, "its role does not exist any more");
        if (rules->role_off)
                return refuse(refusal, "its role is switched off");
        if (!role_allows_user(role, credential->user))
                return refuse(refusal, "its role is not for that user any more");
        if (!services_within(credential->services, role))
                return refuse_services(role, refusal);
        if (!sources_within(credential->sources, role))
                return refuse_sources(role, refusal);
        if (!policy_says_enough(role, credential))
                return refuse(refusal, role->holder_required && !credential->holder
                                               ? "its role wants to know now for whom it is"
                                               : "its role wants to know now why it is needed");
        if (credential->uses > limits.max_uses)
                return refuse(refusal, "its role allows at most %" PRId64 " uses now (MaxUses)",
                              limits.max_uses);
        if (credential->ttl_usec > limits.max_ttl_usec)
                return refuse_length(&limits, "its time to log in,", credential->ttl_usec,
                                     limits.max_ttl_usec, "MaxTTL", refusal);
        if (lifetime > limits.max_lifetime_usec)
                return refuse_length(&limits, "its lifetime of", lifetime, limits.max_lifetime_usec,
                                     "MaxLifetime", refusal);
        return 0;
}

int64_t policy_approvals(const PolicyRules *rules, int64_t needed_then)
{
        int64_t needed_now = rules->role ? rules->role->approvals : 0;

        return needed_now > needed_then ? needed_now : needed_then;
}

int policy_extend(const PolicyRules *rules, const Credential *credential, bool limit_open,
                  uint64_t latest_usec, uint64_t by_usec, char refusal[static POLICY_TEXT_MAX])
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
        if (policy_fits(rules, credential, refusal) != 0)
                return 1;
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

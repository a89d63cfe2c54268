/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a reader has to see first. Of credentials it tells by their records, of the host by its events, and
 * of logins without a credential by what logind announced. An exception of a drill is one, too: it is
 * what the drill is for. */
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/duration.h"
#include "credctl/audit.h"
#include "credctl/record.h"

#define BURST_COUNT      10
#define BOUND_AFTER_USEC (600 * USEC_PER_SEC)
#define LOGINS_PER_USER  20 /* that are told one by one */
#define SECOND           USEC_PER_SEC

/* By severity, and so by their order in the report. */
static const struct {
        const char *name, *severity;
} kinds[] = {
        {"missed", "critical"},
        {"unacknowledged", "critical"},
        {"role-off-live", "critical"},
        {"late", "warning"},
        {"residue", "warning"},
        {"refused-burst", "warning"},
        {"down", "warning"},
        {"no-credential-session", "warning"},
        {"clock", "note"},
        {"long-lived", "note"},
};
static const char *const severities[] = {"critical", "warning", "note"};

const char *audit_kind(const char *name, size_t len)
{
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (strlen(kinds[i].name) == len && strncmp(kinds[i].name, name, len) == 0)
                        return kinds[i].name;
        return NULL;
}

static const char *severity_of(const char *kind)
{
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (strcmp(kinds[i].name, kind) == 0)
                        return kinds[i].severity;
        return "note";
}

/* Takes text. credential NULL: of none. */
static int add(json_t *found, const char *kind, json_t *credential, const char *user,
               uint64_t time_usec, json_t *text)
{
        const char *id = record_text(credential, "id");

        if (credential &&
            json_array_append_new(json_object_get(credential, "exceptions"), json_string(kind)) < 0)
                return -ENOMEM;
        return json_array_append_new(found, json_pack("{s:s, s:s, s:s?, s:s?, s:I, s:o}", "kind",
                                                      kind, "severity", severity_of(kind),
                                                      "credential", id, "user", user, "time_usec",
                                                      (json_int_t)time_usec, "text", text));
}

/* --- of a credential --- */

static const char *drill_of(const json_t *credential)
{
        return strcmp(record_text_or(credential, "kind", ""), "drill") == 0 ? "a drill: " : "";
}

static int look_at_missed(json_t *found, json_t *c)
{
        char late[DURATION_TEXT_MAX];
        json_t *one;
        size_t i;
        int r = 0;

        json_array_foreach (json_object_get(c, "missed"), i, one) {
                if (r < 0)
                        break;
                r = add(found, "missed", c, record_text(c, "user"),
                        record_number_or(one, "at_usec", 0),
                        json_sprintf("%sits session was not gone %s after its deadline",
                                     drill_of(c),
                                     duration_format(record_number_or(one, "late_usec", 0), late)));
        }
        return r;
}

static int look_at_receipt(json_t *found, json_t *c)
{
        const json_t *receipt = json_object_get(c, "receipt");
        const char *verdict = record_text_or(receipt, "verdict", "");
        const char *user = record_text(c, "user");
        uint64_t written = record_number_or(receipt, "written_usec", 0);
        size_t left = json_array_size(json_object_get(receipt, "residue"));
        char late[DURATION_TEXT_MAX];

        if (strcmp(verdict, "late") == 0)
                return add(found, "late", c, user, written,
                           json_sprintf("%sits last session was gone %s after its deadline",
                                        drill_of(c),
                                        duration_format(record_number_or(receipt, "late_usec", 0),
                                                        late)));
        if (strcmp(verdict, "residue") == 0)
                return add(found, "residue", c, user, written,
                           json_sprintf("%s%zu process%s left of its user when its sessions were "
                                        "gone",
                                        drill_of(c), left, left == 1 ? " was" : "es were"));
        return 0;
}

static int look_at_alarms(json_t *found, json_t *c)
{
        json_t *alarm;
        size_t i;
        int r = 0;

        json_array_foreach (json_object_get(c, "alarms"), i, alarm) {
                bool missed = strcmp(record_text_or(alarm, "kind", ""), "missed") == 0;

                if (r < 0)
                        break;
                if (json_is_integer(json_object_get(alarm, "acked_usec")))
                        continue;
                r = add(found, "unacknowledged", c, record_text(c, "user"),
                        record_number_or(alarm, "raised_usec", 0),
                        json_sprintf("%s%s, and no admin has acknowledged it", drill_of(c),
                                     missed ? "its end was missed" : "it is break-glass"));
        }
        return r;
}

static int look_at_life(json_t *found, json_t *c, uint64_t limit_usec)
{
        char lived[DURATION_TEXT_MAX], limit[DURATION_TEXT_MAX];
        uint64_t lived_usec;

        if (!record_number(c, "lived_usec", &lived_usec) || lived_usec <= limit_usec)
                return 0;
        return add(found, "long-lived", c, record_text(c, "user"),
                   record_number_or(c, "issued_usec", 0),
                   json_sprintf("it lived %s, longer than %s", duration_format(lived_usec, lived),
                                duration_format(limit_usec, limit)));
}

static int look_at_role(json_t *found, json_t *c)
{
        const json_t *off = json_object_get(c, "role_off");
        size_t i, live = 0;
        json_t *session;

        if (!json_is_object(off))
                return 0;
        json_array_foreach (json_object_get(c, "sessions"), i, session) {
                live += !json_is_integer(json_object_get(session, "ended_usec"));
        }
        if (live == 0)
                return 0;
        return add(found, "role-off-live", c, record_text(c, "user"),
                   record_number_or(off, "at_usec", 0),
                   json_sprintf("role %s is off, and sessions of it live: %zu",
                                record_text_or(c, "role", "-"), live));
}

static int look_at_credential(const AuditInput *input, json_t *found, json_t *c)
{
        int r;

        r = look_at_missed(found, c);
        if (r == 0)
                r = look_at_receipt(found, c);
        if (r == 0)
                r = look_at_alarms(found, c);
        if (r == 0)
                r = look_at_role(found, c);
        return r == 0 ? look_at_life(found, c, input->question.long_lived_usec) : r;
}

/* --- of the host --- */

static int look_at_run(json_t *found, const json_t *source, const json_t *run, const char *user)
{
        const char *rhost = record_text_or(source, "rhost", "");
        uint64_t first = record_number_or(run, "first_usec", 0);
        char span[DURATION_TEXT_MAX];

        if (record_number_or(run, "peak", 0) < BURST_COUNT)
                return 0;
        duration_format((record_number_or(run, "last_usec", first) - first) / SECOND * SECOND,
                        span);
        return add(found, "refused-burst", NULL, user, first,
                   json_sprintf("%" PRIu64 " logins refused within %s, for uid %s, %s%s",
                                record_number_or(run, "count", 0), span,
                                record_text_or(source, "uid", "-"),
                                *rhost ? "from " : "on a console", rhost));
}

static int look_at_refusals(const AuditInput *input, json_t *found)
{
        const char *key, *user = input->question.user;
        json_t *source, *run;
        size_t i;
        int r = 0;

        json_object_foreach (input->events->sources, key, source) {
                json_array_foreach (json_object_get(source, "runs"), i, run) {
                        r = r < 0 ? r : look_at_run(found, source, run, user);
                }
                /* the one that is not closed */
                r = r < 0 ? r : look_at_run(found, source, source, user);
        }
        return r;
}

static bool in_gap(const json_t *gap, uint64_t usec)
{
        return usec >= record_number_or(gap, "from_usec", 0) &&
               usec < record_number_or(gap, "to_usec", 0);
}

/* Moments at which credd should have acted: ends of sessions that were open then, and of logins. */
static unsigned deadlines_in(const json_t *gap, const json_t *credentials)
{
        json_t *c, *session;
        unsigned n = 0;
        size_t i, j;

        json_array_foreach (credentials, i, c) {
                uint64_t limit = record_number_or(c, "login_limit_usec", 0);
                bool login = in_gap(gap, limit) &&
                             record_number_or(c, "closed_usec", USEC_INFINITY) >= limit;

                n += login;
                json_array_foreach (json_object_get(c, "sessions"), j, session) {
                        uint64_t deadline = record_number_or(session, "deadline_usec", 0);

                        n += in_gap(gap, deadline) && !(login && deadline == limit) &&
                             record_number_or(session, "ended_usec", USEC_INFINITY) >= deadline;
                }
        }
        return n;
}

static int look_at_gaps(const AuditInput *input, json_t *found)
{
        char length[DURATION_TEXT_MAX];
        json_t *gap;
        size_t i;
        int r = 0;

        json_array_foreach (input->events->gaps, i, gap) {
                unsigned n = deadlines_in(gap, input->credentials);
                uint64_t from = record_number_or(gap, "from_usec", 0);
                uint64_t to = record_number_or(gap, "to_usec", from);

                if (n == 0 || r < 0)
                        continue;
                duration_format(to > from ? to - from : 0, length);
                r = add(found, "down", NULL, NULL, from,
                        json_sprintf("credd was down for %s at the most, and deadlines fell into "
                                     "that time: %u",
                                     length, n));
        }
        return r;
}

static int look_at_clock(const AuditInput *input, json_t *found)
{
        char text[DURATION_TEXT_MAX];
        json_t *one;
        size_t i;
        int r = 0;

        json_array_foreach (input->events->unsynchronised, i, one) {
                uint64_t from = record_number_or(one, "from_usec", 0);
                uint64_t to = record_number_or(one, "to_usec", input->question.until_usec);

                duration_format((to - from) / SECOND * SECOND, text);
                r = r < 0 ? r
                          : add(found, "clock", NULL, NULL, from,
                                json_sprintf("the wall clock was not synchronised, for %s", text));
        }
        json_array_foreach (input->events->steps, i, one) {
                json_int_t by = json_integer_value(json_object_get(one, "by_usec"));

                duration_format(by < 0 ? 0 - (uint64_t)by : (uint64_t)by, text);
                r = r < 0 ? r
                          : add(found, "clock", NULL, NULL, record_number_or(one, "time_usec", 0),
                                json_sprintf("the wall clock was set %s by %s",
                                             by < 0 ? "back" : "forward", text));
        }
        return r;
}

/* --- logins that no credential let in --- */

/* Ids of sessions recur and so do pids: both, and about the same time. */
static bool is_bound(const json_t *bound, const json_t *login)
{
        uint64_t time_usec = record_number_or(login, "time_usec", 0);
        json_t *one;
        size_t i;

        json_array_foreach (bound, i, one) {
                uint64_t at = record_number_or(one, "time_usec", 0);

                if (at + SECOND >= time_usec && at <= time_usec + BOUND_AFTER_USEC &&
                    record_number_or(one, "leader", 0) == record_number_or(login, "leader", 1) &&
                    strcmp(record_text_or(one, "session", ""),
                           record_text_or(login, "session", "-")) == 0)
                        return true;
        }
        return false;
}

static bool is_watched(const AuditInput *input, const char *user)
{
        json_t *pattern;
        size_t i;

        if (input->question.user)
                return strcmp(input->question.user, user) == 0;
        json_array_foreach (input->users, i, pattern) {
                if (json_is_string(pattern) && fnmatch(json_string_value(pattern), user, 0) == 0)
                        return true;
        }
        return false;
}

/* How many of this user before this one; counts it. */
static uint64_t count_login(json_t *counts, const char *user)
{
        uint64_t n = record_number_or(counts, user, 0);

        (void)json_object_set_new(counts, user, json_integer((json_int_t)n + 1));
        return n;
}

static int look_at_logins(const AuditInput *input, json_t *found, json_t *totals)
{
        json_auto_t *counts = json_object();
        uint64_t n = 0, last_usec = 0;
        const char *user;
        json_t *login, *count;
        size_t i;
        int r = 0;

        json_array_foreach (input->logins, i, login) {
                user = record_text_or(login, "user", "");
                if (r < 0 || !is_watched(input, user) || is_bound(input->events->bound, login))
                        continue;
                n++;
                last_usec = record_number_or(login, "time_usec", 0);
                if (count_login(counts, user) < LOGINS_PER_USER)
                        r = add(found, "no-credential-session", NULL, user, last_usec,
                                json_sprintf("session %s of %s was opened without a credential",
                                             record_text_or(login, "session", "-"), user));
        }
        json_object_foreach (counts, user, count) {
                if (r == 0 && json_integer_value(count) > LOGINS_PER_USER)
                        r = add(found, "no-credential-session", NULL, user, last_usec,
                                json_sprintf(
                                        "further sessions of %s without a credential: %lld", user,
                                        (long long)json_integer_value(count) - LOGINS_PER_USER));
        }
        return r < 0 ? r
                     : json_object_set_new(totals, "no_credential_sessions",
                                           input->logins ? json_integer((json_int_t)n)
                                                         : json_null());
}

/* --- in order --- */

static int compare_times(const void *a, const void *b)
{
        uint64_t first = record_number_or(*(json_t *const *)a, "time_usec", 0);
        uint64_t second = record_number_or(*(json_t *const *)b, "time_usec", 0);

        return first < second ? -1 : first > second;
}

static int append_severity(json_t *sorted, const json_t *found, const char *severity)
{
        size_t n = 0, i;
        json_t *one;
        AUTO_FREE json_t **picked = calloc(json_array_size(found) + 1, sizeof(json_t *));

        if (!picked)
                return -ENOMEM;
        json_array_foreach (found, i, one) {
                if (strcmp(record_text_or(one, "severity", ""), severity) == 0)
                        picked[n++] = one;
        }
        qsort(picked, n, sizeof(json_t *), compare_times);
        for (i = 0; i < n; i++)
                if (json_array_append(sorted, picked[i]) < 0)
                        return -ENOMEM;
        return 0;
}

int audit_exceptions(const AuditInput *input, json_t *report)
{
        json_auto_t *found = json_array(), *sorted = json_array();
        json_t *totals = json_object_get(report, "totals"), *credential;
        size_t i;
        int r = 0;

        json_array_foreach (json_object_get(report, "credentials"), i, credential) {
                r = r < 0 ? r : look_at_credential(input, found, credential);
        }
        if (r == 0)
                r = look_at_refusals(input, found);
        if (r == 0)
                r = look_at_gaps(input, found);
        if (r == 0)
                r = look_at_clock(input, found);
        if (r == 0)
                r = look_at_logins(input, found, totals);
        for (i = 0; i < ELEMENTSOF(severities) && r == 0; i++)
                r = append_severity(sorted, found, severities[i]);
        if (r < 0)
                return -ENOMEM;
        return json_object_set(report, "exceptions", sorted) < 0 ? -ENOMEM : 0;
}

uint64_t audit_count(const json_t *report, const char *kind)
{
        json_t *one;
        uint64_t n = 0;
        size_t i;

        json_array_foreach (json_object_get(report, "exceptions"), i, one) {
                n += strcmp(record_text_or(one, "kind", ""), kind) == 0;
        }
        return n;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One pass over the events of a period. Of each kind that matters to the report just as much is kept
 * as it needs. Times in which credd was not there are told without trusting it to say goodbye: from
 * the last event before a start up to that start. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "credctl/audit.h"
#include "credctl/record.h"

#define BURST_SPAN_USEC (600 * USEC_PER_SEC)

int audit_events_init(AuditEvents *events, const AuditQuestion *question)
{
        *events = (AuditEvents){
                .question = question,
                .gaps = json_array(),
                .unsynchronised = json_array(),
                .steps = json_array(),
                .bound = json_array(),
                .sources = json_object(),
                .clock_unknown = true,
        };
        if (events->gaps && events->unsynchronised && events->steps && events->bound &&
            events->sources)
                return 0;
        audit_events_done(events);
        return -ENOMEM;
}

void audit_events_done(AuditEvents *events)
{
        json_decref(events->gaps);
        json_decref(events->unsynchronised);
        json_decref(events->steps);
        json_decref(events->bound);
        json_decref(events->sources);
        *events = (AuditEvents){0};
}

/* Events carry numbers as text. */
static uint64_t number_of(const json_t *fields, const char *name)
{
        const char *text = record_text(fields, name);

        return text ? strtoull(text, NULL, 10) : 0;
}

/* Of the user and the role that were asked for. What was refused without naming a credential has no
 * user, but the uid that was asked for. A drill is counted apart, by its credential. */
static bool concerns(const AuditQuestion *question, const json_t *fields)
{
        const char *user = record_text(fields, "user"), *role = record_text(fields, "role");

        if (strcmp(record_text_or(fields, "kind", ""), "drill") == 0)
                return false;
        if (question->role && (!role || strcmp(role, question->role) != 0))
                return false;
        if (!question->user)
                return true;
        if (user)
                return strcmp(user, question->user) == 0;
        return question->uid >= 0 && record_text(fields, "asked_uid") &&
               number_of(fields, "asked_uid") == (uint64_t)question->uid;
}

/* The window of one source: {window: [[time, count]...], sum, count, first_usec, last_usec, peak}. A run
 * is what lies less than a window apart; at its end it is a burst if it ever was dense enough. */
static int begin_run(json_t *source, uint64_t time_usec)
{
        return json_object_update_new(source,
                                      json_pack("{s:[], s:i, s:i, s:I, s:I}", "window", "count", 0,
                                                "peak", 0, "first_usec", (json_int_t)time_usec,
                                                "last_usec", (json_int_t)time_usec));
}

static uint64_t slide_window(json_t *window, uint64_t time_usec)
{
        uint64_t sum = 0;
        json_t *one;
        size_t i;

        while ((one = json_array_get(window, 0)) &&
               (uint64_t)json_integer_value(json_array_get(one, 0)) + BURST_SPAN_USEC <= time_usec)
                (void)json_array_remove(window, 0);
        json_array_foreach (window, i, one) {
                sum += (uint64_t)json_integer_value(json_array_get(one, 1));
        }
        return sum;
}

static int end_run(json_t *source)
{
        json_t *runs = json_object_get(source, "runs");

        return json_array_append_new(
                runs, json_pack("{s:O, s:O, s:O, s:O}", "count", json_object_get(source, "count"),
                                "peak", json_object_get(source, "peak"), "first_usec",
                                json_object_get(source, "first_usec"), "last_usec",
                                json_object_get(source, "last_usec")));
}

static json_t *find_source(AuditEvents *events, const json_t *fields)
{
        const char *uid = record_text_or(fields, "asked_uid", "-");
        const char *rhost = record_text_or(fields, "rhost", "");
        char key[512];
        json_t *source;

        (void)snprintf(key, sizeof key, "%s %s", uid, rhost);
        source = json_object_get(events->sources, key);
        if (source)
                return source;
        source = json_pack("{s:s, s:s, s:[]}", "uid", uid, "rhost", rhost, "runs");
        if (json_object_set_new(events->sources, key, source) < 0)
                return NULL;
        return source;
}

static int note_refused(AuditEvents *events, uint64_t time_usec, const json_t *fields)
{
        uint64_t count = number_of(fields, "count"), last, sum;
        json_t *source = find_source(events, fields);
        bool fresh;

        if (!source)
                return -ENOMEM;
        events->logins_refused += count;
        fresh = !record_number(source, "last_usec", &last);
        if (!fresh && last + BURST_SPAN_USEC <= time_usec) {
                if (end_run(source) < 0)
                        return -ENOMEM;
                fresh = true;
        }
        if (fresh && begin_run(source, time_usec) < 0)
                return -ENOMEM;
        if (json_array_append_new(json_object_get(source, "window"),
                                  json_pack("[I, I]", (json_int_t)time_usec, (json_int_t)count)) <
            0)
                return -ENOMEM;
        sum = slide_window(json_object_get(source, "window"), time_usec);
        if (sum < record_number_or(source, "peak", 0))
                sum = record_number_or(source, "peak", 0);
        count += record_number_or(source, "count", 0);
        return json_object_update_new(source, json_pack("{s:I, s:I, s:I}", "count",
                                                        (json_int_t)count, "peak", (json_int_t)sum,
                                                        "last_usec", (json_int_t)time_usec));
}

static int note_gap(AuditEvents *events, uint64_t time_usec)
{
        if (events->last_usec == 0)
                return 0; /* the first start of all */
        return json_array_append_new(events->gaps, json_pack("{s:I, s:I}", "from_usec",
                                                             (json_int_t)events->last_usec,
                                                             "to_usec", (json_int_t)time_usec));
}

/* A span lasts from the first head that says so to the next one that does not. */
static int note_head(AuditEvents *events, uint64_t time_usec, const json_t *fields)
{
        const char *clock = record_text_or(fields, "clock", "");
        bool synchronised = strcmp(clock, "synchronized") == 0;
        bool news = events->clock_unknown || synchronised != events->clock_synchronised;
        size_t n = json_array_size(events->unsynchronised);
        json_t *span = n > 0 ? json_array_get(events->unsynchronised, n - 1) : NULL;

        if (strcmp(clock, "unknown") == 0)
                return 0; /* says neither */
        events->clock_unknown = false;
        events->clock_synchronised = synchronised;
        if (synchronised)
                return news && span ? json_object_set_new(span, "to_usec",
                                                          json_integer((json_int_t)time_usec))
                                    : 0;
        if (!news)
                return 0;
        return json_array_append_new(
                events->unsynchronised,
                json_pack("{s:I, s:n}", "from_usec", (json_int_t)time_usec, "to_usec"));
}

static int note_bound(AuditEvents *events, uint64_t time_usec, const json_t *fields)
{
        return json_array_append_new(events->bound,
                                     json_pack("{s:s, s:I, s:I}", "session",
                                               record_text_or(fields, "session", ""), "leader",
                                               (json_int_t)number_of(fields, "leader"), "time_usec",
                                               (json_int_t)time_usec));
}

static int note_step(AuditEvents *events, uint64_t time_usec, const json_t *fields)
{
        const char *by = record_text_or(fields, "by_usec", "0");

        return json_array_append_new(events->steps,
                                     json_pack("{s:I, s:I}", "time_usec", (json_int_t)time_usec,
                                               "by_usec", (json_int_t)strtoll(by, NULL, 10)));
}

static int note_in_period(AuditEvents *events, const char *name, uint64_t time_usec,
                          const json_t *fields)
{
        bool ours = concerns(events->question, fields);

        if (strcmp(name, "login-accepted") == 0)
                events->logins_accepted += ours;
        else if (strcmp(name, "login-refused") == 0)
                return ours ? note_refused(events, time_usec, fields) : 0;
        else if (strcmp(name, "action-refused") == 0)
                events->actions_refused += number_of(fields, "count");
        else if (strcmp(name, "daemon-started") == 0)
                return note_gap(events, time_usec);
        else if (strcmp(name, "audit-head") == 0)
                return note_head(events, time_usec, fields);
        else if (strcmp(name, "clock-stepped") == 0)
                return note_step(events, time_usec, fields);
        return 0;
}

int audit_events_note(AuditEvents *events, const json_t *row)
{
        const char *name = record_text_or(row, "event", "");
        const json_t *fields = json_object_get(row, "fields");
        uint64_t time_usec = record_number_or(row, "time_usec", 0);
        int r = 0;

        /* What logind announced in the period may have been bound a little after it. */
        if (strcmp(name, "session-bound") == 0)
                r = note_bound(events, time_usec, fields);
        else if (time_usec >= events->question->since_usec &&
                 time_usec < events->question->until_usec)
                r = note_in_period(events, name, time_usec, fields);
        events->last_usec = time_usec;
        return r < 0 ? -ENOMEM : 0;
}

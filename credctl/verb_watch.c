/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl watch: the events as they happen, a line each, on a narrow terminal some. What is kept is one number, that of the last
 * event that was shown: with it the record is taken up again wherever a connection ended, and so
 * nothing is missed and nothing comes twice. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "common/cleanup.h"
#include "credctl/connection.h"
#include "credctl/event.h"
#include "credctl/id.h"
#include "credctl/outcome.h"
#include "credctl/output.h"
#include "credctl/record.h"
#include "credctl/verb.h"
#include "credctl/words.h"

#define PAUSE_MIN_MSEC 100
#define PAUSE_MAX_MSEC 2000
#define WIDE           120 /* a terminal with room for an event in a line */
#define INDENT         10

const Option verb_watch_options[] = {
        {"since", "TIME", "since_usec", OPTION_MOMENT, "first those since then; -1h, today"},
        {"after", "SEQ", NULL, OPTION_TEXT, "first those after the one of this number; 0: all"},
        {"user", "USER", NULL, OPTION_TEXT, "only those about USER"},
        {.name = NULL},
};

typedef struct Watch {
        const Context *context;
        const char *user;        /* NULL: of any */
        json_t *ids;             /* of these credentials alone; empty: of any */
        json_t *parameters;      /* of the next call */
        bool answered;           /* credd has been heard, once */
        bool away;               /* ... and is not there now, which has been said */
        uint64_t last;           /* the event seen last */
        char day[WHEN_TEXT_MAX]; /* the moment whose day and zone stand on the terminal */
} Watch;

static void watch_done(Watch *watch)
{
        json_decref(watch->ids);
        json_decref(watch->parameters);
}

/* --- what is shown --- */

static bool is_wanted(const Watch *watch, const json_t *event)
{
        const char *id = record_text_or(event, "credential", "");
        const char *user = record_text_or(json_object_get(event, "fields"), "user", "");
        json_t *one;
        size_t i;

        if (watch->user && strcmp(watch->user, user) != 0)
                return false;
        json_array_foreach (watch->ids, i, one) {
                if (strcmp(json_string_value(one), id) == 0)
                        return true;
        }
        return json_array_size(watch->ids) == 0;
}

static Style style_of(uint64_t priority)
{
        if (priority <= LOG_ERR)
                return STYLE_ALARM;
        if (priority == LOG_WARNING)
                return STYLE_WARNING;
        return priority == LOG_NOTICE ? STYLE_PLAIN : STYLE_FAINT;
}

/* "2030-01-31 18:00:00 +01:00" is most of a narrow line: its day and its zone, the same line after line, go
 * above those that have them. */
static const char *time_of_day(Watch *watch, char when[static WHEN_TEXT_MAX])
{
        enum { DAY = 10, TIME = 11, ZONE = 20 };

        if (strlen(when) <= ZONE)
                return when;
        if (strncmp(watch->day, when, DAY) != 0 || strcmp(watch->day + ZONE, when + ZONE) != 0) {
                snprintf(watch->day, sizeof watch->day, "%s", when);
                output_line(watch->context, STYLE_HEADING, "%.*s %s", DAY, when, when + ZONE);
        }
        when[ZONE - 1] = '\0';
        return when + TIME;
}

/* When, whose and what, and below it the rest, as show has it. */
static void show_narrow(Watch *watch, Style style, const json_t *event, char *when,
                        const char *words)
{
        const json_t *fields = json_object_get(event, "fields");
        int name = (int)strcspn(words, " ");
        char label[128], text[EVENT_TEXT_MAX];

        snprintf(label, sizeof label, "%s  %-8s ", time_of_day(watch, when),
                 record_text_or(event, "credential", "-"));
        snprintf(text, sizeof text, "%-12s  %.*s", record_text_or(fields, "user", "-"), name,
                 words);
        output_item(watch->context, style, (int)strlen(label) + 1, label, text);
        output_item(watch->context, style, INDENT, "", words + name);
}

static int show(Watch *watch, const json_t *event)
{
        const Context *context = watch->context;
        const json_t *fields = json_object_get(event, "fields");
        Style style = style_of(record_number_or(event, "priority", LOG_NOTICE));
        char words[EVENT_TEXT_MAX], label[160], when[WHEN_TEXT_MAX] = "-";

        if (context->form == OUTPUT_JSON)
                return output_json_line(context, "event", event);
        (void)when_format(record_number_or(event, "time_usec", 0), WHEN_LOCAL, when);
        (void)event_words(event, words);
        if (context->stdout_terminal && context->columns < WIDE) {
                show_narrow(watch, style, event, when, words);
                return 0;
        }
        snprintf(label, sizeof label, "%s  %-8s  %-12s ", when,
                 record_text_or(event, "credential", "-"), record_text_or(fields, "user", "-"));
        output_item(context, style, (int)strlen(label) + 1, label, words);
        return 0;
}

static int take_event(Watch *watch, const json_t *event)
{
        uint64_t seq;

        if (!record_number(event, "seq", &seq) || seq <= watch->last)
                return -EBADMSG;
        if (watch->last > 0 && seq != watch->last + 1)
                words_note("credctl: events %" PRIu64 " to %" PRIu64
                           " are not in the record (any more); see credctl verify",
                           watch->last + 1, seq - 1);
        watch->last = seq;
        return is_wanted(watch, event) ? show(watch, event) : 0;
}

/* From here the next call goes on. */
static int keep_place(Watch *watch, uint64_t next)
{
        watch->last = next;
        (void)json_object_del(watch->parameters, "since_usec");
        return json_object_set_new(watch->parameters, "after", json_integer((json_int_t)next)) < 0
                       ? -ENOMEM
                       : 0;
}

static int on_reply(void *userdata, const json_t *reply)
{
        Watch *watch = userdata;
        json_t *events, *event;
        uint64_t next;
        size_t i;
        int r;

        r = record_member(reply, "events", JSON_ARRAY, &events);
        if (r < 0 || !record_number(reply, "next", &next))
                return -EBADMSG;
        if (watch->away && !watch->context->quiet)
                words_note("credd is back; going on after event %" PRIu64, watch->last);
        watch->away = false;
        watch->answered = true;
        json_array_foreach (events, i, event) {
                r = take_event(watch, event);
                if (r != 0)
                        return r;
        }
        r = output_flush();
        return r < 0 ? r : keep_place(watch, next);
}

/* --- the way there, again and again --- */

static void say_away(Watch *watch)
{
        if (!watch->away && !watch->context->quiet)
                words_note("The connection to credd has ended; trying again from event %" PRIu64,
                           watch->last);
        watch->away = true;
}

static int follow_on(Watch *watch)
{
        const Follow follow = {.method = "Subscribe",
                               .parameters = watch->parameters,
                               .each = on_reply,
                               .userdata = watch};
        long pause_msec = PAUSE_MIN_MSEC;
        int r = 0;

        while (r == 0) {
                struct timespec pause;
                int lost = 0;

                r = connection_follow(watch->context, &follow, &lost);
                if (r == 0 && lost < 0 && !watch->answered)
                        return connection_say_unreachable(watch->context, lost);
                if (r != 0 || lost == 0)
                        continue;
                pause_msec = watch->away ? pause_msec * 2 : PAUSE_MIN_MSEC;
                if (pause_msec > PAUSE_MAX_MSEC)
                        pause_msec = PAUSE_MAX_MSEC;
                say_away(watch);
                pause = (struct timespec){.tv_sec = pause_msec / 1000,
                                          .tv_nsec = pause_msec % 1000 * 1000000};
                (void)nanosleep(&pause, NULL);
        }
        return r;
}

/* --- the question --- */

/* A number that may be 0, which OPTION_NUMBER is not. */
static int read_after(const Arguments *arguments, json_t *parameters)
{
        const char *text = arguments_text(arguments, "after");
        char *end;
        long long seq;

        if (!text)
                return 0;
        errno = 0;
        seq = strtoll(text, &end, 10);
        if (*text < '0' || *text > '9' || *end || errno != 0)
                return words_fail(OUTCOME_USAGE, "--after %s: not the number of an event", text);
        if (json_object_get(parameters, "since_usec"))
                return words_fail(OUTCOME_USAGE, "watch takes one of --since and --after");
        return json_object_set_new(parameters, "after", json_integer(seq)) < 0 ? -ENOMEM : 0;
}

static int read_ids(const Context *context, const Arguments *arguments, json_t *ids)
{
        for (int i = 0; i < arguments->n_operands; i++) {
                AUTO_FREE char *id = NULL;
                int r = id_resolve(context, arguments->operands[i], &id);

                if (r != 0)
                        return r;
                if (json_array_append_new(ids, json_string(id)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

int verb_watch_run(const Context *context, const Arguments *arguments)
{
        CLEANUP(watch_done)
        Watch watch = {
                .context = context, .user = arguments_text(arguments, "user"), .ids = json_array()};
        int r;

        r = arguments_parameters(arguments, context->verb, &watch.parameters);
        if (r == 0)
                r = read_after(arguments, watch.parameters);
        if (r == 0)
                r = read_ids(context, arguments, watch.ids);
        if (r != 0)
                return r;
        watch.last = record_number_or(watch.parameters, "after", 0);
        return follow_on(&watch);
}

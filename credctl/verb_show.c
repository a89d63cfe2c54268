/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl show: the life of one credential in four blocks. What does not apply is left out. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "credctl/asked.h"
#include "credctl/connection.h"
#include "credctl/credentials.h"
#include "credctl/event.h"
#include "credctl/id.h"
#include "credctl/output.h"
#include "credctl/receipt.h"
#include "credctl/record.h"
#include "credctl/sessions.h"
#include "credctl/state.h"
#include "credctl/verb.h"

static void print_fact(const Context *context, const char *name, const char *value)
{
        char label[64];

        snprintf(label, sizeof label, "  %s", name);
        if (value && *value)
                output_item(context, STYLE_PLAIN, 17, label, value);
}

static void print_moment(const Context *context, const char *name, const json_t *credential,
                         const char *member)
{
        char text[RECORD_TEXT_MAX];

        print_fact(context, name, record_moment(context, credential, member, text));
}

static void print_approvals(const Context *context, const json_t *asked)
{
        char moment[RECORD_TEXT_MAX];
        json_t *approval;
        size_t i;

        json_array_foreach (json_object_get(asked, "approvals"), i, approval) {
                const char *by = record_actor(approval, "by"), *reason;
                char text[2 * RECORD_TEXT_MAX];

                reason = record_text(approval, "reason");
                snprintf(text, sizeof text, "%s, %s%s%s", by ? by : "?",
                         record_moment(context, approval, "at_usec", moment), reason ? ": " : "",
                         reason ? reason : "");
                print_fact(context, "approved by", text);
        }
}

static void print_asked(const Context *context, const json_t *credential)
{
        const json_t *asked = asked_of(credential);
        char text[ASKED_APPROVALS_MAX], duration[DURATION_TEXT_MAX];
        uint64_t ttl;

        print_moment(context, "asked", asked, "asked_usec");
        print_fact(context, "approvals", asked_approvals(credential, text));
        print_approvals(context, asked);
        if (record_number(asked, "ttl_usec", &ttl))
                print_fact(context, "to log in", duration_format(ttl, duration));
        if (strcmp(record_text_or(credential, "state", ""), "pending") == 0)
                print_moment(context, "lapses", asked, "lapses_usec");
}

static void print_limits(const Context *context, const json_t *credential)
{
        uint64_t issued, length;
        char text[RECORD_TEXT_MAX], duration[DURATION_TEXT_MAX];

        if (asked_of(credential))
                print_asked(context, credential);
        if (!record_number(credential, "issued_usec", &issued))
                return;
        print_moment(context, "issued", credential, "issued_usec");
        if (record_number_or(credential, "not_before_usec", 0) > issued)
                print_moment(context, "logins from", credential, "not_before_usec");
        print_moment(context, "login until", credential, "login_limit_usec");
        print_moment(context, "ceiling", credential, "ceiling_usec");
        if (record_number(credential, "session_ttl_usec", &length))
                print_fact(context, "session ttl", duration_format(length, duration));
        snprintf(text, sizeof text, "%" PRIu64 " open",
                 record_number_or(credential, "sessions_open", 0));
        print_fact(context, "sessions", text);
}

static void print_credential(const Context *context, const json_t *credential)
{
        char text[RECORD_TEXT_MAX];

        const char *state = record_text_or(credential, "state", "?");

        output_line(context, STYLE_HEADING, "Credential %s: %s",
                    record_text_or(credential, "id", "?"), state);
        print_fact(context, "that is", state_words(state));
        print_fact(context, "kind", record_text(credential, "kind"));
        snprintf(text, sizeof text, "%s (uid %" PRIu64 ")", record_text_or(credential, "user", "?"),
                 record_number_or(credential, "uid", 0));
        print_fact(context, "user", text);
        print_fact(context, "holder", record_text(credential, "holder"));
        print_fact(context, "role", record_text(credential, "role"));
        print_fact(context, "reason", record_text(credential, "reason"));
        print_fact(context, asked_of(credential) ? "asked by" : "issued by",
                   record_actor(credential, "issued_by"));
        print_fact(context, "uses", record_uses(credential, text));
        print_fact(context, "services", record_join(json_object_get(credential, "services"), text));
        print_fact(context, "from", record_join(json_object_get(credential, "sources"), text));
        print_limits(context, credential);
        print_fact(context, "ended because", record_text(credential, "end_reason"));
        print_fact(context, "ended by", record_actor(credential, "ended_by"));
}

#define EVENT_INDENT 6

/* On a terminal: when and what, and below it the words. In a pipe a line an event, whole. */
static void print_event(const Context *context, const char *at, const char *words)
{
        size_t name = strcspn(words, " ");

        if (!context->stdout_terminal) {
                output_line(context, STYLE_PLAIN, "  %s  %s", at, words);
                return;
        }
        output_line(context, STYLE_PLAIN, "  %s  %.*s", at, (int)name, words);
        output_paragraph(context, EVENT_INDENT, words + name);
}

static void print_events(const Context *context, const json_t *events)
{
        char moment[WHEN_TEXT_MAX], words[EVENT_TEXT_MAX];
        json_t *event;
        size_t i;

        output_line(context, STYLE_HEADING, "Events");
        json_array_foreach (events, i, event) {
                const char *at =
                        when_format(record_number_or(event, "time_usec", 0), WHEN_LOCAL, moment);

                print_event(context, at ? at : "-", event_words(event, words));
        }
}

static void print_alarms(const Context *context, const json_t *alarms)
{
        char text[RECORD_TEXT_MAX];
        json_t *alarm;
        size_t i;

        if (json_array_size(alarms) > 0)
                output_line(context, STYLE_HEADING, "Alarms");
        json_array_foreach (alarms, i, alarm) {
                const char *kind = record_text_or(alarm, "kind", "?");
                const char *by = record_actor(alarm, "acknowledged_by");

                if (by)
                        output_line(context, STYLE_PLAIN, "  %s, acknowledged by %s, %s: %s", kind,
                                    by, record_moment(context, alarm, "acknowledged_usec", text),
                                    record_text_or(alarm, "reason", "-"));
                else
                        output_line(context, STYLE_ALARM, "  %s, since %s, not acknowledged", kind,
                                    record_moment(context, alarm, "since_usec", text));
        }
}

static int print_life(const Context *context, const json_t *credential, const json_t *sessions,
                      const json_t *events, const json_t *alarms)
{
        int r;

        print_credential(context, credential);
        print_alarms(context, alarms);
        if (json_array_size(sessions) > 0) {
                output_line(context, STYLE_HEADING, "Sessions");
                r = sessions_print(context, sessions, stdout);
                if (r < 0)
                        return r;
        }
        if (json_array_size(events) > 0)
                print_events(context, events);
        if (receipt_of(credential))
                receipt_print(context, receipt_of(credential));
        return 0;
}

static int print_json(const Context *context, json_t *credential, json_t *sessions, json_t *events,
                      json_t *alarms)
{
        if (json_object_set(credential, "events", events) < 0 ||
            (alarms && json_object_set(credential, "alarms", alarms) < 0))
                return -ENOMEM;
        return credentials_print_json(context, credential, sessions);
}

int verb_show_run(const Context *context, const Arguments *arguments)
{
        json_auto_t *parameters = NULL, *reply = NULL;
        AUTO_FREE char *id = NULL;
        json_t *credential, *sessions, *events, *alarms;
        int r;

        r = id_resolve(context, arguments->operands[0], &id);
        if (r != 0)
                return r;
        parameters = json_pack("{s:s}", "id", id);
        if (!parameters)
                return -ENOMEM;
        r = connection_read(context, "Show", parameters, &reply);
        if (r != 0)
                return r;
        if (record_member(reply, "credential", JSON_OBJECT, &credential) < 0 ||
            record_member(reply, "sessions", JSON_ARRAY, &sessions) < 0 ||
            record_member(reply, "events", JSON_ARRAY, &events) < 0)
                return -EBADMSG;
        alarms = json_object_get(reply, "alarms");
        return context->form == OUTPUT_JSON
                       ? print_json(context, credential, sessions, events, alarms)
                       : print_life(context, credential, sessions, events, alarms);
}

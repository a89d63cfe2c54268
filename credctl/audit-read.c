/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the report has its facts from: credd, page by page, and the journal by the caller's own rights.
 * A journal that may not be read is no failure: the report says what it does not see. */
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <systemd/sd-id128.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "credctl/audit.h"
#include "credctl/connection.h"
#include "credctl/journal.h"
#include "credctl/record.h"

/* A session that logind announced in the period is bound within BindTimeout= of it. */
#define BOUND_LATER_USEC (600 * USEC_PER_SEC)

/* --- credd: credentials --- */

static int read_credentials(const Context *context, const AuditQuestion *question,
                            AuditInput *input)
{
        uint64_t until = question->as_of ? question->since_usec + 1 : question->until_usec;
        json_auto_t *parameters = json_pack(
                "{s:I, s:I, s:s?, s:s?}", "since_usec", (json_int_t)question->since_usec,
                "until_usec", (json_int_t)until, "user", question->user, "role", question->role);
        json_t *page, *users;
        uint64_t next = 0, after;
        bool more = true;
        int r;

        while (more) {
                json_auto_t *reply = NULL;

                r = connection_read(context, "Audit", parameters, &reply);
                if (r == 0)
                        r = record_member(reply, "credentials", JSON_ARRAY, &page);
                if (r == 0)
                        r = record_member(reply, "users", JSON_ARRAY, &users);
                if (r != 0)
                        return r;
                if (json_array_extend(input->credentials, page) < 0 ||
                    json_array_clear(input->users) < 0 ||
                    json_array_extend(input->users, users) < 0)
                        return -ENOMEM;
                after = next;
                more = record_number(reply, "next", &next);
                /* A position that does not move on would be asked for ever. */
                if (more && next <= after)
                        return -EBADMSG;
                if (more &&
                    json_object_set_new(parameters, "after", json_integer((json_int_t)next)))
                        return -ENOMEM;
        }
        return 0;
}

/* --- credd: events --- */

static int read_page(const Context *context, uint64_t after, json_t **ret_reply,
                     json_t **ret_events)
{
        json_auto_t *parameters = json_pack("{s:I}", "after", (json_int_t)after), *reply = NULL;
        int r;

        if (!parameters)
                return -ENOMEM;
        r = connection_read(context, "Events", parameters, &reply);
        if (r == 0)
                r = record_member(reply, "events", JSON_ARRAY, ret_events);
        if (r == 0)
                *ret_reply = take_ptr(reply);
        return r;
}

/* Halves the chain until it has the last event before the period. The wall clock may have been set
 * back: what is out of order there is not looked for. */
static int find_begin(const Context *context, uint64_t since_usec, uint64_t head, uint64_t *ret_seq)
{
        uint64_t low = 0, high = head;

        while (low < high) {
                uint64_t middle = low + (high - low) / 2;
                json_auto_t *reply = NULL;
                json_t *events, *first;
                int r = read_page(context, middle, &reply, &events);

                if (r != 0)
                        return r;
                first = json_array_get(events, 0);
                if (first && record_number_or(first, "time_usec", 0) < since_usec)
                        low = record_number_or(first, "seq", middle + 1);
                else
                        high = middle;
        }
        *ret_seq = low;
        return 0;
}

static int note_page(AuditEvents *noted, json_t *events, uint64_t last_usec, bool *ret_more)
{
        json_t *row;
        size_t i;

        json_array_foreach (events, i, row) {
                if (record_number_or(row, "time_usec", 0) >= last_usec) {
                        *ret_more = false;
                        return 0;
                }
                if (audit_events_note(noted, row) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int read_events(const Context *context, AuditEvents *events, AuditInput *input)
{
        const AuditQuestion *question = events->question;
        uint64_t last_usec = question->until_usec + BOUND_LATER_USEC, seq;
        json_auto_t *reply = NULL;
        json_t *page;
        bool more = true;
        int r;

        r = read_page(context, 0, &reply, &page);
        if (r != 0)
                return r;
        input->head = json_incref(json_object_get(reply, "head"));
        input->events_begin_usec =
                record_number_or(json_array_get(page, 0), "seq", 1) > 1
                        ? record_number_or(json_array_get(page, 0), "time_usec", 0)
                        : 0;
        if (question->as_of)
                return 0;
        r = find_begin(context, question->since_usec, record_number_or(input->head, "seq", 0),
                       &seq);
        /* The one before the period as well: since when credd was not there. */
        for (seq = seq > 0 ? seq - 1 : 0; r == 0 && more;) {
                json_auto_t *next = NULL;

                r = read_page(context, seq, &next, &page);
                if (r == 0)
                        r = note_page(events, page, last_usec, &more);
                if (r == 0)
                        more = more && record_number(next, "next", &seq);
        }
        return r;
}

/* --- the journal --- */

static int read_journal(const AuditQuestion *question, AuditInput *input)
{
        CLEANUP(journal_closep) Journal *journal = NULL;
        int r;

        r = journal_open(&journal);
        if (r == 0)
                r = journal_begin_usec(journal, &input->journal_begin_usec);
        if (r == 0)
                r = journal_logins(journal, question->since_usec, question->until_usec,
                                   &input->logins);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                input->no_logins = r == -EACCES
                                           ? "its reader is neither root nor in systemd-journal"
                                           : strerror(-r);
        return 0;
}

/* --- whose report it is --- */

static json_t *machine_id(void)
{
        char text[SD_ID128_STRING_MAX];
        sd_id128_t id;

        return sd_id128_get_machine(&id) < 0 ? json_null()
                                             : json_string(sd_id128_to_string(id, text));
}

static json_t *zone(uint64_t now_usec)
{
        time_t seconds = (time_t)(now_usec / USEC_PER_SEC);
        struct tm clock;
        char text[64] = "";

        if (localtime_r(&seconds, &clock))
                (void)strftime(text, sizeof text, "%Z %z", &clock);
        return json_string(text);
}

static int read_origin(const Context *context, AuditInput *input)
{
        json_auto_t *status = NULL;
        const struct passwd *caller = getpwuid(getuid());
        char host[HOST_NAME_MAX + 1] = "?";
        int r;

        r = connection_read(context, "Status", NULL, &status);
        if (r != 0)
                return r;
        /* Asked here: credd sees the name that the host had when it was started. */
        (void)gethostname(host, sizeof(host));
        input->origin = json_pack("{s:s, s:o, s:s, s:o, s:{s:s, s:I}}", "host", host, "machine_id",
                                  machine_id(), "version", record_text_or(status, "version", "?"),
                                  "zone", zone(context->now_real_usec), "generated_by", "name",
                                  caller ? caller->pw_name : "?", "uid", (json_int_t)getuid());
        return input->origin ? 0 : -ENOMEM;
}

static void input_done(AuditInput *input)
{
        json_decref(input->origin);
        json_decref(input->head);
        json_decref(input->credentials);
        json_decref(input->users);
        json_decref(input->logins);
}

int audit_read(const Context *context, const AuditQuestion *question, json_t **ret_report)
{
        CLEANUP(audit_events_done) AuditEvents events = {0};
        CLEANUP(input_done)
        AuditInput input = {.question = *question,
                            .events = &events,
                            .credentials = json_array(),
                            .users = json_array()};
        int r;

        r = audit_events_init(&events, &input.question);
        if (r == 0)
                r = read_origin(context, &input);
        if (r == 0)
                r = read_credentials(context, question, &input);
        if (r == 0)
                r = read_events(context, &events, &input);
        if (r == 0 && !question->as_of)
                r = read_journal(question, &input);
        return r == 0 ? audit_collect(&input, ret_report) : r;
}

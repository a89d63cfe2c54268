/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl status: what needs an admin first, then a few figures. */
#include <inttypes.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "credctl/connection.h"
#include "credctl/outcome.h"
#include "credctl/output.h"
#include "credctl/record.h"
#include "credctl/verb.h"

static bool is_frozen(const json_t *status)
{
        return json_is_true(json_object_get(status, "frozen"));
}

static void print_frozen(const Context *context)
{
        output_item(context, STYLE_ALARM, 10, "FROZEN",
                    "no login with a token is possible on this host; "
                    "to let them in again: credctl thaw");
}

static void print_problems(const Context *context, const json_t *problems)
{
        json_t *problem;
        size_t i;

        json_array_foreach (problems, i, problem) {
                output_item(context, STYLE_ALARM, 10, "problem",
                            json_is_string(problem) ? json_string_value(problem) : "?");
        }
}

static void print_figures(const Context *context, const json_t *status)
{
        uint64_t open = record_number_or(status, "sessions_open", 0);
        uint64_t overdue = record_number_or(status, "sessions_overdue", 0);
        uint64_t behind = record_number_or(status, "journal_behind", 0);
        char started[RECORD_TEXT_MAX], logins[128];

        output_line(context, STYLE_PLAIN, "credd     %s on %s",
                    record_text_or(status, "version", "?"), record_text_or(status, "host", "?"));
        output_line(context, STYLE_PLAIN, "since     %s",
                    record_moment(context, status, "started_usec", started));
        if (!json_is_string(json_object_get(status, "logind")))
                return; /* how it goes is told to admins and auditors */
        output_line(context, overdue ? STYLE_ALARM : STYLE_PLAIN,
                    "sessions  %" PRIu64 " open, %" PRIu64 " past the deadline", open, overdue);
        snprintf(logins, sizeof logins,
                 "%" PRIu64 " asked, %" PRIu64 " accepted, %" PRIu64 " refused, since the start",
                 record_number_or(status, "logins_asked", 0),
                 record_number_or(status, "logins_accepted", 0),
                 record_number_or(status, "logins_refused", 0));
        output_item(context, STYLE_PLAIN, 10, "logins", logins);
        output_line(context, STYLE_PLAIN, "logind    %s", record_text_or(status, "logind", "?"));
        output_line(context, STYLE_PLAIN, "journal   %" PRIu64 " entr%s behind", behind,
                    behind == 1 ? "y" : "ies");
        output_line(context, STYLE_PLAIN, "store     %s", record_text_or(status, "store", "?"));
}

/* *ret_problems: how many there are, and a frozen host is one. */
static int show_status(const Context *context, size_t *ret_problems)
{
        json_auto_t *status = NULL;
        json_t *problems;
        int r;

        r = connection_read(context, "Status", NULL, &status);
        if (r != 0)
                return r;
        r = record_member(status, "problems", JSON_ARRAY, &problems);
        if (r < 0)
                return r;
        *ret_problems = json_array_size(problems) + is_frozen(status);
        if (context->form == OUTPUT_JSON)
                return output_json(context, "status", status);
        if (is_frozen(status))
                print_frozen(context);
        print_problems(context, problems);
        if (!context->quiet)
                print_figures(context, status);
        return 0;
}

int verb_status_run(const Context *context, const Arguments *arguments)
{
        size_t problems;
        int r;

        (void)arguments;
        r = show_status(context, &problems);
        return r == 0 && problems > 0 ? OUTCOME_FAILED : r;
}

/* What waits for somebody, if this person may see it; no error is worth a word here. */
static void print_requests(const Context *context)
{
        json_auto_t *parameters = json_object(), *requests = NULL;
        char text[128];
        size_t n;

        if (!parameters ||
            connection_read_pages(context, "Requests", "requests", parameters, &requests) != 0)
                return;
        n = json_array_size(requests);
        snprintf(text, sizeof text, "%zu wait%s to be decided or collected: credctl requests", n,
                 n == 1 ? "s" : "");
        if (n > 0)
                output_item(context, STYLE_WARNING, 10, "requests", text);
}

/* Who is in a session that a credential opened wants to know how long; who is not is told nothing. */
static void print_own_session(const Context *context)
{
        const Call call = {.method = "Time", .all_tolerated = true, .silent = true};
        json_auto_t *reply = NULL;
        char length[DURATION_TEXT_MAX];
        uint64_t left;

        if (connection_call(context, &call, &reply) != 0 || !reply ||
            !record_number(json_object_get(reply, "session"), "left_usec", &left))
                return;
        output_line(context, left < 60 * USEC_PER_SEC ? STYLE_ALARM : STYLE_HEADING,
                    "yours     this session has %s left: credctl time",
                    duration_format(left - left % USEC_PER_SEC, length));
}

int verb_status_overview(const Context *context)
{
        size_t problems;
        int r = show_status(context, &problems);

        if (r == 0 && context->form == OUTPUT_TABLE) {
                print_requests(context);
                print_own_session(context);
        }
        return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl extend: how much is possible is credd's to say, and its refusal says it. */
#include <inttypes.h>

#include "common/cleanup.h"
#include "credctl/connection.h"
#include "credctl/credentials.h"
#include "credctl/id.h"
#include "credctl/outcome.h"
#include "credctl/output.h"
#include "credctl/record.h"
#include "credctl/verb.h"
#include "credctl/words.h"

const Option verb_extend_options[] = {
        {"by", "D", "by_usec", OPTION_DURATION, "how much longer, as 15min, 1h 30min"},
        {"reason", "TEXT", "reason", OPTION_TEXT, "why, for the audit"},
        {.name = NULL},
};

/* A login limit that is over is not moved; that no use may be left is another matter. */
static void print_login_limit(const Context *context, const json_t *credential)
{
        bool over = record_number_or(credential, "login_limit_usec", 0) <= context->now_real_usec;
        char text[RECORD_TEXT_MAX];

        record_moment(context, credential, "login_limit_usec", text);
        if (over)
                output_line(context, STYLE_PLAIN, "  login          no more since %s", text);
        else if (record_number_or(credential, "uses_left", 1) == 0)
                output_line(context, STYLE_PLAIN, "  login          no use is left");
        else
                output_line(context, STYLE_PLAIN, "  login until    %s", text);
}

static void print_session(const Context *context, const json_t *session)
{
        char text[RECORD_TEXT_MAX];

        output_line(context, STYLE_PLAIN, "  session %-6s until %s, %s from %s",
                    record_text_or(session, "session", "-"),
                    record_moment(context, session, "deadline_usec", text),
                    record_text_or(session, "service", "?"),
                    record_text_or(session, "rhost", "this host"));
}

static void print_extended(const Context *context, const json_t *credential, const json_t *sessions,
                           uint64_t by_usec)
{
        char text[RECORD_TEXT_MAX], length[DURATION_TEXT_MAX];
        json_t *session;
        size_t i;

        if (context->quiet)
                return;
        output_line(context, STYLE_HEADING, "%s of %s extended by %s",
                    record_text_or(credential, "id", "?"), record_text_or(credential, "user", "?"),
                    duration_format(by_usec, length));
        print_login_limit(context, credential);
        json_array_foreach (sessions, i, session) {
                print_session(context, session);
        }
        output_line(context, STYLE_PLAIN, "  ceiling        %s",
                    record_moment(context, credential, "ceiling_usec", text));
}

static int make_parameters(const Context *context, const Arguments *arguments,
                           json_t **ret_parameters)
{
        json_auto_t *parameters = NULL;
        AUTO_FREE char *id = NULL;
        int r;

        if (arguments_number(arguments, "by", 0) == 0)
                return words_fail(OUTCOME_USAGE, "--by: that is no time at all");
        r = id_resolve(context, arguments->operands[0], &id);
        if (r == 0)
                r = arguments_parameters(arguments, context->verb, &parameters);
        if (r != 0)
                return r;
        if (json_object_set_new(parameters, "id", json_string(id)) < 0)
                return -ENOMEM;
        *ret_parameters = take_ptr(parameters);
        return 0;
}

int verb_extend_run(const Context *context, const Arguments *arguments)
{
        json_auto_t *parameters = NULL, *reply = NULL;
        json_t *credential, *sessions;
        int r;

        r = make_parameters(context, arguments, &parameters);
        if (r == 0)
                r = connection_change(context, "Extend", parameters, &reply);
        if (r != 0)
                return r;
        if (record_member(reply, "credential", JSON_OBJECT, &credential) < 0 ||
            record_member(reply, "sessions", JSON_ARRAY, &sessions) < 0)
                return -EBADMSG;
        if (context->form == OUTPUT_JSON)
                return credentials_print_json(context, credential, sessions);
        print_extended(context, credential, sessions, arguments_number(arguments, "by", 0));
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl request: asks, and with --wait stays until it is decided and then collects. Whoever stops
 * waiting loses nothing: the request stays, and its id has been said. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "credctl/asked.h"
#include "credctl/collecting.h"
#include "credctl/connection.h"
#include "credctl/outcome.h"
#include "credctl/output.h"
#include "credctl/record.h"
#include "credctl/user.h"
#include "credctl/verb.h"
#include "credctl/words.h"

#define POLL_USEC (500 * USEC_PER_MSEC)

const Option verb_request_options[] = {
        {"role", "ROLE", "role", OPTION_TEXT, "the role to ask for"},
        {"user", "USER", "user", OPTION_TEXT, "who may log in with it"},
        {"ttl", "D", "ttl_usec", OPTION_DURATION,
         "how long a login is possible, once it is collected"},
        {"reason", "TEXT", "reason", OPTION_TEXT, "why, for those who decide"},
        {"holder", "WHO", "holder", OPTION_TEXT, "the person, where several share the account"},
        {"wait", NULL, NULL, OPTION_FLAG, "wait until it is decided, then collect it"},
        {.name = NULL},
};

static int check_arguments(const Context *context, const Arguments *arguments)
{
        static const char *const needed[] = {"role", "user", "reason"};

        for (size_t i = 0; i < ELEMENTSOF(needed); i++)
                if (!arguments_text(arguments, needed[i]))
                        return arguments_say_missing(context->verb, needed[i]);
        return 0;
}

static void show_progress(const Context *context, const json_t *credential)
{
        char approvals[ASKED_APPROVALS_MAX];

        if (context->stderr_terminal && !context->quiet)
                fprintf(stderr, "\r\033[Kwaiting: %s approvals",
                        asked_approvals(credential, approvals));
}

static void hide_progress(const Context *context)
{
        if (context->stderr_terminal && !context->quiet)
                fputs("\r\033[K", stderr);
}

static bool is_waiting(const json_t *credential)
{
        return strcmp(record_text_or(credential, "state", ""), "pending") == 0 &&
               !asked_approved(credential);
}

static int say_undecided(const json_t *credential)
{
        const char *id = record_text_or(credential, "id", "?");
        const char *by = record_actor(credential, "ended_by");
        const char *reason = record_text(credential, "end_reason");

        return words_fail(OUTCOME_REFUSED, "%s is %s%s%s%s%s", id,
                          record_text_or(credential, "state", "?"), by ? ", by " : "", by ? by : "",
                          reason ? ": " : "", reason ? reason : "");
}

/* *credential is replaced by what credd knows of it last. */
static int wait_for_decision(const Context *context, json_t **credential)
{
        const struct timespec pause = {.tv_nsec = (long)(POLL_USEC * 1000)};
        json_auto_t *parameters = json_pack("{s:O}", "id", json_object_get(*credential, "id"));
        int r = parameters ? 0 : -ENOMEM;

        while (r == 0 && is_waiting(*credential)) {
                json_auto_t *reply = NULL;
                json_t *fresh;

                show_progress(context, *credential);
                (void)nanosleep(&pause, NULL);
                r = connection_read(context, "Show", parameters, &reply);
                if (r == 0)
                        r = record_member(reply, "credential", JSON_OBJECT, &fresh);
                if (r != 0)
                        break;
                json_decref(*credential);
                *credential = json_incref(fresh);
        }
        hide_progress(context);
        return r;
}

static int wait_and_collect(const Context *context, json_t *asked)
{
        json_auto_t *credential = json_incref(asked);
        int r;

        if (!context->quiet)
                words_note("Asked for %s. If you do not want to wait: credctl collect %s, once it "
                           "is approved.",
                           record_text_or(credential, "id", "?"),
                           record_text_or(credential, "id", "?"));
        r = wait_for_decision(context, &credential);
        if (r == 0 && !asked_approved(credential))
                r = say_undecided(credential);
        return r == 0 ? collecting_run(context, record_text_or(credential, "id", "")) : r;
}

static void print_asked(const Context *context, const json_t *credential)
{
        const char *id = record_text_or(credential, "id", "?");
        char text[RECORD_TEXT_MAX], approvals[ASKED_APPROVALS_MAX];

        if (context->quiet) {
                output_line(context, STYLE_PLAIN, "%s", id);
                return;
        }
        output_line(context, STYLE_HEADING, "Credential %s is asked for, to log in as %s", id,
                    record_text_or(credential, "user", "?"));
        output_line(context, STYLE_PLAIN, "Approvals: %s", asked_approvals(credential, approvals));
        output_line(context, STYLE_PLAIN, "Lapses: %s",
                    record_moment(context, asked_of(credential), "lapses_usec", text));
        output_line(context, STYLE_PLAIN, "To collect it%s: credctl collect %s",
                    asked_approved(credential) ? "" : ", once it is approved", id);
        output_line(context, STYLE_PLAIN, "To withdraw it: credctl revoke %s", id);
}

static int ask(const Context *context, const Arguments *arguments, json_t **ret_reply)
{
        json_auto_t *parameters = NULL;
        uid_t uid = (uid_t)-1;
        int r;

        r = check_arguments(context, arguments);
        if (r == 0)
                r = user_find_uid(arguments_text(arguments, "user"), &uid);
        if (r == 0)
                r = arguments_parameters(arguments, context->verb, &parameters);
        if (r != 0)
                return r;
        if (json_object_set_new(parameters, "uid", json_integer(uid)) < 0)
                return -ENOMEM;
        return connection_change(context, "Request", parameters, ret_reply);
}

int verb_request_run(const Context *context, const Arguments *arguments)
{
        json_auto_t *reply = NULL;
        json_t *credential;
        int r;

        if (context->form == OUTPUT_TOKEN && !arguments_flag(arguments, "wait"))
                return words_fail(OUTCOME_USAGE, "--output token goes with --wait: there is no "
                                                 "token before it is approved and collected");
        r = ask(context, arguments, &reply);
        if (r == 0)
                r = record_member(reply, "credential", JSON_OBJECT, &credential);
        if (r != 0)
                return r;
        if (arguments_flag(arguments, "wait"))
                return wait_and_collect(context, credential);
        if (context->form == OUTPUT_JSON)
                return asked_print_json(context, credential);
        print_asked(context, credential);
        return 0;
}

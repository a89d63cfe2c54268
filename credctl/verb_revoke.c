/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl revoke: each id is its own call, and one that fails does not keep the next from being
 * revoked. With --wait the receipts are waited for after all are revoked, within one limit. Left
 * out: choosing by user or role. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/client.h"
#include "common/varlink.h"
#include "credctl/connection.h"
#include "credctl/id.h"
#include "credctl/outcome.h"
#include "credctl/output.h"
#include "credctl/receipt.h"
#include "credctl/record.h"
#include "credctl/verb.h"
#include "credctl/words.h"

#define WAIT_USEC (60 * USEC_PER_SEC)
#define POLL_USEC (250 * USEC_PER_MSEC)

const Option verb_revoke_options[] = {
        {"reason", "TEXT", "reason", OPTION_TEXT, "why, for the audit"},
        {"wait", NULL, NULL, OPTION_FLAG, "until the receipts are there, at most a minute"},
        {"dry-run", NULL, NULL, OPTION_FLAG, "say what would be done"},
        {.name = NULL},
};

/* One call about one id; *ret_credential is what the reply says of it. */
static int ask(const Context *context, bool revoke, const char *id, const char *reason,
               json_t **ret_credential)
{
        json_auto_t *parameters = json_pack("{s:s, s:s*}", "id", id, "reason", reason);
        json_auto_t *reply = NULL;
        json_t *credential;
        int r;

        if (!parameters)
                return -ENOMEM;
        r = revoke ? connection_change(context, "Revoke", parameters, &reply)
                   : connection_read(context, "Show", parameters, &reply);
        if (r != 0)
                return r;
        r = record_member(reply, "credential", JSON_OBJECT, &credential);
        if (r == 0)
                *ret_credential = json_incref(credential);
        return r;
}

static void say_revoked(const Context *context, const json_t *credential)
{
        const char *id = record_text_or(credential, "id", "?");
        uint64_t open = record_number_or(credential, "sessions_open", 0);

        if (context->quiet || context->form == OUTPUT_JSON)
                return;
        if (open > 0)
                output_line(context, STYLE_PLAIN, "%s revoked; %" PRIu64 " session%s being ended",
                            id, open, open == 1 ? " is" : "s are");
        else
                output_line(context, STYLE_PLAIN, "%s revoked; no session was open", id);
}

/* The states that Revoke works in are named here rather than those it does not work in: nothing is
 * promised of a state that this credctl does not know. */
static int say_what_would_be(const Context *context, const json_t *credential)
{
        static const char *const live[] = {"pending", "active", "in-use", "suspended", "ending"};
        const char *id = record_text_or(credential, "id", "?");
        const char *state = record_text_or(credential, "state", "?");
        uint64_t open = record_number_or(credential, "sessions_open", 0);
        bool final = true;

        for (size_t i = 0; i < ELEMENTSOF(live); i++)
                final = final && strcmp(state, live[i]) != 0;
        if (final)
                return words_fail(OUTCOME_FAILED,
                                  "credential %s is %s already, which nothing changes", id, state);
        if (!context->quiet && context->form != OUTPUT_JSON)
                output_line(context, STYLE_PLAIN,
                            "%s would be revoked; %" PRIu64 " session%s would be ended", id, open,
                            WORDS_PLURAL(open));
        return 0;
}

static int revoke_one(const Context *context, const Arguments *arguments, const char *typed,
                      json_t *credentials)
{
        bool dry_run = arguments_flag(arguments, "dry-run");
        json_auto_t *credential = NULL;
        AUTO_FREE char *id = NULL;
        int r;

        r = id_resolve(context, typed, &id);
        if (r == 0)
                r = ask(context, !dry_run, id, dry_run ? NULL : arguments_text(arguments, "reason"),
                        &credential);
        if (r != 0)
                return r;
        if (json_array_append(credentials, credential) < 0)
                return -ENOMEM;
        if (dry_run)
                return say_what_would_be(context, credential);
        say_revoked(context, credential);
        return 0;
}

static void show_progress(const Context *context, const char *id, uint64_t left_usec)
{
        if (context->stderr_terminal && !context->quiet)
                fprintf(stderr, "\r\033[Kwaiting for the receipt of %s, %" PRIu64 "s left", id,
                        left_usec / USEC_PER_SEC);
}

static void hide_progress(const Context *context)
{
        if (context->stderr_terminal && !context->quiet)
                fputs("\r\033[K", stderr);
}

/* *credential is replaced by what is known last. */
static int wait_for_receipt(const Context *context, json_t **credential, uint64_t deadline_usec)
{
        const struct timespec pause = {.tv_nsec = (long)(POLL_USEC * 1000)};
        AUTO_FREE char *id = strdup(record_text_or(*credential, "id", ""));
        int r = id ? 0 : -ENOMEM;

        while (r == 0 && !receipt_of(*credential)) {
                uint64_t now = client_deadline_usec(0);
                json_t *fresh = NULL;

                if (now >= deadline_usec) {
                        hide_progress(context);
                        return words_fail(OUTCOME_UNKNOWN,
                                          "%s: no receipt yet; look again with credctl show %s", id,
                                          id);
                }
                show_progress(context, id, deadline_usec - now);
                (void)nanosleep(&pause, NULL);
                r = ask(context, false, id, NULL, &fresh);
                if (r == 0) {
                        json_decref(*credential);
                        *credential = fresh;
                }
        }
        hide_progress(context);
        return r;
}

static int say_verdict(const Context *context, const json_t *credential)
{
        const char *id = record_text_or(credential, "id", "?");
        const json_t *receipt = receipt_of(credential);
        char verdict[RECORD_TEXT_MAX];

        receipt_verdict(receipt, verdict);
        if (!receipt_confirmed(receipt))
                return words_fail(OUTCOME_FAILED, "%s: %s; see credctl show %s", id, verdict, id);
        if (!context->quiet && context->form != OUTPUT_JSON)
                output_line(context, STYLE_GOOD, "%s %s", id, verdict);
        return 0;
}

static int wait_for_all(const Context *context, json_t *credentials)
{
        uint64_t deadline_usec = client_deadline_usec(WAIT_USEC);
        int worst = 0;

        (void)output_flush(); /* what was revoked, before the wait; program_run() sees errors */
        for (size_t i = 0; i < json_array_size(credentials); i++) {
                json_t *credential = json_incref(json_array_get(credentials, i));
                int r = wait_for_receipt(context, &credential, deadline_usec);

                if (r == 0)
                        r = say_verdict(context, credential);
                worst = outcome_worse(worst, r);
                if (json_array_set_new(credentials, i, credential) < 0)
                        return -ENOMEM;
        }
        return worst;
}

int verb_revoke_run(const Context *context, const Arguments *arguments)
{
        json_auto_t *credentials = json_array();
        int r, worst = 0;

        if (!credentials)
                return -ENOMEM;
        for (int i = 0; i < arguments->n_operands && worst != OUTCOME_UNREACHABLE; i++)
                worst = outcome_worse(
                        worst, revoke_one(context, arguments, arguments->operands[i], credentials));
        if (arguments_flag(arguments, "wait") && !arguments_flag(arguments, "dry-run") &&
            worst >= 0)
                worst = outcome_worse(worst, wait_for_all(context, credentials));
        if (context->form != OUTPUT_JSON || json_array_size(credentials) == 0)
                return worst;
        r = output_json(context, "credentials", credentials);
        return r < 0 ? r : worst;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One after the other: what is ready is found ready when its turn comes, and credd is asked about
 * one credential at a time. Each is looked at once at least, however little time is left. */
#include "credctl/waiting.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "common/client.h"
#include "common/cleanup.h"
#include "credctl/asked.h"
#include "credctl/connection.h"
#include "credctl/outcome.h"
#include "credctl/output.h"
#include "credctl/receipt.h"
#include "credctl/record.h"
#include "credctl/words.h"

#define WAIT_USEC (120 * USEC_PER_SEC)
#define POLL_USEC (250 * USEC_PER_MSEC)

static void show_progress(const Context *context, size_t done, size_t all, uint64_t left_usec)
{
        if (context->stderr_terminal && !context->quiet)
                fprintf(stderr, "\r\033[Kwaiting: %zu of %zu receipt%s, at most %" PRIu64 "s more",
                        done, all, WORDS_PLURAL(all), left_usec / USEC_PER_SEC);
}

static void hide_progress(const Context *context)
{
        if (context->stderr_terminal && !context->quiet)
                fputs("\r\033[K", stderr);
}

/* *credential is replaced by what credd knows of it now. */
static int refresh(const Context *context, json_t **credential)
{
        json_auto_t *parameters = json_pack("{s:O}", "id", json_object_get(*credential, "id"));
        json_auto_t *reply = NULL;
        json_t *fresh;
        int r;

        if (!parameters)
                return -ENOMEM;
        r = connection_read(context, "Show", parameters, &reply);
        if (r == 0)
                r = record_member(reply, "credential", JSON_OBJECT, &fresh);
        if (r != 0)
                return r;
        json_decref(*credential);
        *credential = json_incref(fresh);
        return 0;
}

/* It was asked for and not collected: there never was a token, so there will be no receipt. */
static bool owes_receipt(const json_t *credential)
{
        return !asked_of(credential) || json_is_integer(json_object_get(credential, "issued_usec"));
}

static bool is_done(const json_t *credential)
{
        return receipt_of(credential) || !owes_receipt(credential);
}

static int say_verdict(const Context *context, const json_t *credential)
{
        const char *id = record_text_or(credential, "id", "?");
        const json_t *receipt = receipt_of(credential);
        char verdict[RECORD_TEXT_MAX];

        if (!receipt && !owes_receipt(credential)) {
                if (!context->quiet && context->form != OUTPUT_JSON)
                        output_line(context, STYLE_GOOD, "%s never had a token", id);
                return output_flush();
        }
        if (!receipt)
                return words_fail(OUTCOME_UNKNOWN,
                                  "%s: no receipt yet; look again with credctl show %s", id, id);
        receipt_verdict(receipt, verdict);
        if (!receipt_confirmed(receipt))
                return words_fail(OUTCOME_FAILED, "%s: %s; see credctl show %s", id, verdict, id);
        if (!context->quiet && context->form != OUTPUT_JSON)
                output_line(context, STYLE_GOOD, "%s %s", id, verdict);
        return output_flush();
}

static int say_sessions(const Context *context, const json_t *credential)
{
        const char *id = record_text_or(credential, "id", "?");

        if (receipt_of(credential))
                return say_verdict(context, credential);
        if (record_number_or(credential, "sessions_open", 1) > 0)
                return words_fail(OUTCOME_UNKNOWN,
                                  "%s: not all of its sessions are verified gone; look again with "
                                  "credctl show %s",
                                  id, id);
        if (!context->quiet && context->form != OUTPUT_JSON)
                output_line(context, STYLE_GOOD, "%s: its sessions are verified gone", id);
        return output_flush();
}

/* What is waited for, and what is said then. */
typedef struct Goal {
        bool (*reached)(const json_t *credential);
        int (*say)(const Context *context, const json_t *credential);
} Goal;

static bool has_no_session(const json_t *credential)
{
        return record_number_or(credential, "sessions_open", 1) == 0;
}

/* The one at index: until the goal is reached or the time is over. */
static int wait_for_one(const Context *context, const Goal *goal, json_t *credentials, size_t index,
                        uint64_t deadline_usec)
{
        const struct timespec pause = {.tv_nsec = (long)(POLL_USEC * 1000)};
        json_t *credential = json_incref(json_array_get(credentials, index));
        int r = goal->reached(credential) ? 0 : refresh(context, &credential);

        while (r == 0 && !goal->reached(credential)) {
                uint64_t now = client_now_usec();

                if (now >= deadline_usec)
                        break;
                show_progress(context, index, json_array_size(credentials), deadline_usec - now);
                (void)nanosleep(&pause, NULL);
                r = refresh(context, &credential);
        }
        hide_progress(context);
        if (r == 0)
                r = goal->say(context, credential);
        return json_array_set_new(credentials, index, credential) < 0 ? -ENOMEM : r;
}

static int wait_for_all(const Context *context, const Goal *goal, json_t *credentials)
{
        uint64_t deadline_usec = client_deadline_usec(WAIT_USEC);
        int worst = 0;

        (void)output_flush(); /* what was done, before the wait; program_run() sees errors */
        for (size_t i = 0; i < json_array_size(credentials); i++)
                worst = outcome_worse(worst,
                                      wait_for_one(context, goal, credentials, i, deadline_usec));
        return worst;
}

int waiting_for_receipts(const Context *context, json_t *credentials)
{
        const Goal goal = {is_done, say_verdict};

        return wait_for_all(context, &goal, credentials);
}

int waiting_for_sessions(const Context *context, json_t *credentials)
{
        const Goal goal = {has_no_session, say_sessions};

        return wait_for_all(context, &goal, credentials);
}

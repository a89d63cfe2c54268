/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is named in the configuration may keep the machine busy: an audit is thousands of calls. What is written stays
 * for a year, so who may ask and withdraw, or collect again and again, is not to do it without end. Admins can fill
 * the disk in other ways. The Login socket, whose peers are root, has no part in it. */
#include "credd/pace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "credd/limiter.h"
#include "credd/refusals.h"

struct Pace {
        Limiter *calls, *changes;
};

typedef struct Measure {
        int most;
        const char *what, *within, *journal;
} Measure;

static const Measure of_calls = {LIMITER_CALLS, "calls", "a minute",
                                 "too many calls of his within a minute"};
static const Measure of_changes = {LIMITER_CHANGES, "changes", "an hour",
                                   "too many changes of his within an hour"};

int pace_new(Pace **ret_pace)
{
        Pace *pace = calloc(1, sizeof(*pace));
        int r;

        if (!pace)
                return -ENOMEM;
        r = limiter_new(LIMITER_CALLS, LIMITER_CALLS_WINDOW_USEC, &pace->calls);
        if (r >= 0)
                r = limiter_new(LIMITER_CHANGES, LIMITER_CHANGES_WINDOW_USEC, &pace->changes);
        if (r < 0) {
                (void)pace_free(pace);
                return r;
        }
        *ret_pace = pace;
        return 0;
}

Pace *pace_free(Pace *pace)
{
        if (!pace)
                return NULL;
        (void)limiter_free(pace->calls);
        (void)limiter_free(pace->changes);
        free(pace);
        return NULL;
}

static int check(const Request *request, const Limiter *limiter, const Measure *measure,
                 Answer *answer)
{
        Manager *manager = request->manager;
        char text[160];
        int r;

        if (limiter_allows(limiter, request->caller->uid, NULL, clock_line_usec(&manager->clock)))
                return 0;
        refusals_add_action(manager->refusals, request->peer, request->method, measure->journal);
        (void)snprintf(text, sizeof(text),
                       "you have made %d %s within %s, as many as one person may, or too many "
                       "people make them now: try again later",
                       measure->most, measure->what, measure->within);
        r = answer_reason(answer, "io.credd.Admin.Refused", "reason", text);
        return r < 0 ? r : 1;
}

static void count(const Request *request, Limiter *limiter)
{
        limiter_count(limiter, request->caller->uid, NULL,
                      clock_line_usec(&request->manager->clock));
}

static bool is_free(const Request *request)
{
        return peer_kind(request->peer) != PEER_ADMIN || request->caller->admin;
}

/* Who may end what is others' must find it first, whatever the calls of strangers have used up. */
static bool may_end(const Request *request)
{
        const Roles *roles = request->manager->roles;

        for (size_t i = 0; i < roles->n; i++)
                if (principals_have(&roles->roles[i]->revokers, request->caller) ||
                    principals_have(&roles->roles[i]->approvers, request->caller))
                        return true;
        return false;
}

int pace_call(const Request *request, Answer *answer)
{
        Limiter *calls = request->manager->pace->calls;
        int r;

        if (is_free(request) || request->caller->auditor || may_end(request))
                return 0;
        r = check(request, calls, &of_calls, answer);
        if (r == 0)
                count(request, calls);
        return r;
}

int pace_may_change(const Request *request, Answer *answer)
{
        return is_free(request)
                       ? 0
                       : check(request, request->manager->pace->changes, &of_changes, answer);
}

void pace_changed(const Request *request)
{
        if (!is_free(request))
                count(request, request->manager->pace->changes);
}

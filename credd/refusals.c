/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A table of like refusals with their counts, emptied once a second. A stranger who asks a million
 * times fills one line of it. */
#include "credd/refusals.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "credd/batch.h"

#define LINES_MAX   128
#define FLUSH_USEC  USEC_PER_SEC
#define SERVICE_MAX (USER_NAME_LEN_MAX + 1)
#define RHOST_MAX   256 /* longer ones are refused at the door */

typedef struct Line {
        bool action;
        unsigned count;
        int64_t num; /* of the credential */
        uid_t uid;   /* asked for, or asking */
        Refusal refusal;
        char service[SERVICE_MAX], rhost[RHOST_MAX]; /* of a login */
        const char *verb, *reason;                   /* of an action */
        Actor actor;
} Line;

struct Refusals {
        Manager *manager;
        sd_event_source *timer;
        Line lines[LINES_MAX];
        size_t n;
        unsigned overflow;
};

static int write_line(Refusals *refusals, const Line *line)
{
        Events *events = &refusals->manager->events;
        AUTO_CREDENTIAL Credential credential = {0};
        int r = 0;

        if (line->action)
                return event_action_refused(events, &line->actor, line->verb, line->reason,
                                            line->count);
        if (line->num > 0)
                r = store_read_credential(refusals->manager->store, line->num, &credential);
        if (r < 0)
                return r;
        return event_login_refused(events, r > 0 ? &credential : NULL, line->uid, line->service,
                                   line->rhost, line->refusal, line->count);
}

static int write_overflow(Refusals *refusals)
{
        const Actor nobody = {.name = "many", .uid = UID_NONE, .loginuid = UID_NONE};

        if (refusals->overflow == 0)
                return 0;
        return event_action_refused(&refusals->manager->events, &nobody, "many things",
                                    "more kinds of refusals in one second than are told apart",
                                    refusals->overflow);
}

static void flush(Refusals *refusals)
{
        Batch *batch = refusals->manager->batch;
        int r;

        if (refusals->n == 0)
                return;
        r = batch_enter(batch);
        if (r < 0)
                return; /* kept for the next time */
        for (size_t i = 0; i < refusals->n && r == 0; i++)
                r = write_line(refusals, &refusals->lines[i]);
        if (r == 0)
                r = write_overflow(refusals);
        r = batch_leave(batch, r);
        if (r < 0)
                return;
        refusals->n = 0;
        refusals->overflow = 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        Refusals *refusals = userdata;

        (void)usec;
        flush(refusals);
        if (refusals->n > 0) {
                (void)sd_event_source_set_time_relative(source, FLUSH_USEC);
                (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        }
        return 0;
}

int refusals_new(Manager *manager, Refusals **ret_refusals)
{
        Refusals *refusals;
        int r;

        refusals = calloc(1, sizeof(*refusals));
        if (!refusals)
                return -ENOMEM;
        refusals->manager = manager;
        r = sd_event_add_time_relative(manager->event, &refusals->timer, CLOCK_MONOTONIC, 0, 0,
                                       on_timer, refusals);
        if (r >= 0)
                r = sd_event_source_set_enabled(refusals->timer, SD_EVENT_OFF);
        if (r < 0) {
                free(refusals);
                return r;
        }
        *ret_refusals = refusals;
        return 0;
}

Refusals *refusals_free(Refusals *refusals)
{
        if (!refusals)
                return NULL;
        flush(refusals);
        (void)sd_event_source_disable_unref(refusals->timer);
        free(refusals);
        return NULL;
}

static bool like(const Line *a, const Line *b)
{
        return a->action == b->action && a->num == b->num && a->uid == b->uid &&
               a->refusal == b->refusal && a->verb == b->verb && a->reason == b->reason &&
               strcmp(a->service, b->service) == 0 && strcmp(a->rhost, b->rhost) == 0;
}

/* NULL: there is no room, and it was counted as one of many. */
static Line *count(Refusals *refusals, const Line *line)
{
        if (refusals->n == 0) {
                (void)sd_event_source_set_time_relative(refusals->timer, FLUSH_USEC);
                (void)sd_event_source_set_enabled(refusals->timer, SD_EVENT_ONESHOT);
        }
        for (size_t i = 0; i < refusals->n; i++)
                if (like(&refusals->lines[i], line)) {
                        refusals->lines[i].count++;
                        return NULL;
                }
        if (refusals->n == LINES_MAX) {
                refusals->overflow++;
                return NULL;
        }
        refusals->lines[refusals->n] = *line;
        refusals->lines[refusals->n].count = 1;
        return &refusals->lines[refusals->n++];
}

void refusals_add_login(Refusals *refusals, int64_t num, const LoginFacts *facts, Refusal refusal)
{
        Line line = {.num = num, .uid = facts->uid, .refusal = refusal};

        (void)snprintf(line.service, sizeof(line.service), "%s", facts->service);
        (void)snprintf(line.rhost, sizeof(line.rhost), "%s", facts->rhost ?: "");
        refusals->manager->counters.logins_refused++;
        refusals->manager->counters.refused_by[refusal]++;
        (void)count(refusals, &line);
}

void refusals_add_action(Refusals *refusals, const Peer *peer, const char *verb, const char *reason)
{
        Line line = {
                .action = true, .uid = peer_identity(peer)->uid, .verb = verb, .reason = reason};
        Line *added = count(refusals, &line);

        if (added)
                peer_actor(peer, &added->actor);
}

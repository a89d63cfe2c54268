/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The timer rings when the oldest event passes its retention, and once a day at most, so an idle daemon
 * is not woken to find nothing to do. Each slice is signed off by an event of its own, in the same
 * transaction: what is gone without one was taken by somebody else, and "credctl verify" says so. */
#include "credd/prune.h"

#include <errno.h>
#include <stdlib.h>

#include "credd/batch.h"

#define SLICE      1000 /* rows a turn: some ten milliseconds */
#define EVERY_USEC (24 * 3600 * USEC_PER_SEC)
#define FIRST_USEC (60 * USEC_PER_SEC) /* after the start there is more to be done than this */
#define SLACK_USEC (600 * USEC_PER_SEC)

struct Prune {
        Manager *manager;
        sd_event_source *timer, *defer;
        bool stuck;
};

uint64_t prune_wait_usec(uint64_t now_usec, uint64_t oldest_usec, uint64_t retention_usec)
{
        uint64_t due = oldest_usec + retention_usec;

        if (oldest_usec == 0)
                return retention_usec > EVERY_USEC ? retention_usec : EVERY_USEC;
        return due > now_usec + EVERY_USEC ? due - now_usec : EVERY_USEC;
}

static void wait_for_next(Prune *prune)
{
        Manager *manager = prune->manager;
        uint64_t oldest = 0;

        (void)store_oldest_event(manager->store, &oldest);
        (void)sd_event_source_set_time_relative(
                prune->timer, prune_wait_usec(clock_line_usec(&manager->clock), oldest,
                                              manager->config.audit_retention_usec));
        (void)sd_event_source_set_enabled(prune->timer, SD_EVENT_ONESHOT);
}

/* Inside the batch. */
static int prune_slice(Manager *manager, Pruned *ret)
{
        uint64_t now = clock_line_usec(&manager->clock);
        uint64_t retention = manager->config.audit_retention_usec;
        int r;

        r = store_prune(manager->store, now > retention ? now - retention : 0, SLICE, ret);
        if (r < 0 || ret->count == 0)
                return r;
        return event_store_pruned(&manager->events, ret);
}

static int on_turn(sd_event_source *source, void *userdata)
{
        Prune *prune = userdata;
        Manager *manager = prune->manager;
        Pruned pruned = {0};
        int r;

        (void)source;
        /* a clock that is behind says nothing of how old anything is */
        r = clock_trusted(&manager->clock) ? batch_enter(manager->batch) : -EAGAIN;
        if (r == 0)
                r = batch_leave(manager->batch, prune_slice(manager, &pruned));
        prune->stuck = r == 0 && pruned.damaged > 0;
        if (r == 0 && pruned.more)
                (void)sd_event_source_set_enabled(prune->defer, SD_EVENT_ONESHOT);
        else
                wait_for_next(prune);
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        Prune *prune = userdata;

        (void)source;
        (void)usec;
        (void)sd_event_source_set_enabled(prune->defer, SD_EVENT_ONESHOT);
        return 0;
}

void prune_changed(Prune *prune)
{
        (void)sd_event_source_set_enabled(prune->defer, SD_EVENT_ONESHOT);
}

bool prune_is_stuck(const Prune *prune)
{
        return prune && prune->stuck;
}

int prune_new(Manager *manager, Prune **ret_prune)
{
        CLEANUP(prune_freep) Prune *prune = calloc(1, sizeof(*prune));
        int r;

        if (!prune)
                return -ENOMEM;
        prune->manager = manager;
        r = sd_event_add_time_relative(manager->event, &prune->timer, CLOCK_BOOTTIME, FIRST_USEC,
                                       SLACK_USEC, on_timer, prune);
        if (r >= 0)
                r = sd_event_source_set_priority(prune->timer, PRIORITY_IDLE);
        if (r >= 0)
                r = sd_event_add_defer(manager->event, &prune->defer, on_turn, prune);
        if (r >= 0)
                r = sd_event_source_set_priority(prune->defer, PRIORITY_IDLE);
        if (r >= 0)
                r = sd_event_source_set_enabled(prune->defer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret_prune = take_ptr(prune);
        return 0;
}

Prune *prune_free(Prune *prune)
{
        if (!prune)
                return NULL;
        (void)sd_event_source_disable_unref(prune->timer);
        (void)sd_event_source_disable_unref(prune->defer);
        free(prune);
        return NULL;
}

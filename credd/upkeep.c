/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nothing here is needed for the truth: all is in the log once it is committed, and what cannot be moved
 * now is moved later. Invariant: who waits for a commit never waits for this, unless commits have come
 * without a pause for a thousand pages. An idle daemon does not wake for it. */
#include "credd/upkeep.h"

#include <errno.h>

#define QUIET_USEC    (300 * USEC_PER_MSEC)
#define ACCURACY_USEC (50 * USEC_PER_MSEC)
/* Pages in the log: with fewer it is not worth two flushes; with more it does not wait for a pause. */
#define WORTHWHILE 256
#define LONGEST    1000
/* A log that cannot be moved, for a full disk or a bad one, is tried again after so many more. */
#define RETRY_AFTER 500

struct Upkeep {
        Manager *manager;
        sd_event_source *timer, *lay_out;
        uint64_t committed_usec; /* CLOCK_MONOTONIC: the last commit */
        int longest;
};

static void write_back(Upkeep *upkeep)
{
        Store *store = upkeep->manager->store;

        if (upkeep->manager->failed)
                return;
        upkeep->longest =
                store_log_write_back(store) < 0 ? store_log_frames(store) + RETRY_AFTER : LONGEST;
        if (upkeep->longest < LONGEST)
                upkeep->longest = LONGEST;
}

static void wait_quiet(Upkeep *upkeep, uint64_t usec)
{
        (void)sd_event_source_set_time_relative(upkeep->timer, usec);
        (void)sd_event_source_set_enabled(upkeep->timer, SD_EVENT_ONESHOT);
}

/* Commits do not move the timer, which would be a system call each: it looks when the last one was. */
static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        Upkeep *upkeep = userdata;
        uint64_t now = usec;

        (void)sd_event_now(sd_event_source_get_event(source), CLOCK_MONOTONIC, &now);
        if (now < upkeep->committed_usec + QUIET_USEC)
                wait_quiet(upkeep, upkeep->committed_usec + QUIET_USEC - now);
        else if (store_log_frames(upkeep->manager->store) >= WORTHWHILE) {
                write_back(upkeep);
                (void)sd_event_source_set_enabled(upkeep->lay_out, SD_EVENT_ON);
        }
        return 0;
}

void upkeep_committed(Upkeep *upkeep)
{
        int enabled = SD_EVENT_OFF, frames;

        if (!upkeep)
                return;
        frames = store_log_frames(upkeep->manager->store);
        if (frames >= upkeep->longest) {
                write_back(upkeep);
                return;
        }
        if (frames < WORTHWHILE)
                return;
        (void)sd_event_now(upkeep->manager->event, CLOCK_MONOTONIC, &upkeep->committed_usec);
        if (sd_event_source_get_enabled(upkeep->timer, &enabled) >= 0 && enabled == SD_EVENT_OFF)
                wait_quiet(upkeep, QUIET_USEC);
}

/* In the first pause after some work: a host where little happens has no use for it, and where much does the
 * log has its length after one round anyway. A slice a turn, and none where room is short. */
static int on_lay_out(sd_event_source *source, void *userdata)
{
        Upkeep *upkeep = userdata;

        if (store_log_lay_out(upkeep->manager->store, LONGEST) <= 0)
                (void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
        return 0;
}

static int add_sources(Upkeep *upkeep, sd_event *event)
{
        int r;

        r = sd_event_add_time_relative(event, &upkeep->timer, CLOCK_MONOTONIC, QUIET_USEC,
                                       ACCURACY_USEC, on_timer, upkeep);
        if (r >= 0)
                r = sd_event_source_set_priority(upkeep->timer, PRIORITY_IDLE);
        if (r >= 0)
                r = sd_event_source_set_enabled(upkeep->timer, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_defer(event, &upkeep->lay_out, on_lay_out, upkeep);
        if (r >= 0)
                r = sd_event_source_set_priority(upkeep->lay_out, PRIORITY_IDLE);
        if (r >= 0)
                r = sd_event_source_set_enabled(upkeep->lay_out, SD_EVENT_OFF);
        return r;
}

int upkeep_new(Manager *manager, Upkeep **ret_upkeep)
{
        CLEANUP(upkeep_freep) Upkeep *upkeep = calloc(1, sizeof(*upkeep));
        int r;

        if (!upkeep)
                return -ENOMEM;
        upkeep->manager = manager;
        upkeep->longest = LONGEST;
        r = add_sources(upkeep, manager->event);
        if (r < 0)
                return r;
        *ret_upkeep = take_ptr(upkeep);
        return 0;
}

Upkeep *upkeep_free(Upkeep *upkeep)
{
        if (!upkeep)
                return NULL;
        (void)sd_event_source_disable_unref(upkeep->timer);
        (void)sd_event_source_disable_unref(upkeep->lay_out);
        free(upkeep);
        return NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A timer that never rings but is cancelled by the kernel whenever CLOCK_REALTIME is set
 * (TFD_TIMER_CANCEL_ON_SET, timerfd_create(2)). By how much it moved is its distance from
 * CLOCK_BOOTTIME, now and before. */
#include "credd/clock-watch.h"

#include <errno.h>
#include <sys/timerfd.h>

#include "credd/batch.h"
#include "credd/expiry.h"

/* Slewing alone is no step; the resolution of what an admin cares about. */
#define STEP_USEC (100 * (int64_t)USEC_PER_MSEC)

struct ClockWatch {
        Manager *manager;
        int fd;
        sd_event_source *source;
        int64_t distance_usec; /* real - boot */
};

static int64_t distance(const Manager *manager)
{
        return (int64_t)(clock_real_usec(&manager->clock) - clock_boot_usec(&manager->clock));
}

static int arm(ClockWatch *watch)
{
        const struct itimerspec never = {.it_value.tv_sec = INT64_MAX / 4 / (int64_t)USEC_PER_SEC};

        if (timerfd_settime(watch->fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) <
            0)
                return -errno;
        return 0;
}

static void record(Manager *manager, int64_t by_usec)
{
        int r;

        (void)clock_trusted(&manager->clock);
        if (batch_enter(manager->batch) < 0)
                return;
        r = store_note_clock(manager->store);
        if (r == 0)
                r = event_clock_stepped(&manager->events, by_usec);
        (void)batch_leave(manager->batch, r);
}

static int on_step(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        ClockWatch *watch = userdata;
        int64_t is = distance(watch->manager), by = is - watch->distance_usec;
        uint64_t expirations;

        (void)source;
        (void)events;
        if (read(fd, &expirations, sizeof(expirations)) < 0 && errno != ECANCELED)
                return 0;
        (void)arm(watch);
        watch->distance_usec = is;
        if (by > STEP_USEC || by < -STEP_USEC)
                record(watch->manager, by);
        /* A clock that was behind may be right now, and the time line further on. */
        expiry_changed(watch->manager->expiry);
        return 0;
}

int clock_watch_new(Manager *manager, ClockWatch **ret_watch)
{
        ClockWatch *watch = calloc(1, sizeof(*watch));
        int r;

        if (!watch)
                return -ENOMEM;
        watch->manager = manager;
        watch->distance_usec = distance(manager);
        watch->fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
        r = watch->fd < 0 ? -errno : arm(watch);
        if (r == 0)
                r = sd_event_add_io(manager->event, &watch->source, watch->fd, EPOLLIN, on_step,
                                    watch);
        if (r < 0) {
                (void)clock_watch_free(watch);
                return r;
        }
        *ret_watch = watch;
        return 0;
}

ClockWatch *clock_watch_free(ClockWatch *watch)
{
        if (!watch)
                return NULL;
        (void)sd_event_source_disable_unref(watch->source);
        if (watch->fd >= 0)
                (void)close(watch->fd);
        free(watch);
        return NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One time line made of two clocks. Invariants: within a boot the line advances exactly with
 * CLOCK_BOOTTIME (the offset moves once at most, forwards, when a wall clock that was behind is
 * set); over boots it never goes back. A wall clock that is wrong but not behind cannot be told
 * from a right one, and is believed. */
#include "credd/clock.h"

#include "common/cleanup.h"

static uint64_t read_system(void *userdata, clockid_t id)
{
        struct timespec now;

        (void)userdata;
        /* Cannot fail: both clocks exist on each kernel that has pidfd_open(2). */
        if (clock_gettime(id, &now) < 0)
                abort();
        return (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / 1000;
}

void clock_init_system(Clock *clock)
{
        *clock = (Clock){.read = read_system};
}

uint64_t clock_real_usec(const Clock *clock)
{
        return clock->read(clock->userdata, CLOCK_REALTIME);
}

uint64_t clock_boot_usec(const Clock *clock)
{
        return clock->read(clock->userdata, CLOCK_BOOTTIME);
}

void clock_settle(Clock *clock, const ClockMark *mark)
{
        uint64_t boot = clock_boot_usec(clock), real = clock_real_usec(clock), line;

        clock->behind = false;
        if (!mark) {
                clock->offset_usec = real - boot;
                return;
        }
        clock->mark_line_usec = mark->line_usec;
        clock->mark_real_usec = mark->real_usec;
        if (mark->same_boot) {
                clock->offset_usec = mark->offset_usec;
                clock->behind = mark->behind;
                /* Cannot be, but on a damaged disk: what has expired stays so. */
                if ((int64_t)(boot + clock->offset_usec) < (int64_t)mark->floor_usec)
                        clock->offset_usec = mark->floor_usec - boot;
                return;
        }
        clock->behind = real < mark->real_usec;
        line = mark->line_usec + (clock->behind ? 0 : real - mark->real_usec);
        clock->offset_usec = (line > mark->floor_usec ? line : mark->floor_usec) - boot;
}

bool clock_trusted(Clock *clock)
{
        uint64_t real, line, due;

        if (!clock->behind)
                return true;
        real = clock_real_usec(clock);
        if (real < clock->mark_real_usec)
                return false;
        /* The clock was set: the time the machine was off is known at last, and is added once. */
        clock->behind = false;
        line = clock_boot_usec(clock) + clock->offset_usec;
        due = clock->mark_line_usec + (real - clock->mark_real_usec);
        if (due > line)
                clock->offset_usec += due - line;
        return true;
}

uint64_t clock_line_usec(Clock *clock)
{
        (void)clock_trusted(clock);
        return clock_boot_usec(clock) + clock->offset_usec;
}

uint64_t clock_to_boot_usec(const Clock *clock, uint64_t line_usec)
{
        /* Signed: a wall clock that stood before the machine's own age makes the offset negative. */
        int64_t boot = (int64_t)(line_usec - clock->offset_usec);

        if (line_usec > INT64_MAX)
                return UINT64_MAX;
        return boot > 0 ? (uint64_t)boot : 0;
}

uint64_t clock_to_real_usec(Clock *clock, uint64_t line_usec)
{
        uint64_t now = clock_boot_usec(clock) + clock->offset_usec;
        uint64_t apart = clock_real_usec(clock) - now;
        int64_t drift = (int64_t)(apart - clock->shown_usec);

        if (drift > (int64_t)USEC_PER_MSEC || drift < -(int64_t)USEC_PER_MSEC)
                clock->shown_usec = apart;
        return line_usec + clock->shown_usec;
}

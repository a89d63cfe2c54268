/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The daemon's one time line. Every limit is a moment on it.
 *
 * Within a boot it runs with CLOCK_BOOTTIME, which counts suspend and knows no steps. Over a reboot
 * it goes on from the last moment that was recorded, by as much as the wall clock has moved since,
 * and never backwards. It began at the wall clock's reading when the store was made, so a moment on
 * it looks like microseconds since 1970, but only clock_to_real_usec() makes it one. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

typedef struct Clock {
        /* Hands in CLOCK_BOOTTIME and CLOCK_REALTIME; tests turn it. */
        uint64_t (*read)(void *userdata, clockid_t id);
        void *userdata;
        uint64_t offset_usec; /* line - boot; modulo 2^64 */
        /* The wall clock stood before the last moment recorded when this boot was first seen: how
         * long the machine was off is unknown until it passes that moment, and no login is
         * accepted. */
        bool behind;
        uint64_t mark_line_usec, mark_real_usec;
        uint64_t shown_usec; /* wall clock - line, as moments are shown: see clock_to_real_usec() */
} Clock;

/* The last moment recorded before this start. */
typedef struct ClockMark {
        uint64_t line_usec, real_usec;
        bool same_boot;
        uint64_t offset_usec; /* of that boot */
        uint64_t floor_usec;  /* the line never falls below this again */
        bool behind;          /* same boot: it was behind the moment (line_usec, real_usec) */
} ClockMark;

void clock_init_system(Clock *clock);

/* mark NULL: the store is new. */
void clock_settle(Clock *clock, const ClockMark *mark);

uint64_t clock_line_usec(Clock *clock);
uint64_t clock_real_usec(const Clock *clock);
uint64_t clock_boot_usec(const Clock *clock);
/* False while "behind"; asks the wall clock again. */
bool clock_trusted(Clock *clock);

/* A moment on the line as CLOCK_BOOTTIME, for timers; 0 if it lies before this boot; USEC_INFINITY stays. */
uint64_t clock_to_boot_usec(const Clock *clock, uint64_t line_usec);
/* The wall clock's reading at a moment on the line, as far as is known now: for display. The same moment
 * gives the same reading until the clocks have come apart by more than a millisecond. */
uint64_t clock_to_real_usec(Clock *clock, uint64_t line_usec);

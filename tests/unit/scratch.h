/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of the daemon share: cmocka with what it wants before it, a folder that goes with
 * the test, and a clock that only the test turns. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "credd/clock.h"

#define SECONDS(n) ((uint64_t)(n)*USEC_PER_SEC)
#define HOURS(n)   SECONDS((uint64_t)(n)*3600)

/* A moment like any other. */
#define NOON SECONDS(1750000000)

static inline int scratch_remove_one(const char *path, const struct stat *st, int kind,
                                     struct FTW *at)
{
        (void)st;
        (void)kind;
        (void)at;
        return remove(path);
}

/* To be given to scratch_free(). */
static inline char *scratch_new_in(const char *parent)
{
        char *path = malloc(strlen(parent) + sizeof("/credd-unit-XXXXXX"));

        assert_non_null(path);
        (void)sprintf(path, "%s/credd-unit-XXXXXX", parent);
        assert_non_null(mkdtemp(path));
        return path;
}

static inline char *scratch_new(void)
{
        return scratch_new_in(getenv("TMPDIR") ?: "/tmp");
}

/* In memory, for what commits thousands of times and is not about what a disk keeps; where TMPDIR is said,
 * whoever says it clears up there. */
static inline char *scratch_new_fast(void)
{
        struct stat st;

        if (getenv("TMPDIR") || stat("/dev/shm", &st) < 0)
                return scratch_new();
        return scratch_new_in("/dev/shm");
}

static inline void scratch_free(char *path)
{
        assert_int_equal(nftw(path, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
        free(path);
}

/* The path of a name in that folder; valid until the next call with this buffer. */
#define SCRATCH_PATH_MAX 128
static inline const char *scratch_path(const char *folder, const char *name,
                                       char buffer[static SCRATCH_PATH_MAX])
{
        assert_true(snprintf(buffer, SCRATCH_PATH_MAX, "%s/%s", folder, name) < SCRATCH_PATH_MAX);
        return buffer;
}

typedef struct Hands {
        uint64_t boot_usec, real_usec;
} Hands;

static inline uint64_t hands_read(void *userdata, clockid_t id)
{
        const Hands *hands = userdata;

        assert_true(id == CLOCK_BOOTTIME || id == CLOCK_REALTIME);
        return id == CLOCK_BOOTTIME ? hands->boot_usec : hands->real_usec;
}

static inline Clock hands_clock(Hands *hands)
{
        return (Clock){.read = hands_read, .userdata = hands};
}

/* Time passes, as both clocks see it. */
static inline void hands_turn(Hands *hands, uint64_t usec)
{
        hands->boot_usec += usec;
        hands->real_usec += usec;
}

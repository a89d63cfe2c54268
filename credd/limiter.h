/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How often something may happen to one user, from one source, within a window. Wrong codes: of codes
 * alone, because a token has 130 bits and needs no limit, and one would let anybody keep its owner out.
 * Changes: each is kept for a year, and a loop of them must not fill the disk. Calls: a loop of them must not keep the
 * machine busy. Pure but for its own table. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/cleanup.h"

#define LIMITER_LINES 256

/* Of wrong codes. */
#define LIMITER_TRIES       10
#define LIMITER_WINDOW_USEC (UINT64_C(60) * 1000 * 1000)

/* Of changes that one person makes who is no admin. */
#define LIMITER_CHANGES             240
#define LIMITER_CHANGES_WINDOW_USEC (UINT64_C(3600) * 1000 * 1000)

/* Of calls of one person, but for those that end something. */
#define LIMITER_CALLS             3000
#define LIMITER_CALLS_WINDOW_USEC LIMITER_WINDOW_USEC

typedef struct Limiter Limiter;

/* So many within a window that begins with the first of them. */
int limiter_new(unsigned tries, uint64_t window_usec, Limiter **ret_limiter);
Limiter *limiter_free(Limiter *limiter);
DEFINE_CLEANUP(Limiter, limiter_free)

/* source NULL: no remote host. Now never goes back. False: so many were counted within the window, or
 * there is no room to count one more. */
bool limiter_allows(const Limiter *limiter, uid_t uid, const char *source, uint64_t now_usec);
/* One happened. */
void limiter_count(Limiter *limiter, uid_t uid, const char *source, uint64_t now_usec);

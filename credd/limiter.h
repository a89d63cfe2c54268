/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How often wrong codes may be tried on one user from one source. Of codes alone: a token has 130 bits
 * and needs no limit, and one would let anybody keep its owner out. Pure but for its own table. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/cleanup.h"

#define LIMITER_LINES       256
#define LIMITER_TRIES       10
#define LIMITER_WINDOW_USEC (UINT64_C(60) * 1000 * 1000)

typedef struct Limiter Limiter;

int limiter_new(Limiter **ret_limiter);
Limiter *limiter_free(Limiter *limiter);
DEFINE_CLEANUP(Limiter, limiter_free)

/* source NULL: no remote host. Now never goes back. False: so many were wrong within the window, or
 * there is no room to count one more. */
bool limiter_allows(const Limiter *limiter, uid_t uid, const char *source, uint64_t now_usec);
/* One was wrong. */
void limiter_count(Limiter *limiter, uid_t uid, const char *source, uint64_t now_usec);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is counted while credd runs, for Metrics. In memory alone: it begins anew with each start, as
 * counters may, and no login pays for it with more than an addition. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "credd/message-ids.h"

#define TALLY_BOUNDS_MAX 16

typedef enum TallyScale {
        TALLY_LATENESS, /* of ends */
        TALLY_WAKEUP,   /* of the timer of what expires */
        TALLY_BATCH,
        TALLY_SCALE_MAX
} TallyScale;

typedef struct Histogram {
        uint64_t
                counts[TALLY_BOUNDS_MAX + 1]; /* each of its own step; the last: above all bounds */
        double sum;
} Histogram;

typedef enum TallyVerdict {
        TALLY_CONFIRMED,
        TALLY_LATE,
        TALLY_RESIDUE,
        TALLY_VERDICT_MAX
} TallyVerdict;

typedef struct Tally {
        uint64_t events[EVENT_MAX];
        uint64_t verdicts[TALLY_VERDICT_MAX];
        Histogram histograms[TALLY_SCALE_MAX];
} Tally;

/* Upper bounds, which belong to their step; in seconds, or, of TALLY_BATCH, requests. */
const double *tally_bounds(TallyScale scale, size_t *ret_n);
const char *tally_verdict_to_string(TallyVerdict verdict);

void tally_observe(Tally *tally, TallyScale scale, double value);
void tally_receipt(Tally *tally, const char *verdict, uint64_t late_usec);
/* What was counted for one request, once that is kept; from is empty afterwards. */
void tally_move(Tally *to, Tally *from);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "credd/tally.h"

#include <string.h>

#include "common/cleanup.h"

static const double lateness_bounds[] = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
                                         2.5,  5,     10,   30,  60,   300};
static const double wakeup_bounds[] = {0.0001, 0.0002, 0.0005, 0.001, 0.0025, 0.005,
                                       0.01,   0.1,    1,      10,    60};
static const double batch_bounds[] = {1, 2, 4, 8, 16, 32, 64};

const double *tally_bounds(TallyScale scale, size_t *ret_n)
{
        static const struct {
                const double *bounds;
                size_t n;
        } scales[TALLY_SCALE_MAX] = {
                [TALLY_LATENESS] = {lateness_bounds, ELEMENTSOF(lateness_bounds)},
                [TALLY_WAKEUP] = {wakeup_bounds, ELEMENTSOF(wakeup_bounds)},
                [TALLY_BATCH] = {batch_bounds, ELEMENTSOF(batch_bounds)},
        };

        *ret_n = scales[scale].n;
        return scales[scale].bounds;
}

static const char *const verdicts[TALLY_VERDICT_MAX] = {"confirmed", "late", "residue"};

const char *tally_verdict_to_string(TallyVerdict verdict)
{
        return verdicts[verdict];
}

void tally_observe(Tally *tally, TallyScale scale, double value)
{
        Histogram *histogram = &tally->histograms[scale];
        size_t n, i = 0;
        const double *bounds = tally_bounds(scale, &n);

        while (i < n && value > bounds[i])
                i++;
        histogram->counts[i]++;
        histogram->sum += value;
}

void tally_receipt(Tally *tally, const char *verdict, uint64_t late_usec)
{
        for (int i = 0; i < TALLY_VERDICT_MAX; i++)
                if (strcmp(verdict, verdicts[i]) == 0)
                        tally->verdicts[i]++;
        tally_observe(tally, TALLY_LATENESS, (double)late_usec / (double)USEC_PER_SEC);
}

void tally_move(Tally *to, Tally *from)
{
        for (int i = 0; i < EVENT_MAX; i++)
                to->events[i] += from->events[i];
        for (int i = 0; i < TALLY_VERDICT_MAX; i++)
                to->verdicts[i] += from->verdicts[i];
        for (int scale = 0; scale < TALLY_SCALE_MAX; scale++) {
                for (size_t i = 0; i <= TALLY_BOUNDS_MAX; i++)
                        to->histograms[scale].counts[i] += from->histograms[scale].counts[i];
                to->histograms[scale].sum += from->histograms[scale].sum;
        }
        *from = (Tally){0};
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a moment stands in the picture, and which moments are worth a line of their own. Pure but for
 * the local zone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AXIS_SHARES    10000u /* from its left end to its right one */
#define AXIS_TICKS_MAX 5      /* as many labels as a phone has room for */

typedef struct Axis {
        uint64_t from_usec, to_usec;
} Axis;

typedef struct AxisTick {
        uint64_t usec;
        char label[32];
} AxisTick;

/* Moments beyond an end stand at that end. */
unsigned axis_share(const Axis *axis, uint64_t usec);
/* At an end a label grows inwards, or it would leave the page. */
const char *axis_anchor(unsigned share);
/* Widens the axis to round moments, between which it is divided into equal slices, at most max of them. Returns
 * how many. */
size_t axis_slices(Axis *axis, size_t max);
bool axis_has(const Axis *axis, uint64_t usec);
/* Round moments of local time, at least one if there is one. Returns how many. */
size_t axis_ticks(const Axis *axis, AxisTick ret_ticks[static AXIS_TICKS_MAX]);

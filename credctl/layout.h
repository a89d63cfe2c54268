/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How wide each column of a table is where there is not room for all. Pure. */
#pragma once

#include <stddef.h>

#define LAYOUT_GAP 1 /* between two columns */

typedef struct LayoutColumn {
        size_t natural; /* of its widest text, heading included */
        size_t least;   /* may be cut down to this; 0: never cut */
        unsigned spare; /* left out when there is no room, the highest first; 0: never */
        size_t width;   /* set by layout_fit(); 0: left out, or was so before */
} LayoutColumn;

/* A column whose natural width is 0 takes no part. First, columns are left out until the others fit, each
 * cut to its least; then what room is over is given to those that are cut. If even those that are never
 * left out do not fit, they pass the edge. */
void layout_fit(LayoutColumn *columns, size_t n_columns, size_t room);

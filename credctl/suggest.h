/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The name that was probably meant. Pure. Offer every name, then look at best. */
#pragma once

#include <stddef.h>

typedef struct Suggestion {
        const char *typed;
        const char *best; /* NULL: none is near */
        size_t distance;  /* of best */
} Suggestion;

void suggest_offer(Suggestion *suggestion, const char *name);

/* Insertions, deletions, replacements and swaps of neighbours that turn a into b. SIZE_MAX if
 * either is longer than any name of ours. */
size_t suggest_distance(const char *a, const char *b);

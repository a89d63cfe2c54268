/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Slices of the chain of events, as they are shown: ChainEvent of io.credd.Admin. */
#pragma once

#include <jansson.h>

#include "credd/manager.h"

typedef struct ChainLimit {
        unsigned rows;
        size_t size; /* bytes of their data, but for the last */
} ChainLimit;

/* Appends the events after *after to events, in order, and moves *after to the last of them. *ret_end:
 * there are no more. */
int chain_page(Manager *manager, const ChainLimit *limit, int64_t *after, json_t *events,
               bool *ret_end);
/* The newest event and its hash: a new reference, NULL when out of memory. */
json_t *chain_head(Manager *manager);

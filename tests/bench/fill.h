/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes a store with as many credentials as one likes, by the store's own code, in large transactions. */
#pragma once

#include <stdint.h>

#include "common/token.h"
#include "credd/store.h"

#define FILL_USERS     1000
#define FILL_FIRST_UID 200000

/* The i-th token; every one has an id of its own, in no order. */
void fill_token(uint64_t i, char ret_text[static TOKEN_TEXT_LEN + 1]);
/* The user that it is for. */
unsigned fill_uid(uint64_t i);
void fill_user(uint64_t i, char ret_name[static 16]);

typedef struct Fill {
        uint64_t first, count;
        uint64_t ttl_usec;  /* from now; all of them end at one moment */
        uint64_t step_usec; /* ... or each so much after the one before */
} Fill;

/* Adds them to the store in that folder, which is made if it is not there; each with its event, and the
 * journal is taken to have it. Returns the moment at which the first ends, on CLOCK_BOOTTIME. */
uint64_t fill_store(const char *folder, const Fill *fill);

/* The store in that folder, for whoever reads or adds more. Ends the program if it cannot be had. */
Store *fill_open(const char *folder, Clock *ret_clock);
/* Of what was begun; the journal is taken to have it, and it is in the file and not in the log. */
void fill_commit(Store *store);

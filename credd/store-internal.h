/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by store.c and store-rows.c alone. */
#pragma once

#include "credd/db.h"
#include "credd/digest.h"
#include "credd/store.h"

typedef struct StoreChain {
        int64_t seq; /* of the last event */
        uint8_t head[HASH_LEN];
} StoreChain;

struct Store {
        Db *db;
        DigestKey *key;
        Clock *clock;
        int64_t boot;
        StoreChain chain, saved;
        int64_t journaled;
        ExpiryRow expired; /* the queue has been worked off up to here */
        int64_t lapsed;
};

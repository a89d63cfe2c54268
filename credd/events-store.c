/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is said of the record itself: that a copy of it went out, that one came back, that its beginning
 * went. As in events.c. */
#include <inttypes.h>

#include "credd/digest.h"
#include "credd/events-fields.h"

/* By whom, and what the store held then. */
static json_t *of_store(Events *events, const Actor *actor)
{
        uint8_t hash[HASH_LEN];
        char text[HEX_LEN(HASH_LEN)];
        json_t *fields = json_object();

        put_actor(fields, actor);
        put_format(fields, "head_seq", "%" PRId64, store_head(events->store, hash));
        digest_hex(hash, HASH_LEN, text);
        put(fields, "head_hash", text);
        return fields;
}

int event_store_backed_up(Events *events, const Actor *actor, uint64_t size)
{
        json_t *fields = of_store(events, actor);

        put_format(fields, "size", "%" PRIu64, size);
        return add(events, EVENT_STORE_BACKED_UP, 0, fields);
}

int event_store_restored(Events *events, const Actor *actor)
{
        return add(events, EVENT_STORE_RESTORED, 0, of_store(events, actor));
}

int event_store_pruned(Events *events, const Pruned *pruned)
{
        char text[HEX_LEN(HASH_LEN)];
        json_t *fields = json_object();

        digest_hex(pruned->hash, HASH_LEN, text);
        put(fields, "actor", "credd");
        put_format(fields, "pruned_seq", "%" PRId64, pruned->seq);
        put(fields, "pruned_hash", text);
        put_format(fields, "count", "%" PRId64, pruned->count);
        return add(events, EVENT_STORE_PRUNED, 0, fields);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "credd/chain-page.h"

#include <errno.h>
#include <string.h>

#include "credd/describe.h"
#include "credd/digest.h"

json_t *chain_head(Manager *manager)
{
        uint8_t hash[HASH_LEN];
        char text[HEX_LEN(HASH_LEN)];
        int64_t seq = store_head(manager->store, hash);

        digest_hex(hash, HASH_LEN, text);
        return json_pack("{sI ss}", "seq", (json_int_t)seq, "hash", text);
}

static int add_hash(json_t *shown, const EventRow *row)
{
        char text[HEX_LEN(HASH_LEN)];

        digest_hex(row->hash, HASH_LEN, text);
        return json_object_set_new(shown, "hash", json_string(text));
}

/* What is not known is worth a notice. */
static int add_priority(json_t *shown, const EventRow *row)
{
        EventKind kind = event_kind_from_string(row->name);
        int priority = kind == EVENT_MAX ? LOG_NOTICE : event_priority(kind);

        return json_object_set_new(shown, "priority", json_integer(priority));
}

static int add_credential(Manager *manager, json_t *shown, int64_t num)
{
        AUTO_CREDENTIAL Credential credential = {0};
        int r = 0;

        if (num > 0)
                r = store_read_credential(manager->store, num, &credential);
        if (r < 0)
                return r;
        return json_object_set_new(shown, "credential",
                                   r > 0 ? json_string(credential.id) : json_null());
}

/* A row that cannot be read is not left out: its number and hash come, with nothing in it. */
static int append_event(Manager *manager, const EventRow *row, json_t *events)
{
        json_t *shown = describe_event(row);

        if (!shown)
                shown = json_pack("{sI ss sI s{}}", "seq", (json_int_t)row->seq, "event", "damaged",
                                  "time_usec", (json_int_t)row->real_usec, "fields");
        if (!shown)
                return -ENOMEM;
        if (add_hash(shown, row) < 0 || add_priority(shown, row) < 0 ||
            add_credential(manager, shown, row->credential) < 0) {
                json_decref(shown);
                return -ENOMEM;
        }
        return json_array_append_new(events, shown) < 0 ? -ENOMEM : 0;
}

int chain_page(Manager *manager, const ChainLimit *limit, int64_t *after, json_t *events,
               bool *ret_end)
{
        size_t size = 0;

        for (unsigned i = 0; i < limit->rows && size < limit->size; i++) {
                CLEANUP(event_row_done) EventRow row = {0};
                int r;

                r = store_next_event(manager->store, *after, &row);
                if (r == 0)
                        *ret_end = true;
                if (r > 0)
                        r = append_event(manager, &row, events) < 0 ? -ENOMEM : 1;
                if (r <= 0)
                        return r;
                *after = row.seq;
                size += strlen(row.data);
        }
        *ret_end = false;
        return 0;
}

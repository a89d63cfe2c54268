/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Old events go, from the front. Invariants: the checkpoint and the rows change in one transaction, so
 * that the chain goes on from it at any moment; nothing goes that the journal may still have to be
 * told; and nothing goes that does not follow from what was before it, because that is evidence. */
#include <errno.h>
#include <string.h>

#include "credd/statements.h"
#include "credd/store-internal.h"

int store_oldest_event(Store *store, uint64_t *ret_line_usec)
{
        CLEANUP(event_row_done) EventRow row = {0};
        int r = store_next_event(store, 0, &row);

        *ret_line_usec = r > 0 ? row.line_usec : 0;
        return r < 0 ? r : 0;
}

/* 1: the row that follows the last one may go, and pruned says it has; 0: it may not. */
static int take_next(Store *store, uint64_t before_usec, Pruned *pruned)
{
        CLEANUP(event_row_done) EventRow row = {0};
        uint8_t hash[HASH_LEN];
        int r;

        r = store_next_event(store, pruned->seq, &row);
        if (r <= 0)
                return r;
        if (row.line_usec >= before_usec || row.seq > store->now.journaled ||
            row.seq >= store->now.chain.seq)
                return 0;
        store_chain_hash(pruned->hash, &row, hash);
        if (row.seq != pruned->seq + 1 || !digest_equal(hash, row.hash)) {
                pruned->damaged = row.seq;
                return 0;
        }
        pruned->seq = row.seq;
        memcpy(pruned->hash, row.hash, HASH_LEN);
        pruned->count++;
        return 1;
}

static int move_checkpoint(Store *store, const Pruned *pruned)
{
        int r;

        r = db_run(store->db, STATEMENT_CHECKPOINT_SET, "ibt", pruned->seq, pruned->hash,
                   (size_t)HASH_LEN, clock_real_usec(store->clock));
        if (r >= 0)
                r = db_run(store->db, STATEMENT_CHECKPOINT_FORGET, "i", pruned->seq);
        if (r >= 0)
                r = db_run(store->db, STATEMENT_EVENT_PRUNE, "i", pruned->seq);
        if (r >= 0 && r != pruned->count)
                r = -EBADMSG;
        return r < 0 ? r : 0;
}

int store_prune(Store *store, uint64_t before_usec, int64_t limit, Pruned *ret)
{
        Pruned pruned = {0};
        int r;

        r = store_checkpoint(store, &pruned.seq, pruned.hash);
        if (r == 0)
                do
                        r = take_next(store, before_usec, &pruned);
                while (r > 0 && pruned.count < limit);
        if (r < 0)
                return r;
        pruned.more = r > 0;
        if (pruned.count > 0)
                r = move_checkpoint(store, &pruned);
        if (r < 0)
                return r;
        *ret = pruned;
        return 0;
}

/* 1: the event after *seq follows from it, and *seq and head are its now; 0: there is none. */
static int check_next(Store *store, int64_t *seq, uint8_t head[static HASH_LEN])
{
        CLEANUP(event_row_done) EventRow row = {0};
        uint8_t hash[HASH_LEN];
        int r;

        r = store_next_event(store, *seq, &row);
        if (r <= 0)
                return r;
        store_chain_hash(head, &row, hash);
        if (row.seq != *seq + 1 || !digest_equal(hash, row.hash))
                return -EBADMSG;
        *seq = row.seq;
        memcpy(head, row.hash, HASH_LEN);
        return 1;
}

int store_check_chain(Store *store, int64_t *ret_seq)
{
        uint8_t head[HASH_LEN];
        int64_t seq = 0;
        int r;

        r = store_checkpoint(store, &seq, head);
        if (r < 0)
                return r;
        do
                r = check_next(store, &seq, head);
        while (r > 0);
        *ret_seq = seq + 1;
        return r;
}

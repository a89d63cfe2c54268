/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The open transaction and what waits for it. Invariant: a reply that says something was done is in
 * "waiting" until the commit that makes it so has returned. A commit that failed may or may not be
 * on the disk, so the process ends and the next one looks. */
#include "credd/batch.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/secret.h"
#include "common/cleanup.h"
#include "credd/audit-head.h"
#include "credd/outbox.h"
#include "credd/peer.h"
#include "credd/subscribe.h"
#include "credd/upkeep.h"

/* tests/bench measures what this is worth by the same program with 1. */
#ifndef BATCH_REQUESTS_MAX
#define BATCH_REQUESTS_MAX 64
#endif

typedef struct Waiting {
        Peer *peer;
        char *text;
} Waiting;

struct Batch {
        Manager *manager;
        sd_event_source *defer;
        bool open, inside;
        unsigned requests;
        /* Of one batch: one reply a request at most. */
        Waiting waiting[BATCH_REQUESTS_MAX];
        size_t n_waiting;
};

static int on_idle(sd_event_source *source, void *userdata)
{
        Batch *batch = userdata;

        (void)source;
        (void)batch_commit(batch);
        return 0;
}

int batch_new(Manager *manager, Batch **ret_batch)
{
        Batch *batch;
        int r;

        batch = calloc(1, sizeof(*batch));
        if (!batch)
                return -ENOMEM;
        batch->manager = manager;
        r = sd_event_add_defer(manager->event, &batch->defer, on_idle, batch);
        if (r >= 0)
                r = sd_event_source_set_priority(batch->defer, PRIORITY_COMMIT);
        if (r >= 0)
                r = sd_event_source_set_enabled(batch->defer, SD_EVENT_OFF);
        if (r < 0) {
                (void)sd_event_source_unref(batch->defer);
                free(batch);
                return r;
        }
        *ret_batch = batch;
        return 0;
}

Batch *batch_free(Batch *batch)
{
        if (!batch)
                return NULL;
        (void)batch_commit(batch);
        (void)sd_event_source_disable_unref(batch->defer);
        free(batch);
        return NULL;
}

int batch_enter(Batch *batch)
{
        int r;

        assert(!batch->inside);
        if (batch->manager->failed)
                return -EIO;
        if (!batch->open) {
                r = store_begin(batch->manager->store);
                if (r < 0)
                        return r;
                batch->open = true;
                (void)sd_event_source_set_enabled(batch->defer, SD_EVENT_ONESHOT);
        }
        r = store_savepoint(batch->manager->store);
        if (r == 0)
                batch->inside = true;
        return r;
}

int batch_leave(Batch *batch, int r)
{
        int undo;

        assert(batch->inside);
        batch->inside = false;
        if (r >= 0) {
                undo = store_release(batch->manager->store);
                tally_move(&batch->manager->tally, &batch->manager->tally_open);
                batch->requests++;
        } else {
                undo = store_rollback(batch->manager->store);
                batch->manager->tally_open = (Tally){0};
        }
        if (undo < 0) {
                /* SQLite has rolled the whole transaction back by itself: others' changes with it.
                 */
                manager_fail(batch->manager, undo, "undo a request");
                return -EIO;
        }
        return r;
}

static void send_waiting(Batch *batch, bool committed)
{
        for (size_t i = 0; i < batch->n_waiting; i++) {
                Waiting *waiting = &batch->waiting[i];

                if (waiting->peer)
                        peer_send(waiting->peer, committed ? take_ptr(waiting->text)
                                                           : peer_unavailable(waiting->peer));
                if (waiting->text)
                        secret_erase(waiting->text, strlen(waiting->text));
                free(waiting->text);
                *waiting = (Waiting){0};
        }
        batch->n_waiting = 0;
}

void batch_reply(Batch *batch, Peer *peer, char *text)
{
        assert(batch->n_waiting < BATCH_REQUESTS_MAX);
        batch->waiting[batch->n_waiting++] = (Waiting){peer, text};
        if (batch->n_waiting == BATCH_REQUESTS_MAX || batch->requests >= BATCH_REQUESTS_MAX)
                (void)batch_commit(batch);
}

void batch_forget(Batch *batch, const Peer *peer)
{
        for (size_t i = 0; i < batch->n_waiting; i++)
                if (batch->waiting[i].peer == peer)
                        batch->waiting[i].peer = NULL;
}

int batch_commit(Batch *batch)
{
        int r;

        assert(!batch->inside);
        if (!batch->open)
                return batch->manager->failed ? -EIO : 0; /* what was told before may be untrue */
        r = batch->manager->failed ? -EIO : outbox_note(batch->manager->outbox);
        if (r == 0)
                r = store_commit(batch->manager->store);
        if (r == 0 && batch->requests > 0)
                tally_observe(&batch->manager->tally, TALLY_BATCH, batch->requests);
        batch->open = false;
        batch->requests = 0;
        (void)sd_event_source_set_enabled(batch->defer, SD_EVENT_OFF);
        send_waiting(batch, r == 0);
        if (r < 0) {
                manager_fail(batch->manager, r, "commit");
        } else {
                outbox_kick(batch->manager->outbox);
                audit_head_changed(batch->manager->audit_head);
                subscribers_kick(batch->manager->subscribers);
                upkeep_committed(batch->manager->upkeep);
        }
        return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commit, then act. Requests that change something join one transaction, a savepoint each; it is
 * committed when the loop has nothing more urgent, or at the 64th request; only then do the replies
 * leave. Whoever acts on the world (kills, terminals) calls batch_commit() first. */
#pragma once

#include "credd/manager.h"

typedef struct Peer Peer;

int batch_new(Manager *manager, Batch **ret_batch);
/* Commits what is open. */
Batch *batch_free(Batch *batch);

/* Between the two the caller may change the store. */
int batch_enter(Batch *batch);
/* r < 0: what was changed since batch_enter() is undone. Returns r, or -EIO when even that failed,
 * and then the daemon is ending. */
int batch_leave(Batch *batch, int r);

/* Takes the text. It is sent after the commit, or replaced by Unavailable if that fails. */
void batch_reply(Batch *batch, Peer *peer, char *text);
/* The peer is going: its replies are dropped. */
void batch_forget(Batch *batch, const Peer *peer);

/* Makes everything durable now, and lets the replies go. */
int batch_commit(Batch *batch);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the chain of events to the journal: each committed row becomes one entry, in order, at least
 * once. How far it got is written with later commits, so after a crash a few are sent again; after one
 * of the host, also what journald may have had in memory alone. */
#pragma once

#include "credd/manager.h"

/* journal_socket NULL: the system's. */
int outbox_new(Manager *manager, const char *journal_socket, Outbox **ret_outbox);
Outbox *outbox_free(Outbox *outbox);

/* There are new rows. */
void outbox_kick(Outbox *outbox);
/* Inside a transaction that is about to be committed: notes how far it got, now and then. */
int outbox_note(Outbox *outbox);
/* Sends what can be sent now, without the loop: at the end. */
void outbox_drain(Outbox *outbox);
/* How many rows journald has not taken. */
int64_t outbox_behind(const Outbox *outbox);

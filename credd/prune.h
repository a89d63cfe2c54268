/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* AuditRetention=: what is older goes from the chain of events, a slice a turn of the loop. */
#pragma once

#include "credd/manager.h"

int prune_new(Manager *manager, Prune **ret_prune);
Prune *prune_free(Prune *prune);
DEFINE_CLEANUP(Prune, prune_free)

/* The retention is another. */
void prune_changed(Prune *prune);
/* The chain is damaged where the next event would go, so none does. */
bool prune_is_stuck(const Prune *prune);

/* How long until the next look, if the oldest event happened at oldest_usec (0: there is none). Pure. */
uint64_t prune_wait_usec(uint64_t now_usec, uint64_t oldest_usec, uint64_t retention_usec);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was refused, on its way to the record. A refusal is answered at once and waits for no disk;
 * like ones are counted, and become one row a second, with whatever is committed next. Memory is
 * bounded: a full table counts what does not fit, and the row says so. */
#pragma once

#include "credd/peer.h"

int refusals_new(Manager *manager, Refusals **ret_refusals);
/* Writes what is held. */
Refusals *refusals_free(Refusals *refusals);

/* num: of the credential that was named, 0: there is none of that id. */
void refusals_add_login(Refusals *refusals, int64_t num, const LoginFacts *facts, Refusal refusal);
/* verb and reason are literals. */
void refusals_add_action(Refusals *refusals, const Peer *peer, const char *verb,
                         const char *reason);

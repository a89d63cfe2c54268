/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waiting for the receipts of credentials that have been ended. */
#pragma once

#include <jansson.h>

#include "credctl/context.h"

/* Within one limit for all of them. Each element is replaced by what is known last, and its verdict
 * is said as soon as it is there. 0: all are confirmed; OUTCOME_FAILED: one is not; OUTCOME_UNKNOWN:
 * one has no receipt yet. */
int waiting_for_receipts(const Context *context, json_t *credentials);
/* The same until none of their sessions is open: one that has uses left is not at its end with them. */
int waiting_for_sessions(const Context *context, json_t *credentials);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The session that this very process is in, if a credential opened it: who acts on many may act on
 * themselves. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "credctl/context.h"

/* *ret_own is what Time says, {"credential":...,"session":...}; NULL: in none, or credd cannot tell:
 * what hangs on it is a warning, which must not keep anybody from revoking. */
int own_find(const Context *context, json_t **ret_own);

/* Whether one of these credentials opened it. That one is moved to the end: its end is ours, and
 * the others must have been dealt with by then. own may be NULL. Pure. */
bool own_put_last(const json_t *own, json_t *credentials);

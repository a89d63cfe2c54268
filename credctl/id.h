/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ids as people type them. */
#pragma once

#include "common/token.h"
#include "credctl/context.h"

/* A prefix is worth a search from this length on. */
#define ID_PREFIX_MIN 4

/* The canonical form of an id or of a prefix of one (lower case, i and l for 1, o for 0); its
 * length, or 0 if it is neither. Pure. */
size_t id_read(const char *typed, char ret_id[static TOKEN_ID_LEN + 1]);

/* *ret_id is the id to ask for, to be freed. On a terminal a prefix is completed if only one
 * credential has it; OUTCOME_FAILED: several have, or it is the name of a user; OUTCOME_USAGE: it is
 * a token. What else is no id is passed on as it is, for credd to say so. */
int id_resolve(const Context *context, const char *typed, char **ret_id);

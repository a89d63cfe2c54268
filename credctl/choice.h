/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which credentials a verb that acts on many is to act on: by id, or by what they have in common.
 * The options are called "user", "role" and "all". */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "credctl/arguments.h"
#include "credctl/context.h"

/* OUTCOME_USAGE unless there is exactly one way of choosing. Pure, but for what it says. */
int choice_check(const Arguments *arguments, const char *verb);
/* They are not named one by one. */
bool choice_is_filter(const Arguments *arguments);

/* By filter: those that are not final, as List shows them. By id: {"id":...} of each, and every id
 * that cannot be told is said; *ret_credentials holds the others even if the outcome is above 0. */
int choice_find(const Context *context, const Arguments *arguments, json_t **ret_credentials);

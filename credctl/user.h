/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Users by name. Here, because credd never asks NSS, which may hang. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* OUTCOME_FAILED: there is none, or nobody knows; said. */
int user_find_uid(const char *user, uid_t *ret_uid);
bool user_is_known(const char *user);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file of one role, key by key. */
#pragma once

#include "credd/ini.h"
#include "credd/role.h"

/* Reads it into role, which has its name and nothing else; ini has its path and where mistakes go.
 * host as in roles_load(). -EINVAL: mistakes have been named. */
int role_keys_load(Ini *ini, int folder_fd, const char *file, uid_t owner, const Config *host,
                   Role *role);

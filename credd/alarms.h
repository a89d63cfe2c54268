/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an admin has to see, and says to have seen. */
#pragma once

#include "credd/manager.h"

/* A credential has come to be under a role, by issue or collection: if that is a break-glass one, it is on
 * record, and all admins who are logged in are told after the commit. To be called last in a change. */
int alarms_note_issue(Manager *manager, const Credential *credential);

/* New arrays, as io.credd.Admin has them; NULL: out of memory or a store that cannot be read. */
json_t *alarms_of(Manager *manager, int64_t credential);
json_t *alarms_open(Manager *manager);
/* One line for each of those that alarms_open() made. */
void alarms_add_problems(const json_t *open, json_t *problems);

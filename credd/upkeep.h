/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The log of the store: laid out when there is time, and moved into the file when nobody asks for
 * anything, or when it has grown long all the same. */
#pragma once

#include "credd/manager.h"

int upkeep_new(Manager *manager, Upkeep **ret_upkeep);
Upkeep *upkeep_free(Upkeep *upkeep);
DEFINE_CLEANUP(Upkeep, upkeep_free)

/* After each commit, when its replies have left. upkeep may be NULL. */
void upkeep_committed(Upkeep *upkeep);

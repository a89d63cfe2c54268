/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Says on standard error, which is the journal, what is wrong with the store: there is nowhere to keep an
 * event of it. */
#pragma once

#include "credd/manager.h"

/* What store_open() said. */
void health_say_not_open(const Manager *manager, int error);
/* What is damaged stays so: the end of that login or credential is not recorded, and holds up nobody who comes
 * behind it; but nothing new is begun on such a store. */
void health_pass_over(Manager *manager, const char *what, int64_t num);
/* From then on, once for each change of store_trouble(). */
int health_watch(Manager *manager, sd_event_source **ret_source);

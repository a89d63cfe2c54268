/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What there is to see of a session: see kill.h. */
#pragma once

#include "credd/session.h"

bool signs_of_this_boot(const Session *session);
void signs_read(Session *session, KillSigns *ret_signs);
/* The cgroup of its scope, to be freed; NULL: it has none that we know of. */
char *signs_scope(const Session *session);
/* Adds who belongs to the leader to session->tree, by a reading of /proc not before since. Negative: it
 * could not be read to the end. */
int signs_look_at_tree(Session *session, uint64_t since_usec);
/* Forgets who is gone; how many are left. */
unsigned signs_count_tree(Session *session);

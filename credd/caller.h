/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who asks, at the moment of a call: what the kernel said when the connection was made, as far as it is
 * still so. */
#pragma once

#include "credd/peer.h"

/* A Caller, and what it borrows. */
typedef struct CallerHeld {
        Caller caller;
        gid_t *groups;
} CallerHeld;

/* A group counts if the process had it when it connected, has it now, and /etc/group, should it have
 * changed meanwhile, has not taken it away. What cannot be read is not there. -ENOMEM alone. */
int caller_read(const Manager *manager, const Peer *peer, CallerHeld *ret);
/* Who a process is that did not ask anything, if it is of that uid: -ESRCH if not. What stands behind it
 * is not known. */
int caller_of_process(const Manager *manager, pid_t pid, uid_t uid, CallerHeld *ret);
void caller_done(CallerHeld *held);

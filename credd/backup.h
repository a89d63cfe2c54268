/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One copy of the store on its way to one peer. */
#pragma once

#include "credd/peer.h"

/* Answers the call that the peer has in the works, with a stream. -EBUSY: another copy is on its way;
 * -ENOSPC: there is no room to make one. */
int backup_start(Manager *manager, Peer *peer);

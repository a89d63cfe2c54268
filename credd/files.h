/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may have how many of the open files that there are (LimitNOFILE=). Reading /proc, asking logind anew,
 * the watchdog: each takes one for a moment, and none of them may fail because others have taken all. So
 * connections and sessions have their shares, and the last few are nobody's. */
#pragma once

#include <stdbool.h>

/* Connections and sessions, all together, of which none has to look whether one more may be kept. */
unsigned files_to_share(void);
/* Places for a kind of connection: `places` of the limit that the unit ships, fewer in proportion to a lower
 * one, but a few in any case. */
unsigned files_for_connections(unsigned places);
/* So many sessions may be watched, a pidfd each. */
unsigned files_for_sessions(void);
/* One more may be kept, and those that are nobody's are free beside it. fd: any that is open. */
bool files_left(int fd);

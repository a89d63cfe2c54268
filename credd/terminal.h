/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Telling people on their terminals. */
#pragma once

#include "credd/session.h"

/* One line to each terminal of the session: those of the processes in its scope, and of what its user
 * has started since the login in the user's manager (tmux panes stand there). Never waits. */
void terminal_tell(const Session *session, const char *line);
/* The same to one terminal, if it is owner's. */
void terminal_write(dev_t tty, uid_t owner, const char *line);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ending what a user has outside any session: the user's manager, its services, tmux. Only where nothing
 * else of that user stands: no other session, no lingering, nothing older than the login. */
#pragma once

#include "credd/session.h"

/* TerminateUser, once, if it is allowed. */
void user_end_gently(Session *session);
/* SIGKILL to the user's slice, once, if it was asked to end and the grace is over. */
void user_end_forcibly(Session *session);

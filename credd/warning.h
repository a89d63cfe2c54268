/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Telling a session's terminals that its end is near: Warn= in credd.conf. */
#pragma once

#include "credd/session.h"

/* Sets session->warn_at_usec to the first warning that lies ahead. */
void warning_plan(Session *session);
/* What is left, as a person is told it: in whole seconds, a late timer's milliseconds left out. 0: nothing, and
 * nobody is warned of what has come. */
uint64_t warning_left_usec(uint64_t deadline_usec, uint64_t now_usec);
/* Gives the one that is due, on record first, and plans the next. */
void warning_give(Session *session);

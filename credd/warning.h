/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Telling a session's terminals that its end is near: Warn= in credd.conf. */
#pragma once

#include "credd/session.h"

/* Sets session->warn_at_usec to the first warning that lies ahead. */
void warning_plan(Session *session);
/* Gives the one that is due, on record first, and plans the next. */
void warning_give(Session *session);

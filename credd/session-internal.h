/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by session.c (one) and sessions.c (all of them). */
#pragma once

#include "credd/session.h"

struct Sessions {
        Manager *manager;
        LIST_HEAD(, Session) list;
        Announced *announced;
        unsigned n, room; /* room: for so many there are descriptors */
        ProcTable processes;
        uint64_t processes_usec; /* when they were read; 0: not yet */
};

/* Whose turn it is when the timer of that one rings: the session with the earliest deadline of all whose
 * timers are due and whose end is due and not yet asked for, or itself. */
Session *sessions_turn(Sessions *sessions, Session *rung, uint64_t now_usec);

/* Lets go of everything a Session holds, and of its place in the list. */
void session_close(Session *session);
/* See SessionRow; copied. */
void session_set_why(Session *session, const char *why);

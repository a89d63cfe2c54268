/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kill's effects and its proof: reads the signs, asks kill.c what to do, does it, and writes
 * the end of the session when all signs agree. Whatever acts here acts after a commit. */
#pragma once

#include "credd/session.h"

/* Looks at the session now and does what is due. The session may be freed. */
void reaper_look(Session *session);
/* Frees what the kill holds. */
void reaper_done(Session *session);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a session that is gone has left behind: processes of its user that started since the login
 * and are in no session that a credential opened nor in one that stood there before, and lingering
 * that was switched on meanwhile. */
#pragma once

#include "credd/session.h"

/* A new array of {"pid", "command", "unit"}; NULL: it could not be looked at. */
json_t *residue_find(const Session *session);
/* The process stands in the session's scope, in its user's manager and began after the login, or where the
 * leader stood that had no scope. */
bool residue_is_of_session(const Session *session, const ProcInfo *info);
/* Something of that user stood there before the login and still does. */
bool residue_user_stood_before(const Session *session);
bool residue_lingers(const char *user);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of a session that is verified gone: what it left behind is looked for, and its end is
 * written. */
#pragma once

#include "credd/session.h"

/* All four signs agree, now. */
void verified_gone(Session *session, const KillSigns *signs);
/* Looks again at what is left. The session may be freed. */
void verified_settle(Session *session);

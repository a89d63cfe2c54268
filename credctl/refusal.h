/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What credd's errors mean to the person who typed: one line, and the exit status. */
#pragma once

#include "common/varlink.h"

struct Verb;

/* Says it and returns the Outcome, never 0. reply->error is set. verb may be NULL; it tells which
 * option filled a parameter that credd does not like. */
int refusal_say(const VarlinkReply *reply, const struct Verb *verb);

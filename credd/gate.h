/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who comes without a token although he needs a credential: is there one that is live? */
#pragma once

#include "credd/manager.h"

/* The credential that such a login may use: one that would be accepted now if its token were given. Of
 * several it is the one whose session could last longest from now on; of equal ones the one that was
 * issued first. *ret is set if *ret_refusal is REFUSAL_NONE. Negative: error. */
int gate_find(Manager *manager, const LoginFacts *facts, Credential *ret, Refusal *ret_refusal);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How often one person may call on the Admin socket: limiter.h counts, and this says for whom, and answers. */
#pragma once

#include "credd/verbs.h"

int pace_new(Pace **ret_pace);
Pace *pace_free(Pace *pace);

/* Counts the call, unless of an admin, an auditor, or who revokes or approves under some role. 0; 1: answered: there were too many. */
int pace_call(const Request *request, Answer *answer);
/* 0; 1: answered: who is no admin has made as many changes as one may. */
int pace_may_change(const Request *request, Answer *answer);
/* It is done, and kept. */
void pace_changed(const Request *request);

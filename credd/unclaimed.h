/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Logins that were accepted and that no session has claimed. When each is looked at is expiry.h's. */
#pragma once

#include "credd/manager.h"

/* When one that was just accepted is to be looked at, if nobody claims it. */
uint64_t unclaimed_due_usec(const Manager *manager, const Credential *credential,
                            const Login *login);
/* 0: it is settled; 1: it waits, *ret_next_usec says until when. Takes the texts of login. */
int unclaimed_look(Manager *manager, Login *login, uint64_t now_usec, uint64_t *ret_next_usec);

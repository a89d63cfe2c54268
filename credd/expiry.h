/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What falls due without anybody asking: login limits that pass, and logins that no session
 * claimed. The store is the queue; one timer stands at the earliest moment of interest. Sessions'
 * deadlines are session.h's. */
#pragma once

#include "credd/manager.h"

int expiry_new(Manager *manager, Expiry **ret_expiry);
Expiry *expiry_free(Expiry *expiry);

/* A queue has changed: looks where it stands now. */
void expiry_changed(Expiry *expiry);
/* A login was accepted. Reads nothing: logins come by thousands. */
void expiry_login(Expiry *expiry, const Credential *credential, const Login *login);

/* How many rows at the head of the queue are due: pure, for the test of "now >= limit". */
size_t expiry_due(const ExpiryRow *rows, size_t n, uint64_t now_usec);

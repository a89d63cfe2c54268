/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Those who follow the events, each at the speed at which it reads. */
#pragma once

#include "credd/verbs.h"

int subscribers_new(Manager *manager, Subscribers **ret_subscribers);
/* The server and its peers are gone. */
Subscribers *subscribers_free(Subscribers *subscribers);
unsigned subscribers_count(const Subscribers *subscribers);
/* There are new rows, and they are committed. NULL: nobody can follow yet. */
void subscribers_kick(Subscribers *subscribers);

/* The peer gets all events after that one, from the loop; the first reply comes in any case. */
int subscribers_add(Subscribers *subscribers, Peer *peer, int64_t after);

/* For the peer: what it was given last has left. It may be given more at once, but not within the call. */
void subscription_ready(Subscription *subscription);
/* For the peer: the reply that nothing follows; to be freed. NULL: out of memory. */
char *subscription_last(Subscription *subscription);
Subscription *subscription_free(Subscription *subscription);

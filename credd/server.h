/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The two listening sockets, and how many connections each may hold. */
#pragma once

#include "credd/peer.h"

/* The descriptors are listening and stay the caller's; -1: that socket is not served. */
int server_new(Manager *manager, int login_fd, int admin_fd, Server **ret_server);
Server *server_free(Server *server);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For peer.c and peer-who.c alone. */
#pragma once

#include <sys/stat.h>

#include "common/frame.h"
#include "credd/peer.h"

struct Peer {
        Manager *manager;
        PeerKind kind;
        PeerIdentity identity;
        struct stat groups_file; /* when it connected */
        int fd;
        sd_event_source *io, *life;
        uint64_t accepted_boot_usec, end_boot_usec;
        uint64_t message_boot_usec; /* when what is under way must be done; 0: nothing is */
        Frame in;
        char *out;
        size_t out_len, out_sent;
        Subscription *following; /* the replies without end; NULL: calls are answered */
        PeerStream stream;       /* wanted is NULL: none is on */
        void (*gone)(void *userdata);
        void *userdata;
};

/* Moment, size and inode of /etc/group; zero if it is not there. */
void peer_read_groups_file(struct stat *ret);

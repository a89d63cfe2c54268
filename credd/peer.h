/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One connection: who is at the other end, the message under way, the answer going out. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "credd/manager.h"

typedef struct Peer Peer;
typedef struct Subscription Subscription;

/* What the kernel says of the process that connected, at the moment it did. Starts as nobody. */
typedef struct PeerIdentity {
        uid_t uid;
        gid_t gid;
        pid_t pid; /* to find a session by; never to authorise */
        gid_t *groups;
        size_t n_groups;
} PeerIdentity;

typedef enum PeerKind { PEER_LOGIN, PEER_ADMIN, PEER_KIND_MAX } PeerKind;

/* Takes fd and identity, on success. gone is called once, when the connection has ended; it frees
 * the peer. */
int peer_new(Manager *manager, PeerKind kind, int fd, PeerIdentity *identity,
             void (*gone)(void *userdata), void *userdata, Peer **ret_peer);
Peer *peer_free(Peer *peer);

/* The call that came with the connection, if there is one: most logins are answered without the loop
 * hearing of them. The peer may be gone when this returns. */
void peer_begin(Peer *peer);

/* Reads the identity of a connected socket. -EPERM: it cannot be had. */
int peer_identify(int fd, PeerKind kind, PeerIdentity *ret_identity);
void peer_identity_done(PeerIdentity *identity);

const PeerIdentity *peer_identity(const Peer *peer);
PeerKind peer_kind(const Peer *peer);
/* Name and loginuid beside the uid, for the record. */
void peer_actor(const Peer *peer, Actor *ret_actor);
/* Who stands behind the process: UID_NONE if it was never set. Negative: it cannot be read, or not of
 * the process that connected. */
int peer_loginuid(const Peer *peer, uid_t *ret_loginuid);
/* /etc/group is not the file any more that it was when the connection was made. */
bool peer_groups_file_changed(const Peer *peer);
/* The other end is still open: whoever asked may still hear the answer. */
bool peer_waits(const Peer *peer);
/* A pidfd of the process at the other end, and its start ticks. -ESRCH: it has gone. */
int peer_pidfd(const Peer *peer, int *ret_fd, uint64_t *ret_ticks);

/* An answer of many messages, one under way at a time. */
typedef struct PeerStream {
        /* The last message has gone out, the peer takes another: send one, or later; it may be gone then.
         * Called from the loop. */
        void (*wanted)(void *userdata);
        /* The connection has ended before the answer did. */
        void (*gone)(void *userdata);
        void *userdata;
} PeerStream;

/* The call that is in the works is answered by a stream, and nothing is read until its end. The first
 * message is wanted at once. */
void peer_stream(Peer *peer, const PeerStream *stream);
/* What is sent next is the last message. */
void peer_stream_end(Peer *peer);

/* Sends one message; takes the text and erases it. NULL: out of memory, and the connection is
 * closed. A Login peer is closed after its message: it may be gone when this returns. */
void peer_send(Peer *peer, char *text);
/* From now on no call is read, and each time a message has left, the subscription is told. Takes it. A
 * message that is not taken in time ends the connection, as any. */
void peer_follow(Peer *peer, Subscription *subscription);
/* The text that says "Unavailable" on this peer's interface. */
char *peer_unavailable(const Peer *peer);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One connection as a stream of messages. Invariants: one call is in the works at a time, and while
 * it is nothing more is read, so a peer can make the daemon hold one message and one answer of its
 * own at most; every connection has a moment at which it ends, whatever its peer does. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "common/secret.h"
#include "common/varlink.h"
#include "credd/batch.h"
#include "credd/peer-internal.h"
#include "credd/subscribe.h"
#include "credd/verbs.h"

/* A whole call and its answer, for the module; for people, so that a right that was withdrawn ends.
 */
#define LOGIN_LIFE_USEC (10 * USEC_PER_SEC)
#define ADMIN_LIFE_USEC (300 * USEC_PER_SEC)
/* A message that has begun must end within this. */
#define MESSAGE_USEC (5 * USEC_PER_SEC)
#define TIMER_SLACK  (50 * USEC_PER_MSEC)

static void peer_end(Peer *peer)
{
        peer->gone(peer->userdata);
}

static void drop_out(Peer *peer)
{
        if (peer->out)
                secret_erase(peer->out, peer->out_len);
        free(peer->out);
        peer->out = NULL;
}

/* Before its first wait a Login peer is no source of the loop's. */
static void listen_for(Peer *peer, uint32_t events)
{
        if (peer->io)
                (void)sd_event_source_set_io_events(peer->io, events);
}

static void set_life(Peer *peer)
{
        uint64_t end = peer->end_boot_usec;
        /* What a follower says meanwhile is not read on, so it is not waited for. */
        bool begun = frame_pending(&peer->in) > 0 && !peer->following && !peer->stream.wanted;

        if (!begun && !peer->out)
                peer->message_boot_usec = 0;
        else if (peer->message_boot_usec == 0)
                peer->message_boot_usec = clock_boot_usec(&peer->manager->clock) + MESSAGE_USEC;
        if (peer->message_boot_usec != 0 && peer->message_boot_usec < end)
                end = peer->message_boot_usec;
        if (peer->life)
                (void)sd_event_source_set_time(peer->life, end);
}

static int add_sources(Peer *peer);

/* It may be gone when this returns. */
static void wait_for(Peer *peer, uint32_t events)
{
        if (!peer->io && add_sources(peer) < 0) {
                peer_end(peer);
                return;
        }
        listen_for(peer, events);
        set_life(peer);
}

/* Looks at one message. It may be answered, and the peer freed, before this returns. */
static void take_message(Peer *peer)
{
        char *text;
        size_t len;
        int r;

        r = frame_next(&peer->in, &text, &len);
        if (r == 0) {
                wait_for(peer, EPOLLIN);
                return;
        }
        if (r < 0) {
                peer_end(peer);
                return;
        }
        listen_for(peer, 0);
        peer->message_boot_usec = 0;
        r = verbs_dispatch(peer->manager, peer, text, len);
        if (r < 0)
                peer_end(peer);
}

/* A follower with nothing under way: of its socket, only the end is of interest. */
static void rest(Peer *peer)
{
        listen_for(peer, 0);
        set_life(peer);
}

/* Sends what is left. A message that waits already is looked at from the loop (the socket is
 * writable, so EPOLLOUT comes at once): peers take turns, and the stack does not grow with them. */
static void flush_out(Peer *peer)
{
        ssize_t n;

        n = send(peer->fd, peer->out + peer->out_sent, peer->out_len - peer->out_sent,
                 MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
                peer_end(peer);
                return;
        }
        if (n > 0)
                peer->out_sent += (size_t)n;
        if (peer->out_sent < peer->out_len) {
                wait_for(peer, EPOLLOUT);
                return;
        }
        drop_out(peer);
        peer->message_boot_usec = 0;
        if (peer->kind == PEER_LOGIN) {
                peer_end(peer);
                return;
        }
        if (peer->following) {
                rest(peer);
                subscription_ready(peer->following);
                return;
        }
        if (peer->stream.wanted) {
                listen_for(peer, EPOLLOUT);
                set_life(peer);
                return;
        }
        listen_for(peer, frame_pending(&peer->in) > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
        set_life(peer);
}

void peer_send(Peer *peer, char *text)
{
        if (!text) {
                peer_end(peer);
                return;
        }
        drop_out(peer);
        peer->out = text;
        peer->out_len = strlen(text) + 1;
        peer->out_sent = 0;
        flush_out(peer);
}

void peer_follow(Peer *peer, Subscription *subscription)
{
        peer->following = subscription;
        rest(peer);
}

void peer_stream(Peer *peer, const PeerStream *stream)
{
        peer->stream = *stream;
        listen_for(peer, EPOLLOUT);
        set_life(peer);
}

void peer_stream_end(Peer *peer)
{
        peer->stream = (PeerStream){0};
}

char *peer_unavailable(const Peer *peer)
{
        return varlink_error_encode(peer->kind == PEER_LOGIN ? "io.credd.Login.Unavailable"
                                                             : "io.credd.Admin.Unavailable",
                                    NULL);
}

static void receive(Peer *peer)
{
        char *at;
        size_t room;
        ssize_t n;

        if (frame_room(&peer->in, &at, &room) < 0) {
                peer_end(peer);
                return;
        }
        n = recv(peer->fd, at, room, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
                wait_for(peer, EPOLLIN);
                return;
        }
        if (n <= 0) {
                peer_end(peer);
                return;
        }
        frame_add(&peer->in, (size_t)n);
        take_message(peer);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        Peer *peer = userdata;

        (void)source;
        (void)fd;
        if ((events & EPOLLOUT) && peer->out)
                flush_out(peer);
        else if ((events & EPOLLOUT) && peer->stream.wanted) {
                listen_for(peer, 0);
                peer->stream.wanted(peer->stream.userdata);
        } else if (events & EPOLLOUT) {
                listen_for(peer, EPOLLIN);
                take_message(peer);
        } else if (events & EPOLLIN)
                receive(peer);
        else if (events & (EPOLLHUP | EPOLLERR))
                peer_end(peer);
        return 0;
}

/* The last reply, as far as the socket takes it at once: it says where to go on. */
static void say_last(Peer *peer)
{
        AUTO_FREE char *text = subscription_last(peer->following);

        if (text)
                (void)send(peer->fd, text, strlen(text) + 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static int on_life(sd_event_source *source, uint64_t usec, void *userdata)
{
        Peer *peer = userdata;

        (void)source;
        (void)usec;
        if (peer->following && !peer->out)
                say_last(peer);
        peer_end(peer);
        return 0;
}

static int add_sources(Peer *peer)
{
        int priority = peer->kind == PEER_LOGIN ? PRIORITY_LOGIN : PRIORITY_ADMIN;
        sd_event *event = peer->manager->event;
        int r;

        r = sd_event_add_io(event, &peer->io, peer->fd, EPOLLIN, on_io, peer);
        if (r >= 0)
                r = sd_event_source_set_priority(peer->io, priority);
        if (r >= 0)
                r = sd_event_add_time(event, &peer->life, CLOCK_BOOTTIME, peer->end_boot_usec,
                                      TIMER_SLACK, on_life, peer);
        if (r >= 0)
                r = sd_event_source_set_priority(peer->life, priority);
        return r;
}

int peer_new(Manager *manager, PeerKind kind, int fd, PeerIdentity *identity,
             void (*gone)(void *userdata), void *userdata, Peer **ret_peer)
{
        Peer *peer;
        int r = 0;

        peer = calloc(1, sizeof(*peer));
        if (!peer)
                return -ENOMEM;
        peer->manager = manager;
        peer->kind = kind;
        peer->fd = fd;
        peer->gone = gone;
        peer->userdata = userdata;
        peer->identity = *identity;
        *identity = (PeerIdentity){.uid = UID_NONE, .gid = (gid_t)-1};
        peer->accepted_boot_usec = clock_boot_usec(&manager->clock);
        peer->end_boot_usec =
                peer->accepted_boot_usec + (kind == PEER_LOGIN ? LOGIN_LIFE_USEC : ADMIN_LIFE_USEC);
        frame_init(&peer->in, VARLINK_CALL_MAX);
        if (kind == PEER_ADMIN) {
                peer_read_groups_file(&peer->groups_file);
                r = add_sources(peer);
        }
        if (r < 0) {
                peer->fd = -1; /* still the caller's */
                (void)peer_free(peer);
                return r;
        }
        *ret_peer = peer;
        return 0;
}

void peer_begin(Peer *peer)
{
        if (peer->kind == PEER_LOGIN)
                receive(peer);
}

Peer *peer_free(Peer *peer)
{
        if (!peer)
                return NULL;
        if (peer->stream.gone)
                peer->stream.gone(peer->stream.userdata);
        batch_forget(peer->manager->batch, peer);
        (void)subscription_free(peer->following);
        (void)sd_event_source_disable_unref(peer->io);
        (void)sd_event_source_disable_unref(peer->life);
        drop_out(peer);
        frame_done(&peer->in);
        peer_identity_done(&peer->identity);
        if (peer->fd >= 0)
                (void)close(peer->fd);
        free(peer);
        return NULL;
}

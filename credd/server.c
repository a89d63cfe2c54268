/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Accepting. The Login socket has places of its own, which only root can take, so that nothing a
 * stranger does on the Admin socket keeps anybody from logging in. Places are counted, not hoped
 * for: their sum stays below the limit of open files. Where that is too low for them, and none is left for a
 * connection, who waits goes on waiting, and is looked at again in a moment: the kernel would say at once,
 * and for ever, that somebody waits. */
#include "credd/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "common/varlink.h"
#include "credd/files.h"
#include "credd/session.h"

#define LOGIN_PLACES 2048
#define ADMIN_PLACES 512
#define ROOT_SHARE   8  /* one place in eight on the Admin socket is root's alone */
#define UID_SHARE    16 /* one in sixteen may be one uid's */
/* A login is mostly dealt with as it is accepted, and no end of a session is to wait for many. */
#define ACCEPT_AT_ONCE_LOGIN 8
#define ACCEPT_AT_ONCE_ADMIN 32
#define PAUSE_USEC           (100 * USEC_PER_MSEC)

typedef struct Place {
        LIST_ENTRY(Place) all;
        Server *server;
        Peer *peer;
        PeerKind kind;
} Place;

typedef struct Listener {
        Server *server;
        PeerKind kind;
        int fd;
        sd_event_source *source, *pause;
        unsigned places, taken;
} Listener;

struct Server {
        Manager *manager;
        Listener listeners[PEER_KIND_MAX];
        LIST_HEAD(, Place) places;
        unsigned files; /* up to so many connections and sessions there is room without a look */
};

static void place_free(Place *place)
{
        Listener *listener = &place->server->listeners[place->kind];

        LIST_REMOVE(place, all);
        (void)peer_free(place->peer);
        free(place);
        if (listener->taken-- == listener->places)
                (void)sd_event_source_set_enabled(listener->source, SD_EVENT_ON);
}

static int on_pause_over(sd_event_source *source, uint64_t usec, void *userdata)
{
        Listener *listener = userdata;

        (void)source;
        (void)usec;
        if (listener->taken < listener->places)
                (void)sd_event_source_set_enabled(listener->source, SD_EVENT_ON);
        return 0;
}

static void pause_accepting(Listener *listener)
{
        (void)sd_event_source_set_enabled(listener->source, SD_EVENT_OFF);
        (void)sd_event_source_set_time_relative(listener->pause, PAUSE_USEC);
        (void)sd_event_source_set_enabled(listener->pause, SD_EVENT_ONESHOT);
}

static void on_gone(void *userdata)
{
        place_free(userdata);
}

static unsigned places_of(const Server *server, uid_t uid)
{
        const Place *place;
        unsigned n = 0;

        LIST_FOREACH (place, &server->places, all)
                if (place->kind == PEER_ADMIN && peer_identity(place->peer)->uid == uid)
                        n++;
        return n;
}

/* Says why, as far as the socket takes it at once. */
static void turn_away(PeerKind kind, int fd)
{
        const char *error = kind == PEER_LOGIN ? "io.credd.Login.Refused" : "io.credd.Admin.Busy";
        AUTO_FREE char *text = varlink_error_encode(error, NULL);

        if (text)
                (void)send(fd, text, strlen(text) + 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* root shares the Admin socket with everybody, but has places of its own there. */
static bool has_place(const Server *server, PeerKind kind, uid_t uid)
{
        const Listener *admin = &server->listeners[PEER_ADMIN];

        if (kind == PEER_LOGIN)
                return uid == 0;
        if (uid == 0)
                return admin->taken < admin->places;
        return admin->taken < admin->places - (admin->places + ROOT_SHARE - 1) / ROOT_SHARE &&
               places_of(server, uid) < (admin->places + UID_SHARE - 1) / UID_SHARE;
}

/* Takes fd on success. */
static int admit(Listener *listener, int fd, PeerIdentity *identity, Peer **ret_peer)
{
        AUTO_FREE Place *place = NULL;
        int r;

        place = calloc(1, sizeof(*place));
        if (!place)
                return -ENOMEM;
        place->server = listener->server;
        place->kind = listener->kind;
        r = peer_new(listener->server->manager, listener->kind, fd, identity, on_gone, place,
                     &place->peer);
        if (r < 0)
                return r;
        LIST_INSERT_HEAD(&listener->server->places, place, all);
        if (++listener->taken == listener->places)
                (void)sd_event_source_set_enabled(listener->source, SD_EVENT_OFF);
        *ret_peer = take_ptr(place)->peer;
        return 0;
}

/* A descriptor for one more connection, beside those that are set apart. */
static bool has_file(const Server *server)
{
        const Listener *login = &server->listeners[PEER_LOGIN];
        const Listener *admin = &server->listeners[PEER_ADMIN];

        return login->taken + admin->taken + sessions_live(server->manager->sessions) <
                       server->files ||
               files_left(sd_event_get_fd(server->manager->event));
}

/* false: nobody waits, or nobody can be taken now. */
static bool accept_one(Listener *listener)
{
        CLEANUP(peer_identity_done) PeerIdentity identity = {.uid = UID_NONE, .gid = (gid_t)-1};
        AUTO_CLOSE int fd = -1;
        Peer *peer = NULL;

        if (!has_file(listener->server)) {
                pause_accepting(listener);
                return false;
        }
        fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && (errno == ECONNABORTED || errno == EINTR))
                return true;
        if (fd < 0) {
                if (errno != EAGAIN)
                        pause_accepting(listener);
                return false;
        }
        if (peer_identify(fd, listener->kind, &identity) < 0)
                return true;
        if (!has_place(listener->server, listener->kind, identity.uid)) {
                turn_away(listener->kind, fd);
                return true;
        }
        if (admit(listener, fd, &identity, &peer) == 0) {
                (void)take_fd(&fd);
                peer_begin(peer);
        }
        return listener->taken < listener->places;
}

static int on_connect(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        Listener *listener = userdata;
        unsigned at_once =
                listener->kind == PEER_LOGIN ? ACCEPT_AT_ONCE_LOGIN : ACCEPT_AT_ONCE_ADMIN;

        (void)source;
        (void)fd;
        (void)events;
        for (unsigned i = 0; i < at_once && accept_one(listener); i++)
                ;
        return 0;
}

static int listen_on(Server *server, PeerKind kind, int fd)
{
        Listener *listener = &server->listeners[kind];
        int r;

        *listener = (Listener){
                .server = server,
                .kind = kind,
                .fd = fd,
                .places = files_for_connections(kind == PEER_LOGIN ? LOGIN_PLACES : ADMIN_PLACES)};
        if (fd < 0)
                return 0;
        /* systemd hands them over blocking, and on_connect() accepts until nobody waits. */
        if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
                return -errno;
        r = sd_event_add_io(server->manager->event, &listener->source, fd, EPOLLIN, on_connect,
                            listener);
        if (r >= 0)
                r = sd_event_source_set_priority(
                        listener->source, kind == PEER_LOGIN ? PRIORITY_LOGIN : PRIORITY_ADMIN);
        if (r >= 0)
                r = sd_event_add_time_relative(server->manager->event, &listener->pause,
                                               CLOCK_BOOTTIME, 0, 0, on_pause_over, listener);
        if (r >= 0)
                r = sd_event_source_set_enabled(listener->pause, SD_EVENT_OFF);
        return r;
}

int server_new(Manager *manager, int login_fd, int admin_fd, Server **ret_server)
{
        Server *server;
        int r;

        server = calloc(1, sizeof(*server));
        if (!server)
                return -ENOMEM;
        server->manager = manager;
        server->files = files_to_share();
        LIST_INIT(&server->places);
        r = listen_on(server, PEER_LOGIN, login_fd);
        if (r >= 0)
                r = listen_on(server, PEER_ADMIN, admin_fd);
        if (r < 0) {
                (void)server_free(server);
                return r;
        }
        /* It is no reason to leave: what is due is ended all the same. */
        if (!has_file(server))
                (void)fprintf(stderr, SD_CRIT "LimitNOFILE= is so low that nobody can connect.\n");
        *ret_server = server;
        return 0;
}

static void drop_sources(Listener *listener)
{
        (void)sd_event_source_disable_unref(listener->source);
        (void)sd_event_source_disable_unref(listener->pause);
}

Server *server_free(Server *server)
{
        if (!server)
                return NULL;
        while (!LIST_EMPTY(&server->places))
                place_free(LIST_FIRST(&server->places));
        for (int kind = 0; kind < PEER_KIND_MAX; kind++)
                drop_sources(&server->listeners[kind]);
        free(server);
        return NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One connection as a stream of messages. Invariants: one call is in the works at a time, and while
 * it is nothing more is read, so a peer can make the daemon hold one message and one answer of its
 * own at most; every connection has a moment at which it ends, whatever its peer does. */
#include "credd/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/frame.h"
#include "common/secret.h"
#include "common/varlink.h"
#include "credd/batch.h"
#include "credd/proc.h"
#include "credd/verbs.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5; Debian 12's headers are older than that */
#endif

/* A whole call and its answer, for the module; for people, so that a right that was withdrawn ends.
 */
#define LOGIN_LIFE_USEC (10 * USEC_PER_SEC)
#define ADMIN_LIFE_USEC (300 * USEC_PER_SEC)
/* A message that has begun must end within this. */
#define MESSAGE_USEC (5 * USEC_PER_SEC)
#define TIMER_SLACK  (50 * USEC_PER_MSEC)

struct Peer {
        Manager *manager;
        PeerKind kind;
        PeerIdentity identity;
        struct stat groups_file; /* when it connected */
        int fd;
        sd_event_source *io, *life;
        uint64_t end_boot_usec;
        uint64_t message_boot_usec; /* when what is under way must be done; 0: nothing is */
        Frame in;
        char *out;
        size_t out_len, out_sent;
        void (*gone)(void *userdata);
        void *userdata;
};

/* --- who is there --- */

static int read_groups(int fd, PeerIdentity *identity)
{
        AUTO_FREE gid_t *groups = NULL;
        socklen_t len = 0;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) < 0 && errno != ERANGE)
                return -errno;
        if (len == 0)
                return 0;
        groups = malloc(len);
        if (!groups)
                return -ENOMEM;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
                return -errno;
        identity->n_groups = len / sizeof(*groups);
        identity->groups = take_ptr(groups);
        return 0;
}

int peer_identify(int fd, PeerIdentity *ret_identity)
{
        /* Nobody, until the kernel has said who: an identity that was not filled in must not be
         * root. */
        struct ucred peer = {.pid = 0, .uid = UID_NONE, .gid = (gid_t)-1};
        PeerIdentity identity = {.uid = UID_NONE, .gid = (gid_t)-1};
        socklen_t len = sizeof(peer);
        int r;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || len != sizeof(peer))
                return -EPERM;
        r = read_groups(fd, &identity);
        if (r < 0)
                return r;
        identity.uid = peer.uid;
        identity.gid = peer.gid;
        identity.pid = peer.pid;
        *ret_identity = identity;
        return 0;
}

void peer_identity_done(PeerIdentity *identity)
{
        free(identity->groups);
        *identity = (PeerIdentity){.uid = UID_NONE, .gid = (gid_t)-1};
}

const PeerIdentity *peer_identity(const Peer *peer)
{
        return &peer->identity;
}

PeerKind peer_kind(const Peer *peer)
{
        return peer->kind;
}

/* /etc/passwd alone, not NSS: the loop must not wait for a directory server. A person who is only
 * there is shown by uid. */
static void name_of_uid(uid_t uid, char ret_name[static USER_NAME_LEN_MAX + 1])
{
        FILE *file = fopen("/etc/passwd", "re");
        struct passwd *entry;

        ret_name[0] = '\0';
        while (file && (entry = fgetpwent(file)))
                if (entry->pw_uid == uid && name_valid(entry->pw_name)) {
                        (void)snprintf(ret_name, USER_NAME_LEN_MAX + 1, "%s", entry->pw_name);
                        break;
                }
        if (file)
                (void)fclose(file);
}

bool peer_waits(const Peer *peer)
{
        struct pollfd end = {.fd = peer->fd, .events = POLLRDHUP};

        return poll(&end, 1, 0) == 0;
}

/* Before 6.5 the kernel has the number only. A pidfd opened for a number may be another process's,
 * if the peer exited and the number was given again; while the peer still holds its end of the
 * connection it has not exited, so look at that after the opening. */
static int pidfd_by_number(const Peer *peer, int *ret_fd)
{
        AUTO_CLOSE int fd = -1;

        fd = pidfd_open(peer->identity.pid, 0);
        if (fd < 0)
                return -errno;
        /* Closed for good; one that has only said its last word is there to hear the answer. */
        if (poll(&(struct pollfd){.fd = peer->fd}, 1, 0) != 0)
                return -ESRCH;
        *ret_fd = take_fd(&fd);
        return 0;
}

int peer_pidfd(const Peer *peer, int *ret_fd, uint64_t *ret_ticks)
{
        AUTO_CLOSE int fd = -1;
        socklen_t len = sizeof(fd);
        ProcInfo info;
        struct pollfd exited;
        int r = 0;

        if (getsockopt(peer->fd, SOL_SOCKET, SO_PEERPIDFD, &fd, &len) < 0)
                r = errno == ENOPROTOOPT ? pidfd_by_number(peer, &fd) : -ESRCH;
        if (r == 0)
                r = proc_read(peer->identity.pid, &info);
        if (r != 0)
                return r;
        /* Still alive after its ticks were read: they are this process's. */
        exited = (struct pollfd){.fd = fd, .events = POLLIN};
        if (poll(&exited, 1, 0) != 0)
                return -ESRCH;
        *ret_ticks = info.start_ticks;
        *ret_fd = take_fd(&fd);
        return 0;
}

/* A number in decimal and nothing else; the kernel writes (uid_t)-1 when it was never set. */
static int read_loginuid(pid_t pid, uid_t *ret_loginuid)
{
        char path[64], text[16] = "", *end;
        unsigned long loginuid;
        FILE *file;

        (void)snprintf(path, sizeof(path), "/proc/%d/loginuid", pid);
        file = fopen(path, "re");
        if (!file)
                return -errno;
        if (!fgets(text, sizeof(text), file))
                text[0] = '\0';
        (void)fclose(file);
        errno = 0;
        loginuid = strtoul(text, &end, 10);
        if (text[0] < '0' || text[0] > '9' || errno != 0 || *end || loginuid > UID_NONE)
                return -EBADMSG;
        *ret_loginuid = (uid_t)loginuid;
        return 0;
}

int peer_loginuid(const Peer *peer, uid_t *ret_loginuid)
{
        AUTO_CLOSE int pidfd = -1;
        uid_t loginuid = UID_NONE;
        uint64_t ticks;
        int r;

        r = read_loginuid(peer->identity.pid, &loginuid);
        /* It connected, and lives after the reading: so the number was not another's meanwhile. */
        if (r == 0)
                r = peer_pidfd(peer, &pidfd, &ticks);
        if (r == 0)
                *ret_loginuid = loginuid;
        return r;
}

void peer_actor(const Peer *peer, Actor *ret_actor)
{
        *ret_actor = (Actor){.uid = peer->identity.uid, .loginuid = UID_NONE};
        name_of_uid(ret_actor->uid, ret_actor->name);
        (void)peer_loginuid(peer, &ret_actor->loginuid);
}

/* Moment, size and inode: those who edit it make a new file. */
static void read_groups_file(struct stat *ret)
{
        if (stat("/etc/group", ret) < 0)
                *ret = (struct stat){0};
}

bool peer_groups_file_changed(const Peer *peer)
{
        const struct stat *then = &peer->groups_file;
        struct stat now;

        read_groups_file(&now);
        return now.st_ino != then->st_ino || now.st_size != then->st_size ||
               now.st_mtim.tv_sec != then->st_mtim.tv_sec ||
               now.st_mtim.tv_nsec != then->st_mtim.tv_nsec;
}

/* --- the stream --- */

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

static void set_life(Peer *peer)
{
        uint64_t end = peer->end_boot_usec;

        if (frame_pending(&peer->in) == 0 && !peer->out)
                peer->message_boot_usec = 0;
        else if (peer->message_boot_usec == 0)
                peer->message_boot_usec = clock_boot_usec(&peer->manager->clock) + MESSAGE_USEC;
        if (peer->message_boot_usec != 0 && peer->message_boot_usec < end)
                end = peer->message_boot_usec;
        (void)sd_event_source_set_time(peer->life, end);
}

/* Looks at one message. It may be answered, and the peer freed, before this returns. */
static void take_message(Peer *peer)
{
        char *text;
        size_t len;
        int r;

        r = frame_next(&peer->in, &text, &len);
        if (r == 0)
                return;
        if (r < 0) {
                peer_end(peer);
                return;
        }
        (void)sd_event_source_set_io_events(peer->io, 0);
        peer->message_boot_usec = 0;
        r = verbs_dispatch(peer->manager, peer, text, len);
        if (r < 0)
                peer_end(peer);
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
                (void)sd_event_source_set_io_events(peer->io, EPOLLOUT);
                set_life(peer);
                return;
        }
        drop_out(peer);
        peer->message_boot_usec = 0;
        if (peer->kind == PEER_LOGIN) {
                peer_end(peer);
                return;
        }
        (void)sd_event_source_set_io_events(
                peer->io, frame_pending(&peer->in) > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
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
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n <= 0) {
                peer_end(peer);
                return;
        }
        frame_add(&peer->in, (size_t)n);
        set_life(peer);
        take_message(peer);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        Peer *peer = userdata;

        (void)source;
        (void)fd;
        if ((events & EPOLLOUT) && peer->out)
                flush_out(peer);
        else if (events & EPOLLOUT) {
                (void)sd_event_source_set_io_events(peer->io, EPOLLIN);
                take_message(peer);
        } else if (events & EPOLLIN)
                receive(peer);
        else if (events & (EPOLLHUP | EPOLLERR))
                peer_end(peer);
        return 0;
}

static int on_life(sd_event_source *source, uint64_t usec, void *userdata)
{
        (void)source;
        (void)usec;
        peer_end(userdata);
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
        int r;

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
        peer->end_boot_usec = clock_boot_usec(&manager->clock) +
                              (kind == PEER_LOGIN ? LOGIN_LIFE_USEC : ADMIN_LIFE_USEC);
        read_groups_file(&peer->groups_file);
        frame_init(&peer->in, VARLINK_CALL_MAX);
        r = add_sources(peer);
        if (r < 0) {
                peer->fd = -1; /* still the caller's */
                (void)peer_free(peer);
                return r;
        }
        *ret_peer = peer;
        return 0;
}

Peer *peer_free(Peer *peer)
{
        if (!peer)
                return NULL;
        batch_forget(peer->manager->batch, peer);
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

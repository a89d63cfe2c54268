/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is at the other end of a connection: what the kernel says, and nothing that was sent. */
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/socket.h>

#include "credd/peer-internal.h"
#include "credd/proc.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5; Debian 12's headers are older than that */
#endif

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

int peer_identify(int fd, PeerKind kind, PeerIdentity *ret_identity)
{
        /* Nobody, until the kernel has said who: an identity that was not filled in must not be
         * root. */
        struct ucred peer = {.pid = 0, .uid = UID_NONE, .gid = (gid_t)-1};
        PeerIdentity identity = {.uid = UID_NONE, .gid = (gid_t)-1};
        socklen_t len = sizeof(peer);
        int r = 0;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || len != sizeof(peer))
                return -EPERM;
        /* On the Login socket nothing goes by a group. */
        if (kind == PEER_ADMIN)
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
 * if the peer exited and the number was given again. If nobody holds the other end any more, the peer has
 * exited; if somebody does, that may be another than the peer, so see peer_pidfd(). */
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
        /* It connected before it was accepted: who began later has its number alone. */
        if (info.start_ticks > proc_ticks_of_boot_usec(peer->accepted_boot_usec))
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
        /* It connected, and lives after the reading: so the number was not another's meanwhile (peer_pidfd()). */
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

/* Those who edit it make a new file. */
void peer_read_groups_file(struct stat *ret)
{
        if (stat("/etc/group", ret) < 0)
                *ret = (struct stat){0};
}

bool peer_groups_file_changed(const Peer *peer)
{
        const struct stat *then = &peer->groups_file;
        struct stat now;

        peer_read_groups_file(&now);
        return now.st_ino != then->st_ino || now.st_size != then->st_size ||
               now.st_mtim.tv_sec != then->st_mtim.tv_sec ||
               now.st_mtim.tv_nsec != then->st_mtim.tv_nsec;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SO_PEERCRED and SO_PEERGROUPS are as they were at connect(2), and a connection lasts for minutes. So
 * the process is looked at again, held by its pidfd, and both must agree; and the groups file, where a
 * right is withdrawn by hand. Invariant: looking again only ever takes away. Left out: groups of a
 * directory server, which the loop must not wait for; their withdrawal ends with the connection. */
#include "credd/caller.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>

/* What the kernel shows for a gid that has no number here: of any group, so of none. */
#define OVERFLOW_GID ((gid_t)65534)

/* The process as it is now. Starts as nobody. */
typedef struct Live {
        uid_t uid;
        gid_t gid, *groups;
        size_t n_groups;
} Live;

static void live_done(Live *live)
{
        free(live->groups);
}

/* "Groups:" and its numbers. Cut off by the line's length they would be too few, which is safe. */
static int read_groups(const char *text, Live *live)
{
        char *end;

        for (;;) {
                unsigned long gid;
                gid_t *more;

                errno = 0;
                gid = strtoul(text, &end, 10);
                if (end == text)
                        return 0;
                more = reallocarray(live->groups, live->n_groups + 1, sizeof(*more));
                if (!more)
                        return -ENOMEM;
                live->groups = more;
                if (errno == 0 && gid < (gid_t)-1)
                        more[live->n_groups++] = (gid_t)gid;
                text = end;
        }
}

static int read_status(FILE *status, Live *live)
{
        AUTO_FREE char *line = NULL;
        size_t size = 0;
        unsigned id;
        int r = 0;

        while (r == 0 && getline(&line, &size, status) > 0)
                /* real, effective, saved, file system: the second is what SO_PEERCRED has */
                if (sscanf(line, "Uid: %*u %u", &id) == 1)
                        live->uid = id;
                else if (sscanf(line, "Gid: %*u %u", &id) == 1)
                        live->gid = id;
                else if (strncmp(line, "Groups:", 7) == 0)
                        r = read_groups(line + 7, live);
        return r;
}

static int read_process(pid_t pid, Live *live)
{
        char path[64];
        FILE *status;
        int r;

        (void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
        status = fopen(path, "re");
        if (!status)
                return -ESRCH;
        r = read_status(status, live);
        (void)fclose(status);
        return r;
}

/* -ESRCH: the process that connected is gone; what was read is then some other's. */
static int read_live(const Peer *peer, Live *live)
{
        AUTO_CLOSE int pidfd = -1;
        uint64_t ticks;
        int r = read_process(peer_identity(peer)->pid, live);

        return r < 0 ? r : peer_pidfd(peer, &pidfd, &ticks);
}

static bool live_has(const Live *live, gid_t gid)
{
        if (live->gid == gid)
                return true;
        for (size_t i = 0; i < live->n_groups; i++)
                if (live->groups[i] == gid)
                        return true;
        return false;
}

/* --- the groups file --- */

static bool lists(const struct group *entry, const char *name)
{
        for (char **member = entry->gr_mem; *member; member++)
                if (strcmp(*member, name) == 0)
                        return true;
        return false;
}

static void drop(CallerHeld *held, gid_t gid)
{
        size_t kept = 0;

        for (size_t i = 0; i < held->caller.n_groups; i++)
                if (held->groups[i] != gid)
                        held->groups[kept++] = held->groups[i];
        held->caller.n_groups = kept;
}

/* A group that is there, but not for this person: since the file was changed under an open connection,
 * that is taken for a withdrawal. A group that is not in the file is somebody else's to give and take. */
static void drop_withdrawn(CallerHeld *held, const char *name)
{
        FILE *file = fopen("/etc/group", "re");
        struct group *entry;

        if (!file) {
                held->caller.n_groups = 0;
                return;
        }
        while ((entry = fgetgrent(file)))
                if (!lists(entry, name))
                        drop(held, entry->gr_gid);
        (void)fclose(file);
}

static void look_at_groups_file(const Peer *peer, CallerHeld *held)
{
        Actor actor;

        if (held->caller.n_groups == 0 || !peer_groups_file_changed(peer))
                return;
        peer_actor(peer, &actor);
        if (actor.name[0])
                drop_withdrawn(held, actor.name);
}

/* --- together --- */

static void add_group(CallerHeld *held, const Live *live, gid_t gid)
{
        if (gid != (gid_t)-1 && gid != OVERFLOW_GID && live_has(live, gid))
                held->groups[held->caller.n_groups++] = gid;
}

static void take_groups(const PeerIdentity *identity, const Live *live, CallerHeld *held)
{
        for (size_t i = 0; i < identity->n_groups; i++)
                add_group(held, live, identity->groups[i]);
        held->caller.groups = held->groups;
}

static bool in_group(const Caller *caller, gid_t gid)
{
        const Principals group = {.gids = &gid, .n_gids = 1};

        return gid != (gid_t)-1 && principals_have(&group, caller);
}

static void look_at_parts(const Manager *manager, Caller *caller)
{
        caller->admin = caller->uid == 0 || in_group(caller, manager->admin_gid);
        caller->auditor = principals_have(&manager->config.auditors, caller);
}

/* Someone who is not what connected any more has no rights at all, not even those of its uid: its
 * descriptor may be in other hands. One that has gone is remembered by its uid, which is not given and
 * taken as groups are, and by nothing else: it sent its call and left. */
static void fill(const Manager *manager, const Peer *peer, const Live *live, bool gone,
                 CallerHeld *held)
{
        const PeerIdentity *identity = peer_identity(peer);
        Caller *caller = &held->caller;

        if (!gone && live->uid != identity->uid)
                return;
        caller->uid = identity->uid;
        if (!gone) {
                caller->loginuid_known = peer_loginuid(peer, &caller->loginuid) == 0;
                if (live->gid == identity->gid && identity->gid != OVERFLOW_GID)
                        caller->gid = identity->gid;
                take_groups(identity, live, held);
                look_at_groups_file(peer, held);
        }
        look_at_parts(manager, caller);
}

int caller_of_process(const Manager *manager, pid_t pid, uid_t uid, CallerHeld *ret)
{
        CLEANUP(live_done) Live live = {.uid = UID_NONE, .gid = (gid_t)-1};
        int r;

        r = read_process(pid, &live);
        if (r < 0)
                return r;
        if (live.uid != uid)
                return -ESRCH;
        ret->caller = (Caller){.uid = uid,
                               .loginuid = UID_NONE,
                               .gid = live.gid,
                               .groups = live.groups,
                               .n_groups = live.n_groups};
        ret->groups = take_ptr(live.groups);
        look_at_parts(manager, &ret->caller);
        return 0;
}

int caller_read(const Manager *manager, const Peer *peer, CallerHeld *ret)
{
        CLEANUP(live_done) Live live = {.uid = UID_NONE, .gid = (gid_t)-1};
        CallerHeld held = {.caller = {.uid = UID_NONE, .loginuid = UID_NONE, .gid = (gid_t)-1}};
        int r;

        held.groups = calloc(peer_identity(peer)->n_groups + 1, sizeof(*held.groups));
        if (!held.groups)
                return -ENOMEM;
        r = read_live(peer, &live);
        if (r == -ENOMEM) {
                free(held.groups);
                return r;
        }
        fill(manager, peer, &live, r < 0, &held);
        *ret = held;
        return 0;
}

void caller_done(CallerHeld *held)
{
        free(held->groups);
        *held = (CallerHeld){0};
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A list by id; a machine has few sessions at a time. The manager of a user (class "manager...") is not
 * counted: it is there because the user is, and goes with the user. */
#include "credd/announced.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#include "common/cleanup.h"
#include "credd/proc.h"

typedef struct Entry {
        LIST_ENTRY(Entry) all;
        char *id;
        uid_t uid;
        pid_t leader;
        uint64_t created_boot_usec;
        bool person; /* no greeter, and nothing that runs in the background */
} Entry;

struct Announced {
        LIST_HEAD(, Entry) list;
        bool incomplete; /* there was no memory for one */
};

int announced_new(Announced **ret_announced)
{
        Announced *announced = calloc(1, sizeof(*announced));

        if (!announced)
                return -ENOMEM;
        LIST_INIT(&announced->list);
        *ret_announced = announced;
        return 0;
}

static void entry_free(Entry *entry)
{
        LIST_REMOVE(entry, all);
        free(entry->id);
        free(entry);
}

void announced_clear(Announced *announced)
{
        while (!LIST_EMPTY(&announced->list))
                entry_free(LIST_FIRST(&announced->list));
        announced->incomplete = false;
}

Announced *announced_free(Announced *announced)
{
        if (announced)
                announced_clear(announced);
        free(announced);
        return NULL;
}

static Entry *find(const Announced *announced, const char *id)
{
        Entry *entry;

        LIST_FOREACH (entry, &announced->list, all)
                if (strcmp(entry->id, id) == 0)
                        return entry;
        return NULL;
}

void announced_add(Announced *announced, const LogindSession *session)
{
        Entry *entry = find(announced, session->id);

        if (strncmp(session->class, "manager", strlen("manager")) == 0)
                return;
        if (!entry) {
                entry = calloc(1, sizeof(*entry));
                if (entry)
                        entry->id = strdup(session->id);
                if (!entry || !entry->id) {
                        free(entry);
                        announced->incomplete = true;
                        return;
                }
                LIST_INSERT_HEAD(&announced->list, entry, all);
        }
        entry->uid = session->uid;
        entry->leader = session->leader;
        entry->created_boot_usec = session->created_boot_usec;
        entry->person = strncmp(session->class, "user", strlen("user")) == 0;
}

void announced_remove(Announced *announced, const char *id)
{
        Entry *entry = find(announced, id);

        if (entry)
                entry_free(entry);
}

const char *announced_id_of(const Announced *announced, pid_t leader)
{
        const Entry *entry;

        LIST_FOREACH (entry, &announced->list, all)
                if (entry->leader == leader)
                        return entry->id;
        return NULL;
}

const char *announced_id_left_by(const Announced *announced, uid_t uid, pid_t leader,
                                 uint64_t from_boot_usec, uint64_t until_boot_usec,
                                 uint64_t before_ticks)
{
        const Entry *entry;

        LIST_FOREACH (entry, &announced->list, all)
                if (entry->leader == leader && entry->uid == uid &&
                    entry->created_boot_usec >= from_boot_usec &&
                    entry->created_boot_usec < until_boot_usec &&
                    proc_ticks_of_boot_usec(entry->created_boot_usec) < before_ticks)
                        return entry->id;
        return NULL;
}

bool announced_elsewhere(const Announced *announced, uid_t uid, pid_t leader)
{
        const Entry *entry;

        LIST_FOREACH (entry, &announced->list, all)
                if (entry->uid == uid && entry->leader != leader)
                        return true;
        return announced->incomplete;
}

void announced_each_person(const Announced *announced,
                           bool (*each)(void *userdata, const char *id, uid_t uid), void *userdata)
{
        const Entry *entry;

        LIST_FOREACH (entry, &announced->list, all)
                if (entry->person && !each(userdata, entry->id, entry->uid))
                        return;
}

bool announced_scope_path(uid_t uid, const char *id, char ret_path[static SCOPE_PATH_MAX])
{
        int n = snprintf(ret_path, SCOPE_PATH_MAX, "/user.slice/user-%u.slice/session-%s.scope",
                         uid, id);

        return n > 0 && n < SCOPE_PATH_MAX;
}

bool announced_is_scope_of(const char *cgroup, uid_t uid, const char *id)
{
        char path[SCOPE_PATH_MAX];

        return announced_scope_path(uid, id, path) && strcmp(cgroup, path) == 0;
}

bool announced_scope_before(const Announced *announced, const char *cgroup, uint64_t ticks)
{
        const Entry *entry;

        LIST_FOREACH (entry, &announced->list, all)
                if (announced_is_scope_of(cgroup, entry->uid, entry->id))
                        return proc_ticks_of_boot_usec(entry->created_boot_usec) < ticks;
        return false;
}

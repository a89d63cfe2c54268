/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads /proc for one uid. What started when is told by start ticks, so what stood there before the
 * login needs no record: it is what is older than the login and lives. */
#include "credd/residue.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "credd/proc.h"

/* Who stood there before the login is as true a moment later. */
#define STANDING_AGE_USEC (200 * USEC_PER_MSEC)

static uint64_t login_ticks(const Session *session)
{
        return proc_ticks_of_boot_usec(
                clock_to_boot_usec(&session->manager->clock, session->row.accepted_usec));
}

bool residue_lingers(const char *user)
{
        char path[64 + USER_NAME_LEN_MAX];

        if (snprintf(path, sizeof(path), "/var/lib/systemd/linger/%s", user) >= (int)sizeof(path))
                return false;
        return access(path, F_OK) == 0;
}

static int add(json_t *list, pid_t pid, const char *command, const char *unit)
{
        json_t *item = json_pack("{si ss ss}", "pid", (int)pid, "command", command, "unit", unit);

        return item && json_array_append_new(list, item) == 0 ? 0 : -ENOMEM;
}

/* The innermost unit: the last element of the path that is not the root. */
static const char *unit_of(const char *cgroup)
{
        const char *name = strrchr(cgroup, '/');

        return name && name[1] ? name + 1 : cgroup;
}

static int add_process(const Session *session, const ProcInfo *info, json_t *list)
{
        AUTO_FREE char *cgroup = NULL;
        int r;

        r = proc_cgroup(info->pid, &cgroup);
        if (r == -ESRCH)
                return 0;
        if (r == 0 &&
            sessions_cover_cgroup(session->manager->sessions, cgroup, login_ticks(session)))
                return 0;
        return add(list, info->pid, info->comm, r == 0 ? unit_of(cgroup) : "unknown");
}

json_t *residue_find(const Session *session)
{
        Sessions *sessions = session->manager->sessions;
        const ProcTable *table = sessions_processes(sessions, session->gone_usec);
        json_auto_t *list = json_array();
        uint64_t since = login_ticks(session);
        int r = table ? 0 : -EIO;

        for (size_t i = 0; r == 0 && i < table->n; i++) {
                const ProcInfo *info = &table->list[i];

                if (info->uid == session->row.uid && !info->dead && info->start_ticks >= since &&
                    proc_alive(info->pid, info->start_ticks) > 0)
                        r = add_process(session, info, list);
        }
        if (r == 0 && !session->row.lingered && residue_lingers(session->row.user))
                r = add(list, 0, "lingering was switched on", "loginctl");
        return r == 0 ? take_ptr(list) : NULL;
}

bool residue_user_stood_before(const Session *session)
{
        Sessions *sessions = session->manager->sessions;
        uint64_t now = clock_line_usec(&session->manager->clock);
        const ProcTable *table = sessions_processes(sessions, now - STANDING_AGE_USEC);
        uint64_t since = login_ticks(session);

        if (session->row.lingered || !table)
                return true;
        for (size_t i = 0; i < table->n; i++)
                if (table->list[i].uid == session->row.uid && !table->list[i].dead &&
                    table->list[i].start_ticks < since)
                        return true;
        return false;
}

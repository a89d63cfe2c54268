/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads /proc for one uid. What started when is told by start ticks, so what stood there before the
 * login needs no record: it is what is older than the login and lives. */
#include "credd/residue.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "credd/proc.h"

/* So many are named; a receipt has to be read, and to go into one entry of the journal. */
#define NAMED_MAX     32
#define UNIT_TEXT_MAX 96
#define FRESH_USEC    (20 * USEC_PER_MSEC)
/* Who stood there before the login is as true a moment later. */
#define STANDING_AGE_USEC (200 * USEC_PER_MSEC)

static uint64_t since_ticks(const Session *session)
{
        return proc_ticks_of_boot_usec(
                clock_to_boot_usec(&session->manager->clock, session->since_usec));
}

static bool in_user_manager(const char *cgroup, uid_t uid)
{
        char manager[64];

        (void)snprintf(manager, sizeof(manager), "/user@%u.service/", uid);
        return strstr(cgroup, manager) != NULL;
}

bool residue_lingers(const char *user)
{
        char path[64 + USER_NAME_LEN_MAX];

        if (snprintf(path, sizeof(path), "/var/lib/systemd/linger/%s", user) >= (int)sizeof(path))
                return false;
        return access(path, F_OK) == 0;
}

/* A unit's name is whatever its user likes; the record is for people's terminals and for UTF-8. */
static void printable(const char *from, char ret_text[static UNIT_TEXT_MAX])
{
        size_t n = 0;

        for (; from[n] && n < UNIT_TEXT_MAX - 1; n++)
                ret_text[n] = from[n] >= 0x20 && from[n] <= 0x7e ? from[n] : '?';
        ret_text[n] = '\0';
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
        char unit[UNIT_TEXT_MAX];
        int r;

        r = proc_cgroup(info->pid, &cgroup);
        /* It may have left a child that is not in the table: that is for the next look to tell. */
        if (r == -ESRCH)
                return add(list, info->pid, info->comm, "gone while it was looked at");
        if (r == 0 &&
            sessions_cover_cgroup(session->manager->sessions, cgroup, since_ticks(session)))
                return 0;
        /* What the user's manager holds is the last of the user's sessions to answer for. */
        if (r == 0 && in_user_manager(cgroup, session->row.uid) &&
            sessions_another(session->manager->sessions, session))
                return 0;
        printable(r == 0 ? unit_of(cgroup) : "unknown", unit);
        return add(list, info->pid, info->comm, unit);
}

bool residue_is_of_session(const Session *session, const ProcInfo *info)
{
        AUTO_FREE char *cgroup = NULL;

        if (proc_cgroup(info->pid, &cgroup) < 0)
                return false;
        if (session->row.logind_id &&
            announced_is_scope_of(cgroup, session->row.uid, session->row.logind_id))
                return true;
        /* It has no scope, or not all of it is in there. */
        if (session->home && strcmp(cgroup, session->home) == 0 &&
            info->start_ticks >= session->row.ticks)
                return true;
        return in_user_manager(cgroup, session->row.uid) &&
               info->start_ticks >= since_ticks(session);
}

/* After the session was gone, and as good as now: what forks and exits is found in each new reading,
 * though no single process of it lives long. */
static uint64_t fresh_since(const Session *session)
{
        uint64_t recent = session_now_usec(session) - FRESH_USEC;

        return recent > session->gone_usec ? recent : session->gone_usec;
}

json_t *residue_find(const Session *session)
{
        Sessions *sessions = session->manager->sessions;
        const ProcTable *table = sessions_processes(sessions, fresh_since(session));
        json_auto_t *list = json_array();
        uint64_t since = since_ticks(session);
        int r = table ? 0 : -EIO;

        for (size_t i = 0; r == 0 && i < table->n && json_array_size(list) < NAMED_MAX; i++) {
                const ProcInfo *info = &table->list[i];

                if (info->uid == session->row.uid && !info->dead && info->start_ticks >= since)
                        r = add_process(session, info, list);
        }
        if (r == 0 && json_array_size(list) == NAMED_MAX)
                r = add(list, 0, "and perhaps more", "");
        if (r == 0 && !session->row.lingered && residue_lingers(session->row.user))
                r = add(list, 0, "lingering was switched on", "loginctl");
        return r == 0 ? take_ptr(list) : NULL;
}

bool residue_user_stood_before(const Session *session)
{
        Sessions *sessions = session->manager->sessions;
        uint64_t now = clock_line_usec(&session->manager->clock);
        const ProcTable *table = sessions_processes(sessions, now - STANDING_AGE_USEC);
        uint64_t since = since_ticks(session);

        if (session->row.lingered || !table)
                return true;
        for (size_t i = 0; i < table->n; i++)
                if (table->list[i].uid == session->row.uid && !table->list[i].dead &&
                    table->list[i].start_ticks < since)
                        return true;
        return false;
}

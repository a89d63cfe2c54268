/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the four signs of a session. Invariant: what cannot be read counts as "still there", and what
 * belongs to another boot as gone. */
#include "credd/signs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "credd/cgroup.h"
#include "credd/proc.h"

bool signs_of_this_boot(const Session *session)
{
        return session->row.boot == store_boot(session->manager->store);
}

/* logind puts a session into user.slice/user-UID.slice/session-ID.scope; where the leader stands in
 * a scope of that name, that is it, whatever is above it. */
static char *scope_path(const Session *session, const char *leader_cgroup)
{
        char name[64], *path;

        if (!session->row.logind_id || session->reused ||
            snprintf(name, sizeof(name), "/session-%s.scope", session->row.logind_id) >=
                    (int)sizeof(name))
                return NULL;
        if (leader_cgroup) {
                const char *last = strrchr(leader_cgroup, '/');

                if (last && strcmp(last, name) == 0)
                        return strdup(leader_cgroup);
        }
        if (asprintf(&path, "/user.slice/user-%u.slice%s", session->row.uid, name) < 0)
                return NULL;
        return path;
}

static ScopeSign read_scope(const char *path)
{
        int r;

        if (!path)
                return SCOPE_NONE;
        r = cgroup_populated(path);
        if (r == 0)
                return SCOPE_EMPTY;
        return r == -ENOENT ? SCOPE_ABSENT : SCOPE_POPULATED;
}

static void remember(Session *session, const ProcInfo *info)
{
        ProcRef *grown;

        for (size_t i = 0; i < session->n_tree; i++)
                if (session->tree[i].pid == info->pid &&
                    session->tree[i].ticks == info->start_ticks)
                        return;
        grown = reallocarray(session->tree, session->n_tree + 1, sizeof(*grown));
        if (!grown)
                return;
        session->tree = grown;
        session->tree[session->n_tree++] = (ProcRef){info->pid, info->start_ticks};
}

/* Who belongs to the leader now: kept, because once it is dead its children are init's. */
void signs_look_at_tree(Session *session)
{
        CLEANUP(proc_table_done) ProcTable table = {0};
        AUTO_FREE pid_t *pids = NULL;
        AUTO_FREE size_t *indexes = NULL;
        size_t n_pids = 0, n = 0;

        if (session->home && cgroup_pids(session->home, &pids, &n_pids) < 0)
                n_pids = 0;
        if (proc_table_read(&table) < 0 ||
            proc_tree(&table, session->row.leader, session->row.ticks, session->row.uid, pids,
                      n_pids, &indexes, &n) < 0)
                return;
        for (size_t i = 0; i < n; i++)
                remember(session, &table.list[indexes[i]]);
}

unsigned signs_count_tree(Session *session)
{
        size_t kept = 0;

        for (size_t i = 0; i < session->n_tree; i++)
                if (proc_alive(session->tree[i].pid, session->tree[i].ticks))
                        session->tree[kept++] = session->tree[i];
        session->n_tree = kept;
        return (unsigned)kept;
}

static LogindSign logind_sign(const Session *session)
{
        if (session->reused)
                return LOGIND_GONE;
        if (!session->row.logind_id)
                return LOGIND_NEVER;
        if (!logind_connected(session->manager->logind))
                return LOGIND_UNREACHABLE;
        return session->logind;
}

/* The leader outside its scope: its cgroup is where the others of its tree are looked for. */
static void note_home(Session *session, char **cgroup)
{
        free(session->home);
        session->home = take_ptr(*cgroup);
}

void signs_read(Session *session, KillSigns *ret_signs)
{
        AUTO_FREE char *cgroup = NULL, *scope = NULL;
        KillSigns signs = {.leader_alive = session->pidfd >= 0};

        if (!signs_of_this_boot(session)) {
                *ret_signs = (KillSigns){.scope = SCOPE_NONE, .logind = LOGIND_GONE};
                return;
        }
        if (signs.leader_alive && proc_cgroup(session->row.leader, &cgroup) < 0)
                cgroup = NULL;
        scope = scope_path(session, cgroup);
        signs.leader_in_scope = cgroup && scope && strcmp(cgroup, scope) == 0;
        signs.scope = read_scope(scope);
        if (cgroup && !signs.leader_in_scope)
                note_home(session, &cgroup);
        else if (signs.leader_in_scope) {
                free(session->home);
                session->home = NULL;
        }
        /* While the leader lives and nothing is due, its tree decides nothing. */
        if (session->kill.begun || !signs.leader_alive) {
                if (signs.leader_alive || session->home)
                        signs_look_at_tree(session);
                signs.tree = signs_count_tree(session);
        }
        signs.logind = logind_sign(session);
        *ret_signs = signs;
}

char *signs_scope(const Session *session)
{
        AUTO_FREE char *cgroup = NULL;

        if (session->pidfd >= 0 && proc_cgroup(session->row.leader, &cgroup) < 0)
                cgroup = NULL;
        return scope_path(session, cgroup);
}

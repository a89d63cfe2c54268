/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the four signs of a session. Invariant: what cannot be read counts as "still there", and what
 * belongs to another boot as gone. */
#include "credd/signs.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "credd/cgroup.h"
#include "credd/proc.h"

/* One reading of /proc serves the sessions that are looked at together. */
#define TREE_AGE_USEC (20 * USEC_PER_MSEC)

bool signs_of_this_boot(const Session *session)
{
        return session->row.boot == store_boot(session->manager->store);
}

/* NULL: it has none that we know of. */
static const char *scope_path(const Session *session, char path[static SCOPE_PATH_MAX])
{
        if (!session->row.logind_id || session->reused ||
            !announced_scope_path(session->row.uid, session->row.logind_id, path))
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

static int by_ref(const void *a, const void *b)
{
        const ProcRef *x = a, *y = b;

        if (x->pid != y->pid)
                return x->pid < y->pid ? -1 : 1;
        return (x->ticks > y->ticks) - (x->ticks < y->ticks);
}

/* Kept, because once the leader is dead its children are init's. */
static int remember(Session *session, const ProcTable *table, const size_t *indexes, size_t n)
{
        size_t known = session->n_tree;
        ProcRef *grown = reallocarray(session->tree, known + n + 1, sizeof(*grown));

        if (!grown)
                return -ENOMEM;
        session->tree = grown;
        for (size_t i = 0; i < n; i++) {
                const ProcInfo *info = &table->list[indexes[i]];
                const ProcRef ref = {info->pid, info->start_ticks};

                if (!bsearch(&ref, session->tree, known, sizeof(ref), by_ref))
                        session->tree[session->n_tree++] = ref;
        }
        qsort(session->tree, session->n_tree, sizeof(*session->tree), by_ref);
        return 0;
}

int signs_look_at_tree(Session *session, uint64_t since_usec)
{
        const TreeRoot root = {session->row.leader, session->row.ticks, session->row.uid,
                               session->home};
        AUTO_FREE size_t *indexes = NULL;
        const ProcTable *table = NULL;
        size_t n = 0;
        int r;

        r = sessions_find_tree(session->manager->sessions, &root, since_usec, &table, &indexes, &n);
        return r < 0 ? r : remember(session, table, indexes, n);
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

static bool is_in(const char *path, const char *above)
{
        size_t n = strlen(above);

        return strcmp(above, "/") == 0 ||
               (strncmp(path, above, n) == 0 && (path[n] == '/' || path[n] == '\0'));
}

/* 1: a child of the leader stands where the leader stood before it had its scope. Negative: that cannot be
 * told, because of one that is there and cannot be read. */
static int forked_without_scope(const Session *session)
{
        AUTO_FREE pid_t *pids = NULL;
        int r, unread = 0;
        size_t n = 0;

        r = cgroup_pids(session->home, &pids, &n);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (size_t i = 0; i < n; i++) {
                ProcInfo info;

                r = proc_read_stat(pids[i], &info);
                if (r == 0 && info.ppid == session->row.leader &&
                    info.start_ticks >= session->row.ticks && !info.dead)
                        return 1;
                if (r < 0 && r != -ESRCH)
                        unread = r;
        }
        return unread;
}

/* It is in its scope at last, and so is what it forks from now on. But where the scope came late (the
 * user's manager hung for minutes, logind died and went on), PAM had given up, and the shell was started
 * where sshd stands: PID 1 moves the leader alone. Pinned by tests/system/32-creation.t. */
static void leave_home(Session *session, const char *scope)
{
        int r;

        if (!session->home || session->split)
                return;
        r = is_in(scope, session->home) ? 0 : forked_without_scope(session);
        session->split = r > 0;
        if (r != 0)
                return; /* what cannot be seen is looked for again */
        free(session->home);
        session->home = NULL;
}

/* The pidfd itself is asked: its event may still be waiting in the loop. */
static bool leader_alive(const Session *session)
{
        struct pollfd exited = {.fd = session->pidfd, .events = POLLIN};

        return session->pidfd >= 0 && poll(&exited, 1, 0) == 0;
}

/* Inside its scope a session is judged by the scope: whole, however many processes it holds. Unless it is
 * split: then by both. */
static unsigned read_tree(Session *session, const KillSigns *signs)
{
        bool outside = signs->leader_alive && !signs->leader_in_scope;
        unsigned unread = 0;

        if (!session->kill.begun && signs->leader_alive)
                return 0; /* while the leader lives and nothing is due, its tree decides nothing */
        if (outside || session->split || (!signs->leader_alive && session->home))
                unread = signs_look_at_tree(session, session_now_usec(session) - TREE_AGE_USEC) < 0;
        return signs_count_tree(session) + unread;
}

void signs_read(Session *session, KillSigns *ret_signs)
{
        KillSigns signs = {.leader_alive = leader_alive(session)};
        AUTO_FREE char *cgroup = NULL;
        char path[SCOPE_PATH_MAX];
        const char *scope = scope_path(session, path);

        if (!signs_of_this_boot(session)) {
                *ret_signs = (KillSigns){.scope = SCOPE_NONE, .logind = LOGIND_GONE};
                return;
        }
        if (signs.leader_alive && proc_cgroup(session->row.leader, &cgroup) < 0)
                cgroup = NULL;
        signs.leader_in_scope = cgroup && scope && strcmp(cgroup, scope) == 0;
        signs.scope = read_scope(scope);
        if (cgroup && !signs.leader_in_scope)
                note_home(session, &cgroup);
        else if (signs.leader_in_scope)
                leave_home(session, scope);
        signs.tree = read_tree(session, &signs);
        signs.logind = logind_sign(session);
        *ret_signs = signs;
}

char *signs_scope(const Session *session)
{
        char path[SCOPE_PATH_MAX];
        const char *scope = scope_path(session, path);

        return scope ? strdup(scope) : NULL;
}

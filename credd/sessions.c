/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All live sessions: found, counted, ended and extended together, and found again after a restart. */
#include <errno.h>
#include <string.h>

#include "credd/cgroup.h"
#include "credd/files.h"
#include "credd/proc.h"
#include "credd/residue.h"
#include "credd/session-internal.h"
#include "credd/warning.h"

unsigned sessions_live(const Sessions *sessions)
{
        return sessions->n;
}

bool sessions_full(const Sessions *sessions)
{
        return sessions->n >= sessions->room;
}

unsigned sessions_overdue(const Sessions *sessions)
{
        const Session *session;
        unsigned n = 0;

        LIST_FOREACH (session, &sessions->list, all)
                if (session_ending(session))
                        n++;
        return n;
}

bool sessions_ending(const Sessions *sessions, int64_t credential)
{
        const Session *session;

        LIST_FOREACH (session, &sessions->list, all)
                if (session->row.credential == credential && session_ending(session))
                        return true;
        return false;
}

/* Some tens of sessions on a busy host: comparing each with those before it costs less than a list. */
static bool is_first_of_credential(const Sessions *sessions, const Session *session)
{
        const Session *other;

        LIST_FOREACH (other, &sessions->list, all)
                if (other == session || other->row.credential == session->row.credential)
                        return other == session;
        return true;
}

void sessions_each_credential(const Sessions *sessions,
                              void (*each)(void *userdata, int64_t credential), void *userdata)
{
        const Session *session;

        LIST_FOREACH (session, &sessions->list, all)
                if (is_first_of_credential(sessions, session))
                        each(userdata, session->row.credential);
}

bool sessions_cover_cgroup(const Sessions *sessions, const char *cgroup, uint64_t before_ticks)
{
        const Session *session;

        LIST_FOREACH (session, &sessions->list, all)
                if (session->row.logind_id && session->gone_usec == 0 &&
                    announced_is_scope_of(cgroup, session->row.uid, session->row.logind_id))
                        return true;
        return announced_scope_before(sessions->announced, cgroup, before_ticks);
}

const Announced *sessions_announced(const Sessions *sessions)
{
        return sessions->announced;
}

static bool concerns(const Session *session, SessionsOf of, uint64_t now_usec)
{
        return (of.credential == 0 || session->row.credential == of.credential) &&
               (!of.role || (session->row.role && strcmp(session->row.role, of.role) == 0)) &&
               session->row.deadline_usec > now_usec;
}

unsigned sessions_count(const Sessions *sessions, SessionsOf of, uint64_t now_usec)
{
        const Session *session;
        unsigned n = 0;

        LIST_FOREACH (session, &sessions->list, all)
                n += concerns(session, of, now_usec);
        return n;
}

int sessions_store_end(Sessions *sessions, SessionsOf of, uint64_t now_usec, const char *why)
{
        const Session *session;
        int r = 0;

        LIST_FOREACH (session, &sessions->list, all)
                if (r == 0 && concerns(session, of, now_usec))
                        r = store_cut_short(sessions->manager->store, session->row.login, now_usec,
                                            why);
        return r;
}

/* Timers act after the commit: what they lead to begins with one. */
void sessions_end(Sessions *sessions, SessionsOf of, uint64_t now_usec, const char *why)
{
        Session *session;

        LIST_FOREACH (session, &sessions->list, all)
                if (concerns(session, of, now_usec)) {
                        session->row.deadline_usec = now_usec;
                        session_set_why(session, why);
                        session_look_at(session, now_usec);
                }
}

int sessions_store_extension(Sessions *sessions, int64_t credential, uint64_t now_usec,
                             uint64_t by_usec)
{
        const SessionsOf of = {.credential = credential};
        const Session *session;
        int r = 0;

        LIST_FOREACH (session, &sessions->list, all)
                if (r == 0 && concerns(session, of, now_usec))
                        r = store_set_deadline(sessions->manager->store, session->row.login,
                                               session->row.deadline_usec + by_usec);
        return r;
}

void sessions_extend(Sessions *sessions, int64_t credential, uint64_t now_usec, uint64_t by_usec)
{
        const SessionsOf of = {.credential = credential};
        Session *session;

        LIST_FOREACH (session, &sessions->list, all)
                if (concerns(session, of, now_usec)) {
                        session->row.deadline_usec += by_usec;
                        warning_plan(session);
                        /* It may be looked at more often than at its deadline, or be gone already. */
                        session_look_at(session, now_usec);
                }
}

uint64_t sessions_latest(const Sessions *sessions, int64_t credential, uint64_t now_usec)
{
        const SessionsOf of = {.credential = credential};
        uint64_t latest = 0;
        const Session *session;

        LIST_FOREACH (session, &sessions->list, all)
                if (concerns(session, of, now_usec) && session->row.deadline_usec > latest)
                        latest = session->row.deadline_usec;
        return latest;
}

void sessions_each_of(const Sessions *sessions, SessionsOf of, uint64_t now_usec,
                      bool (*each)(void *userdata, const SessionRow *row), void *userdata)
{
        const Session *session;

        LIST_FOREACH (session, &sessions->list, all)
                if (concerns(session, of, now_usec) && !each(userdata, &session->row))
                        return;
}

/* What the user's manager runs belongs to the one session that its user has, and to nobody's who came
 * without a credential. What cannot be told counts as somebody else. */
static bool has_manager_alone(const Sessions *sessions, const Session *session)
{
        return session->gone_usec == 0 && logind_connected(sessions->manager->logind) &&
               !sessions_another(sessions, session) &&
               !announced_elsewhere(sessions->announced, session->row.uid, session->row.leader) &&
               !residue_user_stood_before(session);
}

/* tmux has its panes in the user's manager where it knows systemd, as on Debian 13. */
static const Session *find_by_manager(const Sessions *sessions, pid_t pid, uid_t uid)
{
        const Session *session;
        ProcInfo info;

        LIST_FOREACH (session, &sessions->list, all)
                if (session->row.uid == uid && proc_read(pid, &info) == 0 && info.uid == uid &&
                    residue_is_of_session(session, &info) && has_manager_alone(sessions, session))
                        return session;
        return NULL;
}

const Session *sessions_find_process(const Sessions *sessions, pid_t pid, uid_t uid)
{
        AUTO_FREE char *cgroup = NULL;
        const Session *session;

        if (proc_cgroup(pid, &cgroup) < 0)
                return NULL;
        LIST_FOREACH (session, &sessions->list, all)
                if (session->row.logind_id && !session->reused &&
                    (session->row.uid == uid || uid == 0) &&
                    announced_is_scope_of(cgroup, session->row.uid, session->row.logind_id))
                        return session;
        return find_by_manager(sessions, pid, uid);
}

const ProcTable *sessions_processes(Sessions *sessions, uint64_t since_usec)
{
        if (sessions->processes_usec > 0 && sessions->processes_usec >= since_usec)
                return &sessions->processes;
        proc_table_done(&sessions->processes);
        sessions->processes_usec = clock_line_usec(&sessions->manager->clock);
        if (proc_table_read(&sessions->processes) == 0)
                return &sessions->processes;
        sessions->processes_usec = 0;
        return NULL;
}

int sessions_find_tree(Sessions *sessions, const TreeRoot *root, uint64_t since_usec,
                       const ProcTable **ret_table, size_t **ret_indexes, size_t *ret_n)
{
        const ProcTable *table = sessions_processes(sessions, since_usec);
        AUTO_FREE pid_t *pids = NULL;
        size_t n_pids = 0;
        int r;

        if (!table)
                return -EIO;
        r = root->home ? cgroup_pids(root->home, &pids, &n_pids) : 0;
        if (r == 0 || r == -ENOENT)
                r = proc_tree(table, root->leader, root->ticks, root->uid, pids, n_pids,
                              ret_indexes, ret_n);
        if (r == 0)
                *ret_table = table;
        return r;
}

bool sessions_led_by(const Sessions *sessions, pid_t leader)
{
        const Session *session;

        LIST_FOREACH (session, &sessions->list, all)
                if (session->row.leader == leader && session->pidfd >= 0)
                        return true;
        return false;
}

bool sessions_have(const Sessions *sessions, const char *logind_id)
{
        const Session *session;

        LIST_FOREACH (session, &sessions->list, all)
                if (session->row.logind_id && !session->reused &&
                    strcmp(session->row.logind_id, logind_id) == 0)
                        return true;
        return false;
}

Session *sessions_turn(Sessions *sessions, Session *rung, uint64_t now_usec)
{
        Session *session, *first = rung;

        LIST_FOREACH (session, &sessions->list, all)
                if (session->look_usec <= now_usec && !session->kill.terminated &&
                    session->gone_usec == 0 &&
                    session->row.deadline_usec < first->row.deadline_usec)
                        first = session;
        return first->row.deadline_usec <= now_usec ? first : rung;
}

Session *sessions_next_due(const Sessions *sessions, uint64_t now_usec)
{
        Session *session, *first = NULL;

        LIST_FOREACH (session, &sessions->list, all)
                if (!session->kill.begun && session->gone_usec == 0 &&
                    session->row.deadline_usec <= now_usec &&
                    (!first || session->row.deadline_usec < first->row.deadline_usec))
                        first = session;
        return first;
}

typedef struct Restoration {
        Sessions *sessions;
        int error;
} Restoration;

static bool restore_one(void *userdata, SessionRow *row)
{
        Restoration *restoration = userdata;
        Manager *manager = restoration->sessions->manager;
        int pidfd = -ESRCH;

        /* Another boot's pids mean nothing now; the session ended with that boot at the latest. */
        if (row->boot == store_boot(manager->store))
                pidfd = proc_pidfd(row->leader, row->ticks);
        if (pidfd < 0 && pidfd != -ESRCH)
                restoration->error = pidfd; /* not seen is not gone */
        else
                restoration->error =
                        session_open(restoration->sessions, row, pidfd < 0 ? -1 : pidfd);
        return restoration->error == 0;
}

int sessions_restore(Sessions *sessions)
{
        Restoration restoration = {.sessions = sessions};
        int r;

        r = store_each_session(sessions->manager->store, SESSIONS_LIVE, 0, 0, INT64_MAX,
                               restore_one, &restoration);
        return r < 0 ? r : restoration.error;
}

int sessions_new(Manager *manager, Sessions **ret_sessions)
{
        Sessions *sessions;
        int r;

        sessions = calloc(1, sizeof(*sessions));
        if (!sessions)
                return -ENOMEM;
        r = announced_new(&sessions->announced);
        if (r < 0) {
                free(sessions);
                return r;
        }
        sessions->manager = manager;
        sessions->room = files_for_sessions();
        LIST_INIT(&sessions->list);
        *ret_sessions = sessions;
        return 0;
}

Sessions *sessions_free(Sessions *sessions)
{
        if (!sessions)
                return NULL;
        while (!LIST_EMPTY(&sessions->list))
                session_close(LIST_FIRST(&sessions->list));
        (void)announced_free(sessions->announced);
        proc_table_done(&sessions->processes);
        free(sessions);
        return NULL;
}

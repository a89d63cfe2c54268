/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions and what logind says of them. Invariants: a live session in the store has a Session here
 * and the other way round; a Session whose leader lives has its pidfd, so its pid cannot come to
 * mean another process. What logind announces is kept for all sessions of the machine, ours or not:
 * a login that nobody claimed is found there, and a user who is elsewhere too is left alone there.
 */
#include "credd/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "credd/batch.h"
#include "credd/proc.h"
#include "credd/reaper.h"

#define TIMER_SLACK 1 /* sd-event's default of 250 ms is for other clocks than this */

struct Sessions {
        Manager *manager;
        LIST_HEAD(, Session) list;
        Announced *announced;
        unsigned n;
        ProcTable processes;
        uint64_t processes_usec; /* when they were read; 0: not yet */
};

/* --- what logind says --- */

static Session *find_session(const Sessions *sessions, const LogindSession *announced)
{
        Session *session;

        LIST_FOREACH (session, &sessions->list, all)
                if (session->row.leader == announced->leader &&
                    session->row.uid == announced->uid && session->pidfd >= 0)
                        return session;
        return NULL;
}

/* An id that logind gives out anew (it counts from c1 again after a restart) is not our session any
 * more: the leader tells. */
static void forget_reused(Sessions *sessions, const LogindSession *announced)
{
        Session *session;

        LIST_FOREACH (session, &sessions->list, all)
                if (session->row.logind_id && strcmp(session->row.logind_id, announced->id) == 0 &&
                    session->row.leader != announced->leader) {
                        session->reused = true;
                        session_look_at(session, clock_line_usec(&sessions->manager->clock));
                }
}

static int store_bound(Session *session)
{
        Manager *manager = session->manager;
        int r;

        r = batch_enter(manager->batch);
        if (r < 0)
                return r;
        r = store_bind_session(manager->store, session->row.login, session->row.logind_id);
        if (r == 0)
                r = event_session_bound(&manager->events, &session->row);
        return batch_leave(manager->batch, r);
}

static void on_session(void *userdata, const LogindSession *announced)
{
        Manager *manager = userdata;
        Session *session;
        char *id;

        announced_add(manager->sessions->announced, announced);
        forget_reused(manager->sessions, announced);
        session = find_session(manager->sessions, announced);
        if (!session)
                return;
        session->bind_by_usec = USEC_INFINITY;
        if (session->row.logind_id && strcmp(session->row.logind_id, announced->id) == 0)
                return;
        id = strdup(announced->id);
        if (!id)
                return;
        free(session->row.logind_id);
        session->row.logind_id = id;
        (void)store_bound(session);
        session_look_at(session, clock_line_usec(&manager->clock));
}

static void on_removed(void *userdata, const char *id)
{
        Manager *manager = userdata;
        Session *session;

        announced_remove(manager->sessions->announced, id);
        LIST_FOREACH (session, &manager->sessions->list, all)
                if (session->row.logind_id && strcmp(session->row.logind_id, id) == 0)
                        session_look_at(session, clock_line_usec(&manager->clock));
}

static void on_connected(void *userdata, bool connected)
{
        Manager *manager = userdata;
        Session *session;

        /* It will announce everything that lives again: what it does not is not there. */
        if (!connected)
                announced_clear(manager->sessions->announced);
        LIST_FOREACH (session, &manager->sessions->list, all)
                session_look_at(session, clock_line_usec(&manager->clock));
}

const LogindHandlers sessions_logind_handlers = {on_session, on_removed, on_connected};

/* --- one session --- */

bool session_ending(const Session *session)
{
        return clock_line_usec(&session->manager->clock) >= session->row.deadline_usec;
}

void session_look_at(Session *session, uint64_t line_usec)
{
        uint64_t at = line_usec;

        if (at > session->bind_by_usec)
                at = session->bind_by_usec;
        if (at == USEC_INFINITY) {
                (void)sd_event_source_set_enabled(session->timer, SD_EVENT_OFF);
                return;
        }
        (void)sd_event_source_set_time(session->timer,
                                       clock_to_boot_usec(&session->manager->clock, at));
        (void)sd_event_source_set_enabled(session->timer, SD_EVENT_ONESHOT);
}

/* logind never announced it: nobody but us watches it, and it may have no scope. */
static void give_up_binding(Session *session)
{
        Manager *manager = session->manager;

        session->bind_by_usec = USEC_INFINITY;
        session->why = "logind never announced its session";
        session->row.deadline_usec = clock_line_usec(&manager->clock);
        if (batch_enter(manager->batch) < 0)
                return;
        (void)batch_leave(manager->batch, store_set_deadline(manager->store, session->row.login,
                                                             session->row.deadline_usec));
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        Session *session = userdata;

        (void)source;
        (void)usec;
        if (clock_line_usec(&session->manager->clock) >= session->bind_by_usec)
                give_up_binding(session);
        reaper_look(session);
        return 0;
}

static int on_leader_exit(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        Session *session = userdata;

        (void)source;
        (void)fd;
        (void)events;
        session->exit = sd_event_source_disable_unref(session->exit);
        (void)close(take_fd(&session->pidfd));
        session->bind_by_usec = USEC_INFINITY;
        reaper_look(session);
        return 0;
}

static void session_free(Session *session)
{
        if (session->steps) {
                LIST_REMOVE(session, all);
                session->manager->sessions->n--;
        }
        (void)sd_event_source_disable_unref(session->exit);
        (void)sd_event_source_disable_unref(session->timer);
        reaper_done(session);
        session_row_done(&session->row);
        if (session->pidfd >= 0)
                (void)close(session->pidfd);
        free(session);
}

void session_gone(Session *session)
{
        session_free(session);
}

static int add_sources(Session *session)
{
        sd_event *event = session->manager->event;
        int r = 0;

        if (session->pidfd >= 0) {
                r = sd_event_add_io(event, &session->exit, session->pidfd, EPOLLIN, on_leader_exit,
                                    session);
                if (r >= 0)
                        r = sd_event_source_set_priority(session->exit, PRIORITY_KILL);
        }
        if (r >= 0)
                r = sd_event_add_time(event, &session->timer, CLOCK_BOOTTIME, 0, TIMER_SLACK,
                                      on_timer, session);
        if (r >= 0)
                r = sd_event_source_set_priority(session->timer, PRIORITY_KILL);
        return r;
}

int session_open(Sessions *sessions, SessionRow *row, int pidfd, const char *why)
{
        Manager *manager = sessions->manager;
        Session *session;
        int r;

        session = calloc(1, sizeof(*session));
        if (!session)
                return -ENOMEM;
        session->manager = manager;
        session->pidfd = pidfd;
        session->why = why;
        session->bind_by_usec = row->logind_id
                                        ? USEC_INFINITY
                                        : row->opened_usec + manager->config.bind_timeout_usec;
        r = add_sources(session);
        if (r < 0) {
                session->pidfd = -1;
                session_free(session);
                return r;
        }
        session->steps = json_array();
        session->row = *row;
        *row = (SessionRow){0};
        LIST_INSERT_HEAD(&sessions->list, session, all);
        sessions->n++;
        session_look_at(session, session->row.deadline_usec);
        return 0;
}

/* --- all of them --- */

unsigned sessions_live(const Sessions *sessions)
{
        return sessions->n;
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

bool sessions_cover_cgroup(const Sessions *sessions, const char *cgroup, uint64_t before_ticks)
{
        const Session *session;

        LIST_FOREACH (session, &sessions->list, all)
                if (session->row.logind_id && announced_is_scope_of(cgroup, session->row.logind_id))
                        return true;
        return announced_scope_before(sessions->announced, cgroup, before_ticks);
}

const Announced *sessions_announced(const Sessions *sessions)
{
        return sessions->announced;
}

int sessions_end_now(Sessions *sessions, int64_t credential)
{
        uint64_t now = clock_line_usec(&sessions->manager->clock);
        Session *session;
        int r;

        LIST_FOREACH (session, &sessions->list, all) {
                if (session->row.credential != credential || session->row.deadline_usec <= now)
                        continue;
                r = store_set_deadline(sessions->manager->store, session->row.login, now);
                if (r < 0)
                        return r;
        }
        /* Only when all rows are changed: an error takes them back. Timers act after the commit. */
        LIST_FOREACH (session, &sessions->list, all)
                if (session->row.credential == credential && session->row.deadline_usec > now) {
                        session->row.deadline_usec = now;
                        session_look_at(session, now);
                }
        return 0;
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

static bool restore_one(void *userdata, SessionRow *row)
{
        Sessions *sessions = userdata;
        int pidfd = -ESRCH;

        /* Another boot's pids mean nothing now; the session ended with that boot at the latest. */
        if (row->boot == store_boot(sessions->manager->store))
                pidfd = proc_pidfd(row->leader, row->ticks);
        return session_open(sessions, row, pidfd < 0 ? -1 : pidfd, NULL) == 0;
}

int sessions_restore(Sessions *sessions)
{
        return store_each_session(sessions->manager->store, SESSIONS_LIVE, 0, 0, INT64_MAX,
                                  restore_one, sessions);
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
        LIST_INIT(&sessions->list);
        *ret_sessions = sessions;
        return 0;
}

Sessions *sessions_free(Sessions *sessions)
{
        if (!sessions)
                return NULL;
        while (!LIST_EMPTY(&sessions->list))
                session_free(LIST_FIRST(&sessions->list));
        (void)announced_free(sessions->announced);
        proc_table_done(&sessions->processes);
        free(sessions);
        return NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One session, and what logind says of it. Invariants: a live session in the store has a Session here
 * and the other way round; a Session whose leader lives has its pidfd, so its pid cannot come to mean
 * another process. */
#include "credd/session-internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "credd/batch.h"
#include "credd/reaper.h"
#include "credd/warning.h"

#define TIMER_SLACK 1 /* sd-event's default of 250 ms is for other clocks than this */

/* --- what logind says --- */

/* credd was down, or slow, when it was announced, and its leader has died since: then the pid alone says
 * little, and the moment has to fit, too. Its scope may well have somebody in it. */
static bool fits_without_leader(const Session *session, const LogindSession *announced)
{
        const Manager *manager = session->manager;
        uint64_t opened = clock_to_boot_usec(&manager->clock, session->row.opened_usec);
        uint64_t created = announced->created_boot_usec;

        return session->pidfd < 0 && !session->row.logind_id &&
               session->row.boot == store_boot(manager->store) && created != USEC_INFINITY &&
               created + USEC_PER_SEC >= opened &&
               created < opened + manager->config.bind_timeout_usec;
}

static Session *find_session(const Sessions *sessions, const LogindSession *announced)
{
        Session *session, *fits = NULL;

        LIST_FOREACH (session, &sessions->list, all) {
                if (session->row.leader != announced->leader || session->row.uid != announced->uid)
                        continue;
                if (session->pidfd >= 0)
                        return session;
                if (fits_without_leader(session, announced))
                        fits = session;
        }
        return fits;
}

/* It was found to be gone when nothing was known of a scope. */
static void look_anew(Session *session)
{
        if (session->gone_usec == 0)
                return;
        session->gone_usec = 0;
        (void)sd_event_source_set_priority(session->timer, PRIORITY_KILL);
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
        if (session->row.logind_id && strcmp(session->row.logind_id, announced->id) == 0) {
                session->bind_by_usec = USEC_INFINITY;
                return;
        }
        id = strdup(announced->id);
        if (!id)
                return; /* who cannot be bound does not stay past BindTimeout */
        session->bind_by_usec = USEC_INFINITY;
        free(session->row.logind_id);
        session->row.logind_id = id;
        look_anew(session);
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
        if (connected)
                manager_hear_logind(manager);
        else
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

uint64_t session_now_usec(const Session *session)
{
        return clock_line_usec(&session->manager->clock);
}

/* Without memory for it the end goes on, and is put down to its time alone. */
void session_set_why(Session *session, const char *why)
{
        free(session->row.why);
        session->row.why = why ? strdup(why) : NULL;
}

void session_note_step(Session *session, const char *step)
{
        size_t n = json_array_size(session->steps);
        const char *last = json_string_value(json_array_get(session->steps, n - 1));

        if (n < 16 && (n == 0 || strcmp(last, step) != 0))
                (void)json_array_append_new(session->steps, json_string(step));
}

void session_look_at(Session *session, uint64_t line_usec)
{
        uint64_t at = line_usec;

        if (at > session->bind_by_usec)
                at = session->bind_by_usec;
        if (at > session->warn_at_usec)
                at = session->warn_at_usec;
        session->look_usec = at;
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
        if (session_ending(session))
                return; /* it is being ended already, and late is counted from its deadline */
        session_set_why(session, "logind never announced its session");
        session->row.deadline_usec = clock_line_usec(&manager->clock);
        if (batch_enter(manager->batch) < 0)
                return;
        (void)batch_leave(manager->batch,
                          store_cut_short(manager->store, session->row.login,
                                          session->row.deadline_usec, session->row.why));
}

/* After a suspend or a stall many are due in one turn of the loop, and sd-event keeps no order among
 * them. So each that rings gives way to whose deadline came first, and rings again. */
static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        Session *rung = userdata, *session;
        uint64_t now = session_now_usec(rung);

        (void)source;
        (void)usec;
        session = sessions_turn(rung->manager->sessions, rung, now);
        if (session != rung)
                session_look_at(rung, now);
        if (now >= session->bind_by_usec)
                give_up_binding(session);
        if (now >= session->warn_at_usec)
                warning_give(session);
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

void session_close(Session *session)
{
        if (session->listed) {
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

uint64_t sessions_earliest(const Sessions *sessions, int64_t credential)
{
        uint64_t earliest = USEC_INFINITY;
        const Session *session;

        LIST_FOREACH (session, &sessions->list, all)
                if (session->row.credential == credential && session->row.deadline_usec < earliest)
                        earliest = session->row.deadline_usec;
        return earliest;
}

bool sessions_over(const Sessions *sessions, int64_t login)
{
        const Session *session;

        LIST_FOREACH (session, &sessions->list, all)
                if (session->row.login == login)
                        return session->pidfd < 0;
        return false;
}

bool sessions_another(const Sessions *sessions, const Session *session)
{
        const Session *other;

        LIST_FOREACH (other, &sessions->list, all)
                if (other != session && other->row.uid == session->row.uid && other->gone_usec == 0)
                        return true;
        return false;
}

/* That one goes on, and answers for what the user's manager still runs of this one. */
static bool answers_for(const Session *other, const Session *session)
{
        return other != session && other->row.uid == session->row.uid &&
               other->row.boot == session->row.boot && session->since_usec < other->since_usec;
}

int session_store_gone(const Session *session)
{
        const Session *other;
        int r = 0;

        LIST_FOREACH (other, &session->manager->sessions->list, all)
                if (r == 0 && answers_for(other, session))
                        r = store_set_since(session->manager->store, other->row.login,
                                            session->since_usec);
        return r;
}

void session_gone(Session *session)
{
        Session *other;

        LIST_FOREACH (other, &session->manager->sessions->list, all)
                if (answers_for(other, session))
                        other->since_usec = session->since_usec;
        session_close(session);
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

int session_row_make(Manager *manager, const Credential *credential, Login *login, pid_t leader,
                     uint64_t ticks, SessionRow *ret)
{
        CLEANUP(session_row_done)
        SessionRow row = {
                .login = login->num,
                .credential = credential->num,
                .boot = login->boot,
                .leader = leader,
                .ticks = ticks,
                .opened_usec = clock_line_usec(&manager->clock),
                .opened_real_usec = clock_real_usec(&manager->clock),
                .lingered = true,
                .begun_usec = USEC_INFINITY,
                .ended_usec = USEC_INFINITY,
                .ended_real_usec = USEC_INFINITY,
                .since_usec = USEC_INFINITY,
                .user = strdup(credential->user),
                .uid = credential->uid,
                .role = credential->role ? strdup(credential->role) : NULL,
                .holder = credential->holder ? strdup(credential->holder) : NULL,
                .issuer_uid = credential->issuer.uid,
                .service = take_ptr(login->service),
                .tty = take_ptr(login->tty),
                .rhost = take_ptr(login->rhost),
                .accepted_usec = login->accepted_usec,
        };

        if (!row.user || !row.service || (credential->role && !row.role) ||
            (credential->holder && !row.holder))
                return -ENOMEM;
        row.deadline_usec = row.opened_usec;
        (void)snprintf(row.id, sizeof(row.id), "%s", credential->id);
        *ret = row;
        row = (SessionRow){0};
        return 0;
}

int session_open(Sessions *sessions, SessionRow *row, int pidfd)
{
        Manager *manager = sessions->manager;
        Session *session;
        int r;

        session = calloc(1, sizeof(*session));
        if (!session)
                return -ENOMEM;
        session->manager = manager;
        session->pidfd = pidfd;
        session->bind_by_usec = row->logind_id
                                        ? USEC_INFINITY
                                        : row->opened_usec + manager->config.bind_timeout_usec;
        session->steps = json_array();
        r = session->steps ? add_sources(session) : -ENOMEM;
        if (r < 0) {
                session->pidfd = -1;
                session_close(session);
                return r;
        }
        /* Until the leader is seen in its scope. */
        session->home = take_ptr(row->home);
        session->row = *row;
        session->since_usec =
                row->since_usec < row->accepted_usec ? row->since_usec : row->accepted_usec;
        /* An end that was begun before a restart goes on, and its grace with it. */
        if (row->begun_usec != USEC_INFINITY)
                session->kill = (Kill){.begun = true, .begun_usec = row->begun_usec};
        *row = (SessionRow){0};
        LIST_INSERT_HEAD(&sessions->list, session, all);
        session->listed = true;
        sessions->n++;
        warning_plan(session);
        /* Found again without a leader: it is over already. */
        session_look_at(session,
                        pidfd < 0 ? session_now_usec(session) : session->row.deadline_usec);
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ending a session and making sure. Invariants: nothing is sent before the decision that asks for
 * it is committed; a sign that cannot be read counts as "still there"; the end is written once,
 * with what was seen at the moment all signs agreed. kill.c decides; residue.c looks for what is
 * left behind. */
#include "credd/reaper.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "credd/batch.h"
#include "credd/cgroup.h"
#include "credd/proc.h"
#include "credd/receipts.h"
#include "credd/residue.h"
#include "credd/signs.h"

#define TREE_ROUNDS 16
#define RETRY_USEC  USEC_PER_SEC
/* logind itself stops the manager of a user who has left after 10 s (UserStopDelaySec=). */
#define SETTLE_USEC  (15 * USEC_PER_SEC)
#define SETTLE_FIRST (20 * USEC_PER_MSEC)
#define SETTLE_AGAIN (250 * USEC_PER_MSEC)
#define TEXT_MAX     256

static uint64_t now_of(const Session *session)
{
        return clock_line_usec(&session->manager->clock);
}

static void note_step(Session *session, const char *step)
{
        size_t n = json_array_size(session->steps);
        const char *last = json_string_value(json_array_get(session->steps, n - 1));

        if (n < 16 && (n == 0 || strcmp(last, step) != 0))
                (void)json_array_append_new(session->steps, json_string(step));
}

/* --- the actions --- */

/* Asks logind, and looks again with its answer. */
static void on_answer(void *userdata, int error, const char *text)
{
        Session *session = userdata;

        (void)text;
        session->asking = logind_call_free(session->asking);
        if (error == 0) {
                session->logind = LOGIND_KNOWN;
                session->kill.rounds++; /* so that the next question comes later */
        } else if (error == -ENXIO)
                session->logind = LOGIND_GONE;
        else
                session->logind = LOGIND_UNREACHABLE;
        reaper_look(session);
}

static void ask(Session *session)
{
        int r;

        if (session->asking)
                return;
        r = logind_ask_session(session->manager->logind, session->row.logind_id, on_answer, session,
                               &session->asking);
        if (r < 0)
                session_look_at(session, now_of(session) + RETRY_USEC);
}

static void on_acted(void *userdata, int error, const char *text)
{
        Session *session = userdata;

        session->acting = logind_call_free(session->acting);
        if (error < 0 && error != -ENXIO) {
                char step[TEXT_MAX];

                (void)snprintf(step, sizeof(step), "logind: %s", text ?: strerror(-error));
                note_step(session, step);
        }
        manager_note_logind(session->manager, error == -ENXIO ? 0 : error, text);
        session_look_at(session, now_of(session));
}

static void on_acted_user(void *userdata, int error, const char *text)
{
        Session *session = userdata;

        (void)error;
        (void)text;
        session->acting_user = logind_call_free(session->acting_user);
}

static const char *why_of(const Session *session, char text[static TEXT_MAX])
{
        CLEANUP(revocation_done) Revocation revocation = {0};

        if (session->why)
                return session->why;
        if (store_find_revocation(session->manager->store, session->row.credential, &revocation) <=
            0)
                return "its time is over";
        (void)snprintf(text, TEXT_MAX, "revoked by %s%s%s",
                       revocation.actor.name[0] ? revocation.actor.name : "an administrator",
                       revocation.reason ? ": " : "", revocation.reason ?: "");
        return text;
}

/* Commits one event, and says whether that worked: nothing is done that is not on record. */
static bool record(Session *session,
                   int (*event)(Events *events, const SessionRow *row, const char *reason),
                   const char *reason)
{
        Manager *manager = session->manager;
        int r;

        r = batch_enter(manager->batch);
        if (r == 0)
                r = batch_leave(manager->batch, event(&manager->events, &session->row, reason));
        if (r == 0)
                r = batch_commit(manager->batch);
        return r == 0;
}

static void begin(Session *session)
{
        char text[TEXT_MAX];

        session->kill.begun = true;
        session->kill.begun_usec = now_of(session);
        /* Not being able to write must not keep anybody in: go on, the row's deadline is there. */
        (void)record(session, event_session_terminating, why_of(session, text));
}

static bool user_elsewhere(const Session *session)
{
        return announced_elsewhere(sessions_announced(session->manager->sessions), session->row.uid,
                                   session->row.leader);
}

static bool user_may_end(const Session *session)
{
        return logind_connected(session->manager->logind) && !user_elsewhere(session) &&
               !residue_user_stood_before(session);
}

static void terminate(Session *session)
{
        Logind *logind = session->manager->logind;

        session->kill.terminated = true;
        if (session->row.logind_id && !session->reused && !session->acting &&
            logind_terminate_session(logind, session->row.logind_id, on_acted, session,
                                     &session->acting) == 0)
                note_step(session, "terminate-session");
        if (!session->acting_user && user_may_end(session) &&
            logind_terminate_user(logind, session->row.uid, on_acted_user, session,
                                  &session->acting_user) == 0) {
                session->user_ended = true;
                note_step(session, "terminate-user");
        }
}

static void first_force(Session *session, const char *how)
{
        note_step(session, how);
        session->kill.rounds++;
        if (session->kill.forced)
                return;
        session->kill.forced = true;
        (void)record(session, event_session_killed, how);
}

/* Round after round, because what is killed last may have forked first. */
static void kill_tree(Session *session)
{
        first_force(session, "treekill");
        for (unsigned round = 0; round < TREE_ROUNDS; round++) {
                signs_look_at_tree(session);
                if (signs_count_tree(session) == 0)
                        break;
                for (size_t i = 0; i < session->n_tree; i++)
                        (void)proc_kill(session->tree[i].pid, session->tree[i].ticks, SIGKILL);
        }
}

static void kill_cgroup(const char *path)
{
        AUTO_FREE pid_t *pids = NULL;
        size_t n = 0;

        if (!path || cgroup_pids(path, &pids, &n) < 0)
                return;
        for (size_t i = 0; i < n; i++) {
                ProcInfo info;

                if (proc_read(pids[i], &info) == 0)
                        (void)proc_kill(info.pid, info.start_ticks, SIGKILL);
        }
}

/* logind's KillSession has PID 1 kill the whole cgroup at once, which no fork loop outruns; the
 * pidfds need nobody's help. Both, each round: neither is the other's excuse. */
static void kill_scope(Session *session)
{
        AUTO_FREE char *scope = signs_scope(session);

        first_force(session, "kill-session");
        if (session->row.logind_id && !session->reused && !session->acting)
                (void)logind_kill_session(session->manager->logind, session->row.logind_id,
                                          on_acted, session, &session->acting);
        kill_cgroup(scope);
        for (size_t i = 0; i < session->n_tree; i++)
                (void)proc_kill(session->tree[i].pid, session->tree[i].ticks, SIGKILL);
}

static void say_missed(Session *session, const KillSigns *signs)
{
        Manager *manager = session->manager;
        char reason[TEXT_MAX];
        int r;

        session->kill.missed = true;
        (void)snprintf(reason, sizeof(reason), "leader %s, logind: %s, scope %s, tree %s",
                       kill_leader_sign(signs), kill_logind_sign(signs), kill_scope_sign(signs),
                       kill_tree_sign(signs));
        r = batch_enter(manager->batch);
        if (r < 0)
                return;
        r = event_deprovision_missed(&manager->events, &session->row,
                                     now_of(session) - session->row.deadline_usec, reason);
        (void)batch_leave(manager->batch, r);
}

/* --- the end --- */

static json_t *evidence_of(const Session *session, uint64_t late_usec, json_t *residue)
{
        const SessionRow *row = &session->row;
        const Clock *clock = &session->manager->clock;

        return json_pack("{ss? si sI sI sI ss ss ss ss sO sO}", "session", row->logind_id, "leader",
                         (int)row->leader, "deadline_usec",
                         (json_int_t)clock_to_real_usec(clock, row->deadline_usec), "gone_usec",
                         (json_int_t)clock_to_real_usec(clock, session->gone_usec), "late_usec",
                         (json_int_t)late_usec, "leader_sign", kill_leader_sign(&session->seen),
                         "logind_sign", kill_logind_sign(&session->seen), "scope_sign",
                         kill_scope_sign(&session->seen), "tree_sign",
                         kill_tree_sign(&session->seen), "steps", session->steps, "residue",
                         residue);
}

/* A session that had to be ended at its deadline: its credential did not come to its end by use. */
static int close_expired(Session *session)
{
        Manager *manager = session->manager;
        AUTO_CREDENTIAL Credential credential = {0};
        int r;

        if (!session->kill.begun)
                return 0;
        r = store_read_credential(manager->store, session->row.credential, &credential);
        if (r <= 0)
                return r < 0 ? r : -ENOENT;
        if (credential.cause != CAUSE_USED || session->why)
                return 0;
        r = store_close_credential(manager->store, credential.num, CAUSE_EXPIRED);
        return r < 0 ? r : event_credential_expired(&manager->events, &credential);
}

static int say_residue(Session *session, const json_t *residue)
{
        AUTO_FREE char *text = NULL;

        if (json_array_size(residue) == 0)
                return 0;
        text = json_dumps(residue, JSON_COMPACT);
        return text ? event_session_residue(&session->manager->events, &session->row, text)
                    : -ENOMEM;
}

static int write_end(Session *session, json_t *residue)
{
        Manager *manager = session->manager;
        uint64_t deadline = session->row.deadline_usec, late;
        json_auto_t *evidence = NULL;
        int r;

        late = session->gone_usec > deadline ? session->gone_usec - deadline : 0;
        evidence = evidence_of(session, late, residue);
        if (!evidence)
                return -ENOMEM;
        r = store_end_session(manager->store, session->row.login, session->gone_usec, evidence);
        if (r == 0)
                r = store_close_login(manager->store, session->row.credential);
        if (r == 0)
                r = event_session_ended(&manager->events, &session->row, late);
        if (r == 0)
                r = say_residue(session, residue);
        if (r == 0)
                r = close_expired(session);
        return r < 0 ? r : receipts_try(manager, session->row.credential);
}

static void finish(Session *session, json_t *residue)
{
        Manager *manager = session->manager;
        int r;

        r = batch_enter(manager->batch);
        if (r == 0)
                r = batch_leave(manager->batch, write_end(session, residue));
        if (r < 0) {
                session_look_at(session, now_of(session) + RETRY_USEC);
                return;
        }
        session_gone(session);
}

static bool user_may_be_killed(const Session *session)
{
        return session->user_ended && !session->user_killed && !session->acting_user &&
               now_of(session) - session->gone_usec >= session->manager->config.kill_grace_usec &&
               !user_elsewhere(session);
}

/* Verified gone. What the user's manager still holds gets the grace, then SIGKILL where that is
 * allowed; what is left after that is residue, and named. */
static void settle(Session *session)
{
        json_auto_t *residue = signs_of_this_boot(session) ? residue_find(session) : json_array();
        uint64_t now = now_of(session), since = now - session->gone_usec;

        if (!residue || (json_array_size(residue) > 0 && since < SETTLE_USEC)) {
                if (user_may_be_killed(session)) {
                        session->user_killed = true;
                        note_step(session, "kill-user");
                        (void)logind_kill_user(session->manager->logind, session->row.uid,
                                               on_acted_user, session, &session->acting_user);
                }
                session_look_at(session, now + SETTLE_AGAIN);
                return;
        }
        finish(session, residue);
}

static void gone(Session *session, const KillSigns *signs)
{
        session->gone_usec = now_of(session);
        session->seen = *signs;
        if (!session->kill.begun)
                note_step(session, signs_of_this_boot(session) ? "logout" : "reboot");
        /* A moment later, so that sessions that end together are looked for in one reading of /proc. */
        session_look_at(session, session->gone_usec + SETTLE_FIRST);
}

/* --- the loop --- */

/* true: decide again. */
static bool act(Session *session, KillAction action, const KillSigns *signs)
{
        switch (action) {
        case KILL_BEGIN:
                begin(session);
                return true;
        case KILL_TERMINATE:
                terminate(session);
                return true;
        case KILL_MISSED:
                say_missed(session, signs);
                return true;
        case KILL_TREE:
                kill_tree(session);
                return false;
        case KILL_SCOPE:
                kill_scope(session);
                return false;
        case KILL_ASK:
                ask(session);
                return false;
        case KILL_GONE:
        case KILL_WAIT:
                break;
        }
        return false;
}

void reaper_look(Session *session)
{
        Manager *manager = session->manager;
        const KillLimits limits = {manager->config.kill_grace_usec,
                                   manager->config.verify_timeout_usec};
        uint64_t again = USEC_INFINITY;
        KillAction action;
        KillSigns signs;

        /* The claim, the revocation, the deadline that brought us here: first of all durable. */
        if (batch_commit(manager->batch) < 0)
                return;
        if (session->gone_usec > 0) {
                settle(session);
                return;
        }
        do {
                signs_read(session, &signs);
                action = kill_decide(&session->kill, &signs, &limits, session->row.deadline_usec,
                                     now_of(session), &again);
        } while (act(session, action, &signs));
        session->logind = LOGIND_UNASKED; /* an answer is good for one look */
        if (action == KILL_GONE)
                gone(session, &signs);
        else
                session_look_at(session, again);
}

void reaper_done(Session *session)
{
        session->asking = logind_call_free(session->asking);
        session->acting = logind_call_free(session->acting);
        session->acting_user = logind_call_free(session->acting_user);
        free(session->tree);
        free(session->home);
        json_decref(session->steps);
}

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
#include "credd/signs.h"
#include "credd/terminal.h"
#include "credd/user-end.h"
#include "credd/verified.h"

#define TREE_ROUNDS 16
#define MAKING_USEC USEC_PER_SEC
#define RETRY_USEC  USEC_PER_SEC
#define START_AGAIN (50 * USEC_PER_MSEC)
#define TEXT_MAX    256
#define LINE_LEN    512 /* with a name and a reason in it, as long as those may be */

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
        if (!session->asking)
                (void)logind_ask_session(session->manager->logind, session->row.logind_id,
                                         on_answer, session, &session->asking);
}

static void on_acted(void *userdata, int error, const char *text)
{
        Session *session = userdata;

        session->acting = logind_call_free(session->acting);
        if (error < 0 && error != -ENXIO) {
                char step[TEXT_MAX];

                (void)snprintf(step, sizeof(step), "logind: %s", text ?: strerror(-error));
                session_note_step(session, step);
        }
        manager_note_logind(session->manager, error, text);
        if (error == 0 || error == -EACCES)
                session->manager->logind_obeyed = error == 0;
        session_look_at(session, session_now_usec(session));
}

static const char *why_of(const Session *session, char text[static TEXT_MAX])
{
        CLEANUP(revocation_done) Revocation revocation = {0};

        if (session->row.why)
                return session->row.why;
        if (store_find_revocation(session->manager->store, session->row.credential, &revocation) <=
            0)
                return "its time is over";
        (void)snprintf(text, TEXT_MAX, "revoked by %s%s%s",
                       revocation.actor.name[0] ? revocation.actor.name : "an administrator",
                       revocation.reason ? ": " : "", revocation.reason ?: "");
        return text;
}

static int write_begin(const Session *session)
{
        Manager *manager = session->manager;
        char text[TEXT_MAX];
        int r;

        r = store_begin_end(manager->store, session->row.login, session->kill.begun_usec);
        return r < 0 ? r
                     : event_session_terminating(&manager->events, &session->row,
                                                 why_of(session, text));
}

/* Begins the end of everything that is due, in the order of the deadlines and with one commit however
 * many there are. false: what brought us here (a claim, a revocation) is not durable, so nothing may
 * follow from it. That the beginnings cannot be written keeps nobody in: the deadlines are on record. */
static bool begin_due(Manager *manager)
{
        uint64_t now = clock_line_usec(&manager->clock);
        Session *session;

        if (batch_commit(manager->batch) < 0)
                return false;
        while ((session = sessions_next_due(manager->sessions, now))) {
                session->kill.begun = true;
                session->kill.begun_usec = now;
                if (batch_enter(manager->batch) == 0)
                        (void)batch_leave(manager->batch, write_begin(session));
        }
        (void)batch_commit(manager->batch);
        return true;
}

static void tell_why(const Session *session)
{
        char text[TEXT_MAX], line[LINE_LEN];

        (void)snprintf(line, sizeof(line), "credd: this session ends now: %s (credential %s)",
                       why_of(session, text), session->row.id);
        terminal_tell(session, line);
}

/* What PID 1 sends when it stops the scope of a session. */
static const int gently[] = {SIGTERM, SIGCONT, SIGHUP, 0};
static const int forcibly[] = {SIGKILL, 0};

typedef enum SignalWhom { EVERYBODY, NOT_CARRIERS } SignalWhom;

/* Of sshd the leader, and its half without privileges, which is its child and stands at no terminal itself: they
 * carry what is on the terminal to the person. A leader that is login has to close the session. */
static bool is_carrier(const Session *session, const ProcInfo *info)
{
        pid_t leader = session->row.leader;

        if (session->pidfd < 0) /* it is gone, and somebody else may have its pid */
                return false;
        return info->pid == leader || (info->ppid == leader && info->tty == 0);
}

/* First who it is, then where it stands, then the signal, to that one alone: a pid that was given to a
 * stranger meanwhile is not in the cgroup, or is not the one that was. */
static void signal_if_in(const Session *session, const char *path, pid_t pid, SignalWhom whom,
                         const int *signals)
{
        AUTO_FREE char *cgroup = NULL;
        ProcInfo info;

        if (proc_read(pid, &info) < 0 || proc_cgroup(pid, &cgroup) < 0 ||
            strncmp(cgroup, path, strlen(path)) != 0)
                return;
        if (whom == NOT_CARRIERS && is_carrier(session, &info))
                return;
        (void)proc_kill_with(info.pid, info.start_ticks, signals);
}

/* signals: ends with 0. false: it has no scope, or what is in it cannot be read. */
static bool signal_scope(const Session *session, SignalWhom whom, const int *signals)
{
        AUTO_FREE char *path = signs_scope(session);
        AUTO_FREE pid_t *pids = NULL;
        size_t n = 0;

        if (!path || cgroup_pids(path, &pids, &n) < 0)
                return false;
        for (size_t i = 0; i < n; i++)
                signal_if_in(session, path, pids[i], whom, signals);
        return true;
}

static void terminate(Session *session)
{
        Logind *logind = session->manager->logind;

        session->kill.terminated = true;
        tell_why(session);
        if (session->row.logind_id && !session->reused && !session->acting &&
            logind_terminate_session(logind, session->row.logind_id, on_acted, session,
                                     &session->acting) == 0)
                session_note_step(session, "terminate-session");
        /* The shell and what it started need not wait for logind, polkit and PID 1; when they are gone, sshd
         * passes on what was written to the terminal, the reason above all, and closes the session. But a session
         * that is gone before logind comes to it hides whether logind would end it, so they wait until it has. */
        if (session->manager->logind_obeyed && signal_scope(session, NOT_CARRIERS, gently))
                session_note_step(session, "sigterm");
        user_end_gently(session);
}

static void signal_everybody(Session *session)
{
        session->kill.signalled = true;
        session_note_step(session, "sigterm");
        (void)signal_scope(session, EVERYBODY, gently);
}

/* That it ends is on record since it was begun; by what means may join the next commit. */
static void first_force(Session *session, const char *how)
{
        Manager *manager = session->manager;

        session_note_step(session, how);
        session->kill.rounds++;
        if (session->kill.forced)
                return;
        session->kill.forced = true;
        if (batch_enter(manager->batch) == 0)
                (void)batch_leave(manager->batch,
                                  event_session_killed(&manager->events, &session->row, how));
}

/* Round after round, because what is killed last may have forked first. */
static void kill_rounds(Session *session)
{
        for (unsigned round = 0; round < TREE_ROUNDS; round++) {
                (void)signs_look_at_tree(session, session_now_usec(session));
                if (signs_count_tree(session) == 0)
                        break;
                for (size_t i = 0; i < session->n_tree; i++)
                        (void)proc_kill(session->tree[i].pid, session->tree[i].ticks);
        }
}

static void kill_tree(Session *session)
{
        first_force(session, "treekill");
        kill_rounds(session);
}

/* The pidfds need nobody's help. What outlives them (a loop of forks outruns any list of pids) meets
 * logind's KillSession in the rounds that follow: PID 1 then kills the whole cgroup at once. Not in the
 * first, because it costs logind a question to polkit, and many ends come together. */
static void kill_scope(Session *session)
{
        bool again = session->kill.forced;

        first_force(session, "kill-session");
        if (again && session->row.logind_id && !session->reused && !session->acting)
                (void)logind_kill_session(session->manager->logind, session->row.logind_id,
                                          on_acted, session, &session->acting);
        (void)signal_scope(session, EVERYBODY, forcibly);
        if (session->split) {
                session_note_step(session, "treekill");
                kill_rounds(session);
        } else
                for (size_t i = 0; i < session->n_tree; i++)
                        (void)proc_kill(session->tree[i].pid, session->tree[i].ticks);
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
                                     session_now_usec(session) - session->row.deadline_usec,
                                     reason);
        if (r == 0)
                r = store_raise_alarm(manager->store, session->row.credential, ALARM_MISSED,
                                      clock_real_usec(&manager->clock));
        (void)batch_leave(manager->batch, r);
}

/* --- the loop --- */

/* true: decide again. */
static bool act(Session *session, KillAction action, const KillSigns *signs)
{
        switch (action) {
        case KILL_BEGIN:
                return begin_due(session->manager);
        case KILL_TERMINATE:
                terminate(session);
                return true;
        case KILL_SIGNAL:
                signal_everybody(session);
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

/* logind has announced it and has no scope for it yet. PAM may give up waiting and the shell start without
 * one: that is seen while the leader lives, or not at all. */
static bool in_the_making(const Session *session, const KillSigns *signs)
{
        return session->row.logind_id && !session->reused && !session->kill.begun &&
               signs->leader_alive && !signs->leader_in_scope;
}

void reaper_look(Session *session)
{
        Manager *manager = session->manager;
        const KillLimits limits = {manager->config.kill_grace_usec,
                                   manager->config.verify_timeout_usec};
        uint64_t again = USEC_INFINITY;
        KillAction action;
        KillSigns signs;

        if (session->gone_usec > 0) {
                verified_settle(session);
                return;
        }
        /* logind does gently what SIGKILL would do otherwise. */
        if (!logind_connected(manager->logind) && manager_is_starting(manager)) {
                session_look_at(session, session_now_usec(session) + START_AGAIN);
                return;
        }
        do {
                signs_read(session, &signs);
                action = kill_decide(&session->kill, &signs, &limits, session->row.deadline_usec,
                                     session_now_usec(session), &again);
        } while (act(session, action, &signs));
        session->logind = LOGIND_UNASKED; /* an answer is good for one look */
        if (action == KILL_GONE) {
                verified_gone(session, &signs);
                return;
        }
        if (action == KILL_ASK && !session->asking) /* it could not be asked */
                again = session_now_usec(session) + RETRY_USEC;
        if (in_the_making(session, &signs) && again > session_now_usec(session) + MAKING_USEC)
                again = session_now_usec(session) + MAKING_USEC;
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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The life of what a login opened: claimed, announced by logind, ended, verified gone. The live
 * ones are in memory, each with a pidfd of its leader and one timer; the store has them all. */
#pragma once

#include <sys/queue.h>

#include "credd/announced.h"
#include "credd/kill.h"
#include "credd/logind.h"
#include "credd/manager.h"
#include "credd/proc.h"

/* A process that belonged to the session when it was looked at. */
typedef struct ProcRef {
        pid_t pid;
        uint64_t ticks;
} ProcRef;

typedef struct Session {
        LIST_ENTRY(Session) all;
        bool listed;
        Manager *manager;
        SessionRow row;
        int pidfd; /* of the leader; -1: it is gone */
        sd_event_source *exit, *timer;
        uint64_t look_usec;    /* what the timer is set to; USEC_INFINITY: it is off */
        uint64_t bind_by_usec; /* USEC_INFINITY: logind has announced it */
        /* From when on what its user starts may be its residue: its login, or that of a session of the same
         * user that ended meanwhile and left the user's manager to this one. */
        uint64_t since_usec;
        uint64_t warn_at_usec; /* the next line to its terminals; USEC_INFINITY: none */

        /* the kill: reaper.c */
        Kill kill;
        LogindSign logind; /* what it answered, for the look that follows */
        bool reused; /* logind has given the id to another session: it is not ours to act on */
        LogindCall *asking, *acting, *acting_user;
        ProcRef *tree; /* the leader's descendants as they were last seen */
        size_t n_tree;
        char *home; /* the leader's cgroup while it stands outside its scope; kept if it is split */
        bool split; /* the leader is in its scope, and what it forked before that is not */
        json_t *steps;   /* what was done, for the receipt */
        bool user_ended; /* TerminateUser was sent */
        bool user_killed;
        uint64_t user_ended_usec;
        uint64_t gone_usec; /* when all four signs agreed; 0: not yet */
        KillSigns seen;     /* what they were */
} Session;

int sessions_new(Manager *manager, Sessions **ret_sessions);
Sessions *sessions_free(Sessions *sessions);
/* Reads the live ones from the store and finds their leaders again; those of an earlier boot are
 * over. */
int sessions_restore(Sessions *sessions);
unsigned sessions_live(const Sessions *sessions);
/* No descriptor may be had for one more. */
bool sessions_full(const Sessions *sessions);
unsigned sessions_overdue(const Sessions *sessions);
/* A live session of that credential is past its deadline. */
bool sessions_ending(const Sessions *sessions, int64_t credential);
bool session_ending(const Session *session);

/* The row of a session that begins now; takes the texts of login. As it is made, its time is over at once
 * and its user's manager is left alone: the caller says otherwise. */
int session_row_make(Manager *manager, const Credential *credential, Login *login, pid_t leader,
                     uint64_t ticks, SessionRow *ret);
/* A session was claimed: its row is in the store. Takes row and pidfd. */
int session_open(Sessions *sessions, SessionRow *row, int pidfd);

/* Which of the live sessions: of a credential (0: of any), under a role (NULL: under any and none). Whichever,
 * their deadline lies ahead: what is being ended already is left to its own reason. */
typedef struct SessionsOf {
        int64_t credential;
        const char *role;
} SessionsOf;

/* Each credential that has a live session, once. */
void sessions_each_credential(const Sessions *sessions,
                              void (*each)(void *userdata, int64_t credential), void *userdata);
unsigned sessions_count(const Sessions *sessions, SessionsOf of, uint64_t now_usec);
/* Until it returns false. */
void sessions_each_of(const Sessions *sessions, SessionsOf of, uint64_t now_usec,
                      bool (*each)(void *userdata, const SessionRow *row), void *userdata);
/* Ending them, or extending those of a credential. First the rows, inside a batch, which may fail; then, when
 * nothing can fail any more, the sessions themselves, whose timers cannot be rolled back. One request
 * has one "now": a deadline that passes between two readings of the clock would be extended on record
 * and kept all the same. why: see SessionRow; the same for both. */
int sessions_store_end(Sessions *sessions, SessionsOf of, uint64_t now_usec, const char *why);
void sessions_end(Sessions *sessions, SessionsOf of, uint64_t now_usec, const char *why);
int sessions_store_extension(Sessions *sessions, int64_t credential, uint64_t now_usec,
                             uint64_t by_usec);
void sessions_extend(Sessions *sessions, int64_t credential, uint64_t now_usec, uint64_t by_usec);
/* The latest deadline of those that are not over at that moment; 0: there is none. */
uint64_t sessions_latest(const Sessions *sessions, int64_t credential, uint64_t now_usec);
/* The first deadline of its live sessions; USEC_INFINITY: none is live. */
uint64_t sessions_earliest(const Sessions *sessions, int64_t credential);
/* Its leader has exited, and its end is being verified. */
bool sessions_over(const Sessions *sessions, int64_t login);
/* A live session has that leader. */
bool sessions_led_by(const Sessions *sessions, pid_t leader);
/* A live session is the one that logind calls so. */
bool sessions_have(const Sessions *sessions, const char *logind_id);
/* Another session of that user that a credential opened and that is not verified gone. */
bool sessions_another(const Sessions *sessions, const Session *session);
/* The live session in whose scope the process stands, if it is the session's user or root (sudo); or in
 * whose user's manager, if that user has no other session and nothing that stood there before. NULL: none. */
const Session *sessions_find_process(const Sessions *sessions, pid_t pid, uid_t uid);

/* How LogindHandlers reach us: userdata is the Manager. */
extern const LogindHandlers sessions_logind_handlers;
const Announced *sessions_announced(const Sessions *sessions);

/* For the reaper: the one with the earliest deadline of those that are over and whose end has not begun;
 * NULL: there is none. */
Session *sessions_next_due(const Sessions *sessions, uint64_t now_usec);
/* For the reaper: it is verified gone. First what is kept of that beside its own row, inside the batch in which
 * its end is written; then, when that is left, the session itself. */
int session_store_gone(const Session *session);
void session_gone(Session *session);
/* The cgroup is the scope of a live session that a credential opened, or of any session that
 * logind made before those ticks: what runs there is no residue. */
bool sessions_cover_cgroup(const Sessions *sessions, const char *cgroup, uint64_t before_ticks);
/* All processes at a moment not before since (on the line). Sessions that end together share it. NULL:
 * it cannot be read. Valid until the next call. */
const ProcTable *sessions_processes(Sessions *sessions, uint64_t since_usec);
/* Who stands outside any scope, and so takes others with it. */
typedef struct TreeRoot {
        pid_t leader;
        uint64_t ticks;
        uid_t uid;
        const char *home; /* the cgroup in which it stands or stood; NULL: not known */
} TreeRoot;
/* proc_tree() over these processes and that cgroup. Indexes into *ret_table, which is valid as above. */
int sessions_find_tree(Sessions *sessions, const TreeRoot *root, uint64_t since_usec,
                       const ProcTable **ret_table, size_t **ret_indexes, size_t *ret_n);
uint64_t session_now_usec(const Session *session);
/* What was done, for the receipt. */
void session_note_step(Session *session, const char *step);
/* Looks again at this moment (on the line). */
void session_look_at(Session *session, uint64_t line_usec);

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
        Manager *manager;
        SessionRow row;
        int pidfd; /* of the leader; -1: it is gone */
        sd_event_source *exit, *timer;
        uint64_t bind_by_usec; /* USEC_INFINITY: logind has announced it */
        const char *why;       /* it is ended before its deadline; NULL: by its deadline */

        /* the kill: reaper.c */
        Kill kill;
        LogindSign logind; /* what it answered, for the look that follows */
        bool reused; /* logind has given the id to another session: it is not ours to act on */
        LogindCall *asking, *acting, *acting_user;
        ProcRef *tree; /* the leader's descendants as they were last seen */
        size_t n_tree;
        char *home;      /* the leader's cgroup while it stands outside its scope */
        json_t *steps;   /* what was done, for the receipt */
        bool user_ended; /* TerminateUser was sent */
        bool user_killed;
        uint64_t gone_usec; /* when all four signs agreed; 0: not yet */
        KillSigns seen;     /* what they were */
} Session;

int sessions_new(Manager *manager, Sessions **ret_sessions);
Sessions *sessions_free(Sessions *sessions);
/* Reads the live ones from the store and finds their leaders again; those of an earlier boot are
 * over. */
int sessions_restore(Sessions *sessions);
unsigned sessions_live(const Sessions *sessions);
unsigned sessions_overdue(const Sessions *sessions);
/* A live session of that credential is past its deadline. */
bool sessions_ending(const Sessions *sessions, int64_t credential);
bool session_ending(const Session *session);

/* A session was claimed: its row is in the store. Takes row and pidfd. why: see Session. */
int session_open(Sessions *sessions, SessionRow *row, int pidfd, const char *why);
/* Inside a batch: all live sessions of the credential end now. */
int sessions_end_now(Sessions *sessions, int64_t credential);

/* How LogindHandlers reach us: userdata is the Manager. */
extern const LogindHandlers sessions_logind_handlers;
const Announced *sessions_announced(const Sessions *sessions);

/* For the reaper: it is verified gone and its end is committed. */
void session_gone(Session *session);
/* The cgroup is the scope of a live session that a credential opened, or of any session whose
 * leader started before those ticks: what runs there is no residue. */
bool sessions_cover_cgroup(const Sessions *sessions, const char *cgroup, uint64_t before_ticks);
/* All processes at a moment not before since (on the line). Sessions that end together share it. NULL:
 * it cannot be read. Valid until the next call. */
const ProcTable *sessions_processes(Sessions *sessions, uint64_t since_usec);
/* Looks again at this moment (on the line). */
void session_look_at(Session *session, uint64_t line_usec);

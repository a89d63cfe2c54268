/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What to do next about a session that must be gone: a pure decision from what was done, what is
 * seen, and the time. Effects are in reaper.c. Moments are on the time line (clock.h).
 *
 * A session is gone when all four signs say so: its leader has exited, logind knows no such
 * session, its scope's cgroup is absent or empty, and the treekill set (proc.h) is empty. No single
 * sign is believed: logind forgets sessions whose login lives on, and a leader may leave its shell
 * behind. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef enum LogindSign {
        LOGIND_UNASKED, /* ask, before anything is concluded */
        LOGIND_KNOWN,
        LOGIND_GONE,        /* NoSuchSession */
        LOGIND_NEVER,       /* it never announced the session */
        LOGIND_UNREACHABLE, /* no answer is to be had: the other three decide */
} LogindSign;

typedef enum ScopeSign { SCOPE_NONE, SCOPE_ABSENT, SCOPE_EMPTY, SCOPE_POPULATED } ScopeSign;

typedef struct KillSigns {
        bool leader_alive;
        bool leader_in_scope; /* of its own session; false when it is dead */
        unsigned tree;        /* how many processes the treekill set holds */
        ScopeSign scope;
        LogindSign logind;
} KillSigns;

typedef struct KillLimits {
        uint64_t grace_usec, verify_timeout_usec;
} KillLimits;

/* What was done so far. Zero at first. */
typedef struct Kill {
        bool begun;      /* the deadline has been acted on */
        bool terminated; /* logind was asked to terminate it */
        bool signalled;  /* TERM was sent to everybody, without logind */
        bool forced;     /* SIGKILL was sent, by whatever way */
        bool missed;     /* deprovision-missed was said */
        uint64_t begun_usec;
        unsigned rounds; /* of force, for the backoff */
} Kill;

typedef enum KillAction {
        KILL_WAIT,      /* nothing to do until *ret_again_usec */
        KILL_BEGIN,     /* mark it */
        KILL_TERMINATE, /* tell the terminals why, TerminateSession; TERM, CONT and HUP to the scope but
                           for who carries the terminal */
        KILL_SIGNAL, /* TERM, CONT and HUP to the whole scope, by pidfds */
        KILL_TREE,   /* SIGKILL to the treekill set */
        KILL_SCOPE,  /* SIGKILL to the scope, through logind and by pidfds, and to the treekill set
                      */
        KILL_ASK,    /* ask logind whether it knows the session */
        KILL_MISSED, /* say that it is not gone, and go on */
        KILL_GONE,   /* all four signs agree */
} KillAction;

/* *ret_again_usec: when to look again if nothing happens before; USEC_INFINITY: no need. */
KillAction kill_decide(const Kill *kill, const KillSigns *signs, const KillLimits *limits,
                       uint64_t deadline_usec, uint64_t now_usec, uint64_t *ret_again_usec);

const char *kill_leader_sign(const KillSigns *signs);
const char *kill_logind_sign(const KillSigns *signs);
const char *kill_scope_sign(const KillSigns *signs);
const char *kill_tree_sign(const KillSigns *signs);

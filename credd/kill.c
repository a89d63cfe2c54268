/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kill, decided. Read kill_decide() from the top: gone ends it, the deadline begins it, then
 * the gentle way, then force at once for what stands outside a scope and after the grace for what
 * stands inside, again and again until the signs agree. Never gives up. */
#include "credd/kill.h"

#include "common/cleanup.h"

/* So long logind and PID 1 have for what carries the terminal of a session. With many at one moment they take
 * longer than the grace: some 70 a second, each with a question to polkit. */
#define SIGNAL_USEC      (500 * USEC_PER_MSEC)
#define AGAIN_FIRST_USEC (20 * USEC_PER_MSEC)
#define AGAIN_MAX_USEC   (1 * USEC_PER_SEC)
/* A session that ended before its deadline: nobody is overdue, so look now and then. */
#define AGAIN_IDLE_USEC (5 * USEC_PER_SEC)

static bool locally_gone(const KillSigns *signs)
{
        return !signs->leader_alive && signs->tree == 0 && signs->scope != SCOPE_POPULATED;
}

static uint64_t backoff_usec(unsigned rounds)
{
        uint64_t wait = AGAIN_FIRST_USEC;

        for (unsigned i = 0; i < rounds && wait < AGAIN_MAX_USEC; i++)
                wait *= 2;
        return wait < AGAIN_MAX_USEC ? wait : AGAIN_MAX_USEC;
}

/* Nothing lives any more: only logind's word is missing. */
static KillAction conclude(const Kill *kill, const KillSigns *signs, uint64_t now_usec,
                           uint64_t *ret_again_usec)
{
        switch (signs->logind) {
        case LOGIND_GONE:
        case LOGIND_NEVER:
        case LOGIND_UNREACHABLE:
                return KILL_GONE;
        case LOGIND_UNASKED:
                return KILL_ASK;
        case LOGIND_KNOWN:
                break;
        }
        *ret_again_usec = now_usec + backoff_usec(kill->rounds);
        return KILL_WAIT;
}

/* The deadline has passed, and something lives. */
static KillAction force(const Kill *kill, const KillSigns *signs, const KillLimits *limits,
                        uint64_t missed_usec, uint64_t now_usec, uint64_t *ret_again_usec)
{
        uint64_t grace_end = kill->begun_usec + limits->grace_usec;
        bool outside = signs->leader_alive && !signs->leader_in_scope;

        *ret_again_usec = now_usec + backoff_usec(kill->rounds);
        /* Outside a scope logind has nothing to terminate, and TERM to the leader alone would leave
         * what it forked; a session that is still being created would open after all. */
        if (outside || (signs->scope == SCOPE_NONE && signs->tree > 0))
                return KILL_TREE;
        if (now_usec >= grace_end)
                return KILL_SCOPE;
        if (!kill->signalled && now_usec - kill->begun_usec >= SIGNAL_USEC)
                return KILL_SIGNAL;
        *ret_again_usec = !kill->missed && missed_usec < grace_end ? missed_usec : grace_end;
        if (!kill->signalled && kill->begun_usec + SIGNAL_USEC < *ret_again_usec)
                *ret_again_usec = kill->begun_usec + SIGNAL_USEC;
        return KILL_WAIT;
}

KillAction kill_decide(const Kill *kill, const KillSigns *signs, const KillLimits *limits,
                       uint64_t deadline_usec, uint64_t now_usec, uint64_t *ret_again_usec)
{
        *ret_again_usec = USEC_INFINITY;
        if (now_usec < deadline_usec) {
                if (locally_gone(signs))
                        return conclude(kill, signs, now_usec, ret_again_usec);
                *ret_again_usec = deadline_usec;
                if (!signs->leader_alive && deadline_usec - now_usec > AGAIN_IDLE_USEC)
                        *ret_again_usec = now_usec + AGAIN_IDLE_USEC;
                return KILL_WAIT;
        }
        if (!kill->begun)
                return KILL_BEGIN;
        if (locally_gone(signs) && signs->logind != LOGIND_KNOWN)
                return conclude(kill, signs, now_usec, ret_again_usec);
        if (!kill->terminated)
                return KILL_TERMINATE;
        if (!kill->missed && now_usec - deadline_usec >= limits->verify_timeout_usec)
                return KILL_MISSED;
        if (locally_gone(signs))
                return conclude(kill, signs, now_usec, ret_again_usec);
        return force(kill, signs, limits, deadline_usec + limits->verify_timeout_usec, now_usec,
                     ret_again_usec);
}

const char *kill_leader_sign(const KillSigns *signs)
{
        return signs->leader_alive ? "alive" : "exited";
}

const char *kill_logind_sign(const KillSigns *signs)
{
        switch (signs->logind) {
        case LOGIND_UNASKED:
                return "not asked";
        case LOGIND_KNOWN:
                return "still known";
        case LOGIND_GONE:
                return "no such session";
        case LOGIND_NEVER:
                return "never announced";
        case LOGIND_UNREACHABLE:
                return "unreachable";
        }
        return "unknown";
}

const char *kill_scope_sign(const KillSigns *signs)
{
        switch (signs->scope) {
        case SCOPE_NONE:
                return "none";
        case SCOPE_ABSENT:
                return "absent";
        case SCOPE_EMPTY:
                return "empty";
        case SCOPE_POPULATED:
                return "populated";
        }
        return "unknown";
}

const char *kill_tree_sign(const KillSigns *signs)
{
        return signs->tree == 0 ? "empty" : "alive";
}

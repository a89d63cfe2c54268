/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A login that no session has claimed: what there is of it is found, taken over as a session whose time
 * is over, and so ended. Invariant: nobody who came in by one stays past its deadline, or BindTimeout. */
#include "credd/unclaimed.h"

#include <errno.h>
#include <string.h>

#include "credd/batch.h"
#include "credd/proc.h"
#include "credd/receipts.h"
#include "credd/session.h"

#define RETRY_USEC USEC_PER_SEC

/* Since when another process has that number; UINT64_MAX: none has; 0: that cannot be told. */
static uint64_t number_taken(pid_t pid, uint64_t ticks)
{
        ProcInfo other;
        int r = proc_read_stat(pid, &other);

        if (r == -ESRCH || (r == 0 && other.start_ticks == ticks))
                return UINT64_MAX;
        return r < 0 ? 0 : other.start_ticks;
}

/* Its leader has left, and somebody may be in its scope all the same. What another process of that number
 * leads by now is that one's. */
static const char *session_left_by(Manager *manager, uid_t uid, const Login *login, pid_t pid,
                                   uint64_t ticks)
{
        uint64_t accepted = clock_to_boot_usec(&manager->clock, login->accepted_usec);
        uint64_t from = accepted > USEC_PER_SEC ? accepted - USEC_PER_SEC : 0;
        const char *id = announced_id_left_by(sessions_announced(manager->sessions), uid, pid, from,
                                              accepted + manager->config.bind_timeout_usec,
                                              number_taken(pid, ticks));

        /* What is watched is another login's. */
        return id && !sessions_have(manager->sessions, id) ? id : NULL;
}

/* Of the process that authenticated, or of its parent. */
static char *session_of(Manager *manager, uid_t uid, const Login *login, pid_t pid, uint64_t ticks)
{
        const char *id;

        if (login->boot != store_boot(manager->store) || pid <= 1 || ticks == 0)
                return NULL;
        id = proc_alive(pid, ticks) > 0
                     ? announced_id_of(sessions_announced(manager->sessions), pid)
                     : session_left_by(manager, uid, login, pid, ticks);
        return id ? strdup(id) : NULL;
}

/* What is left of a login that no session claimed. */
typedef struct Stray {
        pid_t leader; /* of its session, or who authenticated */
        uint64_t ticks;
        char *logind_id; /* NULL: it has none */
        char *home;      /* the cgroup where its processes are */
} Stray;

static void stray_done(Stray *stray)
{
        free(stray->logind_id);
        free(stray->home);
}

/* Its PAM stack has pam_systemd and not our session line. With keyboard-interactive sshd authenticates
 * in a child; its parent leads the session. */
static bool find_session(Manager *manager, uid_t uid, const Login *login, Stray *ret)
{
        *ret = (Stray){.leader = login->pid, .ticks = login->ticks};
        ret->logind_id = session_of(manager, uid, login, login->pid, login->ticks);
        if (ret->logind_id)
                return true;
        *ret = (Stray){.leader = login->parent, .ticks = login->parent_ticks};
        ret->logind_id = session_of(manager, uid, login, login->parent, login->parent_ticks);
        return ret->logind_id != NULL;
}

/* There is no session, but sshd goes on after one that failed to open, without logind: then processes of
 * the user stand where sshd stands, younger than the login. (Those of other sessions are in scopes.) The
 * leader named is who authenticated, never the parent: that may be the sshd that listens. */
static bool find_processes(Manager *manager, const Credential *credential, const Login *login,
                           uint64_t now_usec, Stray *ret)
{
        TreeRoot root = {login->pid, login->ticks, credential->uid, NULL};
        AUTO_FREE size_t *indexes = NULL;
        const ProcTable *table = NULL;
        bool found = false;
        size_t n = 0;

        *ret = (Stray){.leader = login->pid, .ticks = login->ticks};
        if (login->boot != store_boot(manager->store) || login->ticks == 0)
                return false;
        if ((proc_alive(login->pid, login->ticks) <= 0 ||
             proc_cgroup(login->pid, &ret->home) < 0) &&
            (proc_alive(login->parent, login->parent_ticks) <= 0 ||
             proc_cgroup(login->parent, &ret->home) < 0))
                return false;
        root.home = ret->home;
        if (sessions_find_tree(manager->sessions, &root, now_usec, &table, &indexes, &n) < 0)
                return false;
        for (size_t i = 0; i < n && !found; i++)
                found = table->list[indexes[i]].uid == credential->uid;
        return found;
}

/* The moment that whoever came in by it must be gone. A revocation is not the login's to date: it is
 * dealt with at once. */
static uint64_t stay_until(const Credential *credential, const Login *login)
{
        return credential_deadline_usec(credential, login->accepted_usec);
}

static int store_stray(Manager *manager, const SessionRow *row)
{
        int r;

        r = store_set_login(manager->store, row->login, LOGIN_CLAIMED);
        if (r == 0)
                r = store_add_session(manager->store, row);
        if (r == 0 && row->logind_id)
                r = store_bind_session(manager->store, row->login, row->logind_id);
        return r;
}

/* It is taken over as a session whose time is over. */
static int take_over(Manager *manager, const Credential *credential, Login *login, Stray *stray)
{
        CLEANUP(session_row_done) SessionRow row = {0};
        int pidfd, r;

        r = session_row_make(manager, credential, login, stray->leader, stray->ticks, &row);
        if (r < 0)
                return r;
        if (row.deadline_usec > stay_until(credential, login))
                row.deadline_usec = stay_until(credential, login);
        row.home = take_ptr(stray->home);
        row.logind_id = take_ptr(stray->logind_id);
        row.why = strdup("its login was never claimed");
        r = row.why ? store_stray(manager, &row) : -ENOMEM;
        if (r < 0)
                return r;
        pidfd = proc_pidfd(row.leader, row.ticks);
        if (pidfd < 0 && pidfd != -ESRCH)
                return pidfd; /* not seen is not gone */
        r = session_open(manager->sessions, &row, pidfd < 0 ? -1 : pidfd);
        if (r < 0 && pidfd >= 0)
                (void)close(pidfd);
        return r;
}

static int give_up(Manager *manager, const Login *login)
{
        int r;

        r = store_set_login(manager->store, login->num, LOGIN_LAPSED);
        if (r == 0)
                r = store_close_login(manager->store, login->credential);
        return r < 0 ? r : receipts_try(manager, login->credential);
}

/* What there is of it, in words; *ret_there: in stray, to be ended. */
static const char *look_for(Manager *manager, const Credential *credential, const Login *login,
                            uint64_t now_usec, Stray *stray, bool *ret_there)
{
        /* What that process leads is watched, and not this login's. */
        if (sessions_led_by(manager->sessions, login->pid) ||
            sessions_led_by(manager->sessions, login->parent))
                return "its process has opened the session of another login since";
        *ret_there = find_session(manager, credential->uid, login, stray);
        if (*ret_there)
                return "a session of it is there and is ended now: the session line of "
                       "pam_ephemeral is missing from the PAM stack";
        *ret_there = find_processes(manager, credential, login, now_usec, stray);
        return *ret_there ? "processes of it are there without a session, and are ended now"
                          : "no session of it is there";
}

/* stray NULL: there is nothing of it. */
static int lapse(Manager *manager, const Credential *credential, Login *login, Stray *stray,
                 const char *what)
{
        int r;

        r = batch_enter(manager->batch);
        if (r < 0)
                return r;
        r = event_login_unclaimed(&manager->events, credential, login, what);
        if (r == 0)
                r = stray ? take_over(manager, credential, login, stray) : give_up(manager, login);
        return batch_leave(manager->batch, r);
}

static uint64_t claim_by(const Manager *manager, const Login *login)
{
        return login->accepted_usec + manager->config.bind_timeout_usec;
}

uint64_t unclaimed_due_usec(const Manager *manager, const Credential *credential,
                            const Login *login)
{
        uint64_t at = claim_by(manager, login), until = stay_until(credential, login);

        return at < until ? at : until;
}

/* Without logind its session cannot be found by it; it gets as long again to come back. */
static uint64_t lapse_due(const Manager *manager, const Login *login)
{
        return claim_by(manager, login) +
               (logind_connected(manager->logind) ? 0 : manager->config.bind_timeout_usec);
}

/* From the deadline on it is looked for. But where nothing is found yet, it is not given up before its
 * time: the session may still open, and is refused and ended only while its login stands. */
int unclaimed_look(Manager *manager, Login *login, uint64_t now_usec, uint64_t *ret_next_usec)
{
        AUTO_CREDENTIAL Credential credential = {0};
        CLEANUP(stray_done) Stray stray = {0};
        uint64_t due = lapse_due(manager, login), until;
        bool there = false;
        const char *what;
        int r;

        r = store_read_credential(manager->store, login->credential, &credential);
        if (r <= 0)
                return r < 0 ? r : -EBADMSG;
        until = cause_ends_sessions(credential.cause) ? 0 : stay_until(&credential, login);
        if (now_usec < due && now_usec < until) {
                *ret_next_usec = claim_by(manager, login);
                if (*ret_next_usec <= now_usec)
                        *ret_next_usec = now_usec + RETRY_USEC; /* only logind is waited for */
                if (*ret_next_usec > until)
                        *ret_next_usec = until;
                return 1;
        }
        what = look_for(manager, &credential, login, now_usec, &stray, &there);
        if (!there && now_usec < due) {
                *ret_next_usec = now_usec + RETRY_USEC;
                return 1;
        }
        return lapse(manager, &credential, login, there ? &stray : NULL, what);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Works off two queues in the store, in slices, so that a hundred thousand credentials that end at
 * one moment do not keep anybody waiting: between two slices the loop serves whoever asks.
 * Invariant: how far a queue was worked off is committed with the work. */
#include "credd/expiry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "credd/batch.h"
#include "credd/cgroup.h"
#include "credd/notices.h"
#include "credd/proc.h"
#include "credd/receipts.h"
#include "credd/session.h"

#define SLICE      128
#define RETRY_USEC USEC_PER_SEC

/* One pass over the logins that may be unclaimed, in slices. They come by their numbers, and a later one
 * may be due sooner, so all of them are looked at. */
typedef struct LapsePass {
        int64_t at;      /* up to here it has come; 0: it begins */
        int64_t settled; /* up to here none is unclaimed, and that is not written yet; 0: it is */
        bool waits;      /* one was met that is unclaimed and stays so */
        uint64_t next_usec; /* when one of those is to be looked at again */
} LapsePass;

struct Expiry {
        Manager *manager;
        sd_event_source *timer, *changed;
        uint64_t next_usec; /* what the timer stands at; USEC_INFINITY: it is off */
        LapsePass pass;
        bool again; /* something has changed since that pass began */
};

size_t expiry_due(const ExpiryRow *rows, size_t n, uint64_t now_usec)
{
        size_t due = 0;

        while (due < n && now_usec >= rows[due].login_limit_usec)
                due++;
        return due;
}

/* Nobody collected it: no login was ever possible with it, so there is no receipt. */
static int lapse_request(Manager *manager, const Credential *credential)
{
        int r = store_close_credential(manager->store, credential->num, CAUSE_LAPSED);

        if (r == 0)
                r = event_credential_lapsed(&manager->events, credential);
        if (r == 0)
                notices_to_asker(manager, credential, "lapsed: nobody collected it in time");
        return r;
}

static int expire_one(Manager *manager, const ExpiryRow *row)
{
        AUTO_CREDENTIAL Credential credential = {0};
        int r;

        if (row->cause != CAUSE_NONE && row->cause != CAUSE_PENDING)
                return 0;
        r = store_read_credential(manager->store, row->num, &credential);
        if (r <= 0)
                return r < 0 ? r : -ENOENT;
        if (credential.cause == CAUSE_PENDING)
                return lapse_request(manager, &credential);
        r = store_close_credential(manager->store, row->num, CAUSE_EXPIRED);
        if (r == 0)
                r = event_credential_expired(&manager->events, &credential);
        return r < 0 ? r : receipts_try(manager, row->num);
}

/* *ret_next_usec: when the head of the rest is due; USEC_INFINITY: the queue is empty. */
static int expire_slice(Manager *manager, uint64_t now_usec, uint64_t *ret_next_usec)
{
        ExpiryRow rows[SLICE];
        size_t n = 0, due;
        int r;

        r = store_expiry_peek(manager->store, rows, SLICE, &n);
        if (r < 0)
                return r;
        due = expiry_due(rows, n, now_usec);
        if (due == SLICE)
                *ret_next_usec = now_usec;
        else
                *ret_next_usec = due < n ? rows[due].login_limit_usec : USEC_INFINITY;
        if (due == 0)
                return 0;
        r = batch_enter(manager->batch);
        if (r < 0)
                return r;
        for (size_t i = 0; i < due && r == 0; i++)
                r = expire_one(manager, &rows[i]);
        if (r == 0)
                r = store_expiry_advance(manager->store, &rows[due - 1]);
        return batch_leave(manager->batch, r);
}

/* --- logins that nobody claimed --- */

/* A process that authenticated, or its parent, if it is still the one it was. */
static char *session_of(Manager *manager, int64_t boot, pid_t pid, uint64_t ticks)
{
        const char *id;

        if (boot != store_boot(manager->store) || pid <= 1 || ticks == 0 ||
            proc_alive(pid, ticks) <= 0)
                return NULL;
        id = announced_id_of(sessions_announced(manager->sessions), pid);
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
static bool find_session(Manager *manager, const Login *login, Stray *ret)
{
        *ret = (Stray){.leader = login->pid, .ticks = login->ticks};
        ret->logind_id = session_of(manager, login->boot, login->pid, login->ticks);
        if (ret->logind_id)
                return true;
        *ret = (Stray){.leader = login->parent, .ticks = login->parent_ticks};
        ret->logind_id = session_of(manager, login->boot, login->parent, login->parent_ticks);
        return ret->logind_id != NULL;
}

/* There is no session, but sshd goes on after one that failed to open, without logind: then processes of
 * the user stand where sshd stands, younger than the login. (Those of other sessions are in scopes.) The
 * leader named is who authenticated, never the parent: that may be the sshd that listens. */
static bool find_processes(Manager *manager, const Credential *credential, const Login *login,
                           uint64_t now_usec, Stray *ret)
{
        const ProcTable *table = sessions_processes(manager->sessions, now_usec);
        AUTO_FREE pid_t *pids = NULL;
        AUTO_FREE size_t *indexes = NULL;
        size_t n_pids = 0, n = 0;
        bool found = false;

        *ret = (Stray){.leader = login->pid, .ticks = login->ticks};
        if (login->boot != store_boot(manager->store) || !table || login->ticks == 0)
                return false;
        if ((proc_alive(login->pid, login->ticks) <= 0 ||
             proc_cgroup(login->pid, &ret->home) < 0) &&
            (proc_alive(login->parent, login->parent_ticks) <= 0 ||
             proc_cgroup(login->parent, &ret->home) < 0))
                return false;
        if (cgroup_pids(ret->home, &pids, &n_pids) < 0 ||
            proc_tree(table, login->pid, login->ticks, credential->uid, pids, n_pids, &indexes,
                      &n) < 0)
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
        *ret_there = find_session(manager, login, stray);
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

/* Without logind its session cannot be found by it; it gets as long again to come back. */
static uint64_t lapse_due(const Manager *manager, const Login *login)
{
        return claim_by(manager, login) +
               (logind_connected(manager->logind) ? 0 : manager->config.bind_timeout_usec);
}

/* 0: it is settled; 1: it waits, *ret_next_usec says until when. Nobody stays past the deadline, claimed
 * or not: from then on it is looked for. But where nothing is found yet, it is not given up before its
 * time: the session may still open, and is refused and ended only while its login stands. */
static int lapse_look(Manager *manager, Login *login, uint64_t now_usec, uint64_t *ret_next_usec)
{
        AUTO_CREDENTIAL Credential credential = {0};
        CLEANUP(stray_done) Stray stray = {0};
        uint64_t due = lapse_due(manager, login), until;
        bool there = false;
        const char *what;
        int r;

        r = store_read_credential(manager->store, login->credential, &credential);
        if (r <= 0)
                return r < 0 ? r : -ENOENT;
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

/* 1: one was looked at; 0: there are no more. */
static int pass_one(Expiry *expiry, uint64_t now_usec)
{
        Manager *manager = expiry->manager;
        LapsePass *pass = &expiry->pass;
        CLEANUP(login_done) Login login = {0};
        uint64_t next = USEC_INFINITY;
        int64_t num;
        int r;

        r = store_lapse_peek(manager->store, pass->at, &login);
        if (r <= 0)
                return r;
        num = login.num;
        r = login.state == LOGIN_ACCEPTED ? lapse_look(manager, &login, now_usec, &next) : 0;
        if (r < 0)
                return r;
        pass->waits = pass->waits || r > 0;
        if (next < pass->next_usec)
                pass->next_usec = next;
        if (!pass->waits)
                pass->settled = num;
        pass->at = num;
        return 1;
}

static int note_settled(Expiry *expiry)
{
        Manager *manager = expiry->manager;
        int r;

        if (expiry->pass.settled == 0)
                return 0;
        r = batch_enter(manager->batch);
        if (r < 0)
                return r;
        r = batch_leave(manager->batch, store_lapse_advance(manager->store, expiry->pass.settled));
        if (r == 0)
                expiry->pass.settled = 0;
        return r;
}

static void begin_pass(Expiry *expiry)
{
        expiry->pass = (LapsePass){.next_usec = USEC_INFINITY};
        expiry->again = false;
}

static int lapse_slice(Expiry *expiry, uint64_t now_usec, uint64_t *ret_next_usec)
{
        int more = 1, r;

        for (unsigned i = 0; i < SLICE && more > 0; i++)
                more = pass_one(expiry, now_usec);
        r = note_settled(expiry);
        if (more < 0 || r < 0)
                return more < 0 ? more : r;
        *ret_next_usec = more > 0 || expiry->again ? now_usec : expiry->pass.next_usec;
        if (more == 0)
                begin_pass(expiry);
        return 0;
}

/* --- the timer --- */

static void set_timer(Expiry *expiry, uint64_t line_usec)
{
        Clock *clock = &expiry->manager->clock;

        expiry->next_usec = line_usec;
        if (line_usec == USEC_INFINITY) {
                (void)sd_event_source_set_enabled(expiry->timer, SD_EVENT_OFF);
                return;
        }
        (void)sd_event_source_set_time(expiry->timer, clock_to_boot_usec(clock, line_usec));
        (void)sd_event_source_set_enabled(expiry->timer, SD_EVENT_ONESHOT);
}

static void look(Expiry *expiry)
{
        Manager *manager = expiry->manager;
        uint64_t now = clock_line_usec(&manager->clock);
        uint64_t next_limit = USEC_INFINITY, next_lapse = USEC_INFINITY;
        int r;

        r = expire_slice(manager, now, &next_limit);
        if (r == 0)
                r = lapse_slice(expiry, now, &next_lapse);
        if (r < 0)
                next_limit = next_lapse = now + RETRY_USEC;
        set_timer(expiry, next_limit < next_lapse ? next_limit : next_lapse);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        (void)source;
        (void)usec;
        look(userdata);
        return 0;
}

static int on_changed(sd_event_source *source, void *userdata)
{
        (void)source;
        look(userdata);
        return 0;
}

void expiry_changed(Expiry *expiry)
{
        expiry->again = expiry->pass.at > 0;
        (void)sd_event_source_set_enabled(expiry->changed, SD_EVENT_ONESHOT);
}

void expiry_login(Expiry *expiry, const Credential *credential, const Login *login)
{
        uint64_t at = claim_by(expiry->manager, login), until = stay_until(credential, login);

        if (at > until)
                at = until;
        if (at < expiry->next_usec)
                set_timer(expiry, at);
}

int expiry_new(Manager *manager, Expiry **ret_expiry)
{
        Expiry *expiry;
        int r;

        expiry = calloc(1, sizeof(*expiry));
        if (!expiry)
                return -ENOMEM;
        expiry->manager = manager;
        expiry->next_usec = USEC_INFINITY;
        begin_pass(expiry);
        r = sd_event_add_time(manager->event, &expiry->timer, CLOCK_BOOTTIME, 0, 1, on_timer,
                              expiry);
        if (r >= 0)
                r = sd_event_add_defer(manager->event, &expiry->changed, on_changed, expiry);
        if (r >= 0)
                r = sd_event_source_set_priority(expiry->changed, PRIORITY_EXPIRY);
        if (r < 0) {
                (void)expiry_free(expiry);
                return r;
        }
        *ret_expiry = expiry;
        return 0;
}

Expiry *expiry_free(Expiry *expiry)
{
        if (!expiry)
                return NULL;
        (void)sd_event_source_disable_unref(expiry->timer);
        (void)sd_event_source_disable_unref(expiry->changed);
        free(expiry);
        return NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Works off two queues in the store, in slices, so that a hundred thousand credentials that end at
 * one moment do not keep anybody waiting: between two slices the loop serves whoever asks.
 * Invariant: how far a queue was worked off is committed with the work. */
#include "credd/expiry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "credd/batch.h"
#include "credd/proc.h"
#include "credd/receipts.h"
#include "credd/session.h"

#define SLICE      128
#define RETRY_USEC USEC_PER_SEC

struct Expiry {
        Manager *manager;
        sd_event_source *timer, *changed;
};

size_t expiry_due(const ExpiryRow *rows, size_t n, uint64_t now_usec)
{
        size_t due = 0;

        while (due < n && now_usec >= rows[due].login_limit_usec)
                due++;
        return due;
}

static int expire_one(Manager *manager, const ExpiryRow *row)
{
        AUTO_CREDENTIAL Credential credential = {0};
        int r;

        if (row->cause != CAUSE_NONE)
                return 0;
        r = store_read_credential(manager->store, row->num, &credential);
        if (r <= 0)
                return r < 0 ? r : -ENOENT;
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
        *ret_next_usec = due < n ? rows[due].login_limit_usec : USEC_INFINITY;
        if (due == SLICE)
                *ret_next_usec = now_usec;
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
static char *session_of(Manager *manager, pid_t pid, uint64_t ticks)
{
        const char *id;

        if (pid <= 1 || ticks == 0 || proc_alive(pid, ticks) <= 0)
                return NULL;
        id = announced_id_of(sessions_announced(manager->sessions), pid);
        return id ? strdup(id) : NULL;
}

/* There is a session, and its stack never told us: it is taken over and ended now. */
static int take_over(Manager *manager, const Credential *credential, Login *login, pid_t leader,
                     uint64_t ticks, char *logind_id)
{
        uint64_t now = clock_line_usec(&manager->clock);
        CLEANUP(session_row_done)
        SessionRow row = {
                .login = login->num,
                .credential = credential->num,
                .boot = login->boot,
                .leader = leader,
                .ticks = ticks,
                .opened_usec = now,
                .opened_real_usec = clock_real_usec(&manager->clock),
                .deadline_usec = now,
                .lingered = true, /* unknown: leave the user's manager alone */
                .logind_id = logind_id,
                .ended_usec = USEC_INFINITY,
                .ended_real_usec = USEC_INFINITY,
                .uid = credential->uid,
                .accepted_usec = login->accepted_usec,
                .user = strdup(credential->user),
                .service = take_ptr(login->service),
                .tty = take_ptr(login->tty),
                .rhost = take_ptr(login->rhost),
        };
        int r;

        if (!row.user)
                return -ENOMEM;
        (void)snprintf(row.id, sizeof(row.id), "%s", credential->id);
        r = store_add_session(manager->store, &row);
        if (r == 0)
                r = store_bind_session(manager->store, row.login, row.logind_id);
        if (r < 0)
                return r;
        return session_open(manager->sessions, &row, proc_pidfd(leader, ticks),
                            "its login was never claimed");
}

static int lapse(Manager *manager, const Credential *credential, Login *login)
{
        char *id = session_of(manager, login->pid, login->ticks);
        pid_t leader = login->pid;
        uint64_t ticks = login->ticks;
        int r;

        /* With keyboard-interactive sshd authenticates in a child; its parent leads the session. */
        if (!id) {
                id = session_of(manager, login->parent, login->parent_ticks);
                leader = login->parent;
                ticks = login->parent_ticks;
        }
        r = event_login_unclaimed(
                &manager->events, credential, login,
                id ? "a session of it is there and is ended now; the session line of "
                     "pam_ephemeral is missing from the PAM stack"
                   : "no session of it is there");
        if (r < 0) {
                free(id);
                return r;
        }
        if (id) {
                r = store_set_login(manager->store, login->num, LOGIN_CLAIMED);
                return r < 0 ? r : take_over(manager, credential, login, leader, ticks, id);
        }
        r = store_set_login(manager->store, login->num, LOGIN_LAPSED);
        if (r == 0)
                r = store_close_login(manager->store, login->credential);
        return r < 0 ? r : receipts_try(manager, login->credential);
}

/* 1: it was worked off; 0: it is not due, *ret_next_usec says when; or there is none. */
static int lapse_one(Manager *manager, uint64_t now_usec, uint64_t *ret_next_usec)
{
        CLEANUP(login_done) Login login = {0};
        AUTO_CREDENTIAL Credential credential = {0};
        int64_t num;
        int r;

        *ret_next_usec = USEC_INFINITY;
        r = store_lapse_peek(manager->store, &login);
        if (r <= 0)
                return r;
        num = login.num;
        if (login.state == LOGIN_ACCEPTED &&
            now_usec < login.accepted_usec + manager->config.bind_timeout_usec) {
                *ret_next_usec = login.accepted_usec + manager->config.bind_timeout_usec;
                return 0;
        }
        r = store_read_credential(manager->store, login.credential, &credential);
        if (r <= 0)
                return r < 0 ? r : -ENOENT;
        r = batch_enter(manager->batch);
        if (r < 0)
                return r;
        if (login.state == LOGIN_ACCEPTED)
                r = lapse(manager, &credential, &login);
        if (r == 0)
                r = store_lapse_advance(manager->store, num);
        r = batch_leave(manager->batch, r);
        return r < 0 ? r : 1;
}

static int lapse_slice(Manager *manager, uint64_t now_usec, uint64_t *ret_next_usec)
{
        int r = 1;

        for (unsigned i = 0; i < SLICE && r > 0; i++)
                r = lapse_one(manager, now_usec, ret_next_usec);
        if (r > 0)
                *ret_next_usec = now_usec;
        return r < 0 ? r : 0;
}

/* --- the timer --- */

static void look(Expiry *expiry)
{
        Manager *manager = expiry->manager;
        uint64_t now = clock_line_usec(&manager->clock);
        uint64_t next_limit = USEC_INFINITY, next_lapse = USEC_INFINITY, next;
        int r;

        r = expire_slice(manager, now, &next_limit);
        if (r == 0)
                r = lapse_slice(manager, now, &next_lapse);
        next = next_limit < next_lapse ? next_limit : next_lapse;
        if (r < 0)
                next = now + RETRY_USEC;
        if (next == USEC_INFINITY) {
                (void)sd_event_source_set_enabled(expiry->timer, SD_EVENT_OFF);
                return;
        }
        (void)sd_event_source_set_time(expiry->timer, clock_to_boot_usec(&manager->clock, next));
        (void)sd_event_source_set_enabled(expiry->timer, SD_EVENT_ONESHOT);
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
        (void)sd_event_source_set_enabled(expiry->changed, SD_EVENT_ONESHOT);
}

int expiry_new(Manager *manager, Expiry **ret_expiry)
{
        Expiry *expiry;
        int r;

        expiry = calloc(1, sizeof(*expiry));
        if (!expiry)
                return -ENOMEM;
        expiry->manager = manager;
        r = sd_event_add_time(manager->event, &expiry->timer, CLOCK_BOOTTIME, 0, 1, on_timer,
                              expiry);
        if (r >= 0)
                r = sd_event_add_defer(manager->event, &expiry->changed, on_changed, expiry);
        if (r >= 0)
                r = sd_event_source_set_priority(expiry->changed, PRIORITY_COMMIT + 1);
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

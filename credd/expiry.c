/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Works off two queues in the store, in slices, so that a hundred thousand credentials that end at
 * one moment do not keep anybody waiting: between two slices the loop serves whoever asks.
 * Invariant: how far a queue was worked off is committed with the work. */
#include "credd/expiry.h"

#include <errno.h>

#include "credd/batch.h"
#include "credd/health.h"
#include "credd/notices.h"
#include "credd/receipts.h"
#include "credd/unclaimed.h"

/* What a login that comes meanwhile waits for: of each queue so many, and of what expires no longer than that. */
#define SLICE      32
#define SLICE_USEC USEC_PER_MSEC
#define RETRY_USEC USEC_PER_SEC

/* One pass over the logins that may be unclaimed, in slices. They come by their numbers, and a later one
 * may be due sooner, so all of them are looked at that were there when it began; those that come meanwhile say
 * themselves when they are due, or it would run behind them for as long as anybody logs in. */
typedef struct LapsePass {
        bool under_way;
        int64_t until;   /* the newest when it began */
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
                return r < 0 ? r : -EBADMSG; /* a standing of nothing */
        if (credential.cause == CAUSE_PENDING)
                return lapse_request(manager, &credential);
        r = store_close_credential(manager->store, row->num, CAUSE_EXPIRED);
        if (r == 0)
                r = event_credential_expired(&manager->events, &credential);
        credential.cause = CAUSE_EXPIRED;
        credential.has_hash = false;
        return r < 0 ? r : receipts_try_known(manager, &credential);
}

/* Each by itself, so that one that is damaged takes back no other. */
static int expire_singly(Manager *manager, const ExpiryRow *rows, size_t n)
{
        int r = 0;

        for (size_t i = 0; i < n && r == 0; i++) {
                r = batch_enter(manager->batch);
                if (r < 0)
                        return r;
                r = batch_leave(manager->batch, expire_one(manager, &rows[i]));
                if (r == -EBADMSG) {
                        health_pass_over(manager, "credential", rows[i].num);
                        r = 0;
                }
        }
        if (r == 0)
                r = batch_enter(manager->batch);
        return r < 0 ? r
                     : batch_leave(manager->batch,
                                   store_expiry_advance(manager->store, &rows[n - 1]));
}

/* As many of them as there is time for, one at least. */
static int expire_some(Manager *manager, const ExpiryRow *rows, size_t due, size_t *ret_done)
{
        uint64_t end = clock_boot_usec(&manager->clock) + SLICE_USEC;
        size_t done = 0;
        int r;

        do
                r = expire_one(manager, &rows[done++]);
        while (r == 0 && done < due && clock_boot_usec(&manager->clock) < end);
        *ret_done = done;
        return r;
}

/* *ret_next_usec: when the head of the rest is due; USEC_INFINITY: the queue is empty. */
static int expire_slice(Manager *manager, uint64_t now_usec, uint64_t *ret_next_usec)
{
        ExpiryRow rows[SLICE];
        size_t n = 0, due, done = 0;
        int r;

        r = store_expiry_peek(manager->store, rows, SLICE, &n);
        if (r < 0)
                return r;
        due = expiry_due(rows, n, now_usec);
        if (due > 0) {
                r = batch_enter(manager->batch);
                if (r < 0)
                        return r;
                r = expire_some(manager, rows, due, &done);
                if (r == 0)
                        r = store_expiry_advance(manager->store, &rows[done - 1]);
                r = batch_leave(manager->batch, r);
        }
        if (done < n)
                *ret_next_usec = rows[done].login_limit_usec;
        else
                *ret_next_usec = n == SLICE ? now_usec : USEC_INFINITY;
        return r == -EBADMSG ? expire_singly(manager, rows, done) : r;
}

/* --- logins that nobody claimed --- */

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
        num = login.num;
        if (num == 0)
                return r;
        if (num > pass->until)
                return 0;
        if (r > 0)
                r = login.state == LOGIN_ACCEPTED ? unclaimed_look(manager, &login, now_usec, &next)
                                                  : 0;
        if (r == -EBADMSG) {
                health_pass_over(manager, "login", num);
                r = 0;
        } else if (r < 0) {
                next = now_usec + RETRY_USEC;
                r = 1;
        }
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

        if (!expiry->pass.under_way) {
                r = store_newest_login(expiry->manager->store, &expiry->pass.until);
                if (r < 0)
                        return r;
                expiry->pass.under_way = true;
        }
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

        /* Neither waits for the other: a row that cannot be read in the one keeps nobody in by the other. */
        if (expire_slice(manager, now, &next_limit) < 0)
                next_limit = now + RETRY_USEC;
        if (lapse_slice(expiry, now, &next_lapse) < 0)
                next_lapse = now + RETRY_USEC;
        set_timer(expiry, next_limit < next_lapse ? next_limit : next_lapse);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        Expiry *expiry = userdata;
        uint64_t now = clock_boot_usec(&expiry->manager->clock);

        (void)source;
        tally_observe(&expiry->manager->tally, TALLY_WAKEUP,
                      now > usec ? (double)(now - usec) / (double)USEC_PER_SEC : 0);
        look(expiry);
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
        uint64_t at = unclaimed_due_usec(expiry->manager, credential, login);

        if (expiry->pass.under_way && at < expiry->pass.next_usec)
                expiry->pass.next_usec = at;
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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the moment all signs agree to the record of it. Invariant: the end of a session, the end of its
 * login, and the receipt that may follow are one transaction. */
#include "credd/verified.h"

#include <errno.h>
#include <stdio.h>

#include "credd/batch.h"
#include "credd/health.h"
#include "credd/receipts.h"
#include "credd/residue.h"
#include "credd/signs.h"
#include "credd/user-end.h"

#define RETRY_USEC USEC_PER_SEC
/* logind itself stops the manager of a user who has left after 10 s (UserStopDelaySec=). */
#define SETTLE_USEC  (15 * USEC_PER_SEC)
#define SETTLE_FIRST (20 * USEC_PER_MSEC)
#define SETTLE_MAX   (2 * USEC_PER_SEC)
/* Looks are taken at common moments, so that one reading of /proc serves all who wait. */
#define SETTLE_GRID      (100 * USEC_PER_MSEC)
#define RESIDUE_TEXT_MAX 1024

static json_t *evidence_of(const Session *session, uint64_t late_usec, json_t *residue)
{
        const SessionRow *row = &session->row;
        Clock *clock = &session->manager->clock;

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
                return r < 0 ? r : -EBADMSG;
        if (credential.cause != CAUSE_USED || session->row.why)
                return 0;
        r = store_close_credential(manager->store, credential.num, CAUSE_EXPIRED);
        return r < 0 ? r : event_credential_expired(&manager->events, &credential);
}

static int say_residue(Session *session, const json_t *residue)
{
        char text[RESIDUE_TEXT_MAX];
        size_t n = 0, i;
        json_t *item;

        if (json_array_size(residue) == 0)
                return 0;
        /* As many as fit; the receipt has them all. */
        json_array_foreach (residue, i, item) {
                const char *command = "", *unit = "";
                int pid = 0;

                (void)json_unpack(item, "{si ss ss}", "pid", &pid, "command", &command, "unit",
                                  &unit);
                if (n < sizeof(text))
                        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s (%d) in %s",
                                              i > 0 ? ", " : "", command, pid, unit);
        }
        return event_session_residue(&session->manager->events, &session->row, text);
}

/* It is over: what else hangs on that. */
static int write_after(Session *session)
{
        int r = close_expired(session);

        return r < 0 ? r : receipts_try(session->manager, session->row.credential);
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
                r = session_store_gone(session);
        if (r == 0)
                r = store_close_login(manager->store, session->row.credential);
        if (r == 0)
                r = event_session_ended(&manager->events, &session->row, late);
        if (r == 0)
                r = say_residue(session, residue);
        return r;
}

/* damaged: its credential is, and the end is written without it. */
static int try_to_write(Session *session, json_t *residue, bool damaged)
{
        Batch *batch = session->manager->batch;
        int r;

        r = batch_enter(batch);
        if (r < 0)
                return r;
        r = write_end(session, residue);
        if (r == 0 && !damaged)
                r = write_after(session);
        return batch_leave(batch, r);
}

static void finish(Session *session, json_t *residue)
{
        int r;

        r = try_to_write(session, residue, false);
        if (r == -EBADMSG) {
                r = try_to_write(session, residue, true);
                if (r == 0)
                        health_pass_over(session->manager, "credential", session->row.credential);
        }
        if (r < 0) {
                session_look_at(session, session_now_usec(session) + RETRY_USEC);
                return;
        }
        session_gone(session);
}

/* /proc could not be read to the end of the wait: that nothing is left cannot be said. */
static json_t *unknown_residue(void)
{
        return json_pack("[{si ss ss}]", "pid", 0, "command", "unknown: /proc could not be read",
                         "unit", "");
}

static uint64_t next_look_usec(uint64_t now_usec, uint64_t since_usec)
{
        uint64_t wait = since_usec / 2 < SETTLE_MAX ? since_usec / 2 : SETTLE_MAX;

        return (now_usec + wait) / SETTLE_GRID * SETTLE_GRID + SETTLE_GRID;
}

/* Verified gone. What the user's manager still holds gets the grace, then SIGKILL where that is allowed;
 * what is left after that is residue, and named. */
void verified_settle(Session *session)
{
        json_auto_t *residue = signs_of_this_boot(session) ? residue_find(session) : json_array();
        uint64_t now = session_now_usec(session);

        if ((!residue || json_array_size(residue) > 0) && now - session->gone_usec < SETTLE_USEC) {
                user_end_gently(session);
                user_end_forcibly(session);
                session_look_at(session, next_look_usec(now, now - session->gone_usec));
                return;
        }
        if (!residue)
                residue = unknown_residue();
        finish(session, residue);
}

void verified_gone(Session *session, const KillSigns *signs)
{
        session->gone_usec = session_now_usec(session);
        session->seen = *signs;
        if (!session->kill.begun)
                session_note_step(session, signs_of_this_boot(session) ? "logout" : "reboot");
        (void)sd_event_source_set_priority(session->timer, PRIORITY_SETTLE);
        /* A moment later, so that sessions that end together are looked for in one reading of /proc. */
        session_look_at(session, session->gone_usec + SETTLE_FIRST);
}

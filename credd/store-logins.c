/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Logins and the sessions they opened. As in store-credentials.c, a writer says in its WHERE what it
 * expects to find: a login is claimed once, a session ends once. */
#include <errno.h>
#include <string.h>

#include "credd/statements.h"
#include "credd/store-internal.h"

void login_done(Login *login)
{
        free(login->service);
        free(login->tty);
        free(login->rhost);
        *login = (Login){0};
}

int store_add_login(Store *store, Login *login)
{
        const unsigned s = STATEMENT_LOGIN_ADD;
        int r;

        r = db_run(store->db, s, "ibtsssiiiii", login->credential, login->nonce, (size_t)NONCE_LEN,
                   login->accepted_usec, login->service, login->tty, login->rhost, store->boot,
                   (int64_t)login->pid, (int64_t)login->ticks, (int64_t)login->parent,
                   (int64_t)login->parent_ticks);
        if (r < 0)
                return r;
        login->num = db_last_key(store->db);
        login->boot = store->boot;
        return 0;
}

static int one_login(Store *store, unsigned s, int found, Login *ret)
{
        Login login = {0};
        bool failed = false, damaged = false;
        const void *nonce;
        size_t len;

        if (found <= 0)
                return found;
        login.num = db_int(store->db, s, 0);
        login.credential = db_int(store->db, s, 1);
        nonce = db_blob(store->db, s, 2, &len);
        if (len == NONCE_LEN)
                memcpy(login.nonce, nonce, NONCE_LEN);
        login.state =
                (LoginState)row_number(store->db, s, 3, LOGIN_ACCEPTED, LOGIN_LAPSED, &damaged);
        login.accepted_usec = row_usec(store->db, s, 4, &damaged);
        login.service = row_own_text(store->db, s, 5, &failed, &damaged);
        login.tty = row_text(store->db, s, 6, &failed);
        login.rhost = row_text(store->db, s, 7, &failed);
        login.boot = db_int(store->db, s, 8);
        login.pid = (pid_t)row_number(store->db, s, 9, 0, INT32_MAX, &damaged);
        login.ticks = (uint64_t)db_int(store->db, s, 10);
        login.parent = (pid_t)row_number(store->db, s, 11, 0, INT32_MAX, &damaged);
        login.parent_ticks = (uint64_t)db_int(store->db, s, 12);
        db_end(store->db, s);
        if (failed || damaged || !login.service || len != NONCE_LEN) {
                ret->num = login.num;
                login_done(&login);
                return failed ? -ENOMEM : -EBADMSG;
        }
        *ret = login;
        return 1;
}

int store_find_login(Store *store, int64_t num, Login *ret)
{
        return one_login(store, STATEMENT_LOGIN_READ,
                         db_first(store->db, STATEMENT_LOGIN_READ, "i", num), ret);
}

int store_lapse_peek(Store *store, int64_t after, Login *ret)
{
        int64_t from = after > store->now.lapsed ? after : store->now.lapsed;

        return one_login(store, STATEMENT_LOGIN_AFTER,
                         db_first(store->db, STATEMENT_LOGIN_AFTER, "i", from), ret);
}

int store_newest_login(Store *store, int64_t *ret_num)
{
        int r = db_first(store->db, STATEMENT_LOGIN_NEWEST, "");

        *ret_num = r > 0 ? db_int(store->db, STATEMENT_LOGIN_NEWEST, 0) : 0;
        if (r > 0)
                db_end(store->db, STATEMENT_LOGIN_NEWEST);
        return r < 0 ? r : 0;
}

int store_lapse_advance(Store *store, int64_t num)
{
        int r = row_exactly_one(db_run(store->db, STATEMENT_INSTANCE_LAPSED, "i", num));

        if (r == 0)
                store->now.lapsed = num;
        return r;
}

int store_set_login(Store *store, int64_t num, LoginState state)
{
        return row_exactly_one(
                db_run(store->db, STATEMENT_LOGIN_SET_STATE, "ii", (int64_t)state, num));
}

void session_row_done(SessionRow *row)
{
        free(row->home);
        free(row->why);
        free(row->logind_id);
        free(row->user);
        free(row->role);
        free(row->holder);
        free(row->service);
        free(row->tty);
        free(row->rhost);
        json_decref(row->evidence);
        *row = (SessionRow){0};
}

int store_add_session(Store *store, const SessionRow *row)
{
        return row_exactly_one(db_run(store->db, STATEMENT_SESSION_ADD, "iiiiitttiss", row->login,
                                      row->credential, store->boot, (int64_t)row->leader,
                                      (int64_t)row->ticks, row->opened_usec, row->opened_real_usec,
                                      row->deadline_usec, (int64_t)row->lingered, row->home,
                                      row->why));
}

static int take_session(Store *store, unsigned s, SessionRow *ret)
{
        CLEANUP(session_row_done) SessionRow row = {0};
        bool failed = false, damaged = false;

        row.login = db_int(store->db, s, 0);
        row.credential = db_int(store->db, s, 1);
        row.boot = db_int(store->db, s, 2);
        row.leader = (pid_t)row_number(store->db, s, 3, 0, INT32_MAX, &damaged);
        row.ticks = (uint64_t)db_int(store->db, s, 4);
        row.opened_usec = row_usec(store->db, s, 5, &damaged);
        row.opened_real_usec = row_usec(store->db, s, 6, &damaged);
        row.deadline_usec = row_usec(store->db, s, 7, &damaged);
        row.lingered = db_int(store->db, s, 8) != 0;
        row.logind_id = row_text(store->db, s, 9, &failed);
        row.ended_usec = db_usec(store->db, s, 10);
        row.ended_real_usec = db_usec(store->db, s, 11);
        row.evidence = row_json(store->db, s, 12, &failed, &damaged);
        row_id(store->db, s, 13, row.id);
        row.user = row_text(store->db, s, 14, &failed);
        row.uid = (uid_t)row_number(store->db, s, 15, 0, UID_NONE - 1, &damaged);
        row.service = row_text(store->db, s, 16, &failed);
        row.tty = row_text(store->db, s, 17, &failed);
        row.rhost = row_text(store->db, s, 18, &failed);
        row.accepted_usec = db_usec(store->db, s, 19);
        row.home = row_text(store->db, s, 20, &failed);
        row.begun_usec = db_usec(store->db, s, 21);
        row.role = row_text(store->db, s, 22, &failed);
        row.holder = row_text(store->db, s, 23, &failed);
        row.issuer_uid = (uid_t)db_int(store->db, s, 24);
        row.why = row_text(store->db, s, 25, &failed);
        row.since_usec = row_usec_if_any(store->db, s, 26, &damaged);
        if (failed || damaged || !row.user || !row.service)
                return failed ? -ENOMEM : -EBADMSG;
        *ret = row;
        row = (SessionRow){0};
        return 0;
}

static int first_session(Store *store, SessionSet set, int64_t credential, int64_t after,
                         int64_t limit, unsigned *ret_statement)
{
        switch (set) {
        case SESSIONS_LIVE:
                *ret_statement = STATEMENT_SESSION_LIVE;
                return db_first(store->db, *ret_statement, "ii", after, limit);
        case SESSIONS_ALL:
                *ret_statement = STATEMENT_SESSION_AFTER;
                return db_first(store->db, *ret_statement, "ii", after, limit);
        case SESSIONS_OF:
                *ret_statement = STATEMENT_SESSION_OF;
                return db_first(store->db, *ret_statement, "iii", credential, after, limit);
        }
        return -EINVAL;
}

int store_each_session(Store *store, SessionSet set, int64_t credential, int64_t after,
                       int64_t limit, bool (*each)(void *userdata, SessionRow *row), void *userdata)
{
        unsigned s = 0;
        int r;

        for (r = first_session(store, set, credential, after, limit, &s); r > 0;
             r = db_next(store->db, s)) {
                CLEANUP(session_row_done) SessionRow row = {0};

                r = take_session(store, s, &row);
                if (r < 0 || !each(userdata, &row)) {
                        db_end(store->db, s);
                        return r;
                }
        }
        return r;
}

int store_bind_session(Store *store, int64_t login, const char *logind_id)
{
        return row_exactly_one(
                db_run(store->db, STATEMENT_SESSION_SET_BOUND, "si", logind_id, login));
}

int store_begin_end(Store *store, int64_t login, uint64_t begun_usec)
{
        return row_exactly_one(
                db_run(store->db, STATEMENT_SESSION_SET_BEGUN, "ti", begun_usec, login));
}

int store_set_deadline(Store *store, int64_t login, uint64_t deadline_usec)
{
        return row_exactly_one(
                db_run(store->db, STATEMENT_SESSION_SET_DEADLINE, "ti", deadline_usec, login));
}

int store_set_since(Store *store, int64_t login, uint64_t since_usec)
{
        return row_exactly_one(
                db_run(store->db, STATEMENT_SESSION_SET_SINCE, "ti", since_usec, login));
}

int store_cut_short(Store *store, int64_t login, uint64_t deadline_usec, const char *why)
{
        return row_exactly_one(db_run(store->db, STATEMENT_SESSION_SET_CUT_SHORT, "tsi",
                                      deadline_usec, why, login));
}

int store_end_session(Store *store, int64_t login, uint64_t at_usec, const json_t *evidence)
{
        AUTO_FREE char *text = json_dumps(evidence, JSON_COMPACT);

        if (!text)
                return -ENOMEM;
        return row_exactly_one(db_run(store->db, STATEMENT_SESSION_SET_ENDED, "ttsi", at_usec,
                                      clock_to_real_usec(store->clock, at_usec), text, login));
}

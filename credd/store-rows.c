/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows to values and back: credentials, logins, sessions, receipts. Invariant of each writer: what
 * it expects to find is part of its WHERE, and the number of changed rows is looked at. */
#include <errno.h>
#include <string.h>

#include "credd/statements.h"
#include "credd/store-internal.h"

/* A copied column that may be null; *failed is set when memory is out. */
static char *copy_text(Db *db, unsigned statement, int column, bool *failed)
{
        const char *text = db_text(db, statement, column);
        char *copy;

        if (!text)
                return NULL;
        copy = strdup(text);
        *failed |= !copy;
        return copy;
}

static json_t *copy_json(Db *db, unsigned statement, int column, bool *failed)
{
        const char *text = db_text(db, statement, column);
        json_t *value;

        if (!text)
                return NULL;
        value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
        *failed |= !value;
        return value;
}

static void copy_id(Db *db, unsigned statement, int column, char ret_id[static TOKEN_ID_LEN + 1])
{
        const char *text = db_text(db, statement, column);

        (void)strncpy(ret_id, text ?: "", TOKEN_ID_LEN);
        ret_id[TOKEN_ID_LEN] = '\0';
}

static void copy_actor(Db *db, unsigned statement, int column, Actor *ret_actor)
{
        const char *name = db_text(db, statement, column);

        *ret_actor = (Actor){.uid = (uid_t)db_int(db, statement, column + 1),
                             .loginuid = db_is_null(db, statement, column + 2)
                                                 ? UID_NONE
                                                 : (uid_t)db_int(db, statement, column + 2)};
        (void)strncpy(ret_actor->name, name ?: "", USER_NAME_LEN_MAX);
}

/* uid_t as a column: none is null. */
static uint64_t uid_or_null(uid_t uid)
{
        return uid == UID_NONE ? USEC_INFINITY : uid;
}

static int take_credential(Store *store, unsigned s, Credential *ret)
{
        AUTO_CREDENTIAL Credential c = {0};
        const void *hash;
        bool failed = false;
        size_t len;

        c.num = db_int(store->db, s, 0);
        copy_id(store->db, s, 1, c.id);
        c.user = copy_text(store->db, s, 2, &failed);
        c.uid = (uid_t)db_int(store->db, s, 3);
        c.role = copy_text(store->db, s, 4, &failed);
        c.holder = copy_text(store->db, s, 5, &failed);
        c.reason = copy_text(store->db, s, 6, &failed);
        c.services = copy_json(store->db, s, 7, &failed);
        c.sources = copy_json(store->db, s, 8, &failed);
        c.uses = db_int(store->db, s, 9);
        c.issued_usec = db_usec(store->db, s, 10);
        c.issued_real_usec = db_usec(store->db, s, 11);
        c.not_before_usec = db_usec(store->db, s, 12);
        c.session_ttl_usec = db_usec(store->db, s, 13);
        c.ceiling_usec = db_usec(store->db, s, 14);
        copy_actor(store->db, s, 15, &c.issuer);
        hash = db_blob(store->db, s, 18, &len);
        c.has_hash = len == HASH_LEN;
        if (c.has_hash)
                memcpy(c.hash, hash, HASH_LEN);
        c.uses_left = db_int(store->db, s, 19);
        c.login_limit_usec = db_usec(store->db, s, 20);
        c.cause = (Cause)db_int(store->db, s, 21);
        c.open_logins = db_int(store->db, s, 22);
        c.last_event = db_int(store->db, s, 23);
        if (failed)
                return -ENOMEM;
        if (!c.user || !c.services || !c.sources || (int)c.cause < 0 || c.cause >= CAUSE_MAX)
                return -EBADMSG;
        *ret = c;
        c = (Credential){0};
        return 1;
}

static int one_credential(Store *store, unsigned s, int found, Credential *ret)
{
        int r;

        if (found <= 0)
                return found;
        r = take_credential(store, s, ret);
        db_end(store->db, s);
        return r;
}

int store_find_credential(Store *store, const char *id, Credential *ret)
{
        return one_credential(store, STATEMENT_CREDENTIAL_BY_ID,
                              db_first(store->db, STATEMENT_CREDENTIAL_BY_ID, "s", id), ret);
}

int store_read_credential(Store *store, int64_t num, Credential *ret)
{
        return one_credential(store, STATEMENT_CREDENTIAL_BY_NUM,
                              db_first(store->db, STATEMENT_CREDENTIAL_BY_NUM, "i", num), ret);
}

int store_find_key(Store *store, uid_t issuer, const char *key, int64_t *ret_num)
{
        int r = db_first(store->db, STATEMENT_CREDENTIAL_BY_KEY, "is", (int64_t)issuer, key);

        if (r <= 0)
                return r;
        *ret_num = db_int(store->db, STATEMENT_CREDENTIAL_BY_KEY, 0);
        db_end(store->db, STATEMENT_CREDENTIAL_BY_KEY);
        return 1;
}

int store_each_credential(Store *store, int64_t after, int64_t limit,
                          bool (*each)(void *userdata, Credential *credential), void *userdata)
{
        const unsigned s = STATEMENT_CREDENTIAL_AFTER;
        int r;

        for (r = db_first(store->db, s, "ii", after, limit); r > 0; r = db_next(store->db, s)) {
                AUTO_CREDENTIAL Credential credential = {0};

                r = take_credential(store, s, &credential);
                if (r < 0 || !each(userdata, &credential)) {
                        db_end(store->db, s);
                        return r < 0 ? r : 0;
                }
        }
        return r;
}

static int add_credential_row(Store *store, Credential *c, const char *key)
{
        AUTO_FREE char *services = json_dumps(c->services, JSON_COMPACT);
        AUTO_FREE char *sources = json_dumps(c->sources, JSON_COMPACT);
        const unsigned s = STATEMENT_CREDENTIAL_ADD;
        int r;

        if (!services || !sources)
                return -ENOMEM;
        r = db_first(store->db, s, "ssisssssitttTtsiTs", c->id, c->user, (int64_t)c->uid, c->role,
                     c->holder, c->reason, services, sources, c->uses, c->issued_usec,
                     c->issued_real_usec, c->not_before_usec, c->session_ttl_usec, c->ceiling_usec,
                     c->issuer.name, (int64_t)c->issuer.uid, uid_or_null(c->issuer.loginuid), key);
        if (r <= 0)
                return r < 0 ? r : -EIO;
        c->num = db_int(store->db, s, 0);
        db_end(store->db, s);
        return 0;
}

int store_add_credential(Store *store, Credential *c, const char *key)
{
        int r = add_credential_row(store, c, key);

        if (r < 0)
                return r;
        r = db_run(store->db, STATEMENT_STANDING_ADD, "ibit", c->num, c->hash, (size_t)HASH_LEN,
                   c->uses_left, c->login_limit_usec);
        return r < 0 ? r : 0;
}

/* A write that must change exactly one row. */
static int exactly_one(int changed)
{
        if (changed < 0)
                return changed;
        return changed == 1 ? 0 : -ESTALE;
}

int store_spend(Store *store, int64_t num)
{
        return exactly_one(db_run(store->db, STATEMENT_STANDING_SPEND, "i", num));
}

int store_close_login(Store *store, int64_t num)
{
        return exactly_one(db_run(store->db, STATEMENT_STANDING_LOGIN_CLOSED, "i", num));
}

int store_close_credential(Store *store, int64_t num, Cause cause)
{
        return exactly_one(db_run(store->db, STATEMENT_STANDING_CLOSE, "ii", (int64_t)cause, num));
}

int store_add_revocation(Store *store, int64_t num, const Revocation *revocation)
{
        return exactly_one(db_run(store->db, STATEMENT_REVOCATION_ADD, "itsiTs", num,
                                  revocation->at_real_usec, revocation->actor.name,
                                  (int64_t)revocation->actor.uid,
                                  uid_or_null(revocation->actor.loginuid), revocation->reason));
}

int store_find_revocation(Store *store, int64_t num, Revocation *ret)
{
        const unsigned s = STATEMENT_REVOCATION_READ;
        Revocation found = {0};
        bool failed = false;
        int r;

        r = db_first(store->db, s, "i", num);
        if (r <= 0)
                return r;
        found.at_real_usec = db_usec(store->db, s, 0);
        copy_actor(store->db, s, 1, &found.actor);
        found.reason = copy_text(store->db, s, 4, &failed);
        db_end(store->db, s);
        if (failed)
                return -ENOMEM;
        *ret = found;
        return 1;
}

void revocation_done(Revocation *revocation)
{
        free(revocation->reason);
        *revocation = (Revocation){0};
}

static size_t take_expiry(Store *store, unsigned s, int found, ExpiryRow *rows, size_t limit,
                          int *ret_error)
{
        size_t n = 0;
        int r;

        for (r = found; r > 0 && n < limit; r = db_next(store->db, s))
                rows[n++] = (ExpiryRow){.num = db_int(store->db, s, 0),
                                        .login_limit_usec = db_usec(store->db, s, 1),
                                        .cause = (Cause)db_int(store->db, s, 2),
                                        .open_logins = db_int(store->db, s, 3)};
        db_end(store->db, s);
        *ret_error = r < 0 ? r : 0;
        return n;
}

/* In two steps, because "(login_limit, num) > (?, ?)" is planned as a scan. */
int store_expiry_peek(Store *store, ExpiryRow *ret_rows, size_t limit, size_t *ret_n)
{
        uint64_t at = store->expired.login_limit_usec;
        size_t n;
        int r;

        r = db_first(store->db, STATEMENT_EXPIRY_SAME, "tii", at, store->expired.num,
                     (int64_t)limit);
        n = take_expiry(store, STATEMENT_EXPIRY_SAME, r, ret_rows, limit, &r);
        if (r == 0 && n < limit) {
                r = db_first(store->db, STATEMENT_EXPIRY_LATER, "ti", at, (int64_t)(limit - n));
                n += take_expiry(store, STATEMENT_EXPIRY_LATER, r, ret_rows + n, limit - n, &r);
        }
        if (r < 0)
                return r;
        *ret_n = n;
        return 0;
}

int store_expiry_advance(Store *store, const ExpiryRow *row)
{
        int r = exactly_one(db_run(store->db, STATEMENT_INSTANCE_EXPIRED, "ti",
                                   row->login_limit_usec, row->num));

        if (r == 0)
                store->expired = *row;
        return r;
}

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

        r = db_first(store->db, s, "ibtsssiiiii", login->credential, login->nonce,
                     (size_t)NONCE_LEN, login->accepted_usec, login->service, login->tty,
                     login->rhost, store->boot, (int64_t)login->pid, (int64_t)login->ticks,
                     (int64_t)login->parent, (int64_t)login->parent_ticks);
        if (r <= 0)
                return r < 0 ? r : -EIO;
        login->num = db_int(store->db, s, 0);
        login->boot = store->boot;
        db_end(store->db, s);
        return 0;
}

static int one_login(Store *store, unsigned s, int found, Login *ret)
{
        Login login = {0};
        bool failed = false;
        const void *nonce;
        size_t len;

        if (found <= 0)
                return found;
        login.num = db_int(store->db, s, 0);
        login.credential = db_int(store->db, s, 1);
        nonce = db_blob(store->db, s, 2, &len);
        if (len == NONCE_LEN)
                memcpy(login.nonce, nonce, NONCE_LEN);
        login.state = (LoginState)db_int(store->db, s, 3);
        login.accepted_usec = db_usec(store->db, s, 4);
        login.service = copy_text(store->db, s, 5, &failed);
        login.tty = copy_text(store->db, s, 6, &failed);
        login.rhost = copy_text(store->db, s, 7, &failed);
        login.boot = db_int(store->db, s, 8);
        login.pid = (pid_t)db_int(store->db, s, 9);
        login.ticks = (uint64_t)db_int(store->db, s, 10);
        login.parent = (pid_t)db_int(store->db, s, 11);
        login.parent_ticks = (uint64_t)db_int(store->db, s, 12);
        db_end(store->db, s);
        if (failed || len != NONCE_LEN) {
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

int store_lapse_peek(Store *store, Login *ret)
{
        return one_login(
                store, STATEMENT_LOGIN_AFTER,
                db_first(store->db, STATEMENT_LOGIN_AFTER, "ii", store->lapsed, INT64_C(1)), ret);
}

int store_lapse_advance(Store *store, int64_t num)
{
        int r = exactly_one(db_run(store->db, STATEMENT_INSTANCE_LAPSED, "i", num));

        if (r == 0)
                store->lapsed = num;
        return r;
}

int store_set_login(Store *store, int64_t num, LoginState state)
{
        return exactly_one(db_run(store->db, STATEMENT_LOGIN_SET_STATE, "ii", (int64_t)state, num));
}

void session_row_done(SessionRow *row)
{
        free(row->logind_id);
        free(row->user);
        free(row->service);
        free(row->tty);
        free(row->rhost);
        json_decref(row->evidence);
        *row = (SessionRow){0};
}

int store_add_session(Store *store, const SessionRow *row)
{
        return exactly_one(db_run(store->db, STATEMENT_SESSION_ADD, "iiiiittti", row->login,
                                  row->credential, store->boot, (int64_t)row->leader,
                                  (int64_t)row->ticks, row->opened_usec, row->opened_real_usec,
                                  row->deadline_usec, (int64_t)row->lingered));
}

static int take_session(Store *store, unsigned s, SessionRow *ret)
{
        CLEANUP(session_row_done) SessionRow row = {0};
        bool failed = false;

        row.login = db_int(store->db, s, 0);
        row.credential = db_int(store->db, s, 1);
        row.boot = db_int(store->db, s, 2);
        row.leader = (pid_t)db_int(store->db, s, 3);
        row.ticks = (uint64_t)db_int(store->db, s, 4);
        row.opened_usec = db_usec(store->db, s, 5);
        row.opened_real_usec = db_usec(store->db, s, 6);
        row.deadline_usec = db_usec(store->db, s, 7);
        row.lingered = db_int(store->db, s, 8) != 0;
        row.logind_id = copy_text(store->db, s, 9, &failed);
        row.ended_usec = db_usec(store->db, s, 10);
        row.ended_real_usec = db_usec(store->db, s, 11);
        row.evidence = copy_json(store->db, s, 12, &failed);
        copy_id(store->db, s, 13, row.id);
        row.user = copy_text(store->db, s, 14, &failed);
        row.uid = (uid_t)db_int(store->db, s, 15);
        row.service = copy_text(store->db, s, 16, &failed);
        row.tty = copy_text(store->db, s, 17, &failed);
        row.rhost = copy_text(store->db, s, 18, &failed);
        row.accepted_usec = db_usec(store->db, s, 19);
        if (failed || !row.user || !row.service)
                return failed ? -ENOMEM : -EBADMSG;
        *ret = row;
        row = (SessionRow){0};
        return 1;
}

int store_read_session(Store *store, int64_t login, SessionRow *ret)
{
        const unsigned s = STATEMENT_SESSION_READ;
        int r = db_first(store->db, s, "i", login);

        if (r <= 0)
                return r;
        r = take_session(store, s, ret);
        db_end(store->db, s);
        return r;
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
                        return r < 0 ? r : 0;
                }
        }
        return r;
}

int store_bind_session(Store *store, int64_t login, const char *logind_id)
{
        return exactly_one(db_run(store->db, STATEMENT_SESSION_SET_BOUND, "si", logind_id, login));
}

int store_set_deadline(Store *store, int64_t login, uint64_t deadline_usec)
{
        return exactly_one(
                db_run(store->db, STATEMENT_SESSION_SET_DEADLINE, "ti", deadline_usec, login));
}

int store_end_session(Store *store, int64_t login, uint64_t at_usec, const json_t *evidence)
{
        AUTO_FREE char *text = json_dumps(evidence, JSON_COMPACT);

        if (!text)
                return -ENOMEM;
        return exactly_one(db_run(store->db, STATEMENT_SESSION_SET_ENDED, "ttsi", at_usec,
                                  clock_to_real_usec(store->clock, at_usec), text, login));
}

void receipt_done(Receipt *receipt)
{
        free(receipt->verdict);
        json_decref(receipt->data);
        *receipt = (Receipt){0};
}

int store_add_receipt(Store *store, int64_t num, const Receipt *receipt)
{
        AUTO_FREE char *text = json_dumps(receipt->data, JSON_COMPACT);

        if (!text)
                return -ENOMEM;
        return exactly_one(db_run(store->db, STATEMENT_RECEIPT_ADD, "ittsts", num,
                                  receipt->written_usec, receipt->written_real_usec,
                                  receipt->verdict, receipt->late_usec, text));
}

int store_find_receipt(Store *store, int64_t num, Receipt *ret)
{
        const unsigned s = STATEMENT_RECEIPT_READ;
        Receipt found = {0};
        bool failed = false;
        int r;

        r = db_first(store->db, s, "i", num);
        if (r <= 0)
                return r;
        found.written_real_usec = db_usec(store->db, s, 0);
        found.verdict = copy_text(store->db, s, 1, &failed);
        found.late_usec = db_usec(store->db, s, 2);
        found.data = copy_json(store->db, s, 3, &failed);
        db_end(store->db, s);
        if (failed) {
                receipt_done(&found);
                return -ENOMEM;
        }
        *ret = found;
        return 1;
}

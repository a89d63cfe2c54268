/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Credentials, their standing, the queue of their limits, revocations and receipts. Invariant of each
 * writer: what it expects to find is part of its WHERE, and the number of changed rows is looked at. */
#include <errno.h>
#include <string.h>

#include "credd/statements.h"
#include "credd/store-internal.h"

static int take_credential(Store *store, unsigned s, Credential *ret)
{
        AUTO_CREDENTIAL Credential c = {0};
        const void *hash;
        bool failed = false, damaged = false;
        size_t len;

        c.num = db_int(store->db, s, 0);
        row_id(store->db, s, 1, c.id);
        c.user = row_own_text(store->db, s, 2, &failed, &damaged);
        c.uid = (uid_t)row_number(store->db, s, 3, 0, UID_NONE - 1, &damaged);
        c.role = row_own_text(store->db, s, 4, &failed, &damaged);
        c.holder = row_text(store->db, s, 5, &failed);
        c.reason = row_text(store->db, s, 6, &failed);
        c.services = row_strings(store->db, s, 7, &failed, &damaged);
        c.sources = row_strings(store->db, s, 8, &failed, &damaged);
        c.uses = row_number(store->db, s, 9, 0, INT64_MAX, &damaged);
        c.issued_usec = row_usec(store->db, s, 10, &damaged);
        c.issued_real_usec = row_usec(store->db, s, 11, &damaged);
        c.not_before_usec = row_usec(store->db, s, 12, &damaged);
        c.session_ttl_usec = row_usec_if_any(store->db, s, 13, &damaged);
        c.ceiling_usec = row_usec(store->db, s, 14, &damaged);
        row_actor(store->db, s, 15, &c.issuer);
        hash = db_blob(store->db, s, 18, &len);
        c.has_hash = len == HASH_LEN;
        if (c.has_hash)
                memcpy(c.hash, hash, HASH_LEN);
        c.uses_left = row_number(store->db, s, 19, 0, c.uses, &damaged);
        c.login_limit_usec = row_usec(store->db, s, 20, &damaged);
        c.cause = (Cause)row_number(store->db, s, 21, 0, CAUSE_MAX - 1, &damaged);
        c.open_logins = row_number(store->db, s, 22, 0, INT64_MAX, &damaged);
        c.last_event = db_int(store->db, s, 23);
        c.kind = (CredentialKind)row_number(store->db, s, 24, 0, KIND_MAX - 1, &damaged);
        c.ttl_usec = row_usec(store->db, s, 25, &damaged);
        if (failed)
                return -ENOMEM;
        if (damaged || !c.user)
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

int store_read_id(Store *store, int64_t num, char ret_id[static TOKEN_ID_LEN + 1])
{
        int r = db_first(store->db, STATEMENT_CREDENTIAL_ID, "i", num);

        if (r <= 0)
                return r;
        row_id(store->db, STATEMENT_CREDENTIAL_ID, 0, ret_id);
        db_end(store->db, STATEMENT_CREDENTIAL_ID);
        return 1;
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

/* From the first row that was found on. */
int each_credential_of(Store *store, unsigned s, int found,
                       bool (*each)(void *userdata, Credential *credential), void *userdata)
{
        int r;

        for (r = found; r > 0; r = db_next(store->db, s)) {
                AUTO_CREDENTIAL Credential credential = {0};

                r = take_credential(store, s, &credential);
                if (r < 0 || !each(userdata, &credential)) {
                        db_end(store->db, s);
                        return r < 0 ? r : 0;
                }
        }
        return r;
}

int store_each_credential(Store *store, int64_t after, int64_t limit,
                          bool (*each)(void *userdata, Credential *credential), void *userdata)
{
        const unsigned s = STATEMENT_CREDENTIAL_AFTER;

        return each_credential_of(store, s, db_first(store->db, s, "ii", after, limit), each,
                                  userdata);
}

int store_each_open(Store *store, uid_t uid, uint64_t now_usec,
                    bool (*each)(void *userdata, Credential *credential), void *userdata)
{
        const unsigned s = STATEMENT_CREDENTIAL_OPEN_OF;

        return each_credential_of(store, s,
                                  db_first(store->db, s, "itt", (int64_t)uid, now_usec, now_usec),
                                  each, userdata);
}

int store_each_own(Store *store, uid_t uid, int64_t after, int64_t limit,
                   bool (*each)(void *userdata, Credential *credential), void *userdata)
{
        const unsigned s = STATEMENT_CREDENTIAL_OWN;

        return each_credential_of(store, s,
                                  db_first(store->db, s, "iii", (int64_t)uid, after, limit), each,
                                  userdata);
}

int store_each_unspent(Store *store, const char *role, uint64_t now_usec, int64_t limit,
                       bool (*each)(void *userdata, Credential *credential), void *userdata)
{
        const unsigned s = STATEMENT_CREDENTIAL_UNSPENT;

        return each_credential_of(store, s,
                                  db_first(store->db, s, "stti", role, now_usec, now_usec, limit),
                                  each, userdata);
}

static int add_credential_row(Store *store, Credential *c, const char *key)
{
        AUTO_FREE char *services = json_dumps(c->services, JSON_COMPACT);
        AUTO_FREE char *sources = json_dumps(c->sources, JSON_COMPACT);
        const unsigned s = STATEMENT_CREDENTIAL_ADD;
        int r;

        if (!services || !sources)
                return -ENOMEM;
        r = db_run(store->db, s, "sisisssssitttTtsiTst", c->id, (int64_t)c->kind, c->user,
                   (int64_t)c->uid, c->role, c->holder, c->reason, services, sources, c->uses,
                   c->issued_usec, c->issued_real_usec, c->not_before_usec, c->session_ttl_usec,
                   c->ceiling_usec, c->issuer.name, (int64_t)c->issuer.uid,
                   row_uid(c->issuer.loginuid), key, c->ttl_usec);
        if (r < 0)
                return r;
        c->num = db_last_key(store->db);
        return 0;
}

int store_add_credential(Store *store, Credential *c, const char *key)
{
        bool code = c->kind == KIND_CODE;
        int r = 0;

        if (code)
                r = store_code_is_free(store, c);
        if (r == 0)
                r = add_credential_row(store, c, key);
        if (r == 0 && code)
                r = store_add_code(store, c);
        if (r < 0)
                return r;
        r = db_run(store->db, STATEMENT_STANDING_ADD, "ibiti", c->num, c->has_hash ? c->hash : NULL,
                   c->has_hash ? (size_t)HASH_LEN : 0, c->uses_left, c->login_limit_usec,
                   (int64_t)c->cause);
        return r < 0 ? r : 0;
}

int store_spend(Store *store, const Credential *credential)
{
        int r = row_exactly_one(db_run(store->db, STATEMENT_STANDING_SPEND, "ii",
                                       (int64_t)CAUSE_USED, credential->num));

        if (r == 0 && credential->uses_left == 1 && credential->kind == KIND_CODE)
                return store_remove_code(store, credential->num);
        return r;
}

int store_close_login(Store *store, int64_t num)
{
        return row_exactly_one(db_run(store->db, STATEMENT_STANDING_LOGIN_CLOSED, "i", num));
}

int store_close_credential(Store *store, int64_t num, Cause cause)
{
        int r = row_exactly_one(
                db_run(store->db, STATEMENT_STANDING_CLOSE, "ii", (int64_t)cause, num));

        return r < 0 ? r : store_remove_code(store, num);
}

int store_extend(Store *store, int64_t num, uint64_t login_limit_usec)
{
        return row_exactly_one(
                db_run(store->db, STATEMENT_STANDING_EXTEND, "ti", login_limit_usec, num));
}

int store_add_revocation(Store *store, int64_t num, const Revocation *revocation)
{
        return row_exactly_one(db_run(store->db, STATEMENT_REVOCATION_ADD, "itsiTs", num,
                                      revocation->at_real_usec, revocation->actor.name,
                                      (int64_t)revocation->actor.uid,
                                      row_uid(revocation->actor.loginuid), revocation->reason));
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
        row_actor(store->db, s, 1, &found.actor);
        found.reason = row_text(store->db, s, 4, &failed);
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

int store_count_ahead(Store *store, uint64_t now_usec, int64_t max,
                      uint64_t counts[static STATE_MAX])
{
        const unsigned s = STATEMENT_EXPIRY_LATER;
        int64_t n = 0;
        int r;

        for (r = db_first(store->db, s, "ti", now_usec, max + 1); r > 0 && n <= max;
             r = db_next(store->db, s)) {
                const Credential credential = {.login_limit_usec = db_usec(store->db, s, 1),
                                               .cause = (Cause)db_int(store->db, s, 2),
                                               .open_logins = db_int(store->db, s, 3)};

                counts[credential_state(&credential, false, now_usec)]++;
                n++;
        }
        db_end(store->db, s);
        return r < 0 ? r : n <= max;
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
        uint64_t at = store->now.expired.login_limit_usec;
        size_t n;
        int r;

        r = db_first(store->db, STATEMENT_EXPIRY_SAME, "tii", at, store->now.expired.num,
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
        int r = row_exactly_one(db_run(store->db, STATEMENT_INSTANCE_EXPIRED, "ti",
                                       row->login_limit_usec, row->num));

        if (r == 0)
                store->now.expired = *row;
        return r;
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
        return row_exactly_one(db_run(store->db, STATEMENT_RECEIPT_ADD, "ittsts", num,
                                      receipt->written_usec, receipt->written_real_usec,
                                      receipt->verdict, receipt->late_usec, text));
}

int store_find_receipt(Store *store, int64_t num, Receipt *ret)
{
        const unsigned s = STATEMENT_RECEIPT_READ;
        Receipt found = {0};
        bool failed = false, damaged = false;
        int r;

        r = db_first(store->db, s, "i", num);
        if (r <= 0)
                return r;
        found.written_real_usec = db_usec(store->db, s, 0);
        found.verdict = row_text(store->db, s, 1, &failed);
        found.late_usec = db_usec(store->db, s, 2);
        found.data = row_json(store->db, s, 3, &failed, &damaged);
        db_end(store->db, s);
        if (failed || damaged) {
                receipt_done(&found);
                return failed ? -ENOMEM : -EBADMSG;
        }
        *ret = found;
        return 1;
}

int store_receipt_written(Store *store, int64_t num, uint64_t *ret_real_usec)
{
        const unsigned s = STATEMENT_RECEIPT_WRITTEN;
        int r = db_first(store->db, s, "i", num);

        if (r <= 0)
                return r;
        *ret_real_usec = db_usec(store->db, s, 0);
        db_end(store->db, s);
        return 1;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was asked for, who said yes, and how it becomes a credential. Invariant of each writer, as in
 * store-credentials.c: it changes one row that is as it expects, or fails. */
#include <errno.h>

#include "credd/statements.h"
#include "credd/store-internal.h"

int store_add_request(Store *store, int64_t num, const RequestRow *row)
{
        return row_exactly_one(db_run(store->db, STATEMENT_REQUEST_ADD, "isiTti", num,
                                      row->actor.name, (int64_t)row->actor.uid,
                                      row_uid(row->actor.loginuid), row->asked_real_usec,
                                      row->needed));
}

int store_find_request(Store *store, int64_t num, RequestRow *ret)
{
        const unsigned s = STATEMENT_REQUEST_READ;
        int r = db_first(store->db, s, "i", num);

        if (r <= 0)
                return r;
        *ret = (RequestRow){
                .asked_real_usec = db_usec(store->db, s, 3),
                .needed = db_int(store->db, s, 4),
                .given = db_int(store->db, s, 5),
                .collected_real_usec = db_usec(store->db, s, 6),
        };
        row_actor(store->db, s, 0, &ret->actor);
        db_end(store->db, s);
        return 1;
}

int store_count_waiting(Store *store, uid_t uid, int64_t *ret_n)
{
        const unsigned s = STATEMENT_REQUEST_WAITING_OF;
        int r = db_first(store->db, s, "i", (int64_t)uid);

        if (r <= 0)
                return r < 0 ? r : -EIO;
        *ret_n = db_int(store->db, s, 0);
        db_end(store->db, s);
        return 0;
}

int store_add_approval(Store *store, int64_t num, const Approval *approval)
{
        int r = row_exactly_one(db_run(store->db, STATEMENT_APPROVAL_ADD, "iisTts", num,
                                       (int64_t)approval->actor.uid, approval->actor.name,
                                       row_uid(approval->actor.loginuid), approval->at_real_usec,
                                       approval->reason));

        return r < 0 ? r : row_exactly_one(db_run(store->db, STATEMENT_REQUEST_APPROVED, "i", num));
}

static int take_approval(Store *store, unsigned s, Approval *ret)
{
        bool failed = false;

        *ret = (Approval){.at_real_usec = db_usec(store->db, s, 3),
                          .reason = row_text(store->db, s, 4, &failed)};
        row_actor(store->db, s, 0, &ret->actor);
        return failed ? -ENOMEM : 0;
}

int store_each_approval(Store *store, int64_t num,
                        bool (*each)(void *userdata, const Approval *approval), void *userdata)
{
        const unsigned s = STATEMENT_APPROVAL_OF;
        int r;

        for (r = db_first(store->db, s, "i", num); r > 0; r = db_next(store->db, s)) {
                Approval approval;
                bool more;

                r = take_approval(store, s, &approval);
                more = r == 0 && each(userdata, &approval);
                free(approval.reason);
                if (!more) {
                        db_end(store->db, s);
                        return r;
                }
        }
        return r;
}

int store_each_pending(Store *store, int64_t after, int64_t limit,
                       bool (*each)(void *userdata, Credential *credential), void *userdata)
{
        const unsigned s = STATEMENT_CREDENTIAL_PENDING;

        return each_credential_of(store, s, db_first(store->db, s, "ii", after, limit), each,
                                  userdata);
}

int store_collect(Store *store, const Credential *c)
{
        int r;

        r = row_exactly_one(db_run(store->db, STATEMENT_STANDING_COLLECT, "bti", c->hash,
                                   (size_t)HASH_LEN, c->login_limit_usec, c->num));
        if (r == 0)
                r = row_exactly_one(db_run(store->db, STATEMENT_CREDENTIAL_COLLECT, "tttti",
                                           c->issued_usec, c->issued_real_usec, c->not_before_usec,
                                           c->ceiling_usec, c->num));
        return r < 0 ? r
                     : row_exactly_one(db_run(store->db, STATEMENT_REQUEST_COLLECTED, "ti",
                                              c->issued_real_usec, c->num));
}

int store_replace_hash(Store *store, const Credential *c)
{
        return row_exactly_one(db_run(store->db, STATEMENT_STANDING_NEW_HASH, "bii", c->hash,
                                      (size_t)HASH_LEN, c->num, c->uses));
}

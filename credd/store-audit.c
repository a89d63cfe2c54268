/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What only the audit asks of the store. It writes nothing. */
#include <errno.h>

#include "credd/statements.h"
#include "credd/store-internal.h"

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

static int take_alarm(Store *store, unsigned s, Alarm *ret)
{
        bool failed = false;

        *ret = (Alarm){.kind = (AlarmKind)db_int(store->db, s, 0),
                       .raised_real_usec = db_usec(store->db, s, 1),
                       .acked_real_usec = db_usec(store->db, s, 2)};
        row_actor(store->db, s, 3, &ret->actor);
        ret->reason = row_text(store->db, s, 6, &failed);
        return failed ? -ENOMEM : 0;
}

int store_each_alarm(Store *store, int64_t num, bool (*each)(void *userdata, const Alarm *alarm),
                     void *userdata)
{
        const unsigned s = STATEMENT_ALARM_OF;
        int r;

        for (r = db_first(store->db, s, "i", num); r > 0; r = db_next(store->db, s)) {
                Alarm alarm;
                bool more;

                r = take_alarm(store, s, &alarm);
                more = r == 0 && each(userdata, &alarm);
                free(alarm.reason);
                if (!more) {
                        db_end(store->db, s);
                        return r;
                }
        }
        return r;
}

int store_find_role_off(Store *store, const char *role, Revocation *ret)
{
        const unsigned s = STATEMENT_ROLE_OFF_WHO;
        Revocation found = {0};
        bool failed = false;
        int r;

        r = db_first(store->db, s, "s", role);
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

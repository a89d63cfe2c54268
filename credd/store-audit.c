/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What only the audit asks of the store. It writes nothing. */

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

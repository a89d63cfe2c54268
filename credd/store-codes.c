/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The codes that are open. A handle has 20 bits, so two codes may be drawn with the same; of those that
 * are open no two have it, and so a handle names one. What is closed stays in "credential" alone. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "credd/statements.h"
#include "credd/store-internal.h"

typedef struct Handle {
        char text[CODE_HANDLE_LEN + 1];
} Handle;

static Handle handle_of(const Credential *credential)
{
        Handle handle = {0};

        memcpy(handle.text, credential->id, CODE_HANDLE_LEN);
        return handle;
}

static int find_open(Store *store, const char *handle, int64_t *ret_num, int64_t *ret_tries)
{
        const unsigned s = STATEMENT_CODE_BY_HANDLE;
        int r = db_first(store->db, s, "s", handle);

        if (r <= 0)
                return r;
        *ret_num = db_int(store->db, s, 0);
        *ret_tries = db_int(store->db, s, 1);
        db_end(store->db, s);
        return 1;
}

int store_code_is_free(Store *store, const Credential *credential)
{
        Handle handle = handle_of(credential);
        int64_t num, tries;
        int r = find_open(store, handle.text, &num, &tries);

        return r > 0 ? -EEXIST : r;
}

int store_add_code(Store *store, const Credential *credential)
{
        Handle handle = handle_of(credential);

        return row_exactly_one(
                db_run(store->db, STATEMENT_CODE_ADD, "si", handle.text, credential->num));
}

int store_remove_code(Store *store, int64_t num)
{
        int r = db_run(store->db, STATEMENT_CODE_REMOVE, "i", num);

        return r < 0 ? r : 0;
}

int store_find_code(Store *store, const char *handle, Credential *ret, int64_t *ret_tries)
{
        int64_t num = 0;
        int r = find_open(store, handle, &num, ret_tries);

        if (r <= 0)
                return r;
        r = store_read_credential(store, num, ret);
        return r == 0 ? -EBADMSG : r;
}

int store_find_closed_code(Store *store, const char *handle, Credential *ret)
{
        const unsigned s = STATEMENT_CODE_CLOSED;
        char beyond[CODE_HANDLE_LEN + 2];
        int64_t num;
        int r;

        /* "~" stands behind every character of an id. */
        (void)snprintf(beyond, sizeof(beyond), "%.*s~", CODE_HANDLE_LEN, handle);
        r = db_first(store->db, s, "ss", handle, beyond);
        if (r <= 0)
                return r;
        num = db_is_null(store->db, s, 0) ? 0 : db_int(store->db, s, 0);
        db_end(store->db, s);
        return num > 0 ? store_read_credential(store, num, ret) : 0;
}

int store_count_try(Store *store, int64_t num)
{
        return row_exactly_one(db_run(store->db, STATEMENT_CODE_TRIED, "i", num));
}

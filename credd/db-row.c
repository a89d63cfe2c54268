/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the row that a statement stands at says. */
#include "credd/db-internal.h"

bool db_is_null(Db *db, unsigned number, int column)
{
        return sqlite3_column_type(db->statements[number], column) == SQLITE_NULL;
}

bool db_is_int(Db *db, unsigned number, int column)
{
        return sqlite3_column_type(db->statements[number], column) == SQLITE_INTEGER;
}

int64_t db_int(Db *db, unsigned number, int column)
{
        return sqlite3_column_int64(db->statements[number], column);
}

uint64_t db_usec(Db *db, unsigned number, int column)
{
        return db_is_null(db, number, column) ? USEC_INFINITY
                                              : (uint64_t)db_int(db, number, column);
}

const char *db_text(Db *db, unsigned number, int column)
{
        return (const char *)sqlite3_column_text(db->statements[number], column);
}

size_t db_text_len(Db *db, unsigned number, int column)
{
        return (size_t)sqlite3_column_bytes(db->statements[number], column);
}

const void *db_blob(Db *db, unsigned number, int column, size_t *ret_len)
{
        const void *blob = sqlite3_column_blob(db->statements[number], column);

        *ret_len = (size_t)sqlite3_column_bytes(db->statements[number], column);
        return blob;
}

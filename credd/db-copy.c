/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A copy of the database while it is in use, a few pages at a time. The connection that is copied from
 * is the one that writes, so SQLite takes what is written meanwhile along, and the copy is whole as of
 * its last step. Nothing is flushed to the disk: who wants it to last writes it elsewhere. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "credd/db-internal.h"

struct DbCopy {
        Db *to;
        sqlite3_backup *backup;
};

static Db *target_open(const char *path, int *ret_error)
{
        Db *db = calloc(1, sizeof(*db));

        if (!db) {
                *ret_error = -ENOMEM;
                return NULL;
        }
        *ret_error = db_error_of(sqlite3_open_v2(path, &db->handle,
                                                 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                                                         SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
                                                 NULL));
        if (*ret_error == 0)
                *ret_error = db_execute(db, "PRAGMA locking_mode=EXCLUSIVE;"
                                            "PRAGMA synchronous=OFF; PRAGMA journal_mode=OFF;"
                                            "PRAGMA cache_size=-1024");
        return db;
}

int db_copy_new(Db *from, const char *path, DbCopy **ret_copy)
{
        CLEANUP(db_copy_freep) DbCopy *copy = calloc(1, sizeof(*copy));
        int r;

        if (!copy)
                return -ENOMEM;
        copy->to = target_open(path, &r);
        if (r < 0)
                return r;
        copy->backup = sqlite3_backup_init(copy->to->handle, "main", from->handle, "main");
        if (!copy->backup)
                return db_error_of(sqlite3_errcode(copy->to->handle)) ?: -EIO;
        *ret_copy = take_ptr(copy);
        return 0;
}

int db_copy_step(DbCopy *copy, int pages)
{
        int r = sqlite3_backup_step(copy->backup, pages);

        if (r == SQLITE_OK)
                return 1;
        if (r != SQLITE_DONE)
                return db_error_of(r) ?: -EIO;
        r = db_error_of(sqlite3_backup_finish(take_ptr(copy->backup)));
        /* One file, without a log beside it: whoever has the file has all of it. */
        if (r == 0)
                r = db_pragma(copy->to, "PRAGMA journal_mode=DELETE", "delete");
        return r;
}

DbCopy *db_copy_free(DbCopy *copy)
{
        if (!copy)
                return NULL;
        if (copy->backup)
                (void)sqlite3_backup_finish(copy->backup);
        (void)db_close(copy->to);
        free(copy);
        return NULL;
}

/* --- a file that came from somewhere --- */

/* "ok" alone; else the first thing that is wrong. */
static int quick_check(Db *db, char *ret_what, size_t size)
{
        sqlite3_stmt *statement = NULL;
        const char *said = NULL;
        int r;

        r = db_error_of(
                sqlite3_prepare_v2(db->handle, "PRAGMA quick_check(1)", -1, &statement, NULL));
        if (r == 0 && sqlite3_step(statement) == SQLITE_ROW)
                said = (const char *)sqlite3_column_text(statement, 0);
        if (r == 0 && (!said || strcmp(said, "ok") != 0)) {
                (void)snprintf(ret_what, size, "%s", said ?: sqlite3_errmsg(db->handle));
                r = -EBADMSG;
        }
        (void)sqlite3_finalize(statement);
        return r;
}

int db_open_file(const char *path, const DbSchema *schema, char *ret_what, size_t size, Db **ret_db)
{
        CLEANUP(db_closep) Db *db = calloc(1, sizeof(*db));
        unsigned version = 0;
        int r;

        ret_what[0] = '\0';
        if (!db)
                return -ENOMEM;
        r = db_error_of(sqlite3_open_v2(
                path, &db->handle,
                SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, NULL));
        if (r == 0)
                r = db_execute(db, "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON");
        if (r == 0)
                r = db_inspect(db, schema, &version);
        /* an empty file could become ours, and is none yet */
        if (r == 0 && version == 0)
                r = -EBADMSG;
        if (r == 0)
                r = quick_check(db, ret_what, size);
        if (r == 0 && version == schema->n_migrations)
                r = db_prepare_all(db, schema);
        if (r < 0)
                return r;
        *ret_db = take_ptr(db);
        return version == schema->n_migrations ? 0 : 1;
}

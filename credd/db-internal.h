/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by the files db*.c alone: here, and nowhere else, SQLite is known. */
#pragma once

#include <sqlite3.h>

#include "credd/db.h"

struct Db {
        sqlite3 *handle;
        sqlite3_stmt **statements;
        unsigned n_statements;
        int log_frames; /* in the log, and not in the file yet */
        sqlite3_stmt *begin, *commit, *savepoint, *release, *rollback_to;
        bool damaged;
};

/* A result of SQLite as db.h's errors. */
int db_error_of(int code);
int db_execute(Db *db, const char *sql);
/* Runs a pragma and reads its value back: SQLite ignores what it cannot do without a word. */
int db_pragma(Db *db, const char *sql, const char *expect);
/* db-log.c: from now on the log is moved when the caller says so. */
void db_log_watch(Db *db);
/* db-settle.c. Under the exclusive lock, before anybody is told what stands in the file. */
int db_settle_log(Db *db);
int db_prepare_all(Db *db, const DbSchema *schema);
/* Is this file ours, and not from the future? -EBADMSG; -ENOTSUP. */
int db_inspect(Db *db, const DbSchema *schema, unsigned *ret_version);

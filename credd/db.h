/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SQLite, fenced: one connection, exclusive, WAL with a flush at each commit; a closed list of
 * statements, prepared once. What is asked of it is in store.c.
 *
 * Errors: -ENOSPC full, -EIO input or output, -EBADMSG damaged or not a database, -EBUSY somebody
 * else has it open, -EROFS, -EEXIST a constraint, -ENOTSUP made by a newer credd. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"

typedef struct Db Db;

typedef struct DbSchema {
        uint32_t application_id;
        /* migrations[i] leads from user_version i to i + 1 */
        const char *const *migrations;
        unsigned n_migrations;
        const char *const *statements;
        unsigned n_statements;
} DbSchema;

/* Opens or makes the file; the settings are read back. A damaged file is left as it is. */
int db_open(const char *path, const DbSchema *schema, Db **ret_db);
Db *db_close(Db *db);
DEFINE_CLEANUP(Db, db_close)

/* Text of the last error, for the log. */
const char *db_error(const Db *db);

/* A statement has met damage since it was opened. */
bool db_damaged(const Db *db);

int db_begin(Db *db);
/* Any error is an unknown outcome: the caller ends the process. */
int db_commit(Db *db);
int db_savepoint(Db *db);
int db_release(Db *db);
int db_rollback_to(Db *db);

/* Arguments by format: i int64_t; s const char * (NULL is null); b const void *, size_t;
 * t uint64_t microseconds; T the same, USEC_INFINITY is null. */
/* Runs to the end. Number of changed rows, or an error. */
int db_run(Db *db, unsigned statement, const char *format, ...);
/* The key of the row that the last insertion made. */
int64_t db_last_key(const Db *db);
/* 1: there is a row; its columns can be read until db_next() or db_end(). 0: none, ended. */
int db_first(Db *db, unsigned statement, const char *format, ...);
int db_next(Db *db, unsigned statement);
void db_end(Db *db, unsigned statement);

bool db_is_null(Db *db, unsigned statement, int column);
bool db_is_int(Db *db, unsigned statement, int column);
int64_t db_int(Db *db, unsigned statement, int column);
/* null is USEC_INFINITY */
uint64_t db_usec(Db *db, unsigned statement, int column);
/* Valid until the row is left; NULL for null. */
const char *db_text(Db *db, unsigned statement, int column);
/* After db_text(): its bytes, NULs within counted. */
size_t db_text_len(Db *db, unsigned statement, int column);
const void *db_blob(Db *db, unsigned statement, int column, size_t *ret_len);

/* The log (db-log.c), which is moved into the file by nobody else. */
/* Pages that are in it since it was last moved. */
int db_log_frames(const Db *db);
/* Outside of a transaction. An error changes nothing: the log has it all still. -EBUSY: not now. */
int db_log_write_back(Db *db);
/* Makes its file so large with zeros, by so many bytes at most, and flushes them. 1: it is smaller still. */
int db_log_lay_out(Db *db, int64_t size, int64_t most);

/* A copy as one file, made while the database is used: db-copy.c. Outside of a transaction. */
typedef struct DbCopy DbCopy;
/* path must not be there. */
int db_copy_new(Db *from, const char *path, DbCopy **ret_copy);
/* So many pages more. 1: there are more; 0: the copy is whole. */
int db_copy_step(DbCopy *copy, int pages);
DbCopy *db_copy_free(DbCopy *copy);
DEFINE_CLEANUP(DbCopy, db_copy_free)

/* Opens a file that came from somewhere, to be read only, and looks whether it is a database of that
 * schema and sound. 1: of an older version, so that no statement can be run. -EBADMSG: *ret_what is what
 * SQLite says is wrong with it, or "". */
int db_open_file(const char *path, const DbSchema *schema, char *ret_what, size_t size,
                 Db **ret_db);

/* For tests: the plan of a statement, a line a step, to be freed by the caller. */
int db_plan(Db *db, unsigned statement, char **ret_text);

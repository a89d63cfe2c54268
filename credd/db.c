/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one connection to SQLite. Invariants: synchronous=FULL in WAL, so a commit that returned is
 * on the disk; locking_mode=EXCLUSIVE before the first read, so nobody else reads or writes the
 * file (and the WAL index is not shared); nothing is ever deleted or made anew because of an error.
 */
#include "credd/db-internal.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What SQLite keeps at hand for its small allocations; its own 40 are few for what a login runs. */
#define SMALL_BYTES 1200
#define SMALL_COUNT 160

int db_error_of(int code)
{
        switch (code & 0xff) {
        case SQLITE_OK:
        case SQLITE_ROW:
        case SQLITE_DONE:
                return 0;
        case SQLITE_NOMEM:
                return -ENOMEM;
        case SQLITE_FULL:
                return -ENOSPC;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
                return -EBADMSG;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
                return -EBUSY;
        case SQLITE_READONLY:
                return -EROFS;
        case SQLITE_CONSTRAINT:
                return -EEXIST;
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
                return -EACCES;
        default:
                return -EIO;
        }
}

const char *db_error(const Db *db)
{
        return db->handle ? sqlite3_errmsg(db->handle) : "not open";
}

Db *db_close(Db *db)
{
        if (!db)
                return NULL;
        for (unsigned i = 0; i < db->n_statements; i++)
                (void)sqlite3_finalize(db->statements[i]);
        free(db->statements);
        (void)sqlite3_finalize(db->begin);
        (void)sqlite3_finalize(db->commit);
        (void)sqlite3_finalize(db->savepoint);
        (void)sqlite3_finalize(db->release);
        (void)sqlite3_finalize(db->rollback_to);
        (void)sqlite3_close(db->handle);
        free(db);
        return NULL;
}

int db_execute(Db *db, const char *sql)
{
        return db_error_of(sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

int db_pragma(Db *db, const char *sql, const char *expect)
{
        sqlite3_stmt *statement = NULL;
        int r;

        r = db_error_of(sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL));
        if (r < 0)
                return r;
        r = sqlite3_step(statement);
        if (r == SQLITE_ROW) {
                const char *is = (const char *)sqlite3_column_text(statement, 0);

                r = is && strcmp(is, expect) == 0 ? 0 : -EIO;
        } else
                r = db_error_of(r) ?: -EIO;
        (void)sqlite3_finalize(statement);
        return r;
}

static int setup(Db *db)
{
        static const struct {
                const char *set, *get, *expect;
        } settings[] = {
                {"PRAGMA journal_mode=WAL", "PRAGMA journal_mode", "wal"},
                {"PRAGMA synchronous=FULL", "PRAGMA synchronous", "2"},
                {"PRAGMA wal_autocheckpoint=0", "PRAGMA wal_autocheckpoint", "0"},
                {"PRAGMA foreign_keys=ON", "PRAGMA foreign_keys", "1"},
                /* the file is trusted as little as any input */
                {"PRAGMA trusted_schema=OFF", "PRAGMA trusted_schema", "0"},
                {"PRAGMA cell_size_check=ON", "PRAGMA cell_size_check", "1"},
                {"PRAGMA temp_store=MEMORY", "PRAGMA temp_store", "2"},
        };
        int r;

        for (size_t i = 0; i < ELEMENTSOF(settings); i++) {
                r = db_execute(db, settings[i].set);
                if (r == 0)
                        r = db_pragma(db, settings[i].get, settings[i].expect);
                if (r < 0)
                        return r;
        }
        return db_error_of(sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL));
}

static int read_number(Db *db, const char *sql, int64_t *ret)
{
        sqlite3_stmt *statement = NULL;
        int r;

        r = db_error_of(sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL));
        if (r < 0)
                return r;
        r = sqlite3_step(statement);
        if (r == SQLITE_ROW) {
                *ret = sqlite3_column_int64(statement, 0);
                r = 0;
        } else
                r = db_error_of(r) ?: -EIO;
        (void)sqlite3_finalize(statement);
        return r;
}

/* One transaction a step, version number included: a crash leaves a whole version. */
static int migrate_one(Db *db, const DbSchema *schema, unsigned from)
{
        char finish[96];
        int r;

        (void)snprintf(finish, sizeof(finish),
                       "PRAGMA application_id=%u; PRAGMA user_version=%u; COMMIT",
                       schema->application_id, from + 1);
        r = db_execute(db, "BEGIN IMMEDIATE");
        if (r == 0)
                r = db_execute(db, schema->migrations[from]);
        if (r == 0)
                r = db_execute(db, finish);
        return r;
}

/* Before anything is written: is this file ours, and not from the future? An empty one becomes ours. */
int db_inspect(Db *db, const DbSchema *schema, unsigned *ret_version)
{
        int64_t version = 0, application = 0, tables = 0;
        int r;

        r = read_number(db, "PRAGMA user_version", &version);
        if (r == 0)
                r = read_number(db, "PRAGMA application_id", &application);
        if (r == 0)
                r = read_number(db, "SELECT count(*) FROM sqlite_schema", &tables);
        if (r < 0)
                return r;
        if (application != schema->application_id &&
            (application != 0 || version != 0 || tables != 0))
                return -EBADMSG;
        if (version < 0 || version > schema->n_migrations)
                return -ENOTSUP;
        *ret_version = (unsigned)version;
        return 0;
}

static int migrate(Db *db, const DbSchema *schema, unsigned version)
{
        int r = 0;

        for (unsigned i = version; i < schema->n_migrations && r == 0; i++)
                r = migrate_one(db, schema, i);
        return r;
}

static int prepare(Db *db, const char *sql, sqlite3_stmt **ret)
{
        return db_error_of(
                sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL));
}

int db_prepare_all(Db *db, const DbSchema *schema)
{
        const struct {
                const char *sql;
                sqlite3_stmt **at;
        } fixed[] = {
                {"BEGIN IMMEDIATE", &db->begin},           {"COMMIT", &db->commit},
                {"SAVEPOINT request", &db->savepoint},     {"RELEASE request", &db->release},
                {"ROLLBACK TO request", &db->rollback_to},
        };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(fixed) && r == 0; i++)
                r = prepare(db, fixed[i].sql, fixed[i].at);
        db->statements = calloc(schema->n_statements, sizeof(*db->statements));
        if (!db->statements)
                return -ENOMEM;
        db->n_statements = schema->n_statements;
        for (unsigned i = 0; i < schema->n_statements && r == 0; i++)
                r = prepare(db, schema->statements[i], &db->statements[i]);
        return r;
}

/* One thread, and nobody asks what memory was used. The first opening of the process decides it. */
static void configure_library(void)
{
        (void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
        (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int db_open(const char *path, const DbSchema *schema, Db **ret_db)
{
        CLEANUP(db_closep) Db *db = NULL;
        unsigned version = 0;
        int r;

        configure_library();
        db = calloc(1, sizeof(*db));
        if (!db)
                return -ENOMEM;
        r = db_error_of(sqlite3_open_v2(path, &db->handle,
                                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                                                SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
                                        NULL));
        if (r == 0)
                r = db_error_of(sqlite3_db_config(db->handle, SQLITE_DBCONFIG_LOOKASIDE, NULL,
                                                  SMALL_BYTES, SMALL_COUNT));
        /* Exclusive before the first read, and a look before the first write. */
        if (r == 0)
                r = db_execute(db, "PRAGMA locking_mode=EXCLUSIVE");
        if (r == 0)
                r = db_pragma(db, "PRAGMA locking_mode", "exclusive");
        if (r == 0)
                r = db_inspect(db, schema, &version);
        if (r == 0)
                r = db_settle_log(db);
        if (r == 0)
                r = setup(db);
        if (r == 0)
                db_log_watch(db);
        if (r == 0)
                r = migrate(db, schema, version);
        if (r == 0)
                r = db_prepare_all(db, schema);
        if (r < 0)
                return r;
        *ret_db = take_ptr(db);
        return 0;
}

bool db_damaged(const Db *db)
{
        return db->damaged;
}

static int result(Db *db, int code)
{
        int r = db_error_of(code);

        if (r == -EBADMSG)
                db->damaged = true;
        return r;
}

static int run_fixed(Db *db, sqlite3_stmt *statement)
{
        int r = result(db, sqlite3_step(statement));

        (void)sqlite3_reset(statement);
        return r;
}

int db_begin(Db *db)
{
        return run_fixed(db, db->begin);
}

int db_commit(Db *db)
{
        return run_fixed(db, db->commit);
}

int db_savepoint(Db *db)
{
        return run_fixed(db, db->savepoint);
}

int db_release(Db *db)
{
        return run_fixed(db, db->release);
}

int db_rollback_to(Db *db)
{
        int r = run_fixed(db, db->rollback_to);

        return r < 0 ? r : run_fixed(db, db->release);
}

static int bind_time(sqlite3_stmt *statement, int at, uint64_t usec, bool nullable)
{
        if (nullable && usec == USEC_INFINITY)
                return sqlite3_bind_null(statement, at);
        return sqlite3_bind_int64(statement, at, (int64_t)usec);
}

static int bind_one(sqlite3_stmt *statement, int at, char kind, va_list *arguments)
{
        const void *blob;

        switch (kind) {
        case 'i':
                return sqlite3_bind_int64(statement, at, va_arg(*arguments, int64_t));
        case 't':
        case 'T':
                return bind_time(statement, at, va_arg(*arguments, uint64_t), kind == 'T');
        case 's':
                return sqlite3_bind_text(statement, at, va_arg(*arguments, const char *), -1,
                                         SQLITE_STATIC);
        case 'b':
                blob = va_arg(*arguments, const void *);
                return sqlite3_bind_blob64(statement, at, blob, va_arg(*arguments, size_t),
                                           SQLITE_STATIC);
        default:
                return SQLITE_MISUSE;
        }
}

/* SQLITE_STATIC above: what is bound outlives the step, because the caller's arguments do, and
 * db_end() clears the bindings. */
static int bind(sqlite3_stmt *statement, const char *format, va_list *arguments)
{
        int r = SQLITE_OK;

        assert((int)strlen(format) == sqlite3_bind_parameter_count(statement));
        for (int i = 0; format[i] && r == SQLITE_OK; i++)
                r = bind_one(statement, i + 1, format[i], arguments);
        return db_error_of(r);
}

int db_next(Db *db, unsigned number)
{
        int r = sqlite3_step(db->statements[number]);

        if (r == SQLITE_ROW)
                return 1;
        db_end(db, number);
        return result(db, r);
}

void db_end(Db *db, unsigned number)
{
        (void)sqlite3_reset(db->statements[number]);
        (void)sqlite3_clear_bindings(db->statements[number]);
}

int db_first(Db *db, unsigned number, const char *format, ...)
{
        va_list arguments;
        int r;

        assert(number < db->n_statements);
        va_start(arguments, format);
        r = bind(db->statements[number], format, &arguments);
        va_end(arguments);
        return r < 0 ? r : db_next(db, number);
}

int db_run(Db *db, unsigned number, const char *format, ...)
{
        va_list arguments;
        int r;

        assert(number < db->n_statements);
        va_start(arguments, format);
        r = bind(db->statements[number], format, &arguments);
        va_end(arguments);
        if (r == 0)
                r = db_next(db, number);
        assert(r <= 0); /* a statement that returns rows is asked by db_first() */
        return r < 0 ? r : sqlite3_changes(db->handle);
}

int64_t db_last_key(const Db *db)
{
        return sqlite3_last_insert_rowid(db->handle);
}

int db_plan(Db *db, unsigned number, char **ret_text)
{
        AUTO_FREE char *sql = NULL, *text = NULL;
        sqlite3_stmt *statement = NULL;
        size_t size = 0;
        FILE *out;
        int r;

        assert(number < db->n_statements);
        if (asprintf(&sql, "EXPLAIN QUERY PLAN %s", sqlite3_sql(db->statements[number])) < 0)
                return -ENOMEM;
        out = open_memstream(&text, &size);
        if (!out)
                return -ENOMEM;
        r = db_error_of(sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL));
        while (r == 0 && sqlite3_step(statement) == SQLITE_ROW)
                (void)fprintf(out, "%s\n", (const char *)sqlite3_column_text(statement, 3));
        (void)sqlite3_finalize(statement);
        if (fclose(out) != 0 && r == 0)
                r = -ENOMEM;
        if (r == 0)
                *ret_text = take_ptr(text);
        return r;
}

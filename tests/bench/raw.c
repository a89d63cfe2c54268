/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* As limits.c has it, beside the daemon in one program: a few bytes of rows that are anywhere in a table of
 * 100,000, which is what logins and ends of credentials do; a log that is written over from its beginning. */
#include "tests/bench/raw.h"

#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/rig.h"

#define ROWS 100000

struct Raw {
        sqlite3 *handle;
        sqlite3_stmt *begin, *change, *commit;
        uint64_t at;
};

static void must(Raw *raw, int code)
{
        if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW)
                die("sqlite: %s", sqlite3_errmsg(raw->handle));
}

static void execute(Raw *raw, const char *sql)
{
        must(raw, sqlite3_exec(raw->handle, sql, NULL, NULL, NULL));
}

static void prepare(Raw *raw, const char *sql, sqlite3_stmt **ret)
{
        must(raw, sqlite3_prepare_v2(raw->handle, sql, -1, ret, NULL));
}

static void step(Raw *raw, sqlite3_stmt *statement)
{
        must(raw, sqlite3_step(statement));
        must(raw, sqlite3_reset(statement));
}

Raw *raw_open(const char *folder)
{
        Raw *raw = calloc(1, sizeof(*raw));
        char path[RIG_PATH_MAX + 8];

        if (!raw)
                die("out of memory");
        (void)snprintf(path, sizeof(path), "%s/raw.db", folder);
        must(raw, sqlite3_open(path, &raw->handle));
        execute(raw,
                "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;"
                "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
                "CREATE TABLE standing (num INTEGER PRIMARY KEY, uses_left INTEGER,"
                " state INTEGER, last_event INTEGER) STRICT;"
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
                "INSERT INTO standing SELECT i, 1, 0, i FROM n");
        prepare(raw, "BEGIN IMMEDIATE", &raw->begin);
        prepare(raw, "COMMIT", &raw->commit);
        prepare(raw, "UPDATE standing SET uses_left = uses_left - 1 WHERE num = ?1", &raw->change);
        (void)raw_commit(raw, 100, 64); /* the log gets as long as it will */
        return raw;
}

double raw_commit(Raw *raw, size_t commits, size_t rows)
{
        double begun;

        must(raw,
             sqlite3_wal_checkpoint_v2(raw->handle, "main", SQLITE_CHECKPOINT_RESTART, NULL, NULL));
        begun = now_usec();
        for (size_t i = 0; i < commits; i++) {
                step(raw, raw->begin);
                for (size_t row = 0; row < rows; row++) {
                        raw->at = raw->at * UINT64_C(6364136223846793005) + 1442695040888963407;
                        must(raw, sqlite3_bind_int64(raw->change, 1,
                                                     (sqlite3_int64)(1 + (raw->at >> 33) % ROWS)));
                        step(raw, raw->change);
                }
                step(raw, raw->commit);
        }
        return (double)(commits * rows) / ((now_usec() - begun) / 1e6);
}

Raw *raw_close(Raw *raw)
{
        (void)sqlite3_finalize(raw->begin);
        (void)sqlite3_finalize(raw->change);
        (void)sqlite3_finalize(raw->commit);
        (void)sqlite3_close(raw->handle);
        free(raw);
        return NULL;
}

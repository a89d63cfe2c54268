/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A row of 100 bytes under an integer key: less than any login writes. */
#include "tests/bench/raw.h"

#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/rig.h"

#define ROW_BYTES 100

struct Raw {
        sqlite3 *handle;
        sqlite3_stmt *begin, *add, *commit;
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
        execute(raw, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;"
                     "PRAGMA synchronous=FULL;"
                     "CREATE TABLE row (num INTEGER PRIMARY KEY, data BLOB NOT NULL)");
        must(raw, sqlite3_prepare_v2(raw->handle, "BEGIN IMMEDIATE", -1, &raw->begin, NULL));
        must(raw, sqlite3_prepare_v2(raw->handle, "COMMIT", -1, &raw->commit, NULL));
        must(raw, sqlite3_prepare_v2(raw->handle, "INSERT INTO row (data) VALUES (?)", -1,
                                     &raw->add, NULL));
        must(raw, sqlite3_bind_zeroblob(raw->add, 1, ROW_BYTES));
        (void)raw_commit(raw, 1200, 1); /* past the first checkpoint */
        return raw;
}

double raw_commit(Raw *raw, size_t commits, size_t rows)
{
        double begun = now_usec();

        for (size_t i = 0; i < commits; i++) {
                step(raw, raw->begin);
                for (size_t row = 0; row < rows; row++)
                        step(raw, raw->add);
                step(raw, raw->commit);
        }
        return (double)(commits * rows) / ((now_usec() - begun) / 1e6);
}

Raw *raw_close(Raw *raw)
{
        (void)sqlite3_finalize(raw->begin);
        (void)sqlite3_finalize(raw->add);
        (void)sqlite3_finalize(raw->commit);
        (void)sqlite3_close(raw->handle);
        free(raw);
        return NULL;
}

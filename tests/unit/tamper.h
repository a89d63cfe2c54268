/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes a store that no credd has open, as somebody else with SQLite would. */
#pragma once

#include <sqlite3.h>

#include "tests/unit/scratch.h"

static inline void tamper(const char *folder, const char *sql)
{
        char path[SCRATCH_PATH_MAX];
        sqlite3 *handle = NULL;

        assert_int_equal(sqlite3_open(scratch_path(folder, "credd.db", path), &handle), SQLITE_OK);
        assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

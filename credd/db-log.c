/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The write-ahead log, from when it is made to when what it holds is moved into the file. SQLite would do
 * that in the middle of some commit, and somebody's login would wait for it; here the caller says when. A
 * log that has been laid out once is written over and over: a commit then changes no size and no block of
 * it, and its flush is one write of data. What is laid out is zeros, which no frame ever looks like. */
#include "credd/db-internal.h"

#include <errno.h>

#define PIECE 65536

static int on_committed(void *userdata, sqlite3 *handle, const char *name, int frames)
{
        Db *db = userdata;

        (void)handle;
        (void)name;
        db->log_frames = frames;
        return SQLITE_OK;
}

void db_log_watch(Db *db)
{
        (void)sqlite3_wal_hook(db->handle, on_committed, db);
}

int db_log_frames(const Db *db)
{
        return db->log_frames;
}

int db_log_write_back(Db *db)
{
        int in_log = 0, moved = 0, r;

        r = db_error_of(sqlite3_wal_checkpoint_v2(db->handle, "main", SQLITE_CHECKPOINT_PASSIVE,
                                                  &in_log, &moved));
        if (r == 0 && moved < in_log)
                r = -EBUSY;
        if (r == 0)
                db->log_frames = 0;
        return r;
}

/* Behind its end, where SQLite has nothing yet: from now on it writes within the file. */
static int append_zeros(sqlite3_file *log, int64_t from, int64_t n)
{
        static const char zeros[PIECE] = {0};
        int r = SQLITE_OK;

        for (int64_t at = 0; at < n && r == SQLITE_OK; at += PIECE)
                r = log->pMethods->xWrite(log, zeros, PIECE, from + at);
        if (r == SQLITE_OK)
                r = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
        return db_error_of(r);
}

int db_log_lay_out(Db *db, int64_t size, int64_t most)
{
        sqlite3_file *log = NULL;
        sqlite3_int64 is = 0;
        int64_t missing;
        int r;

        r = db_error_of(
                sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log));
        if (r == 0 && (!log || !log->pMethods))
                r = -ENOENT;
        if (r == 0)
                r = db_error_of(log->pMethods->xFileSize(log, &is));
        missing = size - is;
        if (r < 0 || missing <= 0)
                return r;
        r = append_zeros(log, is, missing < most ? missing : most);
        return r < 0 ? r : missing > most;
}

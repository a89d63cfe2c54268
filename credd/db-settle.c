/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The write-ahead log that a process before this one left. What that one wrote and did not flush is read as
 * if it were on the disk. If it died too early, a flush would do. But if its flush failed, the kernel takes
 * the pages for clean: no later flush writes them, each says all is well, and a power cut takes them away,
 * and with them all that was committed after them. So the log is written again as it is, and then flushed,
 * before anybody is told what stands in it. tests/fault/store/test_calls.c cuts the power. */
#include "credd/db-internal.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#define PIECE (64 * 1024)
/* https://www.sqlite.org/fileformat2.html#walformat */
#define HEADER       32
#define PAGE_SIZE_AT 8
#define SALT_AT      16
#define FRAME_HEADER 24
#define FRAME_SALT   8
#define SALT_LEN     8

static int read_at(sqlite3_file *log, void *bytes, int n, sqlite3_int64 at)
{
        return log->pMethods->xRead(log, bytes, n, at);
}

/* As far as the frames go that carry this log's salt. What stands behind them is of one before it, or room
 * that was made in advance, and is not read. */
static int length_of(sqlite3_file *log, sqlite3_int64 *ret)
{
        uint8_t header[HEADER], salt[SALT_LEN];
        sqlite3_int64 size = 0, at = HEADER, frame;
        uint32_t page;
        int r;

        *ret = 0;
        r = log->pMethods->xFileSize(log, &size);
        if (r != SQLITE_OK || size < HEADER)
                return r;
        r = read_at(log, header, HEADER, 0);
        memcpy(&page, header + PAGE_SIZE_AT, sizeof(page));
        frame = (sqlite3_int64)be32toh(page) + FRAME_HEADER;
        for (; r == SQLITE_OK && at + frame <= size; at += frame) {
                r = read_at(log, salt, SALT_LEN, at + FRAME_SALT);
                if (r == SQLITE_OK && memcmp(salt, header + SALT_AT, SALT_LEN) != 0)
                        break;
        }
        *ret = at;
        return r;
}

static int write_again(sqlite3_file *log)
{
        uint8_t bytes[PIECE];
        sqlite3_int64 length = 0;
        int r;

        r = length_of(log, &length);
        for (sqlite3_int64 at = 0; at < length && r == SQLITE_OK; at += PIECE) {
                int n = length - at < PIECE ? (int)(length - at) : PIECE;

                r = read_at(log, bytes, n, at);
                if (r == SQLITE_OK)
                        r = log->pMethods->xWrite(log, bytes, n, at);
        }
        if (r == SQLITE_OK && length > 0)
                r = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
        return r;
}

int db_settle_log(Db *db)
{
        sqlite3_file *log = NULL;
        int r;

        r = sqlite3_file_control(db->handle, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &log);
        if (r != SQLITE_OK || !log || !log->pMethods)
                return db_error_of(r);
        r = db_error_of(write_again(log));
        /* Some file systems want room for what is written anew; what ends needs a daemon all the more. */
        return r == -ENOSPC ? 0 : r;
}

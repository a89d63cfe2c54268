/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the disk, SQLite and the clock cost by themselves, on the file system that the store is on, with the
 * store's settings: the lower bound of a login that is durable when it is answered, of the longest answer, and
 * of how late a deadline is seen to.
 *
 *     limits FOLDER [fsync|c1|c64|c512|growing|pages|timer]
 *
 * c1 appends a row of 200 bytes, the least that a commit can do; its WAL was filled once and is written over
 * from then on, as a daemon's is after its first minutes. c64 and c512 change a few bytes of rows that are
 * anywhere in a table of 100,000, which is what logins and ends of credentials do; a batch of appended
 * rows would be three to five times as fast, and there is no such thing as a credential that is only appended.
 * pages is what a checkpoint of the longest log (credd/upkeep.c) makes the disk do at worst, without SQLite: so
 * many pages, each somewhere else, and one flush. timer is how late the kernel wakes who sleeps until a moment. */
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "tests/bench/bench.h"

#define ROWS        100000
#define WAL_FRAMES  2000
#define FSYNCS      300
#define COMMITS     300
#define APPEND_SIZE 200
#define PAGE        4096
#define PAGES       1000 /* LONGEST in credd/upkeep.c */
#define FILE_PAGES  65536
#define STRIDE      16381 /* a prime: each page is another one, far from the last */
#define CHECKPOINTS 3
#define NAPS        100
#define NAP_USEC    20000

static char *path_in(const char *folder, const char *name)
{
        char *path;

        if (asprintf(&path, "%s/%s", folder, name) < 0)
                bench_die("out of memory");
        return path;
}

static void measure_fsync(const char *folder)
{
        AUTO_FREE char *path = path_in(folder, "limits.append");
        AUTO_CLOSE int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
        static const char bytes[APPEND_SIZE];
        double usec[FSYNCS];

        if (fd < 0)
                bench_die("%s: %s", path, strerror(errno));
        for (size_t i = 0; i < FSYNCS; i++) {
                double start = bench_usec();

                if (write(fd, bytes, sizeof(bytes)) != sizeof(bytes) || fdatasync(fd) < 0)
                        bench_die("%s: %s", path, strerror(errno));
                usec[i] = bench_usec() - start;
        }
        (void)unlink(path);
        bench_emit_times("fdatasync", usec, FSYNCS);
}

/* The file is left for the next round: its blocks are to be there already. */
static int open_pages(const char *path)
{
        static const char zeros[PAGE];
        int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
        off_t at = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);

        for (; at >= 0 && at < (off_t)FILE_PAGES * PAGE; at += PAGE)
                if (pwrite(fd, zeros, PAGE, at) != PAGE)
                        break;
        if (at < (off_t)FILE_PAGES * PAGE || fdatasync(fd) < 0)
                bench_die("%s: %s", path, strerror(errno));
        return fd;
}

static void measure_pages(const char *folder)
{
        AUTO_FREE char *path = path_in(folder, "limits.pages");
        AUTO_CLOSE int fd = open_pages(path);
        char bytes[PAGE];
        double usec[CHECKPOINTS];
        off_t page = 0;

        for (size_t i = 0; i < CHECKPOINTS; i++) {
                double start = bench_usec();

                memset(bytes, (int)start, sizeof(bytes));
                for (size_t n = 0; n < PAGES; n++, page = (page + STRIDE) % FILE_PAGES)
                        if (pwrite(fd, bytes, PAGE, page * PAGE) != PAGE)
                                bench_die("%s: %s", path, strerror(errno));
                if (fdatasync(fd) < 0)
                        bench_die("%s: %s", path, strerror(errno));
                usec[i] = bench_usec() - start;
        }
        bench_emit("pages", "p50", bench_percentile(usec, CHECKPOINTS, 0.5) / 1000, "ms");
        bench_emit("pages", "max", bench_percentile(usec, CHECKPOINTS, 1) / 1000, "ms");
}

/* --- the clock --- */

static struct timespec timespec_of(double usec)
{
        return (struct timespec){.tv_sec = (time_t)(usec / 1e6),
                                 .tv_nsec = (long)((uint64_t)usec % 1000000 * 1000)};
}

static void measure_timer(void)
{
        AUTO_CLOSE int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
        double usec[NAPS];

        if (fd < 0)
                bench_die("timerfd: %s", strerror(errno));
        for (size_t i = 0; i < NAPS; i++) {
                double until = bench_usec() + NAP_USEC;
                struct itimerspec timer = {.it_value = timespec_of(until)};
                uint64_t passed;

                if (timerfd_settime(fd, TFD_TIMER_ABSTIME, &timer, NULL) < 0 ||
                    read(fd, &passed, sizeof(passed)) != sizeof(passed))
                        bench_die("timerfd: %s", strerror(errno));
                usec[i] = bench_usec() - until;
        }
        bench_emit_times("timer", usec, NAPS);
}

/* --- SQLite --- */

static void execute(sqlite3 *db, const char *sql)
{
        if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
                bench_die("%s: %s", sql, sqlite3_errmsg(db));
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
        sqlite3_stmt *statement;

        if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) !=
            SQLITE_OK)
                bench_die("%s: %s", sql, sqlite3_errmsg(db));
        return statement;
}

static sqlite3 *open_fresh(const char *folder)
{
        AUTO_FREE char *path = path_in(folder, "limits.db"),
                       *wal = path_in(folder, "limits.db-wal");
        int keep = 1;
        sqlite3 *db;

        (void)unlink(path);
        (void)unlink(wal);
        if (sqlite3_open(path, &db) != SQLITE_OK)
                bench_die("%s: %s", path, sqlite3_errmsg(db));
        execute(db, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;"
                    "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
                    "CREATE TABLE appended (num INTEGER PRIMARY KEY, data BLOB) STRICT;"
                    "CREATE TABLE standing (num INTEGER PRIMARY KEY, uses_left INTEGER,"
                    " state INTEGER, last_event INTEGER) STRICT;");
        (void)sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
        return db;
}

static void close_and_remove(sqlite3 *db, const char *folder)
{
        AUTO_FREE char *path = path_in(folder, "limits.db"),
                       *wal = path_in(folder, "limits.db-wal");

        (void)sqlite3_close(db);
        (void)unlink(path);
        (void)unlink(wal);
}

/* Its frames stay in the file; the next commit begins at its front again. */
static void restart_wal(sqlite3 *db)
{
        if (sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_RESTART, NULL, NULL) !=
            SQLITE_OK)
                bench_die("checkpoint: %s", sqlite3_errmsg(db));
}

static void run(sqlite3 *db, sqlite3_stmt *statement)
{
        if (sqlite3_step(statement) != SQLITE_DONE)
                bench_die("a row: %s", sqlite3_errmsg(db));
        (void)sqlite3_reset(statement);
}

/* Returns the time of each commit in usec[]. */
static void commits(sqlite3 *db, const char *sql, unsigned rows, unsigned n, double *usec)
{
        sqlite3_stmt *begin = prepare(db, "BEGIN IMMEDIATE"), *commit = prepare(db, "COMMIT");
        sqlite3_stmt *row = prepare(db, sql);
        uint64_t at = 1;

        for (unsigned i = 0; i < n; i++) {
                double start = bench_usec();

                run(db, begin);
                for (unsigned k = 0; k < rows; k++) {
                        /* any place, and the same ones in each run */
                        at = (at * UINT64_C(6364136223846793005) + 1442695040888963407);
                        (void)sqlite3_bind_int64(row, 1, (sqlite3_int64)(1 + (at >> 33) % ROWS));
                        run(db, row);
                }
                run(db, commit);
                usec[i] = bench_usec() - start;
        }
        (void)sqlite3_finalize(begin);
        (void)sqlite3_finalize(commit);
        (void)sqlite3_finalize(row);
}

#define APPEND "INSERT INTO appended (data) VALUES (zeroblob(200 + 0 * ?1))"
#define CHANGE "UPDATE standing SET uses_left = uses_left - 1 WHERE num = ?1"

static void measure_growing(const char *folder)
{
        sqlite3 *db = open_fresh(folder);
        double usec[COMMITS];

        commits(db, APPEND, 1, COMMITS, usec);
        bench_emit_times("c1-growing", usec, COMMITS);
        close_and_remove(db, folder);
}

static void measure_one(const char *folder)
{
        sqlite3 *db = open_fresh(folder);
        double usec[WAL_FRAMES];

        commits(db, APPEND, WAL_FRAMES, 1, usec);
        execute(db, "UPDATE appended SET data = randomblob(200)");
        commits(db, APPEND, 1, COMMITS, usec);
        restart_wal(db);
        commits(db, APPEND, 1, COMMITS, usec);
        bench_emit_times("c1", usec, COMMITS);
        close_and_remove(db, folder);
}

static void measure_many(const char *folder, const char *name, unsigned rows, unsigned n)
{
        sqlite3 *db = open_fresh(folder);
        double usec[COMMITS], sum = 0;

        execute(db,
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
                "INSERT INTO standing SELECT i, 1, 0, i FROM n");
        /* The WAL gets as long as it will, and is written over then. */
        commits(db, CHANGE, rows, n, usec);
        restart_wal(db);
        commits(db, CHANGE, rows, n, usec);
        for (unsigned i = 0; i < n; i++)
                sum += usec[i];
        bench_emit(name, "rate", (double)rows * n / sum * 1e6, "rows/s");
        bench_emit(name, "p50", bench_percentile(usec, n, 0.5), "us");
        close_and_remove(db, folder);
}

int main(int argc, char *argv[])
{
        const char *what = argc > 2 ? argv[2] : NULL;

        if (argc < 2)
                bench_die("usage: limits FOLDER [fsync|c1|c64|c512|growing|pages|timer]");
        if (!what || strcmp(what, "fsync") == 0)
                measure_fsync(argv[1]);
        if (!what || strcmp(what, "c1") == 0)
                measure_one(argv[1]);
        if (!what || strcmp(what, "growing") == 0)
                measure_growing(argv[1]);
        if (!what || strcmp(what, "c64") == 0)
                measure_many(argv[1], "c64", 64, 100);
        if (!what || strcmp(what, "c512") == 0)
                measure_many(argv[1], "c512", 512, 20);
        if (!what || strcmp(what, "pages") == 0)
                measure_pages(argv[1]);
        if (!what || strcmp(what, "timer") == 0)
                measure_timer();
        return EXIT_SUCCESS;
}

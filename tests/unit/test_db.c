/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/scratch.h"

#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include "credd/db.h"

#define APPLICATION 0x74657374

static const char *const migrations[] = {
        "CREATE TABLE thing (num INTEGER PRIMARY KEY, name TEXT UNIQUE, bytes BLOB, at INTEGER) "
        "STRICT;",
        "ALTER TABLE thing ADD COLUMN colour TEXT;",
};

enum { ADD, READ, ALL, COUNT, GROW, SYNCHRONOUS, JOURNAL, LOCKING, FOREIGN, LIMIT_PAGES, N };

static const char *const statements[N] = {
        [ADD] = "INSERT INTO thing (num, name, bytes, at) VALUES (?, ?, ?, ?)",
        [READ] = "SELECT num, name, bytes, at FROM thing WHERE num = ?",
        [ALL] = "SELECT num FROM thing ORDER BY num",
        [COUNT] = "SELECT count(*) FROM thing",
        [GROW] = "UPDATE thing SET at = at + 1 WHERE num > ?",
        [SYNCHRONOUS] = "PRAGMA synchronous",
        [JOURNAL] = "PRAGMA journal_mode",
        [LOCKING] = "PRAGMA locking_mode",
        [FOREIGN] = "PRAGMA foreign_keys",
        [LIMIT_PAGES] = "PRAGMA max_page_count = 8",
};

static const DbSchema first = {APPLICATION, migrations, 1, statements, N};

typedef struct Rig {
        char *folder;
        char path[SCRATCH_PATH_MAX];
} Rig;

static int setup(void **state)
{
        Rig *rig = calloc(1, sizeof(*rig));

        assert_non_null(rig);
        rig->folder = scratch_new();
        (void)scratch_path(rig->folder, "test.db", rig->path);
        *state = rig;
        return 0;
}

static int teardown(void **state)
{
        Rig *rig = *state;

        scratch_free(rig->folder);
        free(rig);
        return 0;
}

static Db *must_open(const Rig *rig, const DbSchema *schema)
{
        Db *db = NULL;

        assert_int_equal(db_open(rig->path, schema, &db), 0);
        return db;
}

static int64_t count(Db *db)
{
        int64_t n;

        assert_int_equal(db_first(db, COUNT, ""), 1);
        n = db_int(db, COUNT, 0);
        db_end(db, COUNT);
        return n;
}

static int add(Db *db, int64_t num, const char *name)
{
        return db_run(db, ADD, "isbt", num, name, "xyz", (size_t)3, NOON);
}

/* The whole file; *ret_len bytes, to be freed. */
static char *slurp(const char *path, size_t *ret_len)
{
        FILE *file = fopen(path, "re");
        char *bytes = malloc(1 << 20);

        assert_non_null(file);
        assert_non_null(bytes);
        *ret_len = fread(bytes, 1, 1 << 20, file);
        (void)fclose(file);
        return bytes;
}

static void spill(const char *path, const char *bytes, size_t len)
{
        FILE *file = fopen(path, "we");

        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, len, file), len);
        assert_int_equal(fclose(file), 0);
}

/* Opening fails with that, and not a byte of the file has changed. */
static void expect_left_alone(const Rig *rig, const DbSchema *schema, int error)
{
        AUTO_FREE char *before = NULL, *after = NULL;
        size_t len_before, len_after;
        Db *db = NULL;

        before = slurp(rig->path, &len_before);
        assert_int_equal(db_open(rig->path, schema, &db), error);
        assert_null(db);
        after = slurp(rig->path, &len_after);
        assert_int_equal(len_before, len_after);
        assert_memory_equal(before, after, len_before);
}

static void by_hand(const Rig *rig, const char *sql)
{
        sqlite3 *handle = NULL;

        assert_int_equal(sqlite3_open(rig->path, &handle), SQLITE_OK);
        assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

static void test_db_open__new_file__has_the_settings_that_make_commits_durable(void **state)
{
        static const struct {
                unsigned statement;
                const char *value;
        } table[] = {{SYNCHRONOUS, "2"}, {JOURNAL, "wal"}, {LOCKING, "exclusive"}, {FOREIGN, "1"}};
        CLEANUP(db_closep) Db *db = must_open(*state, &first);

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                assert_int_equal(db_first(db, table[i].statement, ""), 1);
                assert_string_equal(db_text(db, table[i].statement, 0), table[i].value);
                db_end(db, table[i].statement);
        }
}

static void test_db_open__second_opener__is_ebusy(void **state)
{
        const Rig *rig = *state;
        CLEANUP(db_closep) Db *db = must_open(rig, &first);
        Db *other = NULL;

        assert_int_equal(db_open(rig->path, &first, &other), -EBUSY);
        assert_null(other);
        /* and the first one goes on undisturbed */
        assert_int_equal(add(db, 1, "a"), 1);
        db = db_close(db);
        assert_int_equal(db_open(rig->path, &first, &db), 0);
        assert_int_equal(count(db), 1);
}

static void test_db_open__older_schema__is_led_on_with_its_rows(void **state)
{
        const DbSchema second = {APPLICATION, migrations, 2, statements, N};
        const Rig *rig = *state;
        CLEANUP(db_closep) Db *db = must_open(rig, &first);

        assert_int_equal(add(db, 7, "seven"), 1);
        db = db_close(db);
        db = must_open(rig, &second);
        assert_int_equal(db_first(db, READ, "i", (int64_t)7), 1);
        assert_string_equal(db_text(db, READ, 1), "seven");
        db_end(db, READ);
        db = db_close(db);
        db = must_open(rig, &second);
        assert_int_equal(count(db), 1);
}

static void test_db_open__newer_schema__is_enotsup_and_left_alone(void **state)
{
        const DbSchema second = {APPLICATION, migrations, 2, statements, N};
        const Rig *rig = *state;
        Db *db = must_open(rig, &second);

        (void)db_close(db);
        expect_left_alone(rig, &first, -ENOTSUP);
}

static void test_db_open__migration_that_fails__leaves_the_version_before_it(void **state)
{
        static const char *const broken[] = {
                "CREATE TABLE thing (num INTEGER PRIMARY KEY, name TEXT UNIQUE, bytes BLOB, "
                "at INTEGER) STRICT;",
                "CREATE TABLE half (x INTEGER) STRICT; CREATE TABLE thing (y INTEGER) STRICT;"};
        static const char *const no_half[] = {"SELECT count(*) FROM sqlite_schema"};
        const DbSchema bad = {APPLICATION, broken, 2, statements, N};
        const DbSchema look = {APPLICATION, broken, 1, no_half, 1};
        const Rig *rig = *state;
        Db *db = must_open(rig, &first), *none = NULL;

        assert_int_equal(add(db, 1, "a"), 1);
        (void)db_close(db);
        assert_true(db_open(rig->path, &bad, &none) < 0);
        assert_null(none);
        db = must_open(rig, &look); /* user_version is 1 still */
        assert_int_equal(db_first(db, 0, ""), 1);
        assert_int_equal(db_int(db, 0, 0), 2); /* the table and the index of its UNIQUE */
        db_end(db, 0);
        (void)db_close(db);
}

/* Another program's, or of a hand that experimented: none of it is ours to work with. */
static const char *const others[] = {
        "PRAGMA application_id=7; PRAGMA user_version=1; CREATE TABLE t (a);",
        "PRAGMA user_version=1; CREATE TABLE t (a);",
        "PRAGMA application_id=7; CREATE TABLE t (a);",
        "CREATE TABLE t (a); INSERT INTO t VALUES (1);",
};

static void test_db_open__another_programs_database__is_ebadmsg_and_gets_no_table(void **state)
{
        const Rig *rig = *state;

        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                Db *db = NULL;

                (void)unlink(rig->path);
                by_hand(rig, others[i]);
                assert_int_equal(db_open(rig->path, &first, &db), -EBADMSG);
                assert_null(db);
                by_hand(rig, "CREATE TABLE thing (a);"); /* that there was none */
        }
}

static void test_db_open__another_programs_database__is_left_alone_to_the_byte(void **state)
{
        const Rig *rig = *state;

        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                (void)unlink(rig->path);
                by_hand(rig, others[i]);
                expect_left_alone(rig, &first, -EBADMSG);
        }
}

static void test_db_open__no_database_at_all__is_ebadmsg_and_left_alone(void **state)
{
        static const char zeros[8192];
        char text[3000];
        const Rig *rig = *state;

        memset(text, 'x', sizeof(text));
        spill(rig->path, text, sizeof(text));
        expect_left_alone(rig, &first, -EBADMSG);
        spill(rig->path, zeros, sizeof(zeros));
        expect_left_alone(rig, &first, -EBADMSG);
}

/* Page by page overwritten: whatever is found out when, nothing is repaired, emptied or made anew. */
static void test_db_open__damaged_page__is_an_error_and_left_alone(void **state)
{
        const Rig *rig = *state;
        AUTO_FREE char *good = NULL;
        size_t len, found = 0;
        Db *db = must_open(rig, &first);

        for (int64_t i = 1; i <= 2000; i++)
                assert_int_equal(
                        db_run(db, ADD, "isbt", i, (const char *)NULL, "xyz", (size_t)3, NOON), 1);
        (void)db_close(db);
        good = slurp(rig->path, &len);
        for (size_t page = 0; page < len / 4096; page++) {
                AUTO_FREE char *bad = malloc(len), *after = NULL;
                size_t len_after;
                int r, n = 0;

                assert_non_null(bad);
                memcpy(bad, good, len);
                memset(bad + page * 4096 + (page == 0 ? 100 : 0), 0xa5, 512);
                spill(rig->path, bad, len);
                db = NULL;
                r = db_open(rig->path, &first, &db);
                if (r == 0) {
                        for (r = db_first(db, ALL, ""); r > 0; r = db_next(db, ALL))
                                n++;
                        (void)db_close(db);
                }
                if (r < 0) {
                        assert_int_equal(r, -EBADMSG);
                        found++;
                } else /* nothing was read from that page: the index of the names */
                        assert_int_equal(n, 2000);
                after = slurp(rig->path, &len_after);
                assert_int_equal(len_after, len);
                assert_memory_equal(after, bad, len);
        }
        assert_true(found > 3);
}

static void test_db_open__symbolic_link_or_missing_folder__is_refused(void **state)
{
        char other[SCRATCH_PATH_MAX];
        const Rig *rig = *state;
        Db *db = NULL;

        assert_int_equal(symlink(scratch_path(rig->folder, "real.db", other), rig->path), 0);
        assert_true(db_open(rig->path, &first, &db) < 0);
        assert_int_equal(access(other, F_OK), -1);
        assert_true(db_open(scratch_path(rig->folder, "no/such.db", other), &first, &db) < 0);
        assert_null(db);
}

static void test_db_run__values__come_back_as_they_went(void **state)
{
        CLEANUP(db_closep) Db *db = must_open(*state, &first);
        const void *bytes;
        size_t len;

        assert_int_equal(db_run(db, ADD, "isbT", INT64_MIN, "\xc3\xbc'; --", "a\0b", (size_t)3,
                                USEC_INFINITY),
                         1);
        assert_int_equal(db_run(db, ADD, "isbT", INT64_MAX, (const char *)NULL, (const void *)NULL,
                                (size_t)0, NOON),
                         1);
        assert_int_equal(db_first(db, READ, "i", INT64_MIN), 1);
        assert_true(db_int(db, READ, 0) == INT64_MIN);
        assert_string_equal(db_text(db, READ, 1), "\xc3\xbc'; --");
        bytes = db_blob(db, READ, 2, &len);
        assert_int_equal(len, 3);
        assert_memory_equal(bytes, "a\0b", 3);
        assert_true(db_is_null(db, READ, 3));
        assert_true(db_usec(db, READ, 3) == USEC_INFINITY);
        assert_int_equal(db_next(db, READ), 0);
        assert_int_equal(db_first(db, READ, "i", INT64_MAX), 1);
        assert_null(db_text(db, READ, 1));
        assert_null(db_blob(db, READ, 2, &len));
        assert_int_equal(len, 0);
        assert_true(db_usec(db, READ, 3) == NOON);
        db_end(db, READ);
        assert_int_equal(db_first(db, READ, "i", (int64_t)5), 0);
}

static void test_db_run__changes__are_counted_and_constraints_are_eexist(void **state)
{
        CLEANUP(db_closep) Db *db = must_open(*state, &first);

        assert_int_equal(add(db, 1, "a"), 1);
        assert_int_equal(add(db, 2, "b"), 1);
        assert_int_equal(add(db, 2, "c"), -EEXIST);
        assert_int_equal(add(db, 3, "a"), -EEXIST);
        assert_true(strlen(db_error(db)) > 0);
        assert_int_equal(add(db, 3, "c"), 1);
        assert_int_equal(db_run(db, GROW, "i", (int64_t)1), 2);
        assert_int_equal(db_run(db, GROW, "i", (int64_t)3), 0);
        assert_int_equal(count(db), 3);
}

static void test_db_rollback_to__one_request__takes_back_its_own_changes_only(void **state)
{
        const Rig *rig = *state;
        CLEANUP(db_closep) Db *db = must_open(rig, &first);

        assert_int_equal(db_begin(db), 0);
        for (int64_t i = 1; i <= 6; i++) {
                assert_int_equal(db_savepoint(db), 0);
                assert_int_equal(add(db, i, NULL), 1);
                assert_int_equal(i % 2 ? db_release(db) : db_rollback_to(db), 0);
        }
        assert_int_equal(count(db), 3);
        assert_int_equal(db_commit(db), 0);
        db = db_close(db);
        db = must_open(rig, &first);
        assert_int_equal(count(db), 3);
}

static void test_db_close__open_transaction__is_undone(void **state)
{
        const Rig *rig = *state;
        CLEANUP(db_closep) Db *db = must_open(rig, &first);

        assert_int_equal(db_begin(db), 0);
        assert_int_equal(add(db, 1, "a"), 1);
        db = db_close(db);
        db = must_open(rig, &first);
        assert_int_equal(count(db), 0);
}

static void test_db_run__no_room_left__is_enospc_and_what_was_there_stays(void **state)
{
        CLEANUP(db_closep) Db *db = must_open(*state, &first);
        int64_t i;
        int r = 1;

        assert_int_equal(db_first(db, LIMIT_PAGES, ""), 1);
        db_end(db, LIMIT_PAGES);
        for (i = 1; i < 100000 && r > 0; i++)
                r = add(db, i, NULL);
        assert_int_equal(r, -ENOSPC);
        assert_int_equal(count(db), i - 2);
        assert_int_equal(db_run(db, GROW, "i", i - 3), 1);
}

static void test_db_plan__a_statement__is_told_by_steps(void **state)
{
        CLEANUP(db_closep) Db *db = must_open(*state, &first);
        AUTO_FREE char *by_key = NULL, *whole = NULL;

        assert_int_equal(db_plan(db, READ, &by_key), 0);
        assert_non_null(strstr(by_key, "SEARCH thing"));
        assert_int_equal(db_plan(db, COUNT, &whole), 0);
        assert_non_null(strstr(whole, "SCAN thing"));
}

/* --- the log --- */

static int64_t log_size(const Rig *rig)
{
        char path[SCRATCH_PATH_MAX + 8];
        struct stat st;

        (void)snprintf(path, sizeof(path), "%s-wal", rig->path);
        return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

static void test_db_log__many_commits__is_moved_by_nobody_but_the_caller(void **state)
{
        const Rig *rig = *state;
        CLEANUP(db_closep) Db *db = must_open(rig, &first);
        struct stat before, after;
        int last = 0;

        assert_int_equal(stat(rig->path, &before), 0);
        for (int64_t i = 1; i <= 1500; i++) {
                assert_true(add(db, i, NULL) >= 0);
                assert_true(db_log_frames(db) > last); /* SQLite itself would begin anew at 1000 */
                last = db_log_frames(db);
        }
        assert_int_equal(stat(rig->path, &after), 0);
        assert_int_equal(before.st_size, after.st_size);
        assert_int_equal(db_log_write_back(db), 0);
        assert_int_equal(db_log_frames(db), 0);
        assert_int_equal(stat(rig->path, &after), 0);
        assert_true(after.st_size > before.st_size);
        assert_int_equal(count(db), 1500);
}

static void test_db_log_write_back__inside_a_transaction__is_ebusy_and_loses_nothing(void **state)
{
        const Rig *rig = *state;
        CLEANUP(db_closep) Db *db = must_open(rig, &first);
        int frames;

        assert_true(add(db, 1, NULL) >= 0);
        frames = db_log_frames(db);
        assert_int_equal(db_begin(db), 0);
        assert_true(add(db, 2, NULL) >= 0);
        assert_int_equal(db_log_write_back(db), -EBUSY);
        assert_int_equal(db_log_frames(db), frames);
        assert_int_equal(db_commit(db), 0);
        assert_int_equal(db_log_write_back(db), 0);
        assert_int_equal(count(db), 2);
}

static void test_db_log_lay_out__in_slices__is_as_large_and_written_within(void **state)
{
        const int64_t size = 1024 * 1024 + 32, slice = 256 * 1024;
        const Rig *rig = *state;
        CLEANUP(db_closep) Db *db = must_open(rig, &first);
        int64_t laid_out;
        unsigned turns = 1;

        assert_true(add(db, 1, NULL) >= 0);
        while (db_log_lay_out(db, size, slice) > 0)
                assert_true(turns++ < 10);
        assert_int_equal(turns, 4);
        laid_out = log_size(rig);
        assert_true(laid_out >= size);
        assert_int_equal(db_log_lay_out(db, size, slice), 0);
        for (int64_t i = 2; i <= 600; i++) {
                assert_true(add(db, i, NULL) >= 0);
                if (i % 100 == 0)
                        assert_int_equal(db_log_write_back(db), 0);
        }
        assert_int_equal(log_size(rig), laid_out); /* neither longer nor cut */
        assert_int_equal(count(db), 600);
}

/* A process that dies leaves the log as it is: what is behind the last commit is zeros. */
static void test_db_log_lay_out__then_killed__all_that_was_committed_is_there(void **state)
{
        const Rig *rig = *state;
        CLEANUP(db_closep) Db *again = NULL;
        int status = 0;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                Db *db = must_open(rig, &first);

                (void)add(db, 1, NULL);
                while (db_log_lay_out(db, 1024 * 1024, 65536) > 0)
                        ;
                for (int64_t i = 2; i <= 20; i++)
                        (void)add(db, i, NULL);
                (void)kill(getpid(), SIGKILL);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_true(log_size(rig) >= 1024 * 1024);
        again = must_open(rig, &first);
        assert_int_equal(count(again), 20);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest tests[] = {
                T(test_db_open__new_file__has_the_settings_that_make_commits_durable),
                T(test_db_open__second_opener__is_ebusy),
                T(test_db_open__older_schema__is_led_on_with_its_rows),
                T(test_db_open__newer_schema__is_enotsup_and_left_alone),
                T(test_db_open__migration_that_fails__leaves_the_version_before_it),
                T(test_db_open__another_programs_database__is_ebadmsg_and_gets_no_table),
                T(test_db_open__another_programs_database__is_left_alone_to_the_byte),
                T(test_db_open__no_database_at_all__is_ebadmsg_and_left_alone),
                T(test_db_open__damaged_page__is_an_error_and_left_alone),
                T(test_db_open__symbolic_link_or_missing_folder__is_refused),
                T(test_db_run__values__come_back_as_they_went),
                T(test_db_run__changes__are_counted_and_constraints_are_eexist),
                T(test_db_rollback_to__one_request__takes_back_its_own_changes_only),
                T(test_db_close__open_transaction__is_undone),
                T(test_db_run__no_room_left__is_enospc_and_what_was_there_stays),
                T(test_db_plan__a_statement__is_told_by_steps),
                T(test_db_log__many_commits__is_moved_by_nobody_but_the_caller),
                T(test_db_log_write_back__inside_a_transaction__is_ebusy_and_loses_nothing),
                T(test_db_log_lay_out__in_slices__is_as_large_and_written_within),
                T(test_db_log_lay_out__then_killed__all_that_was_committed_is_there),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

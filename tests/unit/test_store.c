/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store as a whole: its opening, what it remembers over a start, and how each statement is
 * answered. */
#include "tests/unit/store_rig.h"

#include <errno.h>
#include <sqlite3.h>
#include <unistd.h>

#include "credd/db.h"
#include "credd/statements.h"
#include "tests/unit/tamper.h"

static const struct {
        const char *name, *plan, *sql;
} statements[] = {
#define X(name, plan, sql) {#name, #plan, sql},
        STATEMENTS(X)
#undef X
};

/* A scan is allowed where an ordered walk ends at its LIMIT or at once; a sort never. */
static bool step_is_fine(const char *name, const char *step)
{
        if (strncmp(step, "SEARCH ", strlen("SEARCH ")) == 0)
                return true;
        if (strncmp(step, "SCAN ", strlen("SCAN ")) != 0)
                return false;
        if (strcmp(name, "EVENT_LAST") == 0)
                return strncmp(step, "SCAN event", strlen("SCAN event")) == 0;
        /* the partial index holds the live ones alone */
        return strcmp(name, "SESSION_LIVE") == 0 && strstr(step, "session_live") != NULL;
}

static void check_key_plan(const char *name, char *plan)
{
        char *rest = NULL;
        int steps = 0;

        for (char *step = strtok_r(plan, "\n", &rest); step; step = strtok_r(NULL, "\n", &rest)) {
                steps++;
                if (!step_is_fine(name, step))
                        fail_msg("%s: %s", name, step);
                if (strstr(step, "AUTOMATIC"))
                        fail_msg("%s makes an index each time: %s", name, step);
        }
        if (steps == 0)
                fail_msg("%s: no plan", name);
}

static void check_plan(Db *db, unsigned i)
{
        const char *name = statements[i].name;
        AUTO_FREE char *plan = NULL;

        assert_int_equal(db_plan(db, i, &plan), 0);
        if (strcmp(statements[i].plan, "KEY") == 0) {
                check_key_plan(name, plan);
        } else if (strcmp(statements[i].plan, "ONE") == 0) {
                if (strcmp(plan, "SCAN instance\n") != 0)
                        fail_msg("%s: %s", name, plan);
        } else {
                /* its plan tells of the foreign keys, which are looked at by need alone: below */
                assert_string_equal(statements[i].plan, "WRITE");
                assert_int_equal(strncmp(statements[i].sql, "INSERT INTO ", 12), 0);
        }
}

static void test_statements__each__is_answered_by_a_key_or_an_index(void **state)
{
        const StoreRig *rig = *state;

        assert_int_equal(ELEMENTSOF(statements), STATEMENT_MAX);
        for (unsigned i = 0; i < STATEMENT_MAX; i++)
                check_plan(store_db(rig->store), i);
}

/* With rows and statistics (ANALYZE may have been run by hand) the planner may think anew. */
static void test_statements__each_with_statistics__is_answered_in_the_same_way(void **state)
{
        StoreRig *rig = *state;

        for (unsigned i = 0; i < 300; i++) {
                char id[TOKEN_ID_LEN + 1];
                int64_t num;

                (void)snprintf(id, sizeof(id), "%08u", i);
                num = add_sample(rig->store, id, NOON + i % 3);
                (void)add_sample_login(rig->store, num, NOON);
                assert_int_equal(store_add_event(rig->store, "credential-issued", num, "{}"), 0);
        }
        store_rig_close(rig);
        tamper(rig->folder, "ANALYZE");
        store_rig_open(rig, BOOT_A);
        for (unsigned i = 0; i < STATEMENT_MAX; i++)
                check_plan(store_db(rig->store), i);
}

/* SQLite counts the steps of each scan: an insertion makes none, however full the tables are. */
static void test_statements__each_insertion__scans_nothing(void **state)
{
        StoreRig *rig = *state;
        char path[SCRATCH_PATH_MAX];
        sqlite3 *handle = NULL;
        int64_t num = add_sample(rig->store, "k7m2q9xd", NOON);

        for (unsigned i = 0; i < 100; i++)
                (void)add_sample_login(rig->store, num, NOON);
        store_rig_close(rig);
        assert_int_equal(sqlite3_open(scratch_path(rig->folder, "credd.db", path), &handle), 0);
        assert_int_equal(sqlite3_exec(handle, "PRAGMA foreign_keys=ON", NULL, NULL, NULL), 0);
        for (unsigned i = 0; i < STATEMENT_MAX; i++) {
                sqlite3_stmt *statement = NULL;

                if (strcmp(statements[i].plan, "WRITE") != 0 ||
                    strcmp(statements[i].name, "INSTANCE_ADD") == 0)
                        continue;
                assert_int_equal(
                        sqlite3_prepare_v2(handle, statements[i].sql, -1, &statement, NULL),
                        SQLITE_OK);
                for (int at = 1; at <= sqlite3_bind_parameter_count(statement); at++)
                        assert_int_equal(sqlite3_bind_int64(statement, at, at == 1 ? num : 1), 0);
                (void)sqlite3_step(statement); /* most have a constraint against such a row */
                assert_int_equal(sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0),
                                 0);
                assert_int_equal(sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_SORT, 0), 0);
                (void)sqlite3_finalize(statement);
        }
        assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

static void test_store_open__new__is_private_and_empty(void **state)
{
        const StoreRig *rig = *state;
        char path[SCRATCH_PATH_MAX];
        Login login = {0};
        ExpiryRow row;
        size_t n = 7;

        assert_int_equal(access(scratch_path(rig->folder, "credd.db", path), F_OK), 0);
        assert_int_equal(access(scratch_path(rig->folder, "key", path), F_OK), 0);
        assert_non_null(store_key(rig->store));
        assert_int_equal(store_boot(rig->store), 1);
        assert_int_equal(store_newest_event(rig->store), 0);
        assert_int_equal(store_journaled(rig->store), 0);
        assert_int_equal(store_expiry_peek(rig->store, &row, 1, &n), 0);
        assert_int_equal(n, 0);
        assert_int_equal(store_lapse_peek(rig->store, 0, &login), 0);
}

static void test_store_open__key_is_gone__is_enokey_and_no_new_key_is_made(void **state)
{
        StoreRig *rig = *state;
        char path[SCRATCH_PATH_MAX];
        Store *store = NULL;

        store_rig_close(rig);
        assert_int_equal(unlink(scratch_path(rig->folder, "key", path)), 0);
        assert_int_equal(store_open(rig->folder, BOOT_A, &rig->clock, &store), -ENOKEY);
        assert_null(store);
        assert_int_equal(access(path, F_OK), -1);
}

static void test_store_open__already_open__is_ebusy(void **state)
{
        StoreRig *rig = *state;
        Clock clock = hands_clock(&rig->hands);
        Store *store = NULL;

        assert_int_equal(store_open(rig->folder, BOOT_A, &clock, &store), -EBUSY);
        assert_null(store);
}

static void test_store_open__damaged__is_ebadmsg(void **state)
{
        StoreRig *rig = *state;
        char path[SCRATCH_PATH_MAX];
        Store *store = NULL;
        FILE *file;

        store_rig_close(rig);
        file = fopen(scratch_path(rig->folder, "credd.db", path), "r+e");
        assert_non_null(file);
        assert_int_equal(fwrite("not so", 1, 6, file), 6);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(store_open(rig->folder, BOOT_A, &rig->clock, &store), -EBADMSG);
        assert_null(store);
        file = fopen(path, "re");
        assert_non_null(file);
        assert_int_equal(fgetc(file), 'n');
        assert_int_equal(fclose(file), 0);
}

static void test_store_open__boots__are_counted_once_each(void **state)
{
        StoreRig *rig = *state;
        static const struct {
                const char *id;
                int64_t boot;
        } table[] = {{BOOT_A, 1}, {BOOT_B, 2}, {BOOT_B, 2}, {BOOT_A, 3}, {BOOT_C, 4}};

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                store_rig_close(rig);
                store_rig_open(rig, table[i].id);
                assert_int_equal(store_boot(rig->store), table[i].boot);
        }
}

static void test_store_set_journaled__reopened__is_remembered(void **state)
{
        StoreRig *rig = *state;

        assert_int_equal(store_begin(rig->store), 0);
        assert_int_equal(store_set_journaled(rig->store, 17), 0);
        assert_int_equal(store_commit(rig->store), 0);
        assert_int_equal(store_journaled(rig->store), 17);
        store_rig_close(rig);
        store_rig_open(rig, BOOT_A);
        assert_int_equal(store_journaled(rig->store), 17);
}

static void test_store_close__without_commit__what_was_begun_is_undone(void **state)
{
        StoreRig *rig = *state;
        AUTO_CREDENTIAL Credential c = sample_credential("k7m2q9xd", NOON + HOURS(1));
        Credential found = {0};

        assert_int_equal(store_begin(rig->store), 0);
        assert_int_equal(store_add_credential(rig->store, &c, NULL), 0);
        assert_int_equal(store_add_event(rig->store, "credential-issued", c.num, "{}"), 0);
        store_rig_close(rig);
        store_rig_open(rig, BOOT_A);
        assert_int_equal(store_find_credential(rig->store, "k7m2q9xd", &found), 0);
        assert_int_equal(store_newest_event(rig->store), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, store_rig_setup, store_rig_teardown)
        const struct CMUnitTest tests[] = {
                T(test_statements__each__is_answered_by_a_key_or_an_index),
                T(test_statements__each_with_statistics__is_answered_in_the_same_way),
                T(test_statements__each_insertion__scans_nothing),
                T(test_store_open__new__is_private_and_empty),
                T(test_store_open__key_is_gone__is_enokey_and_no_new_key_is_made),
                T(test_store_open__already_open__is_ebusy),
                T(test_store_open__damaged__is_ebadmsg),
                T(test_store_open__boots__are_counted_once_each),
                T(test_store_set_journaled__reopened__is_remembered),
                T(test_store_close__without_commit__what_was_begun_is_undone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

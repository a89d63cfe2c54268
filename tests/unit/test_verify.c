/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verify over a whole daemon: what somebody did to the rows while it was away is named by its number, all of
 * it, however much it is. */
#include "tests/unit/login_rig.h"

#include "tests/unit/tamper.h"

#define ROWS 400

static int setup(void **state)
{
        Rig *rig;

        assert_int_equal(rig_setup(state), 0);
        rig = *state;
        for (unsigned i = 0; i < ROWS; i++) {
                assert_int_equal(batch_enter(rig->manager->batch), 0);
                assert_int_equal(batch_leave(rig->manager->batch,
                                             event_daemon_started(&rig->manager->events, i)),
                                 0);
        }
        assert_int_equal(batch_commit(rig->manager->batch), 0);
        return 0;
}

static void change(Rig *rig, const char *sql)
{
        rig_stop(rig);
        tamper(rig->folder, sql);
        assert_int_equal(rig_start(rig), 0);
}

/* All problems, over as many calls as it takes. */
static json_t *verify(Rig *rig, int64_t *ret_checked)
{
        json_t *problems = json_array();
        int64_t after = 0;

        *ret_checked = 0;
        for (unsigned calls = 0;; calls++) {
                json_auto_t *reply = rig_call(rig, rig->admin, "io.credd.Admin.Verify",
                                              json_pack("{sI}", "after", (json_int_t)after));
                const json_t *next = reply_at(reply, "next", NULL);

                assert_true(calls < ROWS);
                assert_int_equal(
                        json_array_extend(problems, (json_t *)reply_at(reply, "problems", NULL)),
                        0);
                *ret_checked += json_integer_value(reply_at(reply, "checked", NULL));
                if (!json_is_integer(next))
                        return problems;
                assert_true(json_integer_value(next) > after);
                after = json_integer_value(next);
        }
}

static void assert_problem(const json_t *problems, size_t i, int64_t seq, const char *what)
{
        const json_t *one = json_array_get(problems, i);

        assert_int_equal(json_integer_value(json_object_get(one, "seq")), seq);
        assert_string_equal(json_string_value(json_object_get(one, "what")) ?: "none", what);
}

#define CHANGED "this event was changed after it was written: daemon-started"

static void test_verify__nobody_was_there__no_problem(void **state)
{
        Rig *rig = *state;
        int64_t checked;
        json_auto_t *problems = NULL;

        change(rig, "SELECT 1");
        problems = verify(rig, &checked);
        assert_int_equal(json_array_size(problems), 0);
        assert_int_equal(checked, ROWS);
}

/* A byte of any column that the hash covers. */
static void test_verify__a_column_changed__its_row_is_named(void **state)
{
        static const char *const columns[] = {"line = line + 1", "real = real - 1",
                                              "data = replace(data, '\"7\"', '\"8\"')",
                                              "credential = 1"};
        Rig *rig = *state;

        for (size_t i = 0; i < ELEMENTSOF(columns); i++) {
                AUTO_FREE char *sql = NULL;
                json_auto_t *problems = NULL;
                int64_t checked;

                assert_true(
                        asprintf(&sql,
                                 "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT * FROM "
                                 "event WHERE seq = 8; UPDATE event SET %s WHERE seq = 8",
                                 columns[i]) > 0);
                change(rig, sql);
                problems = verify(rig, &checked);
                assert_int_equal(json_array_size(problems), 1);
                assert_problem(problems, 0, 8, CHANGED);
                change(rig,
                       "DELETE FROM event WHERE seq = 8; INSERT INTO event SELECT * FROM kept");
        }
}

static void test_verify__rows_deleted__the_first_and_the_last_are_named(void **state)
{
        Rig *rig = *state;
        json_auto_t *problems = NULL;
        int64_t checked;

        change(rig, "DELETE FROM event WHERE seq IN (5, 10, 11, 12)");
        problems = verify(rig, &checked);
        assert_int_equal(json_array_size(problems), 2);
        assert_problem(problems, 0, 5, "this event is missing");
        assert_problem(problems, 1, 10, "events are missing up to 12");
        assert_int_equal(checked, ROWS - 4);
}

static void test_verify__two_rows_swapped__both_are_named(void **state)
{
        Rig *rig = *state;
        json_auto_t *problems = NULL;
        int64_t checked;

        change(rig,
               "UPDATE event SET seq = -1 WHERE seq = 20; UPDATE event SET seq = 20 WHERE seq = "
               "21; UPDATE event SET seq = 21 WHERE seq = -1");
        problems = verify(rig, &checked);
        assert_problem(problems, 0, 20, CHANGED);
        assert_problem(problems, 1, 21, CHANGED);
}

/* More than a reply has room for. */
static void test_verify__hundreds_of_rows_changed__each_is_named(void **state)
{
        Rig *rig = *state;
        json_auto_t *problems = NULL;
        int64_t checked;

        change(rig, "UPDATE event SET data = '{}' WHERE seq <= 350");
        problems = verify(rig, &checked);
        assert_int_equal(json_array_size(problems), 350);
        for (size_t i = 0; i < 350; i++)
                assert_problem(problems, i, (int64_t)i + 1, CHANGED);
        assert_int_equal(checked, ROWS);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)
        const struct CMUnitTest tests[] = {
                T(test_verify__nobody_was_there__no_problem),
                T(test_verify__a_column_changed__its_row_is_named),
                T(test_verify__rows_deleted__the_first_and_the_last_are_named),
                T(test_verify__two_rows_swapped__both_are_named),
                T(test_verify__hundreds_of_rows_changed__each_is_named),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose end comes first when many are due at once. */
#include "tests/unit/scratch.h"

#include "credd/session-internal.h"

#define N 5

typedef struct Yard {
        Sessions sessions;
        Session list[N]; /* their deadlines a second apart, the first the earliest */
} Yard;

/* All rang at NOON, long after the last deadline. */
static void yard_setup(Yard *yard)
{
        static const size_t order[N] = {3, 0, 4, 2, 1};

        *yard = (Yard){0};
        LIST_INIT(&yard->sessions.list);
        for (size_t i = 0; i < N; i++) {
                Session *session = &yard->list[order[i]];

                session->row.deadline_usec = NOON - HOURS(1) + SECONDS(order[i]);
                session->look_usec = session->row.deadline_usec;
                LIST_INSERT_HEAD(&yard->sessions.list, session, all);
        }
}

static void test_sessions_turn__all_are_due__the_earliest_deadline_comes_first(void **state)
{
        Yard yard;

        (void)state;
        yard_setup(&yard);
        for (size_t i = 0; i < N; i++) {
                for (size_t rung = i; rung < N; rung++)
                        assert_ptr_equal(sessions_turn(&yard.sessions, &yard.list[rung], NOON),
                                         &yard.list[i]);
                yard.list[i].kill.terminated = true;
        }
}

/* Its end has begun already, or it waits for logind: it rings when it must, and holds up nobody. */
static void test_sessions_turn__an_earlier_one_that_waits__is_passed_over(void **state)
{
        Yard yard;

        (void)state;
        yard_setup(&yard);
        yard.list[0].look_usec = NOON + 1;
        yard.list[1].gone_usec = NOON - 1;
        assert_ptr_equal(sessions_turn(&yard.sessions, &yard.list[4], NOON), &yard.list[2]);
        assert_ptr_equal(sessions_turn(&yard.sessions, &yard.list[0], NOON + 1), &yard.list[0]);
}

static void test_sessions_turn__the_end_of_none_is_due__it_is_its_own_turn(void **state)
{
        Yard yard;

        (void)state;
        yard_setup(&yard);
        for (size_t i = 0; i < N; i++)
                yard.list[i].row.deadline_usec += HOURS(2); /* a warning, a wait for logind */
        for (size_t i = 0; i < N; i++)
                assert_ptr_equal(sessions_turn(&yard.sessions, &yard.list[i], NOON), &yard.list[i]);
}

static void test_sessions_next_due__all_are_begun_in_the_order_of_their_deadlines(void **state)
{
        Yard yard;

        (void)state;
        yard_setup(&yard);
        yard.list[3].row.deadline_usec = NOON + 1;
        yard.list[2].gone_usec = NOON - 1;
        for (size_t i = 0; i < N; i++) {
                if (i == 2 || i == 3)
                        continue;
                assert_ptr_equal(sessions_next_due(&yard.sessions, NOON), &yard.list[i]);
                yard.list[i].kill.begun = true;
        }
        assert_null(sessions_next_due(&yard.sessions, NOON));
}

static void test_sessions_turn__equal_deadlines__nobody_gives_way(void **state)
{
        Yard yard;

        (void)state;
        yard_setup(&yard);
        for (size_t i = 0; i < N; i++)
                yard.list[i].row.deadline_usec = NOON;
        for (size_t i = 0; i < N; i++)
                assert_ptr_equal(sessions_turn(&yard.sessions, &yard.list[i], NOON), &yard.list[i]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(
                        test_sessions_turn__all_are_due__the_earliest_deadline_comes_first),
                cmocka_unit_test(test_sessions_turn__an_earlier_one_that_waits__is_passed_over),
                cmocka_unit_test(test_sessions_turn__the_end_of_none_is_due__it_is_its_own_turn),
                cmocka_unit_test(test_sessions_turn__equal_deadlines__nobody_gives_way),
                cmocka_unit_test(
                        test_sessions_next_due__all_are_begun_in_the_order_of_their_deadlines),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

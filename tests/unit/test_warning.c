/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/scratch.h"

#include "credd/warning.h"

static void test_warning_left__a_timer_a_little_late__is_not_told(void **state)
{
        (void)state;
        assert_true(warning_left_usec(NOON, NOON - SECONDS(60)) == SECONDS(60));
        assert_true(warning_left_usec(NOON, NOON - SECONDS(60) + 3000) == SECONDS(60));
}

/* The machine slept while its moment passed. */
static void test_warning_left__long_after_its_moment__is_what_is_left_now(void **state)
{
        (void)state;
        assert_true(warning_left_usec(NOON, NOON - SECONDS(17) - 400000) == SECONDS(17));
        assert_true(warning_left_usec(NOON, NOON - SECONDS(17) - 600000) == SECONDS(18));
}

static void test_warning_left__the_end_has_come__is_nothing(void **state)
{
        (void)state;
        assert_true(warning_left_usec(NOON, NOON - 400000) == 0);
        assert_true(warning_left_usec(NOON, NOON) == 0);
        assert_true(warning_left_usec(NOON, NOON + HOURS(1)) == 0);
        assert_true(warning_left_usec(0, NOON) == 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_warning_left__a_timer_a_little_late__is_not_told),
                cmocka_unit_test(test_warning_left__long_after_its_moment__is_what_is_left_now),
                cmocka_unit_test(test_warning_left__the_end_has_come__is_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Time is handed in: an hour passes at once. */
#include "tests/unit/scratch.h"

#include "credd/limiter.h"

static int setup(void **state)
{
        Limiter *limiter = NULL;

        assert_int_equal(limiter_new(LIMITER_TRIES, LIMITER_WINDOW_USEC, &limiter), 0);
        *state = limiter;
        return 0;
}

static int teardown(void **state)
{
        (void)limiter_free(*state);
        return 0;
}

static void count_many(Limiter *limiter, uid_t uid, const char *source, uint64_t now, unsigned n)
{
        for (unsigned i = 0; i < n; i++)
                limiter_count(limiter, uid, source, now);
}

static void test_limiter__tries_up_to_the_limit__allowed_and_then_not(void **state)
{
        Limiter *limiter = *state;

        for (unsigned i = 0; i < LIMITER_TRIES; i++) {
                assert_true(limiter_allows(limiter, 1001, NULL, NOON));
                limiter_count(limiter, 1001, NULL, NOON);
        }
        assert_false(limiter_allows(limiter, 1001, NULL, NOON));
        assert_false(limiter_allows(limiter, 1001, "", NOON));
}

static void test_limiter__at_the_limit__another_user_or_source_is_not(void **state)
{
        Limiter *limiter = *state;

        count_many(limiter, 1001, NULL, NOON, LIMITER_TRIES);
        assert_true(limiter_allows(limiter, 1002, NULL, NOON));
        assert_true(limiter_allows(limiter, 1001, "10.0.0.1", NOON));
        assert_false(limiter_allows(limiter, 1001, NULL, NOON));
}

static void test_limiter__window_over__counts_anew(void **state)
{
        Limiter *limiter = *state;
        uint64_t end = NOON + LIMITER_WINDOW_USEC;

        count_many(limiter, 1001, NULL, NOON, LIMITER_TRIES);
        assert_false(limiter_allows(limiter, 1001, NULL, end - 1));
        assert_true(limiter_allows(limiter, 1001, NULL, end));
        count_many(limiter, 1001, NULL, end, LIMITER_TRIES - 1);
        assert_true(limiter_allows(limiter, 1001, NULL, end));
        limiter_count(limiter, 1001, NULL, end);
        assert_false(limiter_allows(limiter, 1001, NULL, end));
}

/* Trying on while it is refused makes it last no longer. */
static void test_limiter__tries_beyond_the_limit__do_not_move_the_window(void **state)
{
        Limiter *limiter = *state;

        count_many(limiter, 1001, NULL, NOON, 10 * LIMITER_TRIES);
        limiter_count(limiter, 1001, NULL, NOON + LIMITER_WINDOW_USEC - 1);
        assert_true(limiter_allows(limiter, 1001, NULL, NOON + LIMITER_WINDOW_USEC));
}

static void test_limiter__full_table__counts_as_limit_reached(void **state)
{
        Limiter *limiter = *state;

        for (uid_t uid = 0; uid < LIMITER_LINES; uid++)
                limiter_count(limiter, 2000 + uid, NULL, NOON);
        assert_false(limiter_allows(limiter, 1001, NULL, NOON));
        /* who has a line goes by it, and nothing is forgotten to make room */
        assert_true(limiter_allows(limiter, 2000, NULL, NOON));
        limiter_count(limiter, 1001, NULL, NOON);
        assert_false(limiter_allows(limiter, 1001, NULL, NOON));
        count_many(limiter, 2000, NULL, NOON, LIMITER_TRIES - 1);
        assert_false(limiter_allows(limiter, 2000, NULL, NOON));
        /* and it passes by itself */
        assert_true(limiter_allows(limiter, 1001, NULL, NOON + LIMITER_WINDOW_USEC));
}

static void test_limiter__long_source__is_told_from_a_short_one(void **state)
{
        Limiter *limiter = *state;
        char source[256];

        memset(source, 'x', sizeof(source) - 1);
        source[sizeof(source) - 1] = '\0';
        count_many(limiter, 1001, source, NOON, LIMITER_TRIES);
        assert_false(limiter_allows(limiter, 1001, source, NOON));
        source[254] = 'y';
        assert_true(limiter_allows(limiter, 1001, source, NOON));
}

/* The limits of the one have no part in the other. */
static void test_limiter__of_changes__so_many_an_hour(void **state)
{
        CLEANUP(limiter_freep) Limiter *changes = NULL;

        (void)state;
        assert_int_equal(limiter_new(LIMITER_CHANGES, LIMITER_CHANGES_WINDOW_USEC, &changes), 0);
        count_many(changes, 1001, NULL, NOON, LIMITER_CHANGES - 1);
        assert_true(limiter_allows(changes, 1001, NULL, NOON));
        limiter_count(changes, 1001, NULL, NOON + LIMITER_WINDOW_USEC);
        assert_false(limiter_allows(changes, 1001, NULL, NOON + LIMITER_WINDOW_USEC));
        assert_false(limiter_allows(changes, 1001, NULL, NOON + LIMITER_CHANGES_WINDOW_USEC - 1));
        assert_true(limiter_allows(changes, 1001, NULL, NOON + LIMITER_CHANGES_WINDOW_USEC));
        assert_true(limiter_allows(changes, 1002, NULL, NOON));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest tests[] = {
                T(test_limiter__tries_up_to_the_limit__allowed_and_then_not),
                T(test_limiter__at_the_limit__another_user_or_source_is_not),
                T(test_limiter__window_over__counts_anew),
                T(test_limiter__tries_beyond_the_limit__do_not_move_the_window),
                T(test_limiter__full_table__counts_as_limit_reached),
                T(test_limiter__long_source__is_told_from_a_short_one),
                T(test_limiter__of_changes__so_many_an_hour),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/scratch.h"

#include "credd/policy.h"

#define CEILING (NOON + HOURS(4))
#define LIMIT   (NOON + HOURS(1))

static const Credential credential = {.login_limit_usec = LIMIT, .ceiling_usec = CEILING};

/* The refusal, or NULL. */
static const char *ask(bool limit_open, uint64_t latest, uint64_t by, char *refusal)
{
        const PolicyRules rules = {.config = &(Config){0}};

        return policy_extend(&rules, &credential, limit_open, latest, by, refusal) == 0 ? NULL
                                                                                        : refusal;
}

static void test_policy_extend__up_to_the_ceiling__is_allowed_to_the_microsecond(void **state)
{
        char refusal[POLICY_TEXT_MAX];

        (void)state;
        assert_null(ask(true, 0, HOURS(3), refusal));
        assert_non_null(ask(true, 0, HOURS(3) + 1, refusal));
        assert_null(ask(false, CEILING - 5, 5, refusal));
        assert_non_null(ask(false, CEILING - 5, 6, refusal));
}

/* Both move by the same length, so the later of the two must stay below the ceiling. */
static void test_policy_extend__limit_and_session_open__the_later_one_counts(void **state)
{
        char refusal[POLICY_TEXT_MAX];

        (void)state;
        assert_null(ask(true, LIMIT - HOURS(1) / 2, HOURS(3), refusal));
        assert_non_null(ask(true, LIMIT + HOURS(2), HOURS(3), refusal));
        assert_null(ask(true, LIMIT + HOURS(2), HOURS(1), refusal));
        assert_null(ask(false, LIMIT - HOURS(1), HOURS(4), refusal));
}

static void test_policy_extend__too_long__says_how_much_is_left(void **state)
{
        char refusal[POLICY_TEXT_MAX];

        (void)state;
        assert_non_null(strstr(ask(true, 0, HOURS(24), refusal), "at most 3h is left"));
        assert_non_null(strstr(ask(false, CEILING, 1, refusal), "nothing is left"));
        assert_non_null(strstr(ask(false, CEILING + 1, 1, refusal), "nothing is left"));
}

static void test_policy_extend__nothing_open_or_no_length__is_refused(void **state)
{
        char refusal[POLICY_TEXT_MAX];

        (void)state;
        assert_non_null(ask(false, 0, HOURS(1), refusal));
        assert_non_null(ask(true, 0, 0, refusal));
        assert_non_null(ask(true, 0, USEC_INFINITY, refusal));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(
                        test_policy_extend__up_to_the_ceiling__is_allowed_to_the_microsecond),
                cmocka_unit_test(test_policy_extend__limit_and_session_open__the_later_one_counts),
                cmocka_unit_test(test_policy_extend__too_long__says_how_much_is_left),
                cmocka_unit_test(test_policy_extend__nothing_open_or_no_length__is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

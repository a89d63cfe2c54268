/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of several outcomes the exit status shows. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>

#include "credctl/outcome.h"

static void test_outcome_worse__done_and_another__the_other(void **state)
{
        (void)state;
        for (int outcome = OUTCOME_DONE; outcome <= OUTCOME_REFUSED; outcome++) {
                assert_int_equal(outcome_worse(OUTCOME_DONE, outcome), outcome);
                assert_int_equal(outcome_worse(outcome, OUTCOME_DONE), outcome);
        }
}

static void test_outcome_worse__unknown_among_others__unknown(void **state)
{
        (void)state;
        assert_int_equal(outcome_worse(OUTCOME_UNKNOWN, OUTCOME_REFUSED), OUTCOME_UNKNOWN);
        assert_int_equal(outcome_worse(OUTCOME_FAILED, OUTCOME_UNKNOWN), OUTCOME_UNKNOWN);
        assert_int_equal(outcome_worse(OUTCOME_FAILED, OUTCOME_REFUSED), OUTCOME_REFUSED);
}

static void test_outcome_worse__unexpected_error__that(void **state)
{
        (void)state;
        assert_int_equal(outcome_worse(OUTCOME_UNKNOWN, -ENOMEM), -ENOMEM);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_outcome_worse__done_and_another__the_other),
                cmocka_unit_test(test_outcome_worse__unknown_among_others__unknown),
                cmocka_unit_test(test_outcome_worse__unexpected_error__that),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

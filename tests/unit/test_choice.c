/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is acted on: the ways of choosing, the order, the question, and the states. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "common/varlink.h"
#include "credctl/choice.h"
#include "credctl/confirm.h"
#include "credctl/outcome.h"
#include "credctl/own.h"
#include "credctl/record.h"
#include "credctl/state.h"
#include "credctl/verb.h"

static Arguments arguments_of(const char *values, int n_operands)
{
        return (Arguments){.values = json_loads(values, 0, NULL), .n_operands = n_operands};
}

static int check(const char *values, int n_operands)
{
        CLEANUP(arguments_done) Arguments arguments = arguments_of(values, n_operands);

        return choice_check(&arguments, "revoke");
}

static void test_choice_check__one_way__accepted(void **state)
{
        (void)state;
        assert_int_equal(check("{}", 1), 0);
        assert_int_equal(check("{}", 3), 0);
        assert_int_equal(check("{\"user\":\"deploy\"}", 0), 0);
        assert_int_equal(check("{\"role\":\"oncall\"}", 0), 0);
        assert_int_equal(check("{\"all\":true,\"reason\":\"x\"}", 0), 0);
}

static void test_choice_check__none_or_several__wrong_usage(void **state)
{
        (void)state;
        assert_int_equal(check("{}", 0), OUTCOME_USAGE);
        assert_int_equal(check("{\"yes\":true}", 0), OUTCOME_USAGE);
        assert_int_equal(check("{\"all\":true}", 1), OUTCOME_USAGE);
        assert_int_equal(check("{\"user\":\"a\",\"role\":\"b\"}", 0), OUTCOME_USAGE);
        assert_int_equal(check("{\"user\":\"a\",\"all\":true}", 0), OUTCOME_USAGE);
}

static void assert_order(const char *own_id, bool found, const char *expected)
{
        json_auto_t *own = own_id ? json_pack("{s:{s:s}}", "credential", "id", own_id) : NULL;
        json_auto_t *credentials =
                json_pack("[{s:s}, {s:s}, {s:s}]", "id", "a", "id", "b", "id", "c");
        char order[4] = "";

        assert_int_equal(own_put_last(own, credentials), found);
        assert_int_equal(json_array_size(credentials), 3);
        for (size_t i = 0; i < 3; i++)
                order[i] = *record_text(json_array_get(credentials, i), "id");
        assert_string_equal(order, expected);
}

static void test_own_put_last__own_among_them__last(void **state)
{
        (void)state;
        assert_order("a", true, "bca");
        assert_order("b", true, "acb");
        assert_order("c", true, "abc");
}

static void test_own_put_last__not_among_them__as_it_was(void **state)
{
        (void)state;
        assert_order("d", false, "abc");
        assert_order(NULL, false, "abc");
}

static void test_confirm_is_yes__y_and_yes__only_these(void **state)
{
        (void)state;
        assert_true(confirm_is_yes("y\n"));
        assert_true(confirm_is_yes(" YES \n"));
        assert_false(confirm_is_yes(""));
        assert_false(confirm_is_yes("\n"));
        assert_false(confirm_is_yes("n\n"));
        assert_false(confirm_is_yes("yesterday\n"));
        assert_false(confirm_is_yes("yes, but\n"));
}

static void test_confirm_check__without_a_terminal__wants_yes(void **state)
{
        const Verb verb = {.name = "try"};
        const Context script = {.verb = &verb, .stderr_terminal = true};
        const Context person = {.verb = &verb, .stdin_terminal = true, .stderr_terminal = true};
        CLEANUP(arguments_done) Arguments bare = arguments_of("{}", 0);
        CLEANUP(arguments_done) Arguments sure = arguments_of("{\"yes\":true}", 0);

        (void)state;
        assert_int_equal(confirm_check(&script, &bare), OUTCOME_USAGE);
        assert_int_equal(confirm_check(&script, &sure), 0);
        assert_int_equal(confirm_check(&person, &bare), 0);
        assert_true(confirm_wanted(&person, &bare));
        assert_false(confirm_wanted(&person, &sure));
        assert_false(confirm_wanted(&script, &sure));
}

static void test_state_is_live__final_or_unknown__not(void **state)
{
        (void)state;
        assert_true(state_is_live("suspended"));
        assert_true(state_is_live("ending"));
        assert_false(state_is_live("returned"));
        assert_false(state_is_live("expired"));
        assert_false(state_is_live("something-new"));
}

static void test_state_words__each_that_credd_names__some(void **state)
{
        static const char *const names[] = {"active", "in-use",  "suspended", "ending",
                                            "used",   "expired", "revoked",   "returned"};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                assert_non_null(state_words(names[i]));
        assert_null(state_words("something-new"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_choice_check__one_way__accepted),
                cmocka_unit_test(test_choice_check__none_or_several__wrong_usage),
                cmocka_unit_test(test_own_put_last__own_among_them__last),
                cmocka_unit_test(test_own_put_last__not_among_them__as_it_was),
                cmocka_unit_test(test_confirm_is_yes__y_and_yes__only_these),
                cmocka_unit_test(test_confirm_check__without_a_terminal__wants_yes),
                cmocka_unit_test(test_state_is_live__final_or_unknown__not),
                cmocka_unit_test(test_state_words__each_that_credd_names__some),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

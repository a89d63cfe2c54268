/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verb or option that was probably meant, and when none was. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "credctl/suggest.h"

static const char *const names[] = {"issue", "list", "show", "revoke", "sessions", "status"};

static const char *nearest(const char *typed)
{
        Suggestion suggestion = {.typed = typed};

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                suggest_offer(&suggestion, names[i]);
        return suggestion.best;
}

static void test_suggest_distance__edits__counted(void **state)
{
        (void)state;
        assert_int_equal(suggest_distance("", ""), 0);
        assert_int_equal(suggest_distance("list", "list"), 0);
        assert_int_equal(suggest_distance("", "list"), 4);
        assert_int_equal(suggest_distance("lst", "list"), 1);
        assert_int_equal(suggest_distance("liist", "list"), 1);
        assert_int_equal(suggest_distance("lizt", "list"), 1);
        assert_int_equal(suggest_distance("lsit", "list"), 1);
        assert_int_equal(suggest_distance("revoke", "invoke"), 2);
}

static void test_suggest_distance__longer_than_any_name__infinite(void **state)
{
        (void)state;
        assert_int_equal(suggest_distance("0123456789012345678901234567890123456789", "list"),
                         SIZE_MAX);
}

static void test_suggest_offer__a_typo__the_name(void **state)
{
        (void)state;
        assert_string_equal(nearest("isue"), "issue");
        assert_string_equal(nearest("lsit"), "list");
        assert_string_equal(nearest("revokee"), "revoke");
        assert_string_equal(nearest("session"), "sessions");
        assert_string_equal(nearest("satus"), "status");
}

static void test_suggest_offer__something_else__none(void **state)
{
        (void)state;
        assert_null(nearest("xyzzy"));
        assert_null(nearest(""));
        assert_null(nearest("ls"));
        assert_null(nearest("0123456789012345678901234567890123456789"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_suggest_distance__edits__counted),
                cmocka_unit_test(test_suggest_distance__longer_than_any_name__infinite),
                cmocka_unit_test(test_suggest_offer__a_typo__the_name),
                cmocka_unit_test(test_suggest_offer__something_else__none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From argv to values: each kind, where options may stand, and what is refused as wrong usage. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "common/cleanup.h"
#include "common/varlink.h"
#include "credctl/arguments.h"
#include "credctl/outcome.h"
#include "credctl/verb.h"

#define NOW (UINT64_C(1795378620) * USEC_PER_SEC)

static const Option options[] = {
        {"user", "USER", "user", OPTION_TEXT, "a text"},
        {"ttl", "D", "ttl_usec", OPTION_DURATION, "a length"},
        {"not-before", "TIME", "not_before_usec", OPTION_MOMENT, "a moment"},
        {"uses", "N", "uses", OPTION_NUMBER, "a number"},
        {"service", "SVC", "services", OPTION_LIST, "texts"},
        {"wait", NULL, NULL, OPTION_FLAG, "a flag"},
        {"all", NULL, "all", OPTION_FLAG, "a flag that is sent"},
        {.name = NULL},
};

static const Verb verb = {
        .name = "try",
        .operands = "ID...",
        .line = "",
        .options = options,
        .required = "user",
        .operands_max = 2,
};

/* The words up to NULL follow argv[0]. */
static int parse(Arguments *arguments, const Verb *of, const char *const *words, char *argv[])
{
        int argc = 1;

        argv[0] = (char *)"try";
        for (; words[argc - 1]; argc++)
                argv[argc] = (char *)words[argc - 1];
        argv[argc] = NULL;
        return arguments_parse(arguments, of, argc, argv, NOW);
}

static void assert_usage(const char *const *words)
{
        CLEANUP(arguments_done) Arguments arguments = {0};
        char *argv[16];

        assert_int_equal(parse(&arguments, &verb, words, argv), OUTCOME_USAGE);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_arguments_parse__each_kind__typed_value(void **state)
{
        CLEANUP(arguments_done) Arguments arguments = {0};
        char *argv[16];

        (void)state;
        assert_int_equal(parse(&arguments, &verb,
                               WORDS("--user", "deploy", "--ttl=1h 30min", "--not-before", "+1h",
                                     "--uses", "3", "--wait"),
                               argv),
                         0);
        assert_string_equal(arguments_text(&arguments, "user"), "deploy");
        assert_int_equal(arguments_number(&arguments, "ttl", 0), 5400 * USEC_PER_SEC);
        assert_int_equal(arguments_number(&arguments, "not-before", 0), NOW + 3600 * USEC_PER_SEC);
        assert_int_equal(arguments_number(&arguments, "uses", 0), 3);
        assert_true(arguments_flag(&arguments, "wait"));
        assert_int_equal(arguments.n_operands, 0);
}

static void test_arguments_parse__nothing_given__absent(void **state)
{
        CLEANUP(arguments_done) Arguments arguments = {0};
        char *argv[16];

        (void)state;
        assert_int_equal(parse(&arguments, &verb, (const char *const[]){NULL}, argv), 0);
        assert_null(arguments_text(&arguments, "user"));
        assert_int_equal(arguments_number(&arguments, "uses", 7), 7);
        assert_false(arguments_flag(&arguments, "wait"));
}

static void test_arguments_parse__list_again__all_kept_in_order(void **state)
{
        CLEANUP(arguments_done) Arguments arguments = {0};
        const json_t *list;
        char *argv[16];

        (void)state;
        assert_int_equal(
                parse(&arguments, &verb, WORDS("--service", "sshd", "--service", "login"), argv),
                0);
        list = json_object_get(arguments.values, "service");
        assert_int_equal(json_array_size(list), 2);
        assert_string_equal(json_string_value(json_array_get(list, 0)), "sshd");
        assert_string_equal(json_string_value(json_array_get(list, 1)), "login");
}

static void test_arguments_parse__text_again__last_counts(void **state)
{
        CLEANUP(arguments_done) Arguments arguments = {0};
        char *argv[16];

        (void)state;
        assert_int_equal(parse(&arguments, &verb, WORDS("--user", "a", "--user", "b"), argv), 0);
        assert_string_equal(arguments_text(&arguments, "user"), "b");
}

static void test_arguments_parse__operands_between_options__collected(void **state)
{
        CLEANUP(arguments_done) Arguments arguments = {0};
        char *argv[16];

        (void)state;
        assert_int_equal(
                parse(&arguments, &verb, WORDS("one", "--wait", "two", "--", "--all"), argv), 0);
        assert_int_equal(arguments.n_operands, 3);
        assert_string_equal(arguments.operands[0], "one");
        assert_string_equal(arguments.operands[1], "two");
        assert_string_equal(arguments.operands[2], "--all");
        assert_false(arguments_flag(&arguments, "all"));
}

static void test_arguments_parse__before_the_verb__stops_at_it(void **state)
{
        CLEANUP(arguments_done) Arguments arguments = {0};
        char *argv[16];

        (void)state;
        assert_int_equal(parse(&arguments, NULL, WORDS("-q", "--json", "list", "--all"), argv), 0);
        assert_true(arguments_flag(&arguments, "quiet"));
        assert_true(arguments_flag(&arguments, "json"));
        assert_int_equal(arguments.n_operands, 2);
        assert_string_equal(arguments.operands[0], "list");
}

static void test_arguments_parse__in_two_steps__values_added(void **state)
{
        CLEANUP(arguments_done) Arguments arguments = {0};
        char *argv[16];

        (void)state;
        assert_int_equal(parse(&arguments, NULL, WORDS("-q", "try"), argv), 0);
        assert_int_equal(parse(&arguments, &verb, WORDS("--wait", "--no-legend"), argv), 0);
        assert_true(arguments_flag(&arguments, "quiet"));
        assert_true(arguments_flag(&arguments, "wait"));
        assert_true(arguments_flag(&arguments, "no-legend"));
}

static void test_arguments_parse__no_such_option__usage(void **state)
{
        (void)state;
        assert_usage(WORDS("--usre", "x"));
        assert_usage(WORDS("--nothing-like-it"));
        assert_usage(WORDS("--"
                           "an-option-that-is-longer-than-any-buffer-that-somebody-might-have-"
                           "thought-of-for-the-name-of-an-option"));
        assert_usage(WORDS("-x"));
        assert_usage(WORDS("--u", "x")); /* user or uses */
}

static void test_arguments_parse__value_missing_or_too_much__usage(void **state)
{
        (void)state;
        assert_usage(WORDS("--user"));
        assert_usage(WORDS("--wait=yes"));
}

static void test_arguments_parse__value_of_another_kind__usage(void **state)
{
        (void)state;
        assert_usage(WORDS("--ttl", "5x"));
        assert_usage(WORDS("--ttl", "-5s"));
        assert_usage(WORDS("--uses", "0"));
        assert_usage(WORDS("--uses", "-1"));
        assert_usage(WORDS("--uses", "+1"));
        assert_usage(WORDS("--uses", "1.5"));
        assert_usage(WORDS("--uses", ""));
        assert_usage(WORDS("--uses", "99999999999999999999"));
        assert_usage(WORDS("--not-before", "2026-02-30"));
}

static void test_arguments_parse__not_utf8__usage(void **state)
{
        (void)state;
        assert_usage(WORDS("--user", "a\xff"));
        assert_usage(WORDS("\xc3"));
}

static void test_arguments_check__required_and_operands__counted(void **state)
{
        CLEANUP(arguments_done) Arguments without = {0};
        CLEANUP(arguments_done) Arguments with = {0};
        CLEANUP(arguments_done) Arguments many = {0};
        char *argv[16];

        (void)state;
        assert_int_equal(parse(&without, &verb, WORDS("one"), argv), 0);
        assert_int_equal(arguments_check(&without, &verb), OUTCOME_USAGE);
        assert_int_equal(parse(&with, &verb, WORDS("--user", "x", "one"), argv), 0);
        assert_int_equal(arguments_check(&with, &verb), 0);
        assert_int_equal(parse(&many, &verb, WORDS("--user", "x", "1", "2", "3"), argv), 0);
        assert_int_equal(arguments_check(&many, &verb), OUTCOME_USAGE);
}

static void test_arguments_parameters__given_members__only_those(void **state)
{
        CLEANUP(arguments_done) Arguments arguments = {0};
        json_auto_t *parameters = NULL, *expected = NULL;
        char *argv[16];

        (void)state;
        assert_int_equal(parse(&arguments, &verb,
                               WORDS("--all", "--wait", "--ttl", "1s", "--service", "sshd", "-q"),
                               argv),
                         0);
        assert_int_equal(arguments_parameters(&arguments, &verb, &parameters), 0);
        expected =
                json_pack("{s:b, s:i, s:[s]}", "all", 1, "ttl_usec", 1000000, "services", "sshd");
        assert_true(json_equal(parameters, expected));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_arguments_parse__each_kind__typed_value),
                cmocka_unit_test(test_arguments_parse__nothing_given__absent),
                cmocka_unit_test(test_arguments_parse__list_again__all_kept_in_order),
                cmocka_unit_test(test_arguments_parse__text_again__last_counts),
                cmocka_unit_test(test_arguments_parse__operands_between_options__collected),
                cmocka_unit_test(test_arguments_parse__before_the_verb__stops_at_it),
                cmocka_unit_test(test_arguments_parse__in_two_steps__values_added),
                cmocka_unit_test(test_arguments_parse__no_such_option__usage),
                cmocka_unit_test(test_arguments_parse__value_missing_or_too_much__usage),
                cmocka_unit_test(test_arguments_parse__value_of_another_kind__usage),
                cmocka_unit_test(test_arguments_parse__not_utf8__usage),
                cmocka_unit_test(test_arguments_check__required_and_operands__counted),
                cmocka_unit_test(test_arguments_parameters__given_members__only_those),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

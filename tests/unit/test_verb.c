/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of verbs, and the manual held against it. Runs in the root of the tree. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "credctl/verb.h"

#define MANUAL "doc/man/credctl.1"

static char *read_manual(void)
{
        FILE *file = fopen(MANUAL, "re");
        char *text = calloc(1, 65536);

        assert_non_null(file);
        assert_non_null(text);
        assert_true(fread(text, 1, 65535, file) > 0);
        fclose(file);
        return text;
}

static void assert_described(const char *manual, const Option *option)
{
        char word[64];

        snprintf(word, sizeof word, "Fl \\-%s", option->name);
        if (!strstr(manual, word))
                fail_msg("--%s is not in %s", option->name, MANUAL);
}

static void test_verb_table__each_verb__in_the_manual(void **state)
{
        AUTO_FREE char *manual = read_manual();

        (void)state;
        for (const Verb *verb = credctl_verbs; verb->name; verb++) {
                char heading[64];

                snprintf(heading, sizeof heading, "\n.Ss %s\n", verb->name);
                if (!strstr(manual, heading))
                        fail_msg("%s has no section in %s", verb->name, MANUAL);
                for (const Option *option = verb->options; option && option->name; option++)
                        assert_described(manual, option);
        }
        for (const Option *option = arguments_everywhere; option->name; option++)
                assert_described(manual, option);
}

static void test_verb_table__each_option__fits_its_kind(void **state)
{
        (void)state;
        for (const Verb *verb = credctl_verbs; verb->name; verb++) {
                assert_true(verb->operands_min <= verb->operands_max);
                for (const Option *option = verb->options; option && option->name; option++) {
                        assert_int_equal(option->kind == OPTION_FLAG, option->value == NULL);
                        assert_non_null(option->help);
                        for (const Option *other = arguments_everywhere; other->name; other++)
                                assert_string_not_equal(option->name, other->name);
                }
        }
}

static void test_verb_find__names__found_or_not(void **state)
{
        (void)state;
        assert_string_equal(verb_find("issue")->name, "issue");
        assert_null(verb_find("iss"));
        assert_null(verb_find(""));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_verb_table__each_verb__in_the_manual),
                cmocka_unit_test(test_verb_table__each_option__fits_its_kind),
                cmocka_unit_test(test_verb_find__names__found_or_not),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

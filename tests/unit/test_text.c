/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cleaning: what passes, and what must not reach a terminal. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "credctl/text.h"

typedef struct Case {
        const char *raw, *clean;
} Case;

static void assert_cleaned(const Case *cases, size_t n, bool unicode)
{
        for (size_t i = 0; i < n; i++) {
                char text[128];

                snprintf(text, sizeof text, "%s", cases[i].raw);
                text_clean(text, unicode);
                assert_string_equal(text, cases[i].clean);
        }
}

static void test_text_clean__ordinary_text__unchanged(void **state)
{
        static const Case cases[] = {
                {"", ""},
                {"a reason, ~!", "a reason, ~!"},
                {"\xc3\xbc \xe2\x82\xac \xf0\x9f\x94\x91",
                 "\xc3\xbc \xe2\x82\xac \xf0\x9f\x94\x91"},
        };

        (void)state;
        assert_cleaned(cases, ELEMENTSOF(cases), true);
}

static void test_text_clean__controls__question_marks(void **state)
{
        static const Case cases[] = {
                {"\033[31mred\a", "?[31mred?"},
                {"\x7f", "?"},
                {"a\xc2\x9b"
                 "31m",
                 "a?31m"},
                {"two\nlines\tand\rmore", "two lines and more"},
        };

        (void)state;
        assert_cleaned(cases, ELEMENTSOF(cases), true);
}

static void test_text_clean__invisible_and_reordering__question_marks(void **state)
{
        static const Case cases[] = {
                {"a\xe2\x80\xae"
                 "b",
                 "a?b"},
                {"\xe2\x80\x8b", "?"},
                {"\xe2\x81\xa6", "?"},
                {"\xef\xbb\xbf", "?"},
                {"\xf3\xa0\x80\xa1", "?"},
        };

        (void)state;
        assert_cleaned(cases, ELEMENTSOF(cases), true);
}

static void test_text_clean__not_utf8__a_mark_a_byte(void **state)
{
        static const Case cases[] = {
                {"\xff", "?"},           {"\x80", "?"},
                {"\xc3", "?"},           {"\xc3x", "?x"},
                {"\xc0\xaf", "??"},      {"\xe0\x80\xaf", "???"},
                {"\xed\xa0\x80", "???"}, {"\xf4\x90\x80\x80", "????"},
                {"\xf0\x9f\x94", "???"},
        };

        (void)state;
        assert_cleaned(cases, ELEMENTSOF(cases), true);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_false(text_is_utf8(cases[i].raw));
}

static void test_text_clean__terminal_without_unicode__ascii_alone(void **state)
{
        static const Case cases[] = {{"gr\xc3\xbc\xc3\x9f", "gr??"}};

        (void)state;
        assert_cleaned(cases, ELEMENTSOF(cases), false);
}

static void test_text_clean__cleaned_text__unchanged(void **state)
{
        char raw[256], text[256];

        (void)state;
        for (size_t i = 0; i < sizeof raw - 1; i++)
                raw[i] = (char)(i * 37 % 255 + 1);
        raw[sizeof raw - 1] = '\0';
        text_clean(raw, true);
        memcpy(text, raw, sizeof raw);
        text_clean(text, true);
        assert_string_equal(text, raw);
        assert_true(text_is_utf8(text));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_text_clean__ordinary_text__unchanged),
                cmocka_unit_test(test_text_clean__controls__question_marks),
                cmocka_unit_test(test_text_clean__invisible_and_reordering__question_marks),
                cmocka_unit_test(test_text_clean__not_utf8__a_mark_a_byte),
                cmocka_unit_test(test_text_clean__terminal_without_unicode__ascii_alone),
                cmocka_unit_test(test_text_clean__cleaned_text__unchanged),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

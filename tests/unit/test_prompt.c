/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pam_ephemeral/prompt, as far as it needs no libpam: what counts as a token. And what a person is
 * told (notice). Conversations are tested inside libpam, in tests/pam. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/token.h"
#include "pam_ephemeral/notice.h"
#include "pam_ephemeral/prompt.h"

static void make_token(char ret_text[static TOKEN_TEXT_LEN + 1])
{
        uint8_t random[TOKEN_RANDOM_LEN];
        Token token;

        for (size_t i = 0; i < sizeof(random); i++)
                random[i] = (uint8_t)(7 * i + 3);
        token_from_random(random, &token);
        token_format(&token, ret_text);
}

static void test_prompt__token__is_one(void **state)
{
        char text[TOKEN_TEXT_LEN + 1];
        Secret secret = {.len = 0};

        (void)state;
        make_token(text);
        assert_true(prompt_is_token(text, strlen(text), false, &secret));
        assert_string_equal(secret.text, text);
        assert_int_equal(secret.len, TOKEN_TEXT_LEN);
}

static void test_prompt__token_as_people_type_it__canonical(void **state)
{
        char text[TOKEN_TEXT_LEN + 1], typed[2 * TOKEN_TEXT_LEN + 8] = " ";
        Secret secret = {.len = 0};
        size_t n = 1;

        (void)state;
        make_token(text);
        for (size_t i = 0; text[i]; i++) {
                if (i > 4 && i % 4 == 0)
                        typed[n++] = '-';
                typed[n++] = (char)(i < 4 ? text[i] : toupper((unsigned char)text[i]));
        }
        typed[n++] = ' ';
        typed[n] = '\0';
        assert_true(prompt_is_token(typed, n, false, &secret));
        assert_string_equal(secret.text, text);
}

static void test_prompt__password__is_none(void **state)
{
        char text[TOKEN_TEXT_LEN + 1], huge[3000];
        static const char *const passwords[] = {
                "", "correct horse", "eph_", "eph_hunter2", "\b\n\r\177INCORRECT",
        };
        Secret secret = {.len = 0};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(passwords); i++)
                assert_false(prompt_is_token(passwords[i], strlen(passwords[i]), false, &secret));
        memset(huge, 'x', sizeof(huge));
        assert_false(prompt_is_token(huge, sizeof(huge), false, &secret));
        /* Each single wrong character makes it a password, which never leaves the process. */
        make_token(text);
        for (size_t i = 4; i < TOKEN_TEXT_LEN; i++) {
                char right = text[i];

                text[i] = right == '7' ? '8' : '7';
                assert_false(prompt_is_token(text, strlen(text), false, &secret));
                text[i] = right;
        }
        assert_int_equal(secret.len, 0);
}

static void test_notice__expires__utc(void **state)
{
        char text[NOTICE_EXPIRES_MAX];

        (void)state;
        assert_int_equal(notice_expires(UINT64_C(1795379400) * USEC_PER_SEC + 999999, text), 0);
        assert_string_equal(text, "2026-11-22T20:30:00Z");
        assert_int_equal(notice_expires(UINT64_C(253402300799) * USEC_PER_SEC, text), 0);
        assert_string_equal(text, "9999-12-31T23:59:59Z");
        assert_int_equal(notice_expires(UINT64_C(253402300800) * USEC_PER_SEC, text), -ERANGE);
        assert_int_equal(notice_expires(INT64_MAX, text), -ERANGE);
}

static void set_zone(const char *zone)
{
        assert_int_equal(setenv("TZ", zone, 1), 0);
        tzset();
}

static void test_notice__end__local_time_and_words(void **state)
{
        static const struct {
                uint64_t left_sec;
                const char *words;
        } cases[] = {
                {0, "(in 0s)"},         {59, "(in 59s)"},
                {60, "(in 1min 0s)"},   {3599, "(in 59min 59s)"},
                {3600, "(in 1h 0min)"}, {5400, "(in 1h 30min)"},
                {86400, "(in 1d 0h)"},  {2 * 86400 + 5 * 3600 + 59, "(in 2d 5h)"},
        };
        uint64_t end = UINT64_C(1795379400) * USEC_PER_SEC;
        char text[NOTICE_END_MAX];

        (void)state;
        set_zone("XYZ-1");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint64_t left = cases[i].left_sec * USEC_PER_SEC;

                assert_int_equal(notice_end(end, left, end - left, text), 0);
                assert_non_null(strstr(text, cases[i].words));
                assert_non_null(strstr(text, "21:30:00 +0100 "));
        }
        assert_int_equal(notice_end(end, 3600 * USEC_PER_SEC, end - 3600 * USEC_PER_SEC, text), 0);
        assert_string_equal(text, "Access ends at 21:30:00 +0100 (in 1h 0min); "
                                  "the session is closed then.");
        /* A moment after the reply was written it is still the same hour in words. */
        assert_int_equal(notice_end(end, 3600 * USEC_PER_SEC - 9000, end, text), 0);
        assert_non_null(strstr(text, "(in 1h 0min)"));
}

static void test_notice__end_on_another_day__with_date(void **state)
{
        uint64_t end = UINT64_C(1795379400) * USEC_PER_SEC, day = 86400 * USEC_PER_SEC;
        char text[NOTICE_END_MAX];

        (void)state;
        set_zone("XYZ+3:30");
        assert_int_equal(notice_end(end, day, end - day, text), 0);
        assert_non_null(strstr(text, "at 2026-11-22 17:00:00 -0330 (in 1d 0h);"));
        assert_int_equal(notice_end(end, 366 * day, end - 365 * day, text), 0);
        assert_non_null(strstr(text, "2026-11-22"));
        assert_int_equal(notice_end(INT64_MAX, day, end, text), -ERANGE);
}

static void test_prompt__code__is_one_only_where_codes_are(void **state)
{
        char text[TOKEN_TEXT_LEN + 1], typed[CODE_TEXT_LEN + 1], bare[CODE_TEXT_LEN + 1];
        Secret secret = {.len = 0};
        Token token;
        Code code;

        (void)state;
        make_token(text);
        assert_int_equal(token_parse(text, strlen(text), &token), 0);
        code_from_token(&token, &code);
        code_format(&code, typed);
        assert_false(prompt_is_token(typed, strlen(typed), false, &secret));
        assert_int_equal(secret.len, 0);
        /* without its hyphens it is somebody's password */
        (void)snprintf(bare, sizeof(bare), "%.4s%.4s%.4s", typed, typed + 5, typed + 10);
        assert_false(prompt_is_token(bare, strlen(bare), true, &secret));
        assert_true(prompt_is_token(typed, strlen(typed), true, &secret));
        assert_string_equal(secret.text, typed);
        assert_true(prompt_is_token(text, strlen(text), true, &secret));
        assert_string_equal(secret.text, text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_prompt__token__is_one),
                cmocka_unit_test(test_prompt__token_as_people_type_it__canonical),
                cmocka_unit_test(test_prompt__password__is_none),
                cmocka_unit_test(test_prompt__code__is_one_only_where_codes_are),
                cmocka_unit_test(test_notice__expires__utc),
                cmocka_unit_test(test_notice__end__local_time_and_words),
                cmocka_unit_test(test_notice__end_on_another_day__with_date),
        };

        return cmocka_run_group_tests_name("prompt", tests, NULL, NULL);
}

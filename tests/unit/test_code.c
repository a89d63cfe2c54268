/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Code text: what must be read, and exhaustively every single mistake and every swap that must be
 * found. The check is computed here another way: by a table of powers rather than by Horner's rule. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/token.h"

#define ALPHABET "0123456789abcdefghjkmnpqrstvwxyz"
#define ROUNDS   50

static void make_code(unsigned seed, Code *ret_code, char ret_text[static CODE_TEXT_LEN + 1])
{
        uint8_t random[TOKEN_RANDOM_LEN];
        Token token;

        for (size_t i = 0; i < sizeof(random); i++)
                random[i] = (uint8_t)((seed = seed * 1103515245U + 12345U) >> 16);
        token_from_random(random, &token);
        code_from_token(&token, ret_code);
        code_format(ret_code, ret_text);
}

static bool is_code(const char *text)
{
        Code code;

        return code_parse(text, strlen(text), &code) == 0;
}

/* Multiplication in GF(32) by long hand. */
static unsigned times(unsigned a, unsigned b)
{
        unsigned product = 0;

        for (unsigned i = 0; i < 5; i++)
                if ((b >> i) & 1)
                        product ^= a << i;
        for (unsigned i = 9; i >= 5; i--)
                if ((product >> i) & 1)
                        product ^= 0x25U << (i - 5);
        return product;
}

static bool check_holds(const char *text)
{
        unsigned sum = 0, weight = 1;

        for (size_t i = CODE_TEXT_LEN; i-- > 0;) {
                if (text[i] == '-')
                        continue;
                sum ^= times((unsigned)(strchr(ALPHABET, text[i]) - ALPHABET), weight);
                weight = times(weight, 2);
        }
        return sum == 0;
}

static void test_code_format__any__three_groups_and_a_check_that_holds(void **state)
{
        (void)state;
        for (unsigned seed = 0; seed < ROUNDS; seed++) {
                char text[CODE_TEXT_LEN + 1];
                Code code, again;

                make_code(seed, &code, text);
                assert_int_equal(strlen(text), 14);
                assert_true(text[4] == '-' && text[9] == '-');
                assert_int_equal(strspn(text, ALPHABET "-"), 14);
                assert_true(check_holds(text));
                assert_int_equal(code_parse(text, strlen(text), &again), 0);
                assert_memory_equal(&code, &again, sizeof(code));
                assert_memory_equal(text, code.handle, CODE_HANDLE_LEN);
        }
}

static void test_code_from_token__handle_and_secret__are_its_beginnings(void **state)
{
        uint8_t random[TOKEN_RANDOM_LEN];
        Token token;
        Code code;

        (void)state;
        for (size_t i = 0; i < sizeof(random); i++)
                random[i] = (uint8_t)i;
        token_from_random(random, &token);
        code_from_token(&token, &code);
        assert_string_equal(code.handle, "0123");
        assert_string_equal(code.secret, "89abcde");
}

static void test_code_parse__as_people_type_it__is_the_same_code(void **state)
{
        char text[CODE_TEXT_LEN + 1], typed[CODE_TEXT_LEN + 8];
        Code code, read;

        (void)state;
        for (unsigned seed = 0; seed < ROUNDS; seed++) {
                make_code(seed, &code, text);
                (void)snprintf(typed, sizeof(typed), " \t%s\r\n", text);
                for (char *c = typed; *c; c++)
                        *c = *c == '1' ? (seed % 2 ? 'I' : 'l')
                                       : (*c == '0' ? 'O' : (char)toupper((unsigned char)*c));
                assert_int_equal(code_parse(typed, strlen(typed), &read), 0);
                assert_memory_equal(&code, &read, sizeof(code));
        }
}

static void test_code_parse__one_wrong_character__is_none(void **state)
{
        (void)state;
        for (unsigned seed = 0; seed < ROUNDS; seed++) {
                char text[CODE_TEXT_LEN + 1];
                Code code;

                make_code(seed, &code, text);
                for (size_t i = 0; i < CODE_TEXT_LEN; i++) {
                        char right = text[i];

                        for (const char *c = ALPHABET "-_ u"; *c; c++) {
                                text[i] = *c;
                                assert_int_equal(is_code(text), *c == right);
                        }
                        text[i] = right;
                }
        }
}

static void test_code_parse__two_characters_swapped__is_none(void **state)
{
        (void)state;
        for (unsigned seed = 0; seed < ROUNDS; seed++) {
                char text[CODE_TEXT_LEN + 1];
                Code code;

                make_code(seed, &code, text);
                for (size_t i = 0; i < CODE_TEXT_LEN; i++)
                        for (size_t j = i + 1; j < CODE_TEXT_LEN; j++) {
                                char swapped[CODE_TEXT_LEN + 1];

                                memcpy(swapped, text, sizeof(swapped));
                                swapped[i] = text[j];
                                swapped[j] = text[i];
                                assert_int_equal(is_code(swapped), text[i] == text[j]);
                        }
        }
}

/* Twelve letters and digits whose check happens to hold are a password all the same. */
static void test_code_parse__hyphens_not_at_their_places__is_none(void **state)
{
        char text[CODE_TEXT_LEN + 1], other[CODE_TEXT_LEN + 8];
        Code code, untouched;

        (void)state;
        make_code(7, &code, text);
        memset(&untouched, 0x5a, sizeof(untouched));
        code = untouched;
        (void)snprintf(other, sizeof(other), "%.4s%.4s%.4s", text, text + 5, text + 10);
        assert_int_equal(code_parse(other, strlen(other), &code), -EINVAL);
        (void)snprintf(other, sizeof(other), "%.4s%.4s-%.4s", text, text + 5, text + 10);
        assert_int_equal(code_parse(other, strlen(other), &code), -EINVAL);
        (void)snprintf(other, sizeof(other), "%.4s-%.4s%.4s", text, text + 5, text + 10);
        assert_int_equal(code_parse(other, strlen(other), &code), -EINVAL);
        (void)snprintf(other, sizeof(other), "%.3s-%.1s%.4s-%.4s", text, text + 3, text + 5,
                       text + 10);
        assert_int_equal(code_parse(other, strlen(other), &code), -EINVAL);
        (void)snprintf(other, sizeof(other), "%.4s--%.4s-%.4s", text, text + 5, text + 10);
        assert_int_equal(code_parse(other, strlen(other), &code), -EINVAL);
        (void)snprintf(other, sizeof(other), "%s-", text);
        assert_int_equal(code_parse(other, strlen(other), &code), -EINVAL);
        (void)snprintf(other, sizeof(other), "eph_%s", text);
        assert_int_equal(code_parse(other, strlen(other), &code), -EINVAL);
        assert_int_equal(code_parse("", 0, &code), -EINVAL);
        assert_int_equal(code_parse(text, CODE_TEXT_LEN - 1, &code), -EINVAL);
        assert_memory_equal(&code, &untouched, sizeof(code));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_code_format__any__three_groups_and_a_check_that_holds),
                cmocka_unit_test(test_code_from_token__handle_and_secret__are_its_beginnings),
                cmocka_unit_test(test_code_parse__as_people_type_it__is_the_same_code),
                cmocka_unit_test(test_code_parse__one_wrong_character__is_none),
                cmocka_unit_test(test_code_parse__two_characters_swapped__is_none),
                cmocka_unit_test(test_code_parse__hyphens_not_at_their_places__is_none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

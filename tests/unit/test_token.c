/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Token text: every way to type it that must be read, and, exhaustively for some tokens, every
 * single mistake and every swap that must be found. The check is recomputed here another way: by
 * the powers of 32 rather than by Horner's rule. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/token.h"

#define ALPHABET   "0123456789abcdefghjkmnpqrstvwxyz"
#define PREFIX_LEN 4
#define ROUNDS     50

/* Computed outside this project with integers of any size; the second has check values of which two
 * would do. */
#define KNOWN      "eph_0123456789abcdefghjkmnpqrstvwxyz01v6"
#define KNOWN_TWIN "eph_5gr68fzmxt5x2vcsg88r313w0pwmbdwdcr02"

/* xorshift64: the same tokens in every run. */
static uint64_t random_next(uint64_t *seed)
{
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        return *seed >> 16;
}

static void random_token(uint64_t *seed, Token *ret_token)
{
        uint8_t random[TOKEN_RANDOM_LEN];

        for (size_t i = 0; i < sizeof(random); i++)
                random[i] = (uint8_t)random_next(seed);
        token_from_random(random, ret_token);
}

static void random_text(uint64_t *seed, char ret_text[static TOKEN_TEXT_LEN + 1])
{
        Token token;

        random_token(seed, &token);
        token_format(&token, ret_text);
}

/* By powers of 32; canonical text only. */
static bool check_holds(const char *text)
{
        unsigned sum = 0, weight = 1;
        size_t last = TOKEN_TEXT_LEN - 1;

        for (size_t i = last; i >= PREFIX_LEN; i--) {
                sum += weight * (unsigned)(strchr(ALPHABET, text[i]) - ALPHABET);
                weight = weight * 32 % 1021;
        }
        /* The greater of two pairs that would do begins with "zx". */
        return sum % 1021 == 1 && strncmp(text + last - 1, "zx", 2) < 0;
}

static bool parses(const char *text, size_t len)
{
        Token token;

        return token_parse(text, len, &token) == 0;
}

static void assert_reads_as_known(const char *text, size_t len)
{
        Token token;

        if (token_parse(text, len, &token) != 0)
                fail_msg("refused: %.*s", (int)len, text);
        assert_string_equal(token.id, "01234567");
        assert_string_equal(token.secret, "89abcdefghjkmnpqrstvwxyz01");
}

static void assert_refused(const char *text, size_t len)
{
        Token token, before;

        memset(&token, 0xaa, sizeof(token));
        before = token;
        if (token_parse(text, len, &token) != -EINVAL)
                fail_msg("accepted: %.*s", (int)len, text);
        assert_memory_equal(&token, &before, sizeof(token));
}

static void test_token_parse__known_text__read(void **state)
{
        (void)state;
        assert_reads_as_known(KNOWN, TOKEN_TEXT_LEN);
        assert_true(parses(KNOWN_TWIN, TOKEN_TEXT_LEN));
        assert_true(parses("eph_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz07", TOKEN_TEXT_LEN));
        assert_true(parses("eph_000000000000000000000000000000000001", TOKEN_TEXT_LEN));
}

static void test_token_parse__greater_of_two_checks__refused(void **state)
{
        char text[] = KNOWN_TWIN;

        (void)state;
        memcpy(text + TOKEN_TEXT_LEN - 2, "zz", 2);
        assert_refused(text, TOKEN_TEXT_LEN);
        assert_refused("eph_0000000000000000000000000000000000zy", TOKEN_TEXT_LEN);
}

static void test_token_parse__formatted__same_token(void **state)
{
        uint64_t seed = 1;

        (void)state;
        for (int i = 0; i < 1000; i++) {
                char text[TOKEN_TEXT_LEN + 1];
                Token token, back;

                random_token(&seed, &token);
                token_format(&token, text);
                assert_int_equal(strlen(text), TOKEN_TEXT_LEN);
                assert_true(check_holds(text));
                assert_int_equal(token_parse(text, TOKEN_TEXT_LEN, &back), 0);
                assert_memory_equal(&token, &back, sizeof(token));
        }
}

static void test_token_parse__any_case__read(void **state)
{
        char text[] = KNOWN;

        (void)state;
        for (size_t i = 0; i < TOKEN_TEXT_LEN; i++) {
                text[i] = (char)toupper(text[i]);
                assert_reads_as_known(text, TOKEN_TEXT_LEN);
        }
}

static void test_token_parse__letters_like_digits__read_as_digits(void **state)
{
        static const char *const texts[] = {
                "eph_o123456789abcdefghjkmnpqrstvwxyz01v6",
                "eph_O123456789abcdefghjkmnpqrstvwxyzO1v6",
                "eph_0i23456789abcdefghjkmnpqrstvwxyz0iv6",
                "eph_0I23456789abcdefghjkmnpqrstvwxyz0Lv6",
                "eph_0l23456789abcdefghjkmnpqrstvwxyzolv6",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                assert_reads_as_known(texts[i], TOKEN_TEXT_LEN);
        /* In the check characters as well: "01" here. */
        assert_true(parses("eph_0000000000000000000000000000000000ol", TOKEN_TEXT_LEN));
}

static void test_token_parse__hyphens_anywhere__ignored(void **state)
{
        static const char *const texts[] = {
                "eph_0123-4567-89ab-cdef-ghjk-mnpq-rstv-wxyz-01v6",
                "-eph-_-0123456789abcdefghjkmnpqrstvwxyz01v6----",
                "  eph_01234567-89abcdefghjkmnpqrstvwxyz01-v6-\n",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                assert_reads_as_known(texts[i], strlen(texts[i]));
}

static void test_token_parse__space_outside__ignored(void **state)
{
        static const char *const texts[] = {" " KNOWN, KNOWN " ", KNOWN "\n", KNOWN "\r\n",
                                            "\t \r\n" KNOWN "\n\n \t"};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                assert_reads_as_known(texts[i], strlen(texts[i]));
}

static void test_token_parse__any_byte_put_in__refused_but_for_hyphen(void **state)
{
        (void)state;
        for (size_t at = 1; at < TOKEN_TEXT_LEN; at++)
                for (int byte = 0; byte < 256; byte++) {
                        char text[TOKEN_TEXT_LEN + 1];

                        memcpy(text, KNOWN, at);
                        text[at] = (char)byte;
                        memcpy(text + at + 1, &KNOWN[at], TOKEN_TEXT_LEN - at);
                        if (byte == '-')
                                assert_reads_as_known(text, sizeof(text));
                        else
                                assert_refused(text, sizeof(text));
                }
}

static void test_token_parse__any_byte_outside__refused_but_for_space(void **state)
{
        (void)state;
        for (int byte = 0; byte < 256; byte++) {
                char text[TOKEN_TEXT_LEN + 1];
                bool ignored = byte == '-' || (byte != '\0' && strchr(" \t\r\n", byte));

                text[0] = (char)byte;
                memcpy(text + 1, KNOWN, TOKEN_TEXT_LEN);
                assert_int_equal(parses(text, sizeof(text)), ignored);
                memcpy(text, KNOWN, TOKEN_TEXT_LEN);
                text[TOKEN_TEXT_LEN] = (char)byte;
                assert_int_equal(parses(text, sizeof(text)), ignored);
        }
}

/* What stands for the same character is no mistake. */
static bool same_character(char a, int b)
{
        b = tolower(b);
        return b == a || (a == '1' && (b == 'i' || b == 'l')) || (a == '0' && b == 'o');
}

static void test_token_parse__any_byte_in_place_of_another__refused(void **state)
{
        uint64_t seed = 2;

        (void)state;
        for (int round = 0; round < ROUNDS; round++) {
                char text[TOKEN_TEXT_LEN + 1];

                random_text(&seed, text);
                for (size_t at = 0; at < TOKEN_TEXT_LEN; at++) {
                        char right = text[at];

                        for (int byte = 0; byte < 256; byte++) {
                                bool same = same_character(right, byte);

                                if (at < PREFIX_LEN)
                                        same = tolower(byte) == right;
                                text[at] = (char)byte;
                                if (parses(text, TOKEN_TEXT_LEN) != same)
                                        fail_msg("%zu: %d in %s", at, byte, text);
                        }
                        text[at] = right;
                }
        }
}

static void test_token_parse__any_two_swapped__refused(void **state)
{
        uint64_t seed = 3;

        (void)state;
        for (int round = 0; round < ROUNDS; round++) {
                char text[TOKEN_TEXT_LEN + 1];

                random_text(&seed, text);
                for (size_t a = 0; a < TOKEN_TEXT_LEN; a++)
                        for (size_t b = a + 1; b < TOKEN_TEXT_LEN; b++) {
                                char swapped[TOKEN_TEXT_LEN];

                                memcpy(swapped, text, sizeof(swapped));
                                swapped[a] = text[b];
                                swapped[b] = text[a];
                                assert_int_equal(parses(swapped, sizeof(swapped)),
                                                 text[a] == text[b]);
                        }
        }
}

/* Worse than random tokens: two characters alone, at every distance and in every pair. */
static void test_token_parse__adjacent_of_every_pair_swapped__refused(void **state)
{
        (void)state;
        for (size_t at = 0; at + 1 < TOKEN_RANDOM_LEN; at++)
                for (uint8_t a = 0; a < 32; a++)
                        for (uint8_t b = 0; b < 32; b++) {
                                uint8_t random[TOKEN_RANDOM_LEN] = {};
                                char text[TOKEN_TEXT_LEN + 1];
                                Token token;

                                random[at] = a;
                                random[at + 1] = b;
                                token_from_random(random, &token);
                                token_format(&token, text);
                                text[PREFIX_LEN + at] = ALPHABET[b];
                                text[PREFIX_LEN + at + 1] = ALPHABET[a];
                                assert_int_equal(parses(text, TOKEN_TEXT_LEN), a == b);
                        }
}

static void test_token_parse__letter_u__refused(void **state)
{
        (void)state;
        /* v is what a careless reader would take u for, and this v is right. */
        assert_refused("eph_0123456789abcdefghjkmnpqrstuwxyz01v6", TOKEN_TEXT_LEN);
        assert_refused("eph_0123456789abcdefghjkmnpqrstUwxyz01v6", TOKEN_TEXT_LEN);
}

static void test_token_parse__too_short_or_long__refused(void **state)
{
        (void)state;
        for (size_t len = 0; len < TOKEN_TEXT_LEN; len++)
                assert_refused(KNOWN, len);
        assert_refused(KNOWN "0", TOKEN_TEXT_LEN + 1);
        assert_refused(KNOWN KNOWN, 2 * TOKEN_TEXT_LEN);
        assert_refused(&KNOWN[PREFIX_LEN], TOKEN_TEXT_LEN - PREFIX_LEN);
}

static void test_token_parse__nothing_but_what_is_ignored__refused(void **state)
{
        static const char *const texts[] = {"", " ", "\n", "-", " - ", "----------"};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                assert_refused(texts[i], strlen(texts[i]));
}

static void test_token_parse__nul_with_length__refused(void **state)
{
        (void)state;
        /* The length counts, not the NUL: the terminator is one byte too many. */
        assert_refused(KNOWN, TOKEN_TEXT_LEN + 1);
        assert_refused("\0" KNOWN, TOKEN_TEXT_LEN + 1);
        assert_refused(KNOWN "\0password", TOKEN_TEXT_LEN + 9);
}

static void test_token_parse__random_passwords__refused(void **state)
{
        uint64_t seed = 4;

        (void)state;
        for (int i = 0; i < 10000; i++) {
                char text[96];
                size_t len = 1 + random_next(&seed) % sizeof(text);

                for (size_t n = 0; n < len; n++)
                        text[n] = (char)(' ' + random_next(&seed) % 95);
                assert_refused(text, len);
        }
}

static void test_token_parse__right_shape__read_if_the_check_holds(void **state)
{
        uint64_t seed = 5;
        int good = 0;

        (void)state;
        for (int i = 0; i < 10000; i++) {
                char text[TOKEN_TEXT_LEN + 1] = "eph_";

                for (size_t n = PREFIX_LEN; n < TOKEN_TEXT_LEN; n++)
                        text[n] = ALPHABET[random_next(&seed) % 32];
                assert_int_equal(parses(text, TOKEN_TEXT_LEN), check_holds(text));
                good += check_holds(text);
        }
        /* One in 1024 is expected. */
        assert_in_range(good, 1, 40);
}

static void test_token_from_random__every_byte__all_characters_alike(void **state)
{
        int count[256] = {};

        (void)state;
        for (int byte = 0; byte < 256; byte++) {
                uint8_t random[TOKEN_RANDOM_LEN];
                Token token;

                memset(random, byte, sizeof(random));
                token_from_random(random, &token);
                assert_true(token_id_valid(token.id));
                assert_int_equal(strlen(token.secret), TOKEN_SECRET_LEN);
                count[(unsigned char)token.secret[TOKEN_SECRET_LEN - 1]]++;
        }
        for (const char *c = ALPHABET; *c; c++)
                assert_int_equal(count[(unsigned char)*c], 8);
}

static void test_token_format__known__exact_text(void **state)
{
        const Token token = {.id = "01234567", .secret = "89abcdefghjkmnpqrstvwxyz01"};
        char text[TOKEN_TEXT_LEN + 1];

        (void)state;
        token_format(&token, text);
        assert_string_equal(text, KNOWN);
}

static void test_token_done__used__every_byte_erased(void **state)
{
        static const Token erased;
        Token token;

        (void)state;
        assert_int_equal(token_parse(KNOWN, TOKEN_TEXT_LEN, &token), 0);
        token_done(&token);
        assert_memory_equal(&token, &erased, sizeof(token));
}

static void test_token_id_valid__canonical_only__true(void **state)
{
        static const char *const refused[] = {
                "",         "0123456",  "012345678", "0123456 ", "0123456i",  "0123456l",
                "0123456o", "0123456u", "0123456A",  "0123-456", "0123456\n",
        };

        (void)state;
        assert_true(token_id_valid("01234567"));
        assert_true(token_id_valid("stvwxyz0"));
        for (size_t i = 0; i < ELEMENTSOF(refused); i++)
                assert_false(token_id_valid(refused[i]));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_token_parse__known_text__read),
                cmocka_unit_test(test_token_parse__greater_of_two_checks__refused),
                cmocka_unit_test(test_token_parse__formatted__same_token),
                cmocka_unit_test(test_token_parse__any_case__read),
                cmocka_unit_test(test_token_parse__letters_like_digits__read_as_digits),
                cmocka_unit_test(test_token_parse__hyphens_anywhere__ignored),
                cmocka_unit_test(test_token_parse__space_outside__ignored),
                cmocka_unit_test(test_token_parse__any_byte_put_in__refused_but_for_hyphen),
                cmocka_unit_test(test_token_parse__any_byte_outside__refused_but_for_space),
                cmocka_unit_test(test_token_parse__any_byte_in_place_of_another__refused),
                cmocka_unit_test(test_token_parse__any_two_swapped__refused),
                cmocka_unit_test(test_token_parse__adjacent_of_every_pair_swapped__refused),
                cmocka_unit_test(test_token_parse__letter_u__refused),
                cmocka_unit_test(test_token_parse__too_short_or_long__refused),
                cmocka_unit_test(test_token_parse__nothing_but_what_is_ignored__refused),
                cmocka_unit_test(test_token_parse__nul_with_length__refused),
                cmocka_unit_test(test_token_parse__random_passwords__refused),
                cmocka_unit_test(test_token_parse__right_shape__read_if_the_check_holds),
                cmocka_unit_test(test_token_from_random__every_byte__all_characters_alike),
                cmocka_unit_test(test_token_format__known__exact_text),
                cmocka_unit_test(test_token_done__used__every_byte_erased),
                cmocka_unit_test(test_token_id_valid__canonical_only__true),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

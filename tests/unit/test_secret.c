/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Secrets: bounds, that nothing of an earlier secret stays, comparison at every position. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/secret.h"

static bool all_zero(const void *bytes, size_t len)
{
        const unsigned char *at = bytes;

        for (size_t i = 0; i < len; i++)
                if (at[i] != 0)
                        return false;
        return true;
}

static void test_secret_set__text__copied_and_terminated(void **state)
{
        CLEANUP(secret_done) Secret secret;

        (void)state;
        memset(&secret, 0xaa, sizeof(secret));
        assert_int_equal(secret_set(&secret, "hunter2 and more", 7), 0);
        assert_int_equal(secret.len, 7);
        assert_string_equal(secret.text, "hunter2");
}

static void test_secret_set__nothing__empty(void **state)
{
        CLEANUP(secret_done) Secret secret;

        (void)state;
        memset(&secret, 0xaa, sizeof(secret));
        assert_int_equal(secret_set(&secret, NULL, 0), 0);
        assert_int_equal(secret.len, 0);
        assert_true(all_zero(secret.text, sizeof(secret.text)));
}

static void test_secret_set__longest__fits(void **state)
{
        CLEANUP(secret_done) Secret secret = {};
        char text[SECRET_MAX];

        (void)state;
        memset(text, 'x', sizeof(text));
        assert_int_equal(secret_set(&secret, text, sizeof(text)), 0);
        assert_int_equal(strlen(secret.text), SECRET_MAX);
}

static void test_secret_set__too_long__refused_and_untouched(void **state)
{
        CLEANUP(secret_done) Secret secret = {};
        char text[SECRET_MAX + 1];

        (void)state;
        memset(text, 'x', sizeof(text));
        assert_int_equal(secret_set(&secret, "before", 6), 0);
        assert_int_equal(secret_set(&secret, text, sizeof(text)), -E2BIG);
        assert_int_equal(secret.len, 6);
        assert_string_equal(secret.text, "before");
}

static void test_secret_set__shorter_than_before__nothing_stays_behind(void **state)
{
        CLEANUP(secret_done) Secret secret = {};

        (void)state;
        assert_int_equal(secret_set(&secret, "a long pass phrase", 18), 0);
        assert_int_equal(secret_set(&secret, "short", 5), 0);
        assert_true(all_zero(secret.text + 5, sizeof(secret.text) - 5));
}

static void test_secret_set__part_of_itself__trimmed(void **state)
{
        CLEANUP(secret_done) Secret secret = {};

        (void)state;
        assert_int_equal(secret_set(&secret, "  inside  ", 10), 0);
        assert_int_equal(secret_set(&secret, secret.text + 2, 6), 0);
        assert_string_equal(secret.text, "inside");
}

static void test_secret_done__used__every_byte_erased(void **state)
{
        Secret secret = {};

        (void)state;
        assert_int_equal(secret_set(&secret, "hunter2", 7), 0);
        secret_done(&secret);
        assert_true(all_zero(&secret, sizeof(secret)));
}

static void test_secret_erase__part__neighbours_stay(void **state)
{
        char bytes[] = "abcdef";

        (void)state;
        secret_erase(bytes + 2, 2);
        secret_erase(NULL, 0);
        assert_memory_equal(bytes, "ab\0\0ef", sizeof(bytes));
}

static void test_secret_equal__same_bytes__true(void **state)
{
        (void)state;
        assert_true(secret_equal("a\0b", "a\0b", 3));
        assert_true(secret_equal("abc", "abd", 2));
        assert_true(secret_equal(NULL, NULL, 0));
}

static void test_secret_equal__any_one_bit_different__false(void **state)
{
        unsigned char a[32], b[32];

        (void)state;
        for (size_t i = 0; i < sizeof(a); i++)
                a[i] = (unsigned char)(i * 37);
        for (size_t i = 0; i < sizeof(a) * 8; i++) {
                memcpy(b, a, sizeof(a));
                b[i / 8] = (unsigned char)(b[i / 8] ^ (1U << i % 8));
                assert_false(secret_equal(a, b, sizeof(a)));
        }
}

static void test_secret_equal__differences_that_cancel_out__false(void **state)
{
        (void)state;
        assert_false(secret_equal("ab", "ba", 2));
        assert_false(secret_equal("\x01\x01", "\x02\x02", 2));
        assert_false(secret_equal("\x80\x7f", "\x7f\x80", 2));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_secret_set__text__copied_and_terminated),
                cmocka_unit_test(test_secret_set__nothing__empty),
                cmocka_unit_test(test_secret_set__longest__fits),
                cmocka_unit_test(test_secret_set__too_long__refused_and_untouched),
                cmocka_unit_test(test_secret_set__shorter_than_before__nothing_stays_behind),
                cmocka_unit_test(test_secret_set__part_of_itself__trimmed),
                cmocka_unit_test(test_secret_done__used__every_byte_erased),
                cmocka_unit_test(test_secret_erase__part__neighbours_stay),
                cmocka_unit_test(test_secret_equal__same_bytes__true),
                cmocka_unit_test(test_secret_equal__any_one_bit_different__false),
                cmocka_unit_test(test_secret_equal__differences_that_cancel_out__false),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "common/base64.h"

static void test_base64__the_standard_s_examples__both_ways(void **state)
{
        static const char *const pairs[][2] = {
                {"", ""},
                {"f", "Zg=="},
                {"fo", "Zm8="},
                {"foo", "Zm9v"},
                {"foob", "Zm9vYg=="},
                {"fooba", "Zm9vYmE="},
                {"foobar", "Zm9vYmFy"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
                char text[16];
                uint8_t bytes[16];
                size_t len = strlen(pairs[i][0]);

                base64_encode((const uint8_t *)pairs[i][0], len, text);
                assert_string_equal(text, pairs[i][1]);
                assert_int_equal(base64_decode(text, strlen(text), bytes), len);
                assert_memory_equal(bytes, pairs[i][0], len);
        }
}

static void test_base64__every_byte__comes_back(void **state)
{
        uint8_t bytes[256], back[258];
        char text[BASE64_LEN(256) + 1];

        (void)state;
        for (int i = 0; i < 256; i++)
                bytes[i] = (uint8_t)i;
        base64_encode(bytes, sizeof(bytes), text);
        assert_int_equal(strlen(text), BASE64_LEN(256));
        assert_int_equal(base64_decode(text, strlen(text), back), 256);
        assert_memory_equal(bytes, back, 256);
}

static void test_base64_decode__anything_else__is_refused(void **state)
{
        static const char *const wrong[] = {"Z",    "Zg=",   "Zg",   "Zh==",     "Zm9=",  "Z===",
                                            "====", "Zm9\n", "Zm-_", "Zg==Zg==", "Zm 8=", "=m9v"};
        uint8_t bytes[16];

        (void)state;
        for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
                if (base64_decode(wrong[i], strlen(wrong[i]), bytes) != -EBADMSG)
                        fail_msg("%s is taken", wrong[i]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_base64__the_standard_s_examples__both_ways),
                cmocka_unit_test(test_base64__every_byte__comes_back),
                cmocka_unit_test(test_base64_decode__anything_else__is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

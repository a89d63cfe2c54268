/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ids and their beginnings, as people type them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "credctl/id.h"

static void test_id_read__an_id__canonical(void **state)
{
        char id[TOKEN_ID_LEN + 1];

        (void)state;
        assert_int_equal(id_read("k7m2q9xd", id), 8);
        assert_string_equal(id, "k7m2q9xd");
        assert_int_equal(id_read("K7M2Q9XD", id), 8);
        assert_string_equal(id, "k7m2q9xd");
        assert_int_equal(id_read("oOiIlLab", id), 8);
        assert_string_equal(id, "001111ab");
}

static void test_id_read__a_beginning__its_length(void **state)
{
        char id[TOKEN_ID_LEN + 1];

        (void)state;
        assert_int_equal(id_read("K7m2", id), 4);
        assert_string_equal(id, "k7m2");
        assert_int_equal(id_read("k", id), 1);
        assert_string_equal(id, "k");
}

static void test_id_read__no_id__zero(void **state)
{
        char id[TOKEN_ID_LEN + 1] = "before";

        (void)state;
        assert_int_equal(id_read("", id), 0);
        assert_int_equal(id_read("k7m2q9xd0", id), 0);
        assert_int_equal(id_read("k7m2-9xd", id), 0);
        assert_int_equal(id_read("uuuu", id), 0);
        assert_int_equal(id_read("\xc3\xbc", id), 0);
        assert_string_equal(id, "before");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_id_read__an_id__canonical),
                cmocka_unit_test(test_id_read__a_beginning__its_length),
                cmocka_unit_test(test_id_read__no_id__zero),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The JSON that credctl makes of credd's records. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/varlink.h"
#include "credctl/output.h"

static void assert_made(const char *record, const char *expected)
{
        json_auto_t *from = json_loads(record, JSON_DECODE_ANY, NULL);
        json_auto_t *made = NULL;
        char *text;

        assert_non_null(from);
        made = output_record(from);
        text = json_dumps(made, JSON_COMPACT | JSON_ENCODE_ANY);
        assert_string_equal(text, expected);
        free(text);
}

static void test_output_record__a_moment__text_before_it(void **state)
{
        (void)state;
        assert_made("{\"a\":1,\"gone_usec\":1795378620999999,\"b\":2}",
                    "{\"a\":1,\"gone\":\"2026-11-22T20:17:00Z\",\"gone_usec\":1795378620999999,"
                    "\"b\":2}");
}

static void test_output_record__an_absent_moment__both_null(void **state)
{
        (void)state;
        assert_made("{\"gone_usec\":null}", "{\"gone\":null,\"gone_usec\":null}");
}

static void test_output_record__a_moment_without_text__null(void **state)
{
        (void)state;
        assert_made("{\"gone_usec\":9223372036854775807}",
                    "{\"gone\":null,\"gone_usec\":9223372036854775807}");
        assert_made("{\"gone_usec\":-1}", "{\"gone\":null,\"gone_usec\":-1}");
}

static void test_output_record__lengths_of_time__number_alone(void **state)
{
        (void)state;
        assert_made("{\"late_usec\":5,\"left_usec\":null,\"session_ttl_usec\":7}",
                    "{\"late_usec\":5,\"left_usec\":null,\"session_ttl_usec\":7}");
}

static void test_output_record__records_within__made_too(void **state)
{
        (void)state;
        assert_made("{\"x\":[{\"at_usec\":0}],\"y\":{\"at_usec\":0}}",
                    "{\"x\":[{\"at\":\"1970-01-01T00:00:00Z\",\"at_usec\":0}],"
                    "\"y\":{\"at\":\"1970-01-01T00:00:00Z\",\"at_usec\":0}}");
}

static void test_output_record__left_out_by_credd__null(void **state)
{
        (void)state;
        assert_made("{\"name\":\"root\",\"uid\":0}",
                    "{\"name\":\"root\",\"uid\":0,\"loginuid\":null}");
        assert_made("{\"opened_usec\":0,\"tty\":\"pts/1\"}",
                    "{\"opened\":\"1970-01-01T00:00:00Z\",\"opened_usec\":0,\"tty\":\"pts/1\","
                    "\"rhost\":null,\"session\":null,\"left_usec\":null,\"ended\":null,"
                    "\"ended_usec\":null}");
}

static void test_output_record__fields_of_an_event__untouched(void **state)
{
        (void)state;
        assert_made("{\"fields\":{\"name\":\"a\",\"x_usec\":\"5\"}}",
                    "{\"fields\":{\"name\":\"a\",\"x_usec\":\"5\"}}");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_output_record__a_moment__text_before_it),
                cmocka_unit_test(test_output_record__an_absent_moment__both_null),
                cmocka_unit_test(test_output_record__a_moment_without_text__null),
                cmocka_unit_test(test_output_record__lengths_of_time__number_alone),
                cmocka_unit_test(test_output_record__records_within__made_too),
                cmocka_unit_test(test_output_record__left_out_by_credd__null),
                cmocka_unit_test(test_output_record__fields_of_an_event__untouched),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

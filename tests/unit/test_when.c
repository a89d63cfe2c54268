/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moments: what is read, what is refused, and that what is printed reads back. Zones are set by TZ.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "common/cleanup.h"
#include "credctl/when.h"

#define HOUR (3600 * USEC_PER_SEC)
#define DAY  (24 * HOUR)

/* 2026-11-22T20:17:00Z */
#define NOW (UINT64_C(1795378620) * USEC_PER_SEC)

typedef struct Pair {
        const char *text;
        uint64_t usec;
} Pair;

static void set_zone(const char *zone)
{
        assert_int_equal(setenv("TZ", zone, 1), 0);
        tzset();
}

static void assert_parses(const Pair *pairs, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                uint64_t usec = 0;
                int r = when_parse(pairs[i].text, NOW, &usec);

                if (r != 0 || usec != pairs[i].usec)
                        fail_msg("\"%s\": %d, %ju usec", pairs[i].text, r, (uintmax_t)usec);
        }
}

static void assert_refused(const char *const *texts, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                uint64_t usec = 42;
                int r = when_parse(texts[i], NOW, &usec);

                if (r != -EINVAL || usec != 42)
                        fail_msg("\"%s\": %d, %ju usec", texts[i], r, (uintmax_t)usec);
        }
}

static void test_when_parse__rfc_3339__read(void **state)
{
        static const Pair pairs[] = {
                {"2026-11-22T20:17:00Z", NOW},
                {"2026-11-22t20:17:00z", NOW},
                {"2026-11-22 20:17:00Z", NOW},
                {"2026-11-22T21:17:00+01:00", NOW},
                {"2026-11-22T14:47:00-05:30", NOW},
                {"2026-11-22T20:17:00.25Z", NOW + 250000},
                {"2026-11-22T20:17:00.123456789Z", NOW + 123456},
                {"2026-11-22T20:17Z", NOW},
                {"1970-01-01T00:00:00Z", 0},
                {"2024-02-29T00:00:00Z", UINT64_C(1709164800) * USEC_PER_SEC},
        };

        (void)state;
        set_zone("Asia/Tokyo");
        assert_parses(pairs, ELEMENTSOF(pairs));
}

static void test_when_parse__without_zone__local(void **state)
{
        static const Pair pairs[] = {
                {"2026-11-22 21:17", NOW},
                {"2026-11-22 21:17:00", NOW},
                {"2026-11-22T21:17:00", NOW},
                {"2026-11-22", NOW - 21 * HOUR - 17 * 60 * USEC_PER_SEC},
                {"2026-07-01 12:00", UINT64_C(1782900000) * USEC_PER_SEC},
        };

        (void)state;
        set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
        assert_parses(pairs, ELEMENTSOF(pairs));
}

static void test_when_parse__relative__counted_from_now(void **state)
{
        static const Pair pairs[] = {
                {"now", NOW},
                {"-7d", NOW - 7 * DAY},
                {"+2h", NOW + 2 * HOUR},
                {"+1h 30min", NOW + HOUR + HOUR / 2},
        };

        (void)state;
        assert_parses(pairs, ELEMENTSOF(pairs));
}

static void test_when_parse__today__local_midnight(void **state)
{
        static const Pair tokyo[] = {{"today", NOW - 5 * HOUR - 17 * 60 * USEC_PER_SEC}};
        static const Pair utc[] = {{"today", NOW - 20 * HOUR - 17 * 60 * USEC_PER_SEC}};

        (void)state;
        set_zone("JST-9");
        assert_parses(tokyo, 1);
        set_zone("UTC");
        assert_parses(utc, 1);
}

static void test_when_parse__no_moment__refused(void **state)
{
        static const char *const texts[] = {
                "",
                " ",
                "tomorrow",
                "7d",
                "-",
                "+",
                "-x",
                "2026",
                "2026-11",
                "2026-1-2",
                "2026-11-22T",
                "2026-11-22 2",
                "2026-11-22 20:1",
                "2026-11-22 20:17:0",
                "2026-11-22 20:17:00.",
                "2026-11-22Z",
                "2026-11-22 20:17 Z",
                "2026-11-22 20:17+1",
                "2026-11-22 20:17+24:00",
                "2026-11-22 20:17+01:60",
                "2026-11-22 20:17Zx",
                " 2026-11-22",
                "2026-11-22 ",
                "+-1h",
                "1969-12-31T23:59:59Z",
                "now ",
        };

        (void)state;
        set_zone("UTC");
        assert_refused(texts, ELEMENTSOF(texts));
}

static void test_when_parse__dates_that_are_none__refused(void **state)
{
        static const char *const texts[] = {
                "2026-02-29",        "2026-13-01",        "2026-00-10",       "2026-04-31",
                "2026-01-00",        "2026-01-01 24:00",  "2026-01-01 00:60", "2026-01-01 00:00:60",
                "2026-02-30T00:00Z", "2100-02-29T00:00Z",
        };

        (void)state;
        set_zone("UTC");
        assert_refused(texts, ELEMENTSOF(texts));
}

static void test_when_parse__hour_the_clock_skips__refused(void **state)
{
        static const char *const skipped[] = {"2026-03-29 02:30"};
        static const Pair named[] = {
                {"2026-03-29T02:30:00+01:00", UINT64_C(1774747800) * USEC_PER_SEC}};

        (void)state;
        set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
        assert_refused(skipped, 1);
        assert_parses(named, 1);
}

static void test_when_parse__longer_ago_than_1970__refused(void **state)
{
        static const char *const texts[] = {"-99w 99999d"};

        (void)state;
        assert_refused(texts, 1);
}

static void test_when_format__utc__z_and_whole_seconds(void **state)
{
        char buffer[WHEN_TEXT_MAX];

        (void)state;
        set_zone("Asia/Tokyo");
        assert_string_equal(when_format(NOW + 999999, WHEN_UTC, buffer), "2026-11-22T20:17:00Z");
        assert_string_equal(when_format(0, WHEN_UTC, buffer), "1970-01-01T00:00:00Z");
}

static void test_when_format__local__offset_of_that_day(void **state)
{
        char buffer[WHEN_TEXT_MAX];

        (void)state;
        set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
        assert_string_equal(when_format(NOW, WHEN_LOCAL, buffer), "2026-11-22 21:17:00 +01:00");
        assert_string_equal(when_format(NOW - 120 * DAY, WHEN_WORD, buffer),
                            "2026-07-25T22:17:00+02:00");
        set_zone("NST3:30");
        assert_string_equal(when_format(NOW, WHEN_LOCAL, buffer), "2026-11-22 16:47:00 -03:30");
}

static void test_when_format__every_form__reads_back(void **state)
{
        static const WhenForm forms[] = {WHEN_UTC, WHEN_LOCAL, WHEN_WORD};
        char buffer[WHEN_TEXT_MAX];

        (void)state;
        set_zone("NST3:30NDT,M3.2.0,M11.1.0");
        for (uint64_t usec = NOW; usec < NOW + 400 * DAY; usec += 7 * HOUR) {
                for (size_t i = 0; i < ELEMENTSOF(forms); i++) {
                        uint64_t back = 0;

                        assert_non_null(when_format(usec, forms[i], buffer));
                        assert_int_equal(when_parse(buffer, 0, &back), 0);
                        assert_int_equal(back, usec);
                }
        }
}

static void test_when_format__beyond_four_digits__none(void **state)
{
        char buffer[WHEN_TEXT_MAX];

        (void)state;
        assert_null(when_format(UINT64_MAX, WHEN_UTC, buffer));
        assert_null(when_format(UINT64_C(253402300800) * USEC_PER_SEC, WHEN_UTC, buffer));
        assert_non_null(when_format(UINT64_C(253402300799) * USEC_PER_SEC, WHEN_UTC, buffer));
}

static void test_when_relative__distances__in_words(void **state)
{
        char buffer[WHEN_TEXT_MAX];

        (void)state;
        assert_string_equal(when_relative(NOW, NOW, buffer), "now");
        assert_string_equal(when_relative(NOW + 999999, NOW, buffer), "now");
        assert_string_equal(when_relative(NOW + 59 * USEC_PER_SEC, NOW, buffer), "in 59s");
        assert_string_equal(when_relative(NOW + 2590 * USEC_PER_SEC, NOW, buffer), "in 43min");
        assert_string_equal(when_relative(NOW + 2 * HOUR, NOW, buffer), "in 2h");
        assert_string_equal(when_relative(NOW - 2 * HOUR - 310 * USEC_PER_SEC, NOW, buffer),
                            "2h 5min ago");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_when_parse__rfc_3339__read),
                cmocka_unit_test(test_when_parse__without_zone__local),
                cmocka_unit_test(test_when_parse__relative__counted_from_now),
                cmocka_unit_test(test_when_parse__today__local_midnight),
                cmocka_unit_test(test_when_parse__no_moment__refused),
                cmocka_unit_test(test_when_parse__dates_that_are_none__refused),
                cmocka_unit_test(test_when_parse__hour_the_clock_skips__refused),
                cmocka_unit_test(test_when_parse__longer_ago_than_1970__refused),
                cmocka_unit_test(test_when_format__utc__z_and_whole_seconds),
                cmocka_unit_test(test_when_format__local__offset_of_that_day),
                cmocka_unit_test(test_when_format__every_form__reads_back),
                cmocka_unit_test(test_when_format__beyond_four_digits__none),
                cmocka_unit_test(test_when_relative__distances__in_words),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

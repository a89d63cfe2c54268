/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Durations: the forms people write, what is refused and how, and that what is printed reads back.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>

#include "common/cleanup.h"
#include "common/duration.h"

#define MINUTE  (60 * USEC_PER_SEC)
#define HOUR    (60 * MINUTE)
#define DAY     (24 * HOUR)
#define WEEK    (7 * DAY)
#define LONGEST (36525 * DAY)

typedef struct Pair {
        const char *text;
        uint64_t usec;
} Pair;

static void assert_parses(const Pair *pairs, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                uint64_t usec = UINT64_MAX;
                int r = duration_parse(pairs[i].text, &usec);

                if (r != 0 || usec != pairs[i].usec)
                        fail_msg("\"%s\": %d, %ju usec", pairs[i].text, r, (uintmax_t)usec);
        }
}

static void assert_refused(const char *const *texts, size_t n, int error)
{
        for (size_t i = 0; i < n; i++) {
                uint64_t usec = 42;
                int r = duration_parse(texts[i], &usec);

                if (r != error || usec != 42)
                        fail_msg("\"%s\": %d, %ju usec", texts[i], r, (uintmax_t)usec);
        }
}

static void test_duration_parse__forms_of_the_interface__read(void **state)
{
        static const Pair pairs[] = {
                {"90s", 90 * USEC_PER_SEC}, {"15min", 15 * MINUTE}, {"15m", 15 * MINUTE},
                {"1h 30min", 90 * MINUTE},  {"8h", 8 * HOUR},       {"2d", 2 * DAY},
        };

        (void)state;
        assert_parses(pairs, ELEMENTSOF(pairs));
}

static void test_duration_parse__every_unit__read(void **state)
{
        static const Pair pairs[] = {
                {"3us", 3},
                {"3ms", 3 * USEC_PER_MSEC},
                {"3", 3 * USEC_PER_SEC},
                {"3s", 3 * USEC_PER_SEC},
                {"3sec", 3 * USEC_PER_SEC},
                {"1second", USEC_PER_SEC},
                {"3seconds", 3 * USEC_PER_SEC},
                {"3m", 3 * MINUTE},
                {"3min", 3 * MINUTE},
                {"1minute", MINUTE},
                {"3minutes", 3 * MINUTE},
                {"3h", 3 * HOUR},
                {"3hr", 3 * HOUR},
                {"1hour", HOUR},
                {"3hours", 3 * HOUR},
                {"3d", 3 * DAY},
                {"1day", DAY},
                {"3days", 3 * DAY},
                {"3w", 3 * WEEK},
                {"1week", WEEK},
                {"3weeks", 3 * WEEK},
        };

        (void)state;
        assert_parses(pairs, ELEMENTSOF(pairs));
}

static void test_duration_parse__several_terms__added(void **state)
{
        static const Pair pairs[] = {
                {"1h30min", 90 * MINUTE},
                {"30min 1h", 90 * MINUTE},
                {"1 h 30 min", 90 * MINUTE},
                {"1h 1h", 2 * HOUR},
                {"1w2d3h4m5s6ms7us",
                 WEEK + 2 * DAY + 3 * HOUR + 4 * MINUTE + 5 * USEC_PER_SEC + 6 * USEC_PER_MSEC + 7},
                /* As systemd reads it. */
                {"1h30", HOUR + 30 * USEC_PER_SEC},
                {"1 2", 3 * USEC_PER_SEC},
        };

        (void)state;
        assert_parses(pairs, ELEMENTSOF(pairs));
}

static void test_duration_parse__space_and_zeros__ignored(void **state)
{
        static const Pair pairs[] = {
                {"0", 0},
                {"0s", 0},
                {"0w 0us", 0},
                {" 5s", 5 * USEC_PER_SEC},
                {"5s\t ", 5 * USEC_PER_SEC},
                {"0000000000000000000000000000000005s", 5 * USEC_PER_SEC},
        };

        (void)state;
        assert_parses(pairs, ELEMENTSOF(pairs));
}

static void test_duration_parse__no_duration__refused(void **state)
{
        static const char *const texts[] = {
                "",     " ",          "\t",       "s",   "h1",     "-1s",        "+1s",
                "1.5h", "1,5h",       "1y",       "1M",  "1month", "5 parsecs",  "1H",
                "5S",   "1hmin",      "infinity", "1s,", "1s -1s", "1h\n",       "0x10",
                "1e3",  "5\xc2\xb5s", "1:30",     "s 5", "never",  "1h 30 mins",
        };

        (void)state;
        assert_refused(texts, ELEMENTSOF(texts), -EINVAL);
}

static void test_duration_parse__nonsense_after_too_much__nonsense(void **state)
{
        static const char *const texts[] = {"99999999999999999999 parsecs", "200000d x"};

        (void)state;
        assert_refused(texts, ELEMENTSOF(texts), -EINVAL);
}

static void test_duration_parse__beyond_a_century__out_of_range(void **state)
{
        static const char *const texts[] = {
                "99999999999999999999s",
                "18446744073709551615us",
                "18446744073709551616us",
                "18446744073709551617",
                "30500569w", /* 16 hours in a uint64_t that wraps */
                "36526d",
                "36525d 1us",
                "1us 36525d",
                "36525d 36525d 36525d",
        };

        (void)state;
        assert_refused(texts, ELEMENTSOF(texts), -ERANGE);
}

static void test_duration_parse__a_century__read(void **state)
{
        static const Pair pairs[] = {
                {"36525d", LONGEST},
                {"36524d 24h", LONGEST},
                {"3155760000000000us", LONGEST},
                {"36525d 0us", LONGEST},
        };

        (void)state;
        assert_parses(pairs, ELEMENTSOF(pairs));
}

static void test_duration_format__values__two_largest_units(void **state)
{
        static const Pair pairs[] = {
                {"0s", 0},
                {"1us", 1},
                {"230ms", 230 * USEC_PER_MSEC},
                {"1ms 1us", USEC_PER_MSEC + 1},
                {"45s", 45 * USEC_PER_SEC},
                {"1s 500ms", 1500 * USEC_PER_MSEC},
                {"1min 30s", 90 * USEC_PER_SEC},
                {"15min", 15 * MINUTE},
                {"1h 30min", 90 * MINUTE},
                {"1h 5s", HOUR + 5 * USEC_PER_SEC},
                {"1d 5min", DAY + 5 * MINUTE},
                {"90d", 90 * DAY},
        };
        char buffer[DURATION_TEXT_MAX];

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(pairs); i++)
                assert_string_equal(duration_format(pairs[i].usec, buffer), pairs[i].text);
}

static void test_duration_format__more_than_two_units__cut_down(void **state)
{
        char buffer[DURATION_TEXT_MAX];

        (void)state;
        assert_string_equal(duration_format(DAY - 1, buffer), "23h 59min");
        assert_string_equal(duration_format(2 * HOUR - 1, buffer), "1h 59min");
        assert_string_equal(duration_format(USEC_PER_SEC - 1, buffer), "999ms 999us");
}

static void test_duration_format__largest_number__fits(void **state)
{
        char buffer[DURATION_TEXT_MAX];

        (void)state;
        assert_ptr_equal(duration_format(UINT64_MAX, buffer), buffer);
        assert_string_equal(buffer, "213503982d 8h");
}

static void test_duration_format__read_back__never_longer(void **state)
{
        char buffer[DURATION_TEXT_MAX];

        (void)state;
        for (uint64_t usec = 1; usec <= LONGEST; usec += usec / 3 + 1) {
                uint64_t back;

                assert_int_equal(duration_parse(duration_format(usec, buffer), &back), 0);
                assert_true(back <= usec);
                assert_true(usec - back < usec / 20 + 1);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_duration_parse__forms_of_the_interface__read),
                cmocka_unit_test(test_duration_parse__every_unit__read),
                cmocka_unit_test(test_duration_parse__several_terms__added),
                cmocka_unit_test(test_duration_parse__space_and_zeros__ignored),
                cmocka_unit_test(test_duration_parse__no_duration__refused),
                cmocka_unit_test(test_duration_parse__nonsense_after_too_much__nonsense),
                cmocka_unit_test(test_duration_parse__beyond_a_century__out_of_range),
                cmocka_unit_test(test_duration_parse__a_century__read),
                cmocka_unit_test(test_duration_format__values__two_largest_units),
                cmocka_unit_test(test_duration_format__more_than_two_units__cut_down),
                cmocka_unit_test(test_duration_format__largest_number__fits),
                cmocka_unit_test(test_duration_format__read_back__never_longer),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

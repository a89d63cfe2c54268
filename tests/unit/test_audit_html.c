/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The page of credctl audit: what others wrote stays text, and whatever is missing the page is whole. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "common/varlink.h"
#include "credctl/audit-html-axis.h"
#include "credctl/audit-html.h"
#include "credctl/html.h"
#include "tests/unit/report_sample.h"

#define MARKUP  "</title></style><b id=\"x' y\" onload=z()>&amp;"
#define ESCAPED "&lt;/title&gt;&lt;/style&gt;&lt;b id=&quot;x&#39; y&quot; onload=z()&gt;&amp;amp;"

static char *render(const json_t *report)
{
        char *page = NULL;
        size_t size;
        FILE *out = open_memstream(&page, &size);

        assert_non_null(out);
        audit_html_write(out, report);
        assert_int_equal(fclose(out), 0);
        return page;
}

/* --- what a page must be --- */

static bool is_void(const char *name)
{
        return strcmp(name, "meta") == 0 || strcmp(name, "br") == 0;
}

static void assert_balanced(const char *page)
{
        char open[64][24];
        size_t depth = 0;

        for (const char *at = strchr(page, '<'); at; at = strchr(at + 1, '<')) {
                size_t len = strcspn(at + 1 + (at[1] == '/'), " />\n");
                const char *end = strchr(at, '>');
                char name[24];

                assert_non_null(end);
                if (at[1] == '!')
                        continue;
                assert_in_range(len, 1, sizeof name - 1);
                snprintf(name, sizeof name, "%.*s", (int)len, at + 1 + (at[1] == '/'));
                if (at[1] == '/') {
                        assert_true(depth > 0);
                        assert_string_equal(open[--depth], name);
                } else if (end[-1] != '/' && !is_void(name)) {
                        assert_true(depth < ELEMENTSOF(open));
                        memcpy(open[depth++], name, sizeof name);
                }
        }
        assert_int_equal(depth, 0);
}

static void assert_headings_in_order(const char *page)
{
        int level = 0;

        for (const char *at = strstr(page, "<h"); at; at = strstr(at + 1, "<h")) {
                if (at[2] < '1' || at[2] > '6')
                        continue;
                assert_true(at[2] - '0' <= level + 1);
                level = at[2] - '0';
        }
        assert_int_equal(strncmp(strstr(page, "<h1"), "<h1>", 4), 0);
        assert_null(strstr(strstr(page, "<h1>") + 1, "<h1"));
}

/* Links lead within the page, pictures are drawn in it. */
static void assert_loads_nothing(const char *page)
{
        static const char *const foreign[] = {"<script", "<link",  "<img",        "<iframe",
                                              "<object", " src=",  " srcset=",    "@import",
                                              "http:",   "https:", "javascript:", " style="};

        for (size_t i = 0; i < ELEMENTSOF(foreign); i++)
                assert_null(strstr(page, foreign[i]));
        for (const char *at = strstr(page, "href="); at; at = strstr(at + 1, "href="))
                assert_int_equal(strncmp(at, "href=\"#", 7), 0);
        for (const char *at = strstr(page, "url("); at; at = strstr(at + 1, "url("))
                assert_int_equal(strncmp(at, "url(#", 5), 0);
}

static void assert_page(const char *page)
{
        assert_non_null(strstr(page, "<html lang=\"en\">"));
        assert_non_null(strstr(page, "http-equiv=\"Content-Security-Policy\" "
                                     "content=\"default-src 'none'; style-src 'unsafe-inline'; "
                                     "base-uri 'none'; form-action 'none'\">"));
        assert_true(strstr(page, "Content-Security-Policy") < strstr(page, "<style>"));
        assert_balanced(page);
        assert_headings_in_order(page);
        assert_loads_nothing(page);
}

static size_t count(const char *page, const char *what)
{
        size_t n = 0;

        for (const char *at = strstr(page, what); at; at = strstr(at + 1, what))
                n++;
        return n;
}

/* --- any number of credentials --- */

static void test_audit_html_write__no_credential__whole(void **state)
{
        json_auto_t *report = report_sample(0);
        AUTO_FREE char *page = render(report);

        (void)state;
        assert_page(page);
        assert_non_null(strstr(page, "Nothing needs attention"));
        assert_non_null(strstr(page, "no credential gave access"));
        assert_null(strstr(page, "<table"));
}

static void test_audit_html_write__three_credentials__all_told(void **state)
{
        json_auto_t *report = report_sample(3);
        AUTO_FREE char *page = render(report);

        (void)state;
        assert_page(page);
        assert_non_null(strstr(page, "2 exceptions need attention"));
        assert_non_null(strstr(page, "1 of 2 that ended did so on time."));
        assert_non_null(strstr(page, "1 is not over yet, 1 past the deadline."));
        assert_int_equal(count(page, "<tr role=\"row\" id="), 3);
        assert_int_equal(count(page, "scope=\"col\""), 7);
        assert_int_equal(count(page, "scope=\"row\""), 3);
        assert_int_equal(count(page, "role=\"img\""), 1);
        assert_non_null(strstr(page, "<desc id=\"td0\">"));
        assert_non_null(strstr(page, ">Late by 4min</text>"));
        assert_non_null(strstr(page, ">Overdue by 1h 51min</text>"));
        assert_true(strstr(page, "Ended late") < strstr(page, "In figures"));
}

static void test_audit_html_write__five_hundred_with_long_reasons__below_2_mb(void **state)
{
        json_auto_t *report = report_sample(500);
        AUTO_FREE char *page = NULL;
        char reason[513];
        json_t *c;
        size_t i;

        (void)state;
        memset(reason, 'x', sizeof reason - 1);
        reason[sizeof reason - 1] = '\0';
        json_array_foreach (json_object_get(report, "credentials"), i, c) {
                assert_int_equal(json_object_set_new(c, "reason", json_string(reason)), 0);
        }
        page = render(report);
        assert_page(page);
        assert_int_equal(count(page, "<tr role=\"row\" id="), 500);
        assert_int_equal(count(page, "role=\"img\""), 57); /* an overview, and nines */
        assert_true(strlen(page) < 2000000);
}

/* --- what others wrote --- */

/* Calls back with the report in which one leaf is another, for each leaf. */
static void each_leaf(json_t *report, json_t *at, json_t *other, void (*check)(const json_t *))
{
        const char *name;
        json_t *value;
        size_t i;

        json_array_foreach (at, i, value) {
                json_incref(value);
                if (json_array_size(value) == 0 && json_object_size(value) == 0) {
                        json_array_set(at, i, other);
                        check(report);
                        json_array_set(at, i, value);
                } else
                        each_leaf(report, value, other, check);
                json_decref(value);
        }
        json_object_foreach (at, name, value) {
                json_incref(value);
                json_object_set(at, name, other);
                check(report);
                json_object_set(at, name, value);
                each_leaf(report, value, other, check);
                json_decref(value);
        }
}

static void check_escaped(const json_t *report)
{
        AUTO_FREE char *page = render(report);

        assert_null(strstr(page, "<b id="));
        assert_null(strstr(page, "x' y"));
        assert_page(page);
}

static void test_audit_html_write__markup_in_any_member__text(void **state)
{
        json_auto_t *report = report_sample(9), *markup = json_string(MARKUP);

        (void)state;
        each_leaf(report, report, markup, check_escaped);
}

static void test_audit_html_write__markup_where_others_write__shown_as_text(void **state)
{
        static const char *const members[] = {"user", "role", "holder", "reason",
                                              "id",   "kind", "state",  "end_reason"};
        json_auto_t *markup = json_string(MARKUP);

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(members); i++) {
                json_auto_t *report = report_sample(3);
                AUTO_FREE char *page = NULL;

                json_object_set(json_array_get(json_object_get(report, "credentials"), 0),
                                members[i], markup);
                page = render(report);
                assert_non_null(strstr(page, ESCAPED));
        }
}

static void check_whole(const json_t *report)
{
        AUTO_FREE char *page = render(report);

        assert_page(page);
        assert_null(strstr(page, "(null)"));
}

static void test_audit_html_write__any_member_null_or_strange__whole(void **state)
{
        json_auto_t *report = report_sample(9), *null = json_null();
        json_auto_t *number = json_integer(INT64_MAX), *negative = json_integer(-1);

        (void)state;
        each_leaf(report, report, null, check_whole);
        each_leaf(report, report, number, check_whole);
        each_leaf(report, report, negative, check_whole);
}

static void test_audit_html_write__empty_report__whole(void **state)
{
        json_auto_t *report = json_object();

        (void)state;
        check_whole(report);
}

static void test_audit_html_write__of_one_moment__says_so(void **state)
{
        json_auto_t *report = report_sample(3);
        AUTO_FREE char *page = NULL;

        (void)state;
        json_object_set_new(report, "as_of_usec", json_integer(SAMPLE_SINCE + 3 * SAMPLE_HOUR));
        page = render(report);
        assert_page(page);
        assert_non_null(strstr(page, "gave access at that moment"));
        assert_int_equal(count(page, "<line class=\"asked\""), 1);
}

/* --- the writer --- */

static void assert_written(void (*write)(FILE *out), const char *expected)
{
        AUTO_FREE char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        write(out);
        fclose(out);
        assert_string_equal(text, expected);
}

static void write_reordering(FILE *out)
{
        html_text(out, "a\u202e<b>\n\033[0m");
}

static void write_cut(FILE *out)
{
        html_text_cut(out, "äöü", 2);
        html_text_cut(out, "<&>", 3);
        html_text(out, NULL);
}

static void write_shares(FILE *out)
{
        html_share(out, 0);
        html_share(out, 1205);
        html_share(out, AXIS_SHARES);
}

static void test_html_text__controls_and_reordering__question_marks(void **state)
{
        (void)state;
        assert_written(write_reordering, "a?&lt;b&gt; ?[0m");
}

static void test_html_text_cut__many_bytes_a_character__cut_between_them(void **state)
{
        (void)state;
        assert_written(write_cut, "äö…&lt;&amp;&gt;");
}

static void test_html_share__hundredths__percentages(void **state)
{
        (void)state;
        assert_written(write_shares, "0%12.05%100%");
}

/* --- the axis --- */

static void test_axis_share__beyond_its_ends__at_them(void **state)
{
        const Axis axis = {.from_usec = 100, .to_usec = 200}, point = {100, 100};

        (void)state;
        assert_int_equal(axis_share(&axis, 0), 0);
        assert_int_equal(axis_share(&axis, 150), AXIS_SHARES / 2);
        assert_int_equal(axis_share(&axis, 999), AXIS_SHARES);
        assert_int_equal(axis_share(&point, 100), 0);
}

static void assert_ticks(int64_t length, size_t n, const char *first, const char *second)
{
        const Axis axis = {SAMPLE_SINCE + SAMPLE_MINUTE,
                           (uint64_t)(SAMPLE_SINCE + SAMPLE_MINUTE + length)};
        AxisTick ticks[AXIS_TICKS_MAX];

        assert_int_equal(axis_ticks(&axis, ticks), n);
        assert_string_equal(ticks[0].label, first);
        assert_string_equal(ticks[1].label, second);
}

static void test_axis_ticks__any_length__few_and_round(void **state)
{
        (void)state;
        assert_ticks(4 * 1000000, 5, "00:01:00", "00:01:01");
        assert_ticks(SAMPLE_HOUR, 4, "00:15", "00:30");
        assert_ticks(SAMPLE_DAY, 4, "06:00", "12:00");
        assert_ticks(20 * SAMPLE_DAY, 2, " 9 Nov", "16 Nov");
}

static void assert_slices(int64_t length, size_t n, int64_t step)
{
        const uint64_t from = SAMPLE_SINCE + 61 * SAMPLE_MINUTE;
        Axis axis = {from, from + (uint64_t)length};

        assert_int_equal(axis_slices(&axis, 31), n);
        assert_true(axis.from_usec <= from && axis.to_usec > from + (uint64_t)length);
        assert_true(axis.to_usec - axis.from_usec == n * (uint64_t)step);
        assert_int_equal((axis.from_usec - SAMPLE_SINCE) % (uint64_t)step, 0);
}

static void test_axis_slices__any_length__round_and_not_too_many(void **state)
{
        (void)state;
        assert_slices(0, 1, 1000000);
        assert_slices(6 * SAMPLE_HOUR, 25, 15 * SAMPLE_MINUTE);
        assert_slices(20 * SAMPLE_DAY, 21, SAMPLE_DAY);
        assert_slices(28 * SAMPLE_DAY, 29, SAMPLE_DAY);
        assert_slices(365 * SAMPLE_DAY, 27, 14 * SAMPLE_DAY);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_audit_html_write__no_credential__whole),
                cmocka_unit_test(test_audit_html_write__three_credentials__all_told),
                cmocka_unit_test(test_audit_html_write__five_hundred_with_long_reasons__below_2_mb),
                cmocka_unit_test(test_audit_html_write__markup_in_any_member__text),
                cmocka_unit_test(test_audit_html_write__markup_where_others_write__shown_as_text),
                cmocka_unit_test(test_audit_html_write__any_member_null_or_strange__whole),
                cmocka_unit_test(test_audit_html_write__empty_report__whole),
                cmocka_unit_test(test_audit_html_write__of_one_moment__says_so),
                cmocka_unit_test(test_html_text__controls_and_reordering__question_marks),
                cmocka_unit_test(test_html_text_cut__many_bytes_a_character__cut_between_them),
                cmocka_unit_test(test_html_share__hundredths__percentages),
                cmocka_unit_test(test_axis_share__beyond_its_ends__at_them),
                cmocka_unit_test(test_axis_ticks__any_length__few_and_round),
                cmocka_unit_test(test_axis_slices__any_length__round_and_not_too_many),
        };

        setenv("TZ", "UTC", 1);
        return cmocka_run_group_tests(tests, NULL, NULL);
}

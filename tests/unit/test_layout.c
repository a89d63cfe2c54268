/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a table gives up first where there is not room for all of it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "credctl/layout.h"

static size_t fitted(LayoutColumn *columns, size_t n, size_t room)
{
        size_t sum = 0;

        layout_fit(columns, n, room);
        for (size_t i = 0; i < n; i++)
                if (columns[i].width > 0)
                        sum += columns[i].width + (sum > 0 ? LAYOUT_GAP : 0);
        return sum;
}

static void test_layout_fit__room_enough__natural_widths(void **state)
{
        LayoutColumn columns[] = {{.natural = 8}, {.natural = 30, .least = 10}, {.natural = 5}};

        (void)state;
        assert_int_equal(fitted(columns, 3, 45), 45);
        assert_int_equal(columns[1].width, 30);
        assert_int_equal(fitted(columns, 3, SIZE_MAX), 45);
}

static void test_layout_fit__too_narrow__long_texts_are_cut(void **state)
{
        LayoutColumn columns[] = {
                {.natural = 8}, {.natural = 30, .least = 10}, {.natural = 40, .least = 12}};

        (void)state;
        assert_int_equal(fitted(columns, 3, 60), 60);
        assert_int_equal(columns[0].width, 8);
        assert_int_equal(columns[1].width, 25);
        assert_int_equal(columns[2].width, 25);
}

static void test_layout_fit__a_short_text__leaves_its_room_to_others(void **state)
{
        LayoutColumn columns[] = {{.natural = 4, .least = 10}, {.natural = 90, .least = 10}};

        (void)state;
        assert_int_equal(fitted(columns, 2, 50), 50);
        assert_int_equal(columns[0].width, 4);
        assert_int_equal(columns[1].width, 45);
}

static void test_layout_fit__still_too_narrow__the_most_spare_go_first(void **state)
{
        LayoutColumn columns[] = {{.natural = 8},
                                  {.natural = 9, .spare = 1},
                                  {.natural = 9, .spare = 7},
                                  {.natural = 30, .least = 10, .spare = 5}};

        (void)state;
        assert_int_equal(fitted(columns, 4, 30), 30);
        assert_int_equal(columns[2].width, 0);
        assert_int_equal(columns[3].width, 11);
        assert_int_equal(fitted(columns, 4, 20), 18);
        assert_int_equal(columns[3].width, 0);
        assert_int_equal(columns[1].width, 9);
}

static void test_layout_fit__no_room_for_what_must_be__passes_the_edge(void **state)
{
        LayoutColumn columns[] = {{.natural = 8}, {.natural = 30, .least = 12}};

        (void)state;
        assert_int_equal(fitted(columns, 2, 10), 21);
}

static void test_layout_fit__natural_width_zero__takes_no_part(void **state)
{
        LayoutColumn columns[] = {{.natural = 8}, {.natural = 0, .least = 12}, {.natural = 3}};

        (void)state;
        assert_int_equal(fitted(columns, 3, 80), 12);
        assert_int_equal(columns[1].width, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_layout_fit__room_enough__natural_widths),
                cmocka_unit_test(test_layout_fit__too_narrow__long_texts_are_cut),
                cmocka_unit_test(test_layout_fit__a_short_text__leaves_its_room_to_others),
                cmocka_unit_test(test_layout_fit__still_too_narrow__the_most_spare_go_first),
                cmocka_unit_test(test_layout_fit__no_room_for_what_must_be__passes_the_edge),
                cmocka_unit_test(test_layout_fit__natural_width_zero__takes_no_part),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

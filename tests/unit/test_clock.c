/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/scratch.h"

#include "credd/clock.h"

#define BOOT_AGE SECONDS(500)

/* What a store would remember of a moment. */
static ClockMark mark_of(Clock *clock, bool same_boot)
{
        return (ClockMark){.line_usec = clock_line_usec(clock),
                           .real_usec = clock_real_usec(clock),
                           .same_boot = same_boot,
                           .offset_usec = clock->offset_usec};
}

static void test_clock_settle__new_store__begins_at_the_wall_clock(void **state)
{
        Hands hands = {BOOT_AGE, NOON};
        Clock clock = hands_clock(&hands);

        (void)state;
        clock_settle(&clock, NULL);
        assert_true(clock_line_usec(&clock) == NOON);
        assert_true(clock_trusted(&clock));
}

/* A machine without a clock of its own begins in 1970, maybe before its own boot. */
static void test_clock_settle__new_store_in_1970__runs_all_the_same(void **state)
{
        Hands hands = {BOOT_AGE, SECONDS(3)};
        Clock clock = hands_clock(&hands);

        (void)state;
        clock_settle(&clock, NULL);
        assert_true(clock_line_usec(&clock) == SECONDS(3));
        hands_turn(&hands, HOURS(1));
        assert_true(clock_line_usec(&clock) == SECONDS(3) + HOURS(1));
}

static void test_clock_line__within_a_boot__ignores_every_step_of_the_wall_clock(void **state)
{
        static const uint64_t walls[] = {0, SECONDS(1), NOON - HOURS(9000), NOON + HOURS(9000),
                                         INT64_MAX};
        Hands hands = {BOOT_AGE, NOON};
        Clock clock = hands_clock(&hands);

        (void)state;
        clock_settle(&clock, NULL);
        for (size_t i = 0; i < ELEMENTSOF(walls); i++) {
                hands.real_usec = walls[i];
                assert_true(clock_line_usec(&clock) == NOON + i * HOURS(1));
                assert_true(clock_trusted(&clock));
                hands.boot_usec += HOURS(1);
        }
}

static void test_clock_settle__same_boot__goes_on_whatever_the_wall_clock_says(void **state)
{
        Hands hands = {BOOT_AGE, NOON};
        Clock clock = hands_clock(&hands), again = hands_clock(&hands);
        ClockMark mark;

        (void)state;
        clock_settle(&clock, NULL);
        hands_turn(&hands, HOURS(1));
        mark = mark_of(&clock, true);
        hands_turn(&hands, HOURS(1));
        hands.real_usec -= HOURS(5);
        clock_settle(&again, &mark);
        assert_true(clock_line_usec(&again) == NOON + HOURS(2));
        assert_true(clock_trusted(&again));
}

static void test_clock_settle__reboot__adds_what_the_wall_clock_moved(void **state)
{
        static const uint64_t off[] = {0, 1, SECONDS(30), HOURS(24 * 400)};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(off); i++) {
                Hands hands = {BOOT_AGE, NOON};
                Clock clock = hands_clock(&hands), after = hands_clock(&hands);
                ClockMark mark;

                clock_settle(&clock, NULL);
                hands_turn(&hands, HOURS(3));
                mark = mark_of(&clock, false);
                hands.boot_usec = SECONDS(7);
                hands.real_usec += off[i];
                clock_settle(&after, &mark);
                assert_true(clock_line_usec(&after) == NOON + HOURS(3) + off[i]);
                assert_true(clock_trusted(&after));
                hands_turn(&hands, SECONDS(9));
                assert_true(clock_line_usec(&after) == NOON + HOURS(3) + off[i] + SECONDS(9));
        }
}

/* The wall clock was wrong in the boot before: what counts is how far it moved since the mark. */
static void test_clock_settle__reboot_after_a_step__moves_by_the_difference(void **state)
{
        Hands hands = {BOOT_AGE, SECONDS(3)};
        Clock clock = hands_clock(&hands), after = hands_clock(&hands);
        ClockMark mark;

        (void)state;
        clock_settle(&clock, NULL);
        hands_turn(&hands, HOURS(1));
        hands.real_usec = NOON;
        mark = mark_of(&clock, false);
        hands = (Hands){SECONDS(7), NOON + SECONDS(60)};
        clock_settle(&after, &mark);
        assert_true(clock_line_usec(&after) == SECONDS(3) + HOURS(1) + SECONDS(60));
}

static void test_clock_settle__reboot_in_1970__is_behind_until_the_clock_is_set(void **state)
{
        Hands hands = {BOOT_AGE, NOON};
        Clock clock = hands_clock(&hands), after = hands_clock(&hands);
        ClockMark mark;
        uint64_t last;

        (void)state;
        clock_settle(&clock, NULL);
        mark = mark_of(&clock, false);
        hands = (Hands){SECONDS(7), SECONDS(9)};
        clock_settle(&after, &mark);
        assert_false(clock_trusted(&after));
        assert_true(clock_line_usec(&after) == NOON);
        hands_turn(&hands, SECONDS(100));
        assert_false(clock_trusted(&after));
        /* what is known to have passed counts already */
        last = clock_line_usec(&after);
        assert_true(last == NOON + SECONDS(100));
        hands.real_usec = NOON - 1;
        assert_false(clock_trusted(&after));
        /* set at last: the machine was off for two hours less those 100 s */
        hands.real_usec = NOON + HOURS(2);
        assert_true(clock_trusted(&after));
        assert_true(clock_line_usec(&after) == NOON + HOURS(2));
        /* and that was once: from here on the wall clock has no say */
        hands.real_usec = NOON + HOURS(200);
        assert_true(clock_line_usec(&after) == NOON + HOURS(2));
        hands.real_usec = SECONDS(1);
        assert_true(clock_trusted(&after));
        assert_true(clock_line_usec(&after) == NOON + HOURS(2));
}

/* Asking for the time is enough: no caller has to know of "behind". */
static void test_clock_line__wall_clock_set_meanwhile__is_noticed_by_asking(void **state)
{
        Hands hands = {BOOT_AGE, NOON};
        Clock clock = hands_clock(&hands), after = hands_clock(&hands);
        ClockMark mark;

        (void)state;
        clock_settle(&clock, NULL);
        mark = mark_of(&clock, false);
        hands = (Hands){SECONDS(7), 0};
        clock_settle(&after, &mark);
        hands.real_usec = NOON + HOURS(1);
        assert_true(clock_line_usec(&after) == NOON + HOURS(1));
        assert_false(after.behind);
}

static void test_clock_trusted__set_to_less_than_has_passed__the_line_does_not_go_back(void **state)
{
        Hands hands = {BOOT_AGE, NOON};
        Clock clock = hands_clock(&hands), after = hands_clock(&hands);
        ClockMark mark;

        (void)state;
        clock_settle(&clock, NULL);
        mark = mark_of(&clock, false);
        hands = (Hands){SECONDS(7), NOON - SECONDS(1)};
        clock_settle(&after, &mark);
        hands.boot_usec += HOURS(1);
        hands.real_usec = NOON + SECONDS(1); /* slow, or set by hand */
        assert_true(clock_line_usec(&after) == NOON + HOURS(1));
        assert_true(clock_trusted(&after));
}

/* A life of many boots, the wall clock jumping about: the line never goes back. */
static void test_clock_line__any_history__never_goes_back(void **state)
{
        static const int64_t jumps[] = {0, -1, 1, -3600, 3600, -86400, 86400, -40000000, 40000000};
        Hands hands = {BOOT_AGE, NOON};
        Clock clock = hands_clock(&hands);
        uint64_t last = 0;
        unsigned dice = 1;

        (void)state;
        clock_settle(&clock, NULL);
        for (unsigned i = 0; i < 5000; i++) {
                ClockMark mark = mark_of(&clock, false);
                uint64_t now;

                dice = dice * 1103515245U + 12345U;
                hands.real_usec += (uint64_t)(jumps[dice / 65536 % ELEMENTSOF(jumps)] * 1000000);
                if (dice / 4096 % 3 == 0) {
                        hands.boot_usec = SECONDS(5);
                        clock = hands_clock(&hands);
                        clock_settle(&clock, &mark);
                } else
                        hands_turn(&hands, SECONDS(dice / 1024 % 100));
                now = clock_line_usec(&clock);
                assert_true(now >= last);
                last = now;
        }
}

static void test_clock_conversions__there_and_back__agree(void **state)
{
        Hands hands = {BOOT_AGE, NOON};
        Clock clock = hands_clock(&hands);
        uint64_t line;

        (void)state;
        clock_settle(&clock, NULL);
        hands.real_usec += HOURS(7); /* a step: the line and the wall clock differ now */
        line = clock_line_usec(&clock);
        assert_true(clock_to_boot_usec(&clock, line) == hands.boot_usec);
        assert_true(clock_to_boot_usec(&clock, line + SECONDS(5)) == hands.boot_usec + SECONDS(5));
        assert_true(clock_to_real_usec(&clock, line) == hands.real_usec);
        assert_true(clock_to_real_usec(&clock, line + SECONDS(5)) == hands.real_usec + SECONDS(5));
        assert_true(clock_to_real_usec(&clock, line - SECONDS(5)) == hands.real_usec - SECONDS(5));
        assert_true(clock_boot_usec(&clock) == hands.boot_usec);
        assert_true(clock_real_usec(&clock) == hands.real_usec);
}

static void test_clock_to_boot__before_this_boot__is_zero(void **state)
{
        Hands hands = {BOOT_AGE, NOON};
        Clock clock = hands_clock(&hands);

        (void)state;
        clock_settle(&clock, NULL);
        assert_true(clock_to_boot_usec(&clock, NOON - BOOT_AGE + 1) == 1);
        assert_true(clock_to_boot_usec(&clock, NOON - BOOT_AGE) == 0);
        assert_true(clock_to_boot_usec(&clock, NOON - BOOT_AGE - 1) == 0);
        assert_true(clock_to_boot_usec(&clock, 0) == 0);
}

static void test_clock_init_system__nothing_turned__reads_the_kernel(void **state)
{
        Clock clock;
        uint64_t boot, real;

        (void)state;
        clock_init_system(&clock);
        boot = clock_boot_usec(&clock);
        real = clock_real_usec(&clock);
        assert_true(boot > 0 && real > SECONDS(1600000000));
        assert_true(clock_boot_usec(&clock) >= boot);
        clock_settle(&clock, NULL);
        assert_true(clock_line_usec(&clock) >= real);
}

/* A first start in 1970, on a machine that has been up for longer than that. */
static void test_clock_to_boot__wall_clock_behind_the_machine__is_still_ahead(void **state)
{
        Hands hands = {HOURS(2), SECONDS(3)};
        Clock clock = hands_clock(&hands);
        uint64_t line;

        (void)state;
        clock_settle(&clock, NULL);
        line = clock_line_usec(&clock);
        assert_true(line == SECONDS(3));
        assert_true(clock_to_boot_usec(&clock, line) == HOURS(2));
        assert_true(clock_to_boot_usec(&clock, line + SECONDS(5)) == HOURS(2) + SECONDS(5));
        assert_true(clock_to_boot_usec(&clock, 0) == HOURS(2) - SECONDS(3));
        assert_true(clock_to_boot_usec(&clock, USEC_INFINITY) == USEC_INFINITY);
}

/* The disk says that the line stands where it has been already. */
static void test_clock_settle__same_boot_behind_the_last_event__holds_the_floor(void **state)
{
        static const uint64_t damaged[] = {0, (uint64_t)-1, (uint64_t)INT64_MIN};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(damaged); i++) {
                Hands hands = {BOOT_AGE, NOON};
                Clock clock = hands_clock(&hands);
                const ClockMark mark = {.line_usec = NOON,
                                        .real_usec = NOON,
                                        .same_boot = true,
                                        .offset_usec = damaged[i],
                                        .floor_usec = NOON};

                clock_settle(&clock, &mark);
                assert_true(clock_line_usec(&clock) == NOON);
                hands_turn(&hands, SECONDS(1));
                assert_true(clock_line_usec(&clock) == NOON + SECONDS(1));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_clock_settle__new_store__begins_at_the_wall_clock),
                cmocka_unit_test(test_clock_settle__new_store_in_1970__runs_all_the_same),
                cmocka_unit_test(
                        test_clock_line__within_a_boot__ignores_every_step_of_the_wall_clock),
                cmocka_unit_test(
                        test_clock_settle__same_boot__goes_on_whatever_the_wall_clock_says),
                cmocka_unit_test(test_clock_settle__reboot__adds_what_the_wall_clock_moved),
                cmocka_unit_test(test_clock_settle__reboot_after_a_step__moves_by_the_difference),
                cmocka_unit_test(
                        test_clock_settle__reboot_in_1970__is_behind_until_the_clock_is_set),
                cmocka_unit_test(test_clock_line__wall_clock_set_meanwhile__is_noticed_by_asking),
                cmocka_unit_test(
                        test_clock_trusted__set_to_less_than_has_passed__the_line_does_not_go_back),
                cmocka_unit_test(test_clock_line__any_history__never_goes_back),
                cmocka_unit_test(test_clock_conversions__there_and_back__agree),
                cmocka_unit_test(test_clock_to_boot__before_this_boot__is_zero),
                cmocka_unit_test(test_clock_to_boot__wall_clock_behind_the_machine__is_still_ahead),
                cmocka_unit_test(
                        test_clock_settle__same_boot_behind_the_last_event__holds_the_floor),
                cmocka_unit_test(test_clock_init_system__nothing_turned__reads_the_kernel),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

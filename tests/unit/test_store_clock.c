/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The time line as the store keeps it over starts and boots. */
#include "tests/unit/store_rig.h"

static void note(StoreRig *rig)
{
        assert_int_equal(store_begin(rig->store), 0);
        assert_int_equal(store_add_event(rig->store, "daemon-started", 0, "{}"), 0);
        assert_int_equal(store_commit(rig->store), 0);
}

static void restart(StoreRig *rig, const char *boot_id)
{
        store_rig_close(rig);
        store_rig_open(rig, boot_id);
}

static uint64_t line(StoreRig *rig)
{
        return clock_line_usec(&rig->clock);
}

static void test_store_clock__restart_in_one_boot__the_line_goes_on(void **state)
{
        StoreRig *rig = *state;

        note(rig);
        hands_turn(&rig->hands, HOURS(1));
        rig->hands.real_usec -= HOURS(20);
        restart(rig, BOOT_A);
        assert_true(line(rig) == NOON + HOURS(1));
        assert_true(clock_trusted(&rig->clock));
}

static void test_store_clock__reboot__the_line_goes_on_by_the_wall_clock(void **state)
{
        StoreRig *rig = *state;

        hands_turn(&rig->hands, HOURS(1));
        note(rig);
        rig->hands = (Hands){SECONDS(20), NOON + HOURS(9)};
        restart(rig, BOOT_B);
        assert_true(line(rig) == NOON + HOURS(9));
        assert_true(clock_trusted(&rig->clock));
}

static void test_store_clock__reboot_in_1970__is_behind_until_set(void **state)
{
        StoreRig *rig = *state;

        note(rig);
        rig->hands = (Hands){SECONDS(20), SECONDS(25)};
        restart(rig, BOOT_B);
        assert_false(clock_trusted(&rig->clock));
        assert_true(line(rig) == NOON);
        rig->hands.real_usec = NOON + HOURS(2);
        assert_true(clock_trusted(&rig->clock));
        assert_true(line(rig) == NOON + HOURS(2));
}

/* credd restarted while the machine still believes it is 1970: nothing is known better than before. */
static void test_store_clock__restart_while_behind__is_behind_still(void **state)
{
        StoreRig *rig = *state;

        note(rig);
        rig->hands = (Hands){SECONDS(20), SECONDS(25)};
        restart(rig, BOOT_B);
        note(rig);
        hands_turn(&rig->hands, SECONDS(10));
        restart(rig, BOOT_B);
        assert_false(clock_trusted(&rig->clock));
        rig->hands.real_usec = NOON + HOURS(2);
        assert_true(clock_trusted(&rig->clock));
        assert_true(line(rig) == NOON + HOURS(2));
}

/* What was learned when the clock was set must outlive credd: else the line goes back by the time
 * the machine was off, and what had expired is good again. */
static void
test_store_clock__restart_after_the_clock_was_set__the_line_does_not_go_back(void **state)
{
        StoreRig *rig = *state;
        uint64_t before;

        note(rig);
        rig->hands = (Hands){SECONDS(20), SECONDS(25)};
        restart(rig, BOOT_B);
        rig->hands.real_usec = NOON + HOURS(2);
        note(rig);
        before = line(rig);
        assert_true(before == NOON + HOURS(2));
        hands_turn(&rig->hands, SECONDS(1));
        restart(rig, BOOT_B);
        assert_true(line(rig) >= before);
        assert_true(line(rig) == NOON + HOURS(2) + SECONDS(1));
}

/* Two boots in a row in 1970, and what was written in the first of them says 1970: the wall clock's
 * last reading that meant something is the one before. */
static void test_store_clock__second_reboot_in_1970__the_line_does_not_leap_55_years(void **state)
{
        StoreRig *rig = *state;

        note(rig);
        rig->hands = (Hands){SECONDS(20), SECONDS(25)};
        restart(rig, BOOT_B);
        note(rig);
        rig->hands = (Hands){SECONDS(21), SECONDS(26)};
        restart(rig, BOOT_C);
        assert_false(clock_trusted(&rig->clock));
        rig->hands.real_usec = NOON + HOURS(2);
        assert_true(clock_trusted(&rig->clock));
        assert_true(line(rig) < NOON + HOURS(3));
        assert_true(line(rig) >= NOON + HOURS(2) - SECONDS(30));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, store_rig_setup, store_rig_teardown)
        const struct CMUnitTest tests[] = {
                T(test_store_clock__restart_in_one_boot__the_line_goes_on),
                T(test_store_clock__reboot__the_line_goes_on_by_the_wall_clock),
                T(test_store_clock__reboot_in_1970__is_behind_until_set),
                T(test_store_clock__restart_while_behind__is_behind_still),
                T(test_store_clock__restart_after_the_clock_was_set__the_line_does_not_go_back),
                T(test_store_clock__second_reboot_in_1970__the_line_does_not_leap_55_years),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

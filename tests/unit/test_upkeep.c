/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When the log is moved into the file: in a pause, and without one when it has grown long. */
#include "tests/unit/manager_rig.h"

#include "credd/events.h"

static void commit_events(Rig *rig, unsigned n)
{
        Manager *manager = rig->manager;

        for (unsigned i = 0; i < n; i++) {
                assert_int_equal(batch_enter(manager->batch), 0);
                assert_int_equal(
                        batch_leave(manager->batch, event_daemon_started(&manager->events, 0)), 0);
                assert_int_equal(batch_commit(manager->batch), 0);
        }
}

static int frames(const Rig *rig)
{
        return store_log_frames(rig->manager->store);
}

static void test_upkeep__a_pause_after_many_commits__moves_the_log(void **state)
{
        Rig *rig = *state;

        commit_events(rig, 300);
        assert_true(frames(rig) >= 300);
        for (unsigned waited = 0; frames(rig) > 0; waited += 5) {
                assert_true(waited < PATIENCE_MS);
                rig_turn(rig);
        }
        assert_int_equal(store_newest_event(rig->manager->store), 300);
}

static void test_upkeep__no_pause__the_log_is_moved_when_it_is_long(void **state)
{
        Rig *rig = *state;
        int longest = 0;

        for (unsigned i = 0; i < 2500; i++) {
                commit_events(rig, 1);
                if (frames(rig) > longest)
                        longest = frames(rig);
        }
        assert_in_range(longest, 900, 1010);
}

static void test_upkeep__a_few_commits__are_left_in_the_log(void **state)
{
        Rig *rig = *state;

        commit_events(rig, 10);
        for (unsigned i = 0; i < 100; i++)
                assert_true(sd_event_run(rig->manager->event, 5000) >= 0);
        assert_true(frames(rig) >= 10);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
        const struct CMUnitTest tests[] = {
                T(test_upkeep__a_pause_after_many_commits__moves_the_log),
                T(test_upkeep__no_pause__the_log_is_moved_when_it_is_long),
                T(test_upkeep__a_few_commits__are_left_in_the_log),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

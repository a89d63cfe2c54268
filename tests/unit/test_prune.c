/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Old events go, and what is left is a chain all the same. */
#include "tests/unit/store_rig.h"

#include "credd/events.h"
#include "credd/prune.h"
#include "tests/unit/tamper.h"

#define DAY HOURS(24)

static Events events_of(StoreRig *rig)
{
        return (Events){.store = rig->store, .clock = &rig->clock};
}

/* n events of nothing in particular, a minute apart. */
static void add_events(StoreRig *rig, unsigned n)
{
        Events events = events_of(rig);

        assert_int_equal(store_begin(rig->store), 0);
        for (unsigned i = 0; i < n; i++) {
                hands_turn(&rig->hands, SECONDS(60));
                assert_int_equal(event_daemon_started(&events, i), 0);
        }
        assert_int_equal(store_commit(rig->store), 0);
}

static void set_journaled(StoreRig *rig, int64_t seq)
{
        assert_int_equal(store_begin(rig->store), 0);
        assert_int_equal(store_set_journaled(rig->store, seq), 0);
        assert_int_equal(store_commit(rig->store), 0);
}

static Pruned prune(StoreRig *rig, uint64_t before_usec, int64_t limit)
{
        Events events = events_of(rig);
        Pruned pruned = {0};

        assert_int_equal(store_begin(rig->store), 0);
        assert_int_equal(store_prune(rig->store, before_usec, limit, &pruned), 0);
        if (pruned.count > 0)
                assert_int_equal(event_store_pruned(&events, &pruned), 0);
        assert_int_equal(store_commit(rig->store), 0);
        return pruned;
}

static void assert_gone(StoreRig *rig, int64_t seq)
{
        EventRow row = {0};

        assert_int_equal(store_read_event(rig->store, seq, &row), 0);
}

static void assert_sound(StoreRig *rig)
{
        int64_t seq = 0;

        assert_int_equal(store_check_chain(rig->store, &seq), 0);
}

static void damage(StoreRig *rig, const char *sql)
{
        store_rig_close(rig);
        tamper(rig->folder, sql);
        store_rig_open(rig, BOOT_A);
}

static void test_prune__old_events__go_and_the_chain_holds(void **state)
{
        StoreRig *rig = *state;
        uint8_t hash[HASH_LEN];
        CLEANUP(event_row_done) EventRow row = {0};
        Pruned pruned;
        int64_t seq;

        add_events(rig, 10);
        assert_int_equal(store_read_event(rig->store, 7, &row), 1);
        set_journaled(rig, 10);
        pruned = prune(rig, row.line_usec + 1, 100);
        assert_int_equal(pruned.count, 7);
        assert_int_equal(pruned.seq, 7);
        assert_memory_equal(pruned.hash, row.hash, HASH_LEN);
        assert_false(pruned.more);
        assert_gone(rig, 7);
        assert_int_equal(store_checkpoint(rig->store, &seq, hash), 0);
        assert_int_equal(seq, 7);
        assert_memory_equal(hash, row.hash, HASH_LEN);
        assert_sound(rig);
        store_rig_close(rig);
        store_rig_open(rig, BOOT_A);
        assert_int_equal(store_newest_event(rig->store), 11);
        assert_sound(rig);
}

static void test_prune__what_is_younger__stays(void **state)
{
        StoreRig *rig = *state;

        add_events(rig, 3);
        set_journaled(rig, 3);
        assert_int_equal(prune(rig, NOON, 100).count, 0);
        assert_int_equal(store_newest_event(rig->store), 3);
}

static void test_prune__what_the_journal_has_not__stays(void **state)
{
        StoreRig *rig = *state;

        add_events(rig, 10);
        set_journaled(rig, 4);
        assert_int_equal(prune(rig, UINT64_MAX, 100).seq, 4);
        assert_sound(rig);
}

static void test_prune__all_of_it__leaves_the_newest(void **state)
{
        StoreRig *rig = *state;

        add_events(rig, 5);
        set_journaled(rig, 5);
        assert_int_equal(prune(rig, UINT64_MAX, 100).seq, 4);
        assert_sound(rig);
}

static void test_prune__more_than_a_slice__is_said(void **state)
{
        StoreRig *rig = *state;
        Pruned pruned;

        add_events(rig, 10);
        set_journaled(rig, 10);
        pruned = prune(rig, UINT64_MAX, 4);
        assert_int_equal(pruned.count, 4);
        assert_true(pruned.more);
        assert_int_equal(prune(rig, UINT64_MAX, 4).seq, 8);
        assert_sound(rig);
}

static void test_prune__a_damaged_chain__is_left_as_it_is(void **state)
{
        StoreRig *rig = *state;
        Pruned pruned;

        add_events(rig, 10);
        set_journaled(rig, 10);
        damage(rig, "UPDATE event SET data = '{}' WHERE seq = 3");
        pruned = prune(rig, UINT64_MAX, 100);
        assert_int_equal(pruned.seq, 2);
        assert_int_equal(pruned.damaged, 3);
        assert_int_equal(prune(rig, UINT64_MAX, 100).count, 0);
}

static void test_prune__a_credential_of_before__goes_on(void **state)
{
        StoreRig *rig = *state;
        Events events = events_of(rig);
        AUTO_CREDENTIAL Credential credential = {0};
        CLEANUP(event_row_done) EventRow row = {0};
        int64_t num = add_sample(rig->store, "abcdefgh", NOON + HOURS(1));

        assert_int_equal(store_read_credential(rig->store, num, &credential), 1);
        assert_int_equal(store_begin(rig->store), 0);
        assert_int_equal(event_credential_issued(&events, &credential), 0);
        assert_int_equal(store_commit(rig->store), 0);
        add_events(rig, 3);
        set_journaled(rig, 4);
        assert_int_equal(prune(rig, UINT64_MAX, 100).seq, 3);
        assert_int_equal(store_begin(rig->store), 0);
        assert_int_equal(event_credential_expired(&events, &credential), 0);
        assert_int_equal(store_commit(rig->store), 0);
        assert_int_equal(store_read_event(rig->store, 6, &row), 1);
        assert_int_equal(row.previous, 1);
        assert_gone(rig, row.previous);
        assert_sound(rig);
}

static void test_prune_wait__nothing_is_old__until_the_oldest_is(void **state)
{
        (void)state;
        assert_true(prune_wait_usec(NOON, NOON - 3 * DAY, 400 * DAY) == 397 * DAY);
        assert_true(prune_wait_usec(NOON, NOON - 400 * DAY, 400 * DAY) == DAY);
        assert_true(prune_wait_usec(NOON, NOON - 399 * DAY - HOURS(1), 400 * DAY) == DAY);
        assert_true(prune_wait_usec(NOON, 0, 400 * DAY) == 400 * DAY);
        assert_true(prune_wait_usec(NOON, 0, HOURS(1)) == DAY);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, store_rig_setup, store_rig_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_STORE(test_prune__old_events__go_and_the_chain_holds),
                WITH_STORE(test_prune__what_is_younger__stays),
                WITH_STORE(test_prune__what_the_journal_has_not__stays),
                WITH_STORE(test_prune__all_of_it__leaves_the_newest),
                WITH_STORE(test_prune__more_than_a_slice__is_said),
                WITH_STORE(test_prune__a_damaged_chain__is_left_as_it_is),
                WITH_STORE(test_prune__a_credential_of_before__goes_on),
                cmocka_unit_test(test_prune_wait__nothing_is_old__until_the_oldest_is),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Roles that are off, alarms, and ends that were brought forward, as they are stored. */
#include "tests/unit/store_rig.h"

#include <errno.h>

#include "tests/unit/tamper.h"

static RoleOff sample_off(const char *role)
{
        return (RoleOff){.role = (char *)role,
                         .at_real_usec = NOON,
                         .actor = {.name = "carol", .uid = 1002, .loginuid = UID_NONE},
                         .reason = (char *)"an incident"};
}

static void add_off(StoreRig *rig, const char *role)
{
        const RoleOff off = sample_off(role);

        assert_int_equal(store_begin(rig->store), 0);
        assert_int_equal(store_add_role_off(rig->store, &off), 0);
        assert_int_equal(store_commit(rig->store), 0);
}

static bool join_name(void *userdata, const RoleOff *off)
{
        char *text = userdata;

        (void)snprintf(text + strlen(text), 64 - strlen(text), "%s ", off->role);
        return true;
}

static void
test_store_role_off__added_and_removed__is_off_in_between_and_across_a_restart(void **state)
{
        StoreRig *rig = *state;
        CLEANUP(role_off_done) RoleOff found = {0};
        const RoleOff again = sample_off("oncall");
        char names[64] = "";

        assert_false(store_role_off(rig->store, "oncall"));
        assert_int_equal(store_find_role_off(rig->store, "oncall", &found), 0);
        add_off(rig, "oncall");
        add_off(rig, "deploy");
        store_rig_close(rig);
        store_rig_open(rig, BOOT_B);
        assert_true(store_role_off(rig->store, "oncall"));
        assert_true(store_role_off(rig->store, "deploy"));
        assert_false(store_role_off(rig->store, "onca"));
        assert_int_equal(store_find_role_off(rig->store, "oncall", &found), 1);
        assert_string_equal(found.reason, "an incident");
        assert_string_equal(found.actor.name, "carol");
        assert_int_equal(found.actor.loginuid, UID_NONE);
        assert_int_equal(found.at_real_usec, NOON);
        assert_int_equal(store_each_role_off(rig->store, join_name, names), 0);
        assert_string_equal(names, "deploy oncall ");

        assert_int_equal(store_begin(rig->store), 0);
        assert_int_equal(store_add_role_off(rig->store, &again), -EEXIST);
        assert_int_equal(store_remove_role_off(rig->store, "oncall"), 0);
        assert_int_equal(store_remove_role_off(rig->store, "oncall"), -ESTALE);
        assert_int_equal(store_commit(rig->store), 0);
        assert_false(store_role_off(rig->store, "oncall"));
        assert_true(store_role_off(rig->store, "deploy"));
}

/* A role that is off and whose name is lost would be on. */
static void test_store_role_off__name_that_is_no_text__nothing_is_opened(void **state)
{
        StoreRig *rig = *state;

        add_off(rig, "oncall");
        add_off(rig, "spare");
        store_rig_close(rig);
        tamper(rig->folder, "UPDATE role_off SET role = CAST(x'6f6e63ff' AS TEXT) "
                            "WHERE role = 'oncall'");
        assert_int_equal(store_open(rig->folder, BOOT_A, &rig->clock, &rig->store), -EBADMSG);
        tamper(rig->folder, "DELETE FROM role_off WHERE role != 'spare'");
        store_rig_open(rig, BOOT_A);
        assert_true(store_role_off(rig->store, "spare"));
}

static void test_store_role_off__request_undone__is_as_it_was(void **state)
{
        StoreRig *rig = *state;
        const RoleOff off = sample_off("oncall"), more = sample_off("spare");

        add_off(rig, "deploy");
        assert_int_equal(store_begin(rig->store), 0);
        assert_int_equal(store_savepoint(rig->store), 0);
        assert_int_equal(store_add_role_off(rig->store, &off), 0);
        assert_int_equal(store_remove_role_off(rig->store, "deploy"), 0);
        assert_true(store_role_off(rig->store, "oncall"));
        assert_int_equal(store_rollback(rig->store), 0);
        assert_false(store_role_off(rig->store, "oncall"));
        assert_true(store_role_off(rig->store, "deploy"));

        assert_int_equal(store_savepoint(rig->store), 0);
        assert_int_equal(store_add_role_off(rig->store, &more), 0);
        assert_int_equal(store_release(rig->store), 0);
        assert_int_equal(store_savepoint(rig->store), 0);
        assert_int_equal(store_add_role_off(rig->store, &off), 0);
        assert_int_equal(store_rollback(rig->store), 0);
        assert_int_equal(store_commit(rig->store), 0);
        assert_true(store_role_off(rig->store, "spare"));
        assert_false(store_role_off(rig->store, "oncall"));
}

static int64_t add_under(StoreRig *rig, const char *id, const char *role, uint64_t limit_usec)
{
        AUTO_CREDENTIAL Credential c = sample_credential(id, limit_usec);

        c.role = role ? strdup(role) : NULL;
        c.ceiling_usec = limit_usec;
        assert_int_equal(store_begin(rig->store), 0);
        assert_int_equal(store_add_credential(rig->store, &c, NULL), 0);
        assert_int_equal(store_commit(rig->store), 0);
        return c.num;
}

static bool join_id(void *userdata, Credential *credential)
{
        char *text = userdata;

        (void)snprintf(text + strlen(text), 64 - strlen(text), "%s ", credential->id);
        return true;
}

static void test_store_unspent__others_closed_and_past__counts_what_still_lets_in(void **state)
{
        StoreRig *rig = *state;
        int64_t closed, count = -1;
        char ids[64] = "";

        (void)add_under(rig, "aaaaaaaa", "oncall", NOON + HOURS(3));
        (void)add_under(rig, "bbbbbbbb", "oncall", NOON + HOURS(2));
        (void)add_under(rig, "cccccccc", "deploy", NOON + HOURS(2));
        (void)add_under(rig, "dddddddd", NULL, NOON + HOURS(2));
        (void)add_under(rig, "eeeeeeee", "oncall", NOON);
        closed = add_under(rig, "ffffffff", "oncall", NOON + HOURS(2));
        assert_int_equal(store_close_credential(rig->store, closed, CAUSE_REVOKED), 0);
        assert_int_equal(store_count_unspent(rig->store, "oncall", NOON, &count), 0);
        assert_int_equal(count, 2);
        assert_int_equal(store_each_unspent(rig->store, "oncall", NOON, 10, join_id, ids), 0);
        assert_string_equal(ids, "bbbbbbbb aaaaaaaa ");
        assert_int_equal(store_role_used(rig->store, "oncall"), 1);
        assert_int_equal(store_role_used(rig->store, "onca"), 0);
}

static bool count_alarm(void *userdata, const Alarm *alarm)
{
        int *counts = userdata;

        counts[alarm->kind]++;
        return true;
}

static bool check_acked(void *userdata, const Alarm *alarm)
{
        (void)userdata;
        assert_int_equal(alarm->acked_real_usec, NOON + 2);
        assert_string_equal(alarm->acked_by.name, "dora");
        assert_string_equal(alarm->ack_reason, "seen");
        assert_string_equal(alarm->id, "k7m2q9xd");
        assert_string_equal(alarm->user, "deploy");
        assert_string_equal(alarm->issuer.name, "carol");
        assert_int_equal(alarm->raised_real_usec, NOON);
        return true;
}

static void test_store_alarm__raised_again__is_one_until_acknowledged_and_stays_so(void **state)
{
        StoreRig *rig = *state;
        int64_t num = add_sample(rig->store, "k7m2q9xd", NOON);
        int64_t other = add_sample(rig->store, "z7m2q9xd", NOON);
        const Alarm ack = {.acked_real_usec = NOON + 2,
                           .acked_by = {.name = "dora", .uid = 7, .loginuid = 7},
                           .ack_reason = (char *)"seen"};
        int open[3] = {0}, later[3] = {0};

        assert_int_equal(store_ack_alarms(rig->store, num, &ack), -ESTALE);
        assert_int_equal(store_raise_alarm(rig->store, num, ALARM_BREAK_GLASS, NOON), 0);
        assert_int_equal(store_raise_alarm(rig->store, num, ALARM_MISSED, NOON), 0);
        assert_int_equal(store_raise_alarm(rig->store, num, ALARM_MISSED, NOON + 1), 0);
        assert_int_equal(store_raise_alarm(rig->store, other, ALARM_MISSED, NOON), 0);
        assert_int_equal(store_each_open_alarm(rig->store, 10, count_alarm, open), 0);
        assert_int_equal(open[ALARM_BREAK_GLASS], 1);
        assert_int_equal(open[ALARM_MISSED], 2);
        assert_int_equal(store_ack_alarms(rig->store, num, &ack), 0);
        assert_int_equal(store_raise_alarm(rig->store, num, ALARM_MISSED, NOON + 3), 0);
        assert_int_equal(store_each_open_alarm(rig->store, 10, count_alarm, later), 0);
        assert_int_equal(later[ALARM_BREAK_GLASS], 0);
        assert_int_equal(later[ALARM_MISSED], 1);
        assert_int_equal(store_each_alarm(rig->store, num, check_acked, NULL), 0);
}

static void test_store_cut_short__live_session__has_deadline_and_reason(void **state)
{
        StoreRig *rig = *state;
        int64_t num = add_sample(rig->store, "k7m2q9xd", NOON);
        int64_t login = add_sample_login(rig->store, num, NOON);
        const SessionRow in = {.login = login,
                               .credential = num,
                               .leader = 7,
                               .opened_usec = NOON,
                               .opened_real_usec = NOON,
                               .deadline_usec = NOON + HOURS(1)};
        CLEANUP(session_row_done) SessionRow before = {0};
        CLEANUP(session_row_done) SessionRow after = {0};

        assert_int_equal(store_add_session(rig->store, &in), 0);
        read_session(rig->store, login, &before);
        assert_null(before.why);
        assert_int_equal(store_cut_short(rig->store, login, NOON + 5, "the host was frozen"), 0);
        read_session(rig->store, login, &after);
        assert_int_equal(after.deadline_usec, NOON + 5);
        assert_string_equal(after.why, "the host was frozen");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, store_rig_setup, store_rig_teardown)
        const struct CMUnitTest tests[] = {
                T(test_store_role_off__added_and_removed__is_off_in_between_and_across_a_restart),
                T(test_store_role_off__name_that_is_no_text__nothing_is_opened),
                T(test_store_role_off__request_undone__is_as_it_was),
                T(test_store_unspent__others_closed_and_past__counts_what_still_lets_in),
                T(test_store_alarm__raised_again__is_one_until_acknowledged_and_stays_so),
                T(test_store_cut_short__live_session__has_deadline_and_reason),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

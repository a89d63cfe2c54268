/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The chain of events, the two queues, and what is left of them when the process is killed. */
#include "tests/unit/store_rig.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/tamper.h"

static void test_store_chain__events_of_several_credentials__hash_and_link(void **state)
{
        StoreRig *rig = *state;
        int64_t nums[2], last[2] = {0, 0};

        nums[0] = add_sample(rig->store, "k7m2q9xa", NOON);
        nums[1] = add_sample(rig->store, "k7m2q9xb", NOON);
        for (int64_t seq = 1; seq <= 30; seq++) {
                CLEANUP(event_row_done) EventRow row = {0};
                size_t who = (size_t)seq % 3;
                int64_t num = who < 2 ? nums[who] : 0;

                assert_int_equal(
                        store_add_event(rig->store, "a-thing", num, "{\"a\":\"\xc3\xbc\"}"), 0);
                hands_turn(&rig->hands, SECONDS(1));
                assert_int_equal(store_read_event(rig->store, seq, &row), 1);
                assert_int_equal(row.credential, num);
                assert_int_equal(row.previous, who < 2 ? last[who] : 0);
                if (who < 2)
                        last[who] = seq;
                assert_string_equal(row.name, "a-thing");
                assert_true(row.real_usec == NOON + (uint64_t)(seq - 1) * SECONDS(1));
        }
        assert_int_equal(check_chain(rig->store), 30);
        for (size_t who = 0; who < 2; who++) {
                AUTO_CREDENTIAL Credential c = {0};

                assert_int_equal(store_read_credential(rig->store, nums[who], &c), 1);
                assert_int_equal(c.last_event, last[who]);
        }
}

static void test_store_chain__reopened__goes_on_where_it_was(void **state)
{
        StoreRig *rig = *state;

        for (int64_t i = 1; i <= 5; i++) {
                assert_int_equal(store_add_event(rig->store, "a-thing", 0, "{}"), 0);
                store_rig_close(rig);
                store_rig_open(rig, i % 2 ? BOOT_A : BOOT_B);
                assert_int_equal(check_chain(rig->store), i);
        }
}

/* What comes next would have no number. */
static void test_store_chain__last_of_all_numbers__is_not_opened(void **state)
{
        StoreRig *rig = *state;

        assert_int_equal(store_add_event(rig->store, "a-thing", 0, "{}"), 0);
        store_rig_close(rig);
        tamper(rig->folder, "UPDATE event SET seq = 9223372036854775806");
        assert_int_equal(store_open(rig->folder, BOOT_A, &rig->clock, &rig->store), -EBADMSG);
        tamper(rig->folder, "UPDATE event SET seq = 1");
        store_rig_open(rig, BOOT_A);
}

static void test_store_rollback__after_events__takes_the_chain_back(void **state)
{
        StoreRig *rig = *state;
        int64_t num = add_sample(rig->store, "k7m2q9xd", NOON);

        assert_int_equal(store_begin(rig->store), 0);
        for (unsigned i = 0; i < 12; i++) {
                assert_int_equal(store_savepoint(rig->store), 0);
                for (unsigned n = 0; n <= i % 3; n++)
                        assert_int_equal(store_add_event(rig->store, "a-thing", num, "{}"), 0);
                assert_int_equal(i % 2 ? store_rollback(rig->store) : store_release(rig->store), 0);
        }
        assert_int_equal(store_commit(rig->store), 0);
        assert_int_equal(check_chain(rig->store), 12); /* 1 + 3 + 2, twice */
}

static void test_store_add_event__of_no_such_credential__is_an_error(void **state)
{
        StoreRig *rig = *state;

        assert_int_equal(store_add_event(rig->store, "a-thing", 77, "{}"), -ENOENT);
        assert_int_equal(store_newest_event(rig->store), 0);
        assert_int_equal(check_chain(rig->store), 0);
}

static void test_store_chain__after_a_row__hashes_differ_in_every_column(void **state)
{
        const uint8_t head[HASH_LEN] = {0}, other[HASH_LEN] = {1};
        char name[] = "a", data[] = "{}", name2[] = "b", data2[] = "{ }";
        const EventRow rows[] = {
                {.seq = 1, .line_usec = 1, .real_usec = 1, .name = name, .data = data},
                {.seq = 2, .line_usec = 1, .real_usec = 1, .name = name, .data = data},
                {.seq = 1, .line_usec = 2, .real_usec = 1, .name = name, .data = data},
                {.seq = 1, .line_usec = 1, .real_usec = 2, .name = name, .data = data},
                {.seq = 1, .line_usec = 1, .real_usec = 1, .name = name2, .data = data},
                {.seq = 1, .line_usec = 1, .real_usec = 1, .name = name, .data = data2},
                {.seq = 1,
                 .line_usec = 1,
                 .real_usec = 1,
                 .name = name,
                 .data = data,
                 .credential = 1},
        };
        uint8_t first[HASH_LEN], hash[HASH_LEN];

        (void)state;
        hash_event(head, &rows[0], first);
        for (size_t i = 1; i < ELEMENTSOF(rows); i++) {
                hash_event(head, &rows[i], hash);
                assert_memory_not_equal(hash, first, HASH_LEN);
        }
        hash_event(other, &rows[0], hash);
        assert_memory_not_equal(hash, first, HASH_LEN);
}

/* --- the queues ---------------------------------------------------------------------------------
 */

/* Works the whole queue off in slices of that size; the numbers in the order they came. */
static size_t drain(Store *store, size_t slice, int64_t *nums, uint64_t *limits)
{
        size_t total = 0, n = 0;

        for (;;) {
                ExpiryRow rows[64];

                assert_int_equal(store_expiry_peek(store, rows, slice, &n), 0);
                if (n == 0)
                        return total;
                assert_true(n <= slice);
                for (size_t i = 0; i < n; i++) {
                        nums[total] = rows[i].num;
                        limits[total++] = rows[i].login_limit_usec;
                }
                assert_int_equal(store_expiry_advance(store, &rows[n - 1]), 0);
        }
}

static void test_store_expiry__any_slice__each_row_comes_once_and_in_order(void **state)
{
        static const size_t slices[] = {1, 2, 3, 7, 50, 64};
        StoreRig *rig = *state;
        int64_t added = 0;

        for (size_t s = 0; s < ELEMENTSOF(slices); s++) {
                int64_t nums[64];
                uint64_t limits[64];

                for (unsigned i = 0; i < 50; i++) {
                        char id[TOKEN_ID_LEN + 1];

                        /* many at one moment, and the moments not in the order of their issue */
                        (void)snprintf(id, sizeof(id), "%08u", (unsigned)++added);
                        (void)add_sample(rig->store, id, NOON + SECONDS(s * 100 + i * 37 % 4));
                }
                assert_int_equal(drain(rig->store, slices[s], nums, limits), 50);
                for (size_t i = 1; i < 50; i++)
                        assert_true(limits[i] > limits[i - 1] ||
                                    (limits[i] == limits[i - 1] && nums[i] > nums[i - 1]));
        }
}

static void test_store_expiry__reopened__stands_where_it_was(void **state)
{
        StoreRig *rig = *state;
        ExpiryRow rows[8];
        size_t n;

        for (unsigned i = 0; i < 6; i++) {
                char id[TOKEN_ID_LEN + 1];

                (void)snprintf(id, sizeof(id), "%08u", i);
                (void)add_sample(rig->store, id, NOON + i / 3);
        }
        assert_int_equal(store_expiry_peek(rig->store, rows, 2, &n), 0);
        assert_int_equal(store_expiry_advance(rig->store, &rows[1]), 0);
        store_rig_close(rig);
        store_rig_open(rig, BOOT_B);
        assert_int_equal(store_expiry_peek(rig->store, rows, 8, &n), 0);
        assert_int_equal(n, 4);
        assert_int_equal(rows[0].num, 3);
        assert_int_equal(rows[3].num, 6);
}

/* Issued later with the same limit as what was worked off last: it is not forgotten. */
static void test_store_expiry__same_limit_issued_later__still_comes(void **state)
{
        StoreRig *rig = *state;
        ExpiryRow row;
        size_t n;
        int64_t later;

        (void)add_sample(rig->store, "k7m2q9xa", NOON);
        assert_int_equal(store_expiry_peek(rig->store, &row, 1, &n), 0);
        assert_int_equal(store_expiry_advance(rig->store, &row), 0);
        later = add_sample(rig->store, "k7m2q9xb", NOON);
        assert_int_equal(store_expiry_peek(rig->store, &row, 1, &n), 0);
        assert_int_equal(n, 1);
        assert_int_equal(row.num, later);
}

static void test_store_lapse__logins__come_in_order_once_each(void **state)
{
        StoreRig *rig = *state;
        int64_t credential = add_sample(rig->store, "k7m2q9xd", NOON);

        for (unsigned i = 0; i < 6; i++) {
                int64_t num = add_sample_login(rig->store, credential, NOON + i);

                if (i % 2)
                        assert_int_equal(store_set_login(rig->store, num, LOGIN_CLAIMED), 0);
        }
        for (int64_t i = 1; i <= 6; i++) {
                CLEANUP(login_done) Login login = {0};

                assert_int_equal(store_lapse_peek(rig->store, 0, &login), 1);
                assert_int_equal(login.num, i);
                assert_int_equal(login.state, i % 2 ? LOGIN_ACCEPTED : LOGIN_CLAIMED);
                assert_int_equal(store_lapse_advance(rig->store, i), 0);
                if (i == 3) {
                        store_rig_close(rig);
                        store_rig_open(rig, BOOT_A);
                }
        }
}

/* --- killed -------------------------------------------------------------------------------------
 */

/* One commit: a credential, its event, a use of it spent, a login. */
static void commit_one(Store *store, unsigned i)
{
        char id[TOKEN_ID_LEN + 1];
        AUTO_CREDENTIAL Credential c = {0};

        (void)snprintf(id, sizeof(id), "%08u", i);
        c = sample_credential(id, NOON + i);
        if (store_begin(store) < 0 || store_add_credential(store, &c, NULL) < 0 ||
            store_add_event(store, "credential-issued", c.num, "{}") < 0 ||
            store_spend(store, &c) < 0)
                _exit(1);
        (void)add_sample_login(store, c.num, NOON);
        if (store_add_event(store, "login-accepted", c.num, "{}") < 0 || store_commit(store) < 0)
                _exit(1);
}

static void commit_until_killed(StoreRig *rig, int report, unsigned from)
{
        store_rig_open(rig, BOOT_A);
        for (unsigned i = from + 1;; i++) {
                commit_one(rig->store, i);
                if (write(report, &i, sizeof(i)) != sizeof(i))
                        _exit(1);
        }
}

/* Runs a child from the commit after `from`, kills it once it has reported n; the last report. */
static unsigned run_and_kill(StoreRig *rig, unsigned from, unsigned n)
{
        unsigned last = from, i;
        int report[2], status;
        pid_t child;

        assert_int_equal(pipe(report), 0);
        child = fork();
        assert_true(child >= 0);
        if (child == 0)
                commit_until_killed(rig, report[1], from);
        (void)close(report[1]);
        while (n-- > 0 && read(report[0], &i, sizeof(i)) == sizeof(i))
                last = i;
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        while (read(report[0], &i, sizeof(i)) == sizeof(i))
                last = i;
        (void)close(report[0]);
        return last;
}

typedef struct Found {
        unsigned n;
} Found;

/* Whole or not at all. */
static bool check_whole(void *userdata, Credential *c)
{
        Found *found = userdata;

        found->n++;
        assert_int_equal(c->num, found->n);
        assert_int_equal(c->uses_left, 1);
        assert_int_equal(c->open_logins, 1);
        assert_int_equal(c->last_event, 2 * found->n);
        return true;
}

static void
test_store__killed_at_any_moment__keeps_all_that_was_reported_and_nothing_half(void **state)
{
        StoreRig *rig = *state;
        unsigned reported = 0, present = 0;

        store_rig_close(rig);
        for (unsigned round = 1; round <= 25; round++) {
                Found found = {0};
                CLEANUP(login_done) Login login = {0};

                reported = run_and_kill(rig, present, 1 + round * 7 % 13);
                assert_true(reported > present);
                store_rig_open(rig, BOOT_A);
                assert_int_equal(store_each_credential(rig->store, 0, 100000, check_whole, &found),
                                 0);
                /* one more at most: committed, and killed before it could say so */
                assert_in_range(found.n, reported, reported + 1);
                assert_int_equal(check_chain(rig->store), 2 * found.n);
                assert_int_equal(store_find_login(rig->store, found.n, &login), 1);
                assert_int_equal(store_find_login(rig->store, found.n + 1, &login), 0);
                present = found.n;
                store_rig_close(rig);
        }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, store_rig_setup, store_rig_teardown)
        const struct CMUnitTest tests[] = {
                T(test_store_chain__events_of_several_credentials__hash_and_link),
                T(test_store_chain__reopened__goes_on_where_it_was),
                T(test_store_chain__last_of_all_numbers__is_not_opened),
                T(test_store_rollback__after_events__takes_the_chain_back),
                T(test_store_add_event__of_no_such_credential__is_an_error),
                T(test_store_chain__after_a_row__hashes_differ_in_every_column),
                T(test_store_expiry__any_slice__each_row_comes_once_and_in_order),
                T(test_store_expiry__reopened__stands_where_it_was),
                T(test_store_expiry__same_limit_issued_later__still_comes),
                T(test_store_lapse__logins__come_in_order_once_each),
                T(test_store__killed_at_any_moment__keeps_all_that_was_reported_and_nothing_half),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

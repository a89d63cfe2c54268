/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sessions that logind has announced: whose they are once their leader has left. */
#include "tests/unit/scratch.h"

#include <unistd.h>

#include "credd/announced.h"

#define LEADER  4711
#define PERSON  1001
#define CREATED SECONDS(1000)

static int setup(void **state)
{
        Announced *announced = NULL;

        assert_int_equal(announced_new(&announced), 0);
        announced_add(announced, &(LogindSession){.id = "c1",
                                                  .uid = PERSON,
                                                  .leader = LEADER,
                                                  .created_boot_usec = CREATED,
                                                  .scope = "session-c1.scope",
                                                  .class = "user",
                                                  .service = "sshd"});
        *state = announced;
        return 0;
}

static int teardown(void **state)
{
        (void)announced_free(*state);
        return 0;
}

static void test_announced_left_by__uid_leader_and_moment_fit__is_that_session(void **state)
{
        assert_string_equal(announced_id_left_by(*state, PERSON, LEADER, CREATED - SECONDS(1),
                                                 CREATED + SECONDS(1), UINT64_MAX),
                            "c1");
        assert_null(announced_id_left_by(*state, PERSON + 1, LEADER, 0, UINT64_MAX, UINT64_MAX));
        assert_null(announced_id_left_by(*state, PERSON, LEADER + 1, 0, UINT64_MAX, UINT64_MAX));
        assert_null(
                announced_id_left_by(*state, PERSON, LEADER, CREATED + 1, UINT64_MAX, UINT64_MAX));
        assert_null(announced_id_left_by(*state, PERSON, LEADER, 0, CREATED, UINT64_MAX));
}

/* Who has the number now began before the session was made: he leads it. */
static void test_announced_left_by__number_was_given_again__is_who_has_it(void **state)
{
        const uint64_t ticks = CREATED / USEC_PER_SEC * (uint64_t)sysconf(_SC_CLK_TCK);

        assert_null(announced_id_left_by(*state, PERSON, LEADER, 0, UINT64_MAX, ticks - 1));
        assert_null(announced_id_left_by(*state, PERSON, LEADER, 0, UINT64_MAX, ticks));
        assert_string_equal(announced_id_left_by(*state, PERSON, LEADER, 0, UINT64_MAX, ticks + 1),
                            "c1");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest tests[] = {
                T(test_announced_left_by__uid_leader_and_moment_fit__is_that_session),
                T(test_announced_left_by__number_was_given_again__is_who_has_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/scratch.h"

#include "credd/kill.h"

#define DEADLINE NOON
#define SIGNAL   (500 * USEC_PER_MSEC)

static const KillLimits limits = {.grace_usec = SECONDS(2), .verify_timeout_usec = SECONDS(10)};

/* One place in the product of everything the decision is made from, and what was decided. */
typedef struct Point {
        Kill kill;
        KillSigns signs;
        uint64_t now, again;
        KillAction action;
} Point;

static bool lives(const KillSigns *signs)
{
        return signs->leader_alive || signs->tree > 0 || signs->scope == SCOPE_POPULATED;
}

static bool logind_says_gone(const KillSigns *signs)
{
        return signs->logind != LOGIND_KNOWN && signs->logind != LOGIND_UNASKED;
}

static bool all_gone(const KillSigns *signs)
{
        return !lives(signs) && logind_says_gone(signs);
}

static bool missed_is_due(const Point *p)
{
        return !p->kill.missed && p->now >= DEADLINE + limits.verify_timeout_usec;
}

static Point decide(Kill kill, KillSigns signs, uint64_t now)
{
        Point p = {.kill = kill, .signs = signs, .now = now, .again = 12345};

        p.action = kill_decide(&p.kill, &p.signs, &limits, DEADLINE, now, &p.again);
        return p;
}

typedef void (*Property)(const Point *point);

static void each_moment(Property property, const Kill *kill, const KillSigns *signs)
{
        static const uint64_t moments[] = {
                0,
                DEADLINE - SECONDS(3600),
                DEADLINE - 1,
                DEADLINE,
                DEADLINE + 1,
                DEADLINE + SIGNAL - 1,
                DEADLINE + SIGNAL,
                DEADLINE + SECONDS(2) - 1,
                DEADLINE + SECONDS(2),
                DEADLINE + SECONDS(10) - 1,
                DEADLINE + SECONDS(10),
                DEADLINE + SECONDS(86400),
        };

        for (size_t i = 0; i < ELEMENTSOF(moments); i++) {
                Point p;

                if (kill->begun && moments[i] < kill->begun_usec)
                        continue;
                p = decide(*kill, *signs, moments[i]);
                property(&p);
        }
}

static void each_kill(Property property, const KillSigns *signs)
{
        static const unsigned rounds[] = {0, 1, 5, 6, 1000000};
        static const uint64_t begun[] = {DEADLINE, DEADLINE + 1, DEADLINE + SECONDS(3600)};

        for (unsigned bits = 0; bits < 32; bits++)
                for (size_t i = 0; i < ELEMENTSOF(rounds) * ELEMENTSOF(begun); i++) {
                        const Kill kill = {.begun = bits & 1,
                                           .terminated = bits & 2,
                                           .forced = bits & 4,
                                           .missed = bits & 8,
                                           .signalled = bits & 16,
                                           .rounds = rounds[i % ELEMENTSOF(rounds)],
                                           .begun_usec = begun[i / ELEMENTSOF(rounds)]};

                        /* nothing is done before it has begun, and force comes after TERM */
                        if ((!kill.begun && bits != 0) || (!kill.terminated && bits & (4 | 16)))
                                continue;
                        each_moment(property, &kill, signs);
                }
}

static void each_point(Property property)
{
        static const unsigned trees[] = {0, 1, 1000};

        for (int leader = 0; leader < 3; leader++)
                for (size_t tree = 0; tree < ELEMENTSOF(trees); tree++)
                        for (int scope = SCOPE_NONE; scope <= SCOPE_POPULATED; scope++)
                                for (int logind = LOGIND_UNASKED; logind <= LOGIND_UNREACHABLE;
                                     logind++) {
                                        const KillSigns signs = {
                                                .leader_alive = leader > 0,
                                                .leader_in_scope = leader == 2,
                                                .tree = trees[tree],
                                                .scope = (ScopeSign)scope,
                                                .logind = (LogindSign)logind,
                                        };

                                        each_kill(property, &signs);
                                }
}

/* --- properties ---------------------------------------------------------------------------------
 */

static void gone_means_all_four_signs(const Point *p)
{
        if (p->action == KILL_GONE)
                assert_true(all_gone(&p->signs));
        /* and when they agree, and the kill of an overdue one is on record, nothing else is done */
        if (all_gone(&p->signs) && (p->now < DEADLINE || p->kill.begun))
                assert_int_equal(p->action, KILL_GONE);
}

static void nothing_before_the_deadline(const Point *p)
{
        if (p->now >= DEADLINE)
                return;
        assert_true(p->action == KILL_WAIT || p->action == KILL_ASK || p->action == KILL_GONE);
        if (p->action == KILL_WAIT && lives(&p->signs))
                assert_true(p->again > p->now && p->again <= DEADLINE);
}

static void the_deadline_begins_it(const Point *p)
{
        assert_int_equal(p->action == KILL_BEGIN, p->now >= DEADLINE && !p->kill.begun);
}

static void gentle_first(const Point *p)
{
        if (p->action == KILL_TERMINATE)
                assert_true(p->kill.begun && !p->kill.terminated && !all_gone(&p->signs));
        if (p->action == KILL_TREE || p->action == KILL_SCOPE)
                assert_true(p->kill.begun && p->kill.terminated && lives(&p->signs));
        if (p->action == KILL_SCOPE)
                assert_true(p->now >= p->kill.begun_usec + limits.grace_usec);
}

static bool at_force(const Point *p)
{
        return p->now >= DEADLINE && p->kill.begun && p->kill.terminated && !missed_is_due(p);
}

static void no_grace_outside_a_scope(const Point *p)
{
        if (at_force(p) && p->signs.leader_alive && !p->signs.leader_in_scope)
                assert_int_equal(p->action, KILL_TREE);
        if (at_force(p) && p->signs.scope == SCOPE_NONE && p->signs.tree > 0)
                assert_int_equal(p->action, KILL_TREE);
}

static void force_after_the_grace(const Point *p)
{
        if (at_force(p) && lives(&p->signs) && p->now >= p->kill.begun_usec + limits.grace_usec)
                assert_true(p->action == KILL_TREE || p->action == KILL_SCOPE);
}

/* What lives in a scope is signalled once, when logind has had its time, whether it answered or not. */
static void signalled_once_before_force(const Point *p)
{
        bool inside = lives(&p->signs) && (!p->signs.leader_alive || p->signs.leader_in_scope) &&
                      (p->signs.scope != SCOPE_NONE || p->signs.tree == 0);
        bool due = at_force(p) && inside && !p->kill.signalled &&
                   p->now >= p->kill.begun_usec + SIGNAL &&
                   p->now < p->kill.begun_usec + limits.grace_usec;

        assert_int_equal(p->action == KILL_SIGNAL, due);
        if (at_force(p) && inside && !p->kill.signalled && p->now < p->kill.begun_usec + SIGNAL)
                assert_true(p->again <= p->kill.begun_usec + SIGNAL);
}

static void missed_once_and_in_time(const Point *p)
{
        bool due = p->kill.begun && p->kill.terminated && missed_is_due(p) &&
                   (lives(&p->signs) || p->signs.logind == LOGIND_KNOWN);

        assert_int_equal(p->action == KILL_MISSED, due);
}

static void asked_when_only_logind_is_missing(const Point *p)
{
        if (p->action == KILL_ASK)
                assert_true(!lives(&p->signs) && p->signs.logind == LOGIND_UNASKED);
}

/* Overdue, it looks again soon: at the end of the grace, or within a second. */
static void always_progress(const Point *p)
{
        uint64_t grace_end = p->kill.begun_usec + limits.grace_usec;
        uint64_t latest = p->now + SECONDS(1);

        if (p->now < DEADLINE ||
            (p->action != KILL_WAIT && p->action != KILL_TREE && p->action != KILL_SCOPE))
                return;
        if (grace_end > latest)
                latest = grace_end;
        assert_true(p->again > p->now);
        assert_true(p->again <= latest);
}

/* Every answer is one of the enum, whatever was asked. */
static void known_actions_only(const Point *p)
{
        assert_true(p->action >= KILL_WAIT && p->action <= KILL_GONE);
        assert_true(p->again != 12345);
}

static void test_kill_decide__full_product__gone_only_when_all_four_signs_agree(void **state)
{
        (void)state;
        each_point(gone_means_all_four_signs);
        each_point(known_actions_only);
}

static void test_kill_decide__full_product__never_acts_before_the_deadline(void **state)
{
        (void)state;
        each_point(nothing_before_the_deadline);
        each_point(the_deadline_begins_it);
}

static void test_kill_decide__full_product__terminates_before_it_kills(void **state)
{
        (void)state;
        each_point(gentle_first);
        each_point(signalled_once_before_force);
        each_point(force_after_the_grace);
}

static void test_kill_decide__full_product__outside_a_scope_there_is_no_grace(void **state)
{
        (void)state;
        each_point(no_grace_outside_a_scope);
}

static void
test_kill_decide__full_product__missed_is_said_at_the_timeout_and_not_again(void **state)
{
        (void)state;
        each_point(missed_once_and_in_time);
}

static void test_kill_decide__full_product__asks_logind_only_to_conclude(void **state)
{
        (void)state;
        each_point(asked_when_only_logind_is_missing);
}

static void
test_kill_decide__full_product__an_overdue_session_is_always_looked_at_again(void **state)
{
        (void)state;
        each_point(always_progress);
}

/* --- single cases that a table would hide --------------------------------------------------------
 */

static void test_kill_decide__waiting_to_try_again__backs_off_to_a_second(void **state)
{
        const KillSigns signs = {.leader_alive = true, .scope = SCOPE_NONE, .logind = LOGIND_NEVER};
        uint64_t last = 0;

        (void)state;
        for (unsigned rounds = 0; rounds < 40; rounds++) {
                const Kill kill = {.begun = true,
                                   .terminated = true,
                                   .forced = rounds > 0,
                                   .begun_usec = DEADLINE,
                                   .rounds = rounds};
                Point p = decide(kill, signs, DEADLINE + SECONDS(1));
                uint64_t wait = p.again - p.now;

                assert_true(wait >= last && wait >= 10 * USEC_PER_MSEC && wait <= SECONDS(1));
                if (rounds == 0)
                        assert_true(wait < 40 * USEC_PER_MSEC);
                last = wait;
        }
        assert_true(last == SECONDS(1));
}

/* A terminal that was closed while a job runs on: nobody is overdue, and yet its end is noticed. */
static void test_kill_decide__leader_gone_long_before_the_deadline__looks_now_and_then(void **state)
{
        const KillSigns signs = {.tree = 1, .scope = SCOPE_POPULATED, .logind = LOGIND_KNOWN};
        Point p = decide((Kill){0}, signs, DEADLINE - HOURS(1));

        (void)state;
        assert_int_equal(p.action, KILL_WAIT);
        assert_true(p.again > p.now && p.again <= p.now + SECONDS(10));
}

/* KillGrace=1min with VerifyTimeout=10s is a valid configuration: critical is critical then too. */
static void
test_kill_decide__grace_longer_than_the_timeout__does_not_sleep_past_missed(void **state)
{
        const KillLimits slow = {.grace_usec = SECONDS(60), .verify_timeout_usec = SECONDS(10)};
        const Kill kill = {.begun = true, .terminated = true, .begun_usec = DEADLINE};
        const KillSigns signs = {.leader_alive = true,
                                 .leader_in_scope = true,
                                 .scope = SCOPE_POPULATED,
                                 .logind = LOGIND_KNOWN};
        uint64_t again = 0;

        (void)state;
        assert_int_equal(kill_decide(&kill, &signs, &slow, DEADLINE, DEADLINE + 1, &again),
                         KILL_WAIT);
        assert_true(again <= DEADLINE + slow.verify_timeout_usec + SECONDS(1));
}

/* What is none of the signs concludes nothing. */
static void test_kill_decide__no_sign_of_loginds_at_all__is_not_gone(void **state)
{
        const KillSigns signs = {.scope = SCOPE_EMPTY, .logind = (LogindSign)1000};
        Point p = decide((Kill){.begun = true, .begun_usec = DEADLINE}, signs, DEADLINE + 1);

        (void)state;
        assert_int_equal(p.action, KILL_WAIT);
        assert_true(p.again > p.now);
}

/* KillGrace=300ms: SIGKILL comes first, and TERM is not waited for. */
static void test_kill_decide__grace_shorter_than_the_wait_for_term__is_the_next_look(void **state)
{
        const KillLimits quick = {.grace_usec = SECONDS(1) * 3 / 10,
                                  .verify_timeout_usec = SECONDS(10)};
        const Kill kill = {.begun = true, .terminated = true, .begun_usec = DEADLINE};
        const KillSigns signs = {.leader_alive = true,
                                 .leader_in_scope = true,
                                 .scope = SCOPE_POPULATED,
                                 .logind = LOGIND_KNOWN};
        uint64_t again = 0;

        (void)state;
        assert_int_equal(kill_decide(&kill, &signs, &quick, DEADLINE, DEADLINE + 1, &again),
                         KILL_WAIT);
        assert_true(again == DEADLINE + quick.grace_usec);
        assert_int_equal(kill_decide(&kill, &signs, &quick, DEADLINE, again, &again), KILL_SCOPE);
}

static void test_kill_signs__each_value__has_words_of_its_own(void **state)
{
        KillSigns a = {0}, b = {0};

        (void)state;
        b.leader_alive = true;
        b.tree = 1;
        assert_string_equal(kill_leader_sign(&a), "exited");
        assert_string_equal(kill_leader_sign(&b), "alive");
        assert_string_equal(kill_tree_sign(&a), "empty");
        assert_string_equal(kill_tree_sign(&b), "alive");
        for (int i = LOGIND_UNASKED; i <= LOGIND_UNREACHABLE; i++)
                for (int j = LOGIND_UNASKED; j < i; j++) {
                        a.logind = (LogindSign)i;
                        b.logind = (LogindSign)j;
                        assert_string_not_equal(kill_logind_sign(&a), kill_logind_sign(&b));
                        assert_string_not_equal(kill_logind_sign(&a), "unknown");
                }
        for (int i = SCOPE_NONE; i <= SCOPE_POPULATED; i++)
                for (int j = SCOPE_NONE; j < i; j++) {
                        a.scope = (ScopeSign)i;
                        b.scope = (ScopeSign)j;
                        assert_string_not_equal(kill_scope_sign(&a), kill_scope_sign(&b));
                        assert_string_not_equal(kill_scope_sign(&a), "unknown");
                }
        a.logind = (LogindSign)1000;
        a.scope = (ScopeSign)1000;
        assert_string_equal(kill_logind_sign(&a), "unknown");
        assert_string_equal(kill_scope_sign(&a), "unknown");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(
                        test_kill_decide__full_product__gone_only_when_all_four_signs_agree),
                cmocka_unit_test(test_kill_decide__full_product__never_acts_before_the_deadline),
                cmocka_unit_test(test_kill_decide__full_product__terminates_before_it_kills),
                cmocka_unit_test(test_kill_decide__full_product__outside_a_scope_there_is_no_grace),
                cmocka_unit_test(
                        test_kill_decide__full_product__missed_is_said_at_the_timeout_and_not_again),
                cmocka_unit_test(test_kill_decide__full_product__asks_logind_only_to_conclude),
                cmocka_unit_test(
                        test_kill_decide__full_product__an_overdue_session_is_always_looked_at_again),
                cmocka_unit_test(test_kill_decide__waiting_to_try_again__backs_off_to_a_second),
                cmocka_unit_test(
                        test_kill_decide__leader_gone_long_before_the_deadline__looks_now_and_then),
                cmocka_unit_test(
                        test_kill_decide__grace_longer_than_the_timeout__does_not_sleep_past_missed),
                cmocka_unit_test(test_kill_decide__no_sign_of_loginds_at_all__is_not_gone),
                cmocka_unit_test(
                        test_kill_decide__grace_shorter_than_the_wait_for_term__is_the_next_look),
                cmocka_unit_test(test_kill_signs__each_value__has_words_of_its_own),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

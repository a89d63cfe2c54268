/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The decisions of kill.c played against a small world: processes that obey or do not, a logind
 * that is slow, wrong or away. What reaper.c does with a decision is said again here in a few
 * lines. */
#include "tests/unit/scratch.h"

#include "credd/kill.h"

#define DEADLINE NOON
#define NEVER    UINT64_MAX

static const KillLimits limits = {.grace_usec = SECONDS(2), .verify_timeout_usec = SECONDS(10)};

typedef enum LogindMood {
        MOOD_RIGHT,     /* knows the session while anything of it lives */
        MOOD_AWAY,      /* no bus */
        MOOD_NEVER,     /* never announced it */
        MOOD_FORGETFUL, /* forgets it at TerminateSession, though the login lives on (252) */
        MOOD_CLINGING,  /* keeps it until `lets_go_usec` after all are dead */
} LogindMood;

/* How a session is made. */
typedef struct Scenario {
        const char *name;
        bool leader_in_scope;
        unsigned in_scope; /* processes in the scope beside the leader */
        unsigned outside;  /* of the leader's tree, outside the scope */
        bool obeys_term;
        unsigned forks;         /* rounds of SIGKILL that each leave one new process behind */
        uint64_t unkillable_to; /* in uninterruptible sleep until then; 0: dies at once */
        LogindMood mood;
        uint64_t lets_go_usec;
        uint64_t logs_out; /* the person leaves by then; NEVER: stays */
        uint64_t late;     /* credd wakes up that much after the deadline */
} Scenario;

typedef struct World {
        Scenario is;
        bool leader;
        unsigned scope, tree;
        uint64_t now, died;
        bool forgotten;
        /* what reaper.c keeps */
        Kill kill;
        LogindSign answer;
        /* what happened */
        unsigned terms, signals, trees, scopes, missed, asks;
        uint64_t first_term, first_force, missed_at;
} World;

static bool anything(const World *w)
{
        return w->leader || w->scope > 0 || w->tree > 0;
}

static void note_death(World *w)
{
        if (!anything(w) && w->died == 0)
                w->died = w->now;
}

static void die(World *w, bool scope, bool tree)
{
        if (w->now < w->is.unkillable_to)
                return;
        w->leader = false;
        if (scope)
                w->scope = 0;
        if (tree)
                w->tree = 0;
        if (w->is.forks > 0) {
                w->is.forks--;
                w->tree++;
        }
        note_death(w);
}

static bool logind_knows(const World *w)
{
        if (w->is.mood == MOOD_FORGETFUL)
                return !w->forgotten;
        return anything(w) ||
               (w->is.mood == MOOD_CLINGING && w->now < w->died + w->is.lets_go_usec);
}

static KillSigns see(const World *w)
{
        KillSigns signs = {.leader_alive = w->leader,
                           .leader_in_scope = w->leader && w->is.leader_in_scope,
                           .tree = w->tree};

        if (w->is.mood == MOOD_NEVER)
                signs.logind = LOGIND_NEVER;
        else if (w->is.mood == MOOD_AWAY)
                signs.logind = LOGIND_UNREACHABLE;
        else
                signs.logind = w->answer;
        if (!w->is.leader_in_scope && w->is.in_scope == 0)
                signs.scope = SCOPE_NONE;
        else if (w->scope > 0 || signs.leader_in_scope)
                signs.scope = SCOPE_POPULATED;
        else
                signs.scope = logind_knows(w) ? SCOPE_EMPTY : SCOPE_ABSENT;
        return signs;
}

static void terminate(World *w)
{
        w->kill.terminated = true;
        if (w->terms++ == 0)
                w->first_term = w->now;
        w->forgotten = true;
        if (w->is.obeys_term && w->is.leader_in_scope && w->is.mood != MOOD_AWAY)
                die(w, true, false);
}

static void force(World *w, bool scope)
{
        if (!w->kill.forced)
                w->first_force = w->now;
        w->kill.forced = true;
        w->kill.rounds++;
        die(w, scope, true);
}

/* true: decide again at once. */
static bool act(World *w, KillAction action)
{
        switch (action) {
        case KILL_BEGIN:
                w->kill.begun = true;
                w->kill.begun_usec = w->now;
                return true;
        case KILL_TERMINATE:
                terminate(w);
                return true;
        case KILL_SIGNAL:
                w->kill.signalled = true;
                w->signals++;
                if (w->is.obeys_term)
                        die(w, true, false);
                return true;
        case KILL_MISSED:
                w->kill.missed = true;
                w->missed++;
                w->missed_at = w->now;
                return true;
        case KILL_TREE:
                w->trees++;
                force(w, false);
                return false;
        case KILL_SCOPE:
                w->scopes++;
                force(w, true);
                return false;
        case KILL_ASK:
        case KILL_GONE:
        case KILL_WAIT:
                break;
        }
        return false;
}

/* Looks as reaper_look() does. GONE, or when to look again; an answer of logind takes 1 ms. */
static KillAction look(World *w, uint64_t *ret_again)
{
        KillAction action;
        KillSigns signs;

        do {
                signs = see(w);
                action = kill_decide(&w->kill, &signs, &limits, DEADLINE, w->now, ret_again);
                if (w->now < DEADLINE)
                        assert_true(action == KILL_WAIT || action == KILL_ASK ||
                                    action == KILL_GONE);
        } while (act(w, action));
        w->answer = LOGIND_UNASKED;
        if (action == KILL_ASK) {
                w->asks++;
                w->answer = logind_knows(w) ? LOGIND_KNOWN : LOGIND_GONE;
                if (w->answer == LOGIND_KNOWN)
                        w->kill.rounds++;
                *ret_again = w->now + USEC_PER_MSEC;
        }
        return action;
}

static void pass(World *w, uint64_t until)
{
        /* The end of the leader is seen by its pidfd, whenever it comes. */
        if (w->leader && w->is.logs_out < until && w->is.logs_out > w->now) {
                w->now = w->is.logs_out;
                w->leader = false;
                w->scope = 0;
                note_death(w);
                return;
        }
        w->now = until;
}

/* Plays it to the end; returns when it was found to be gone. */
static uint64_t play(const Scenario *scenario, World *w)
{
        uint64_t again = 0;

        *w = (World){.is = *scenario,
                     .leader = true,
                     .scope = scenario->in_scope,
                     .tree = scenario->outside,
                     .now = scenario->late ? DEADLINE + scenario->late : DEADLINE - HOURS(1)};
        for (unsigned looks = 0; looks < 100000; looks++) {
                if (look(w, &again) == KILL_GONE) {
                        assert_false(anything(w));
                        return w->now;
                }
                if (again == UINT64_MAX)
                        fail_msg("%s: nobody will ever look again", scenario->name);
                pass(w, again > w->now ? again : w->now);
        }
        fail_msg("%s: no end in sight", scenario->name);
        return 0;
}

static const Scenario stubborn[] = {
        {.name = "obeys",
         .leader_in_scope = true,
         .in_scope = 2,
         .obeys_term = true,
         .logs_out = NEVER},
        {.name = "ignores TERM", .leader_in_scope = true, .in_scope = 2, .logs_out = NEVER},
        {.name = "ignores TERM, logind away",
         .leader_in_scope = true,
         .in_scope = 2,
         .mood = MOOD_AWAY,
         .logs_out = NEVER},
        {.name = "obeys, logind away",
         .leader_in_scope = true,
         .obeys_term = true,
         .mood = MOOD_AWAY,
         .logs_out = NEVER},
        {.name = "outside any scope, never announced",
         .outside = 3,
         .mood = MOOD_NEVER,
         .logs_out = NEVER},
        {.name = "still being created, logind forgets it",
         .outside = 1,
         .mood = MOOD_FORGETFUL,
         .logs_out = NEVER},
        {.name = "forks as fast as it is killed",
         .outside = 1,
         .forks = 300,
         .mood = MOOD_NEVER,
         .logs_out = NEVER},
        {.name = "forks out of its scope",
         .leader_in_scope = true,
         .in_scope = 1,
         .forks = 50,
         .logs_out = NEVER},
        {.name = "hangs in the kernel for a minute",
         .leader_in_scope = true,
         .in_scope = 1,
         .unkillable_to = DEADLINE + SECONDS(60),
         .logs_out = NEVER},
        {.name = "hangs outside a scope for a day",
         .unkillable_to = DEADLINE + SECONDS(86400),
         .mood = MOOD_NEVER,
         .logs_out = NEVER},
        {.name = "logind clings to it",
         .leader_in_scope = true,
         .obeys_term = true,
         .mood = MOOD_CLINGING,
         .lets_go_usec = SECONDS(90),
         .logs_out = NEVER},
        {.name = "credd was down",
         .leader_in_scope = true,
         .in_scope = 1,
         .late = SECONDS(3600),
         .logs_out = NEVER},
};

static void test_kill__each_stubborn_session__ends(void **state)
{
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(stubborn); i++) {
                World w;
                uint64_t gone = play(&stubborn[i], &w);

                assert_true(gone >= DEADLINE);
                assert_int_equal(w.terms, 1);
                assert_true(w.first_force == 0 || w.first_force >= w.first_term);
                /* whatever was left to wait for, it is found out soon after the last death */
                assert_true(gone <= w.died + SECONDS(92));
        }
}

static void test_kill__each_stubborn_session__misses_once_iff_it_took_too_long(void **state)
{
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(stubborn); i++) {
                World w;
                uint64_t gone = play(&stubborn[i], &w);
                bool too_long = gone - DEADLINE > limits.verify_timeout_usec + SECONDS(1);

                if (stubborn[i].late > 0)
                        too_long = true;
                assert_int_equal(w.missed, too_long ? 1 : 0);
                if (too_long && !stubborn[i].late)
                        assert_true(w.missed_at - DEADLINE <=
                                    limits.verify_timeout_usec + SECONDS(1));
        }
}

static void test_kill__obedient_session__is_not_forced(void **state)
{
        World w;
        uint64_t gone = play(&stubborn[0], &w);

        (void)state;
        assert_int_equal(w.signals + w.trees + w.scopes, 0);
        assert_true(gone - DEADLINE < SECONDS(1));
        assert_int_equal(w.asks, 1);
}

/* Nobody carries the order out, or not in time: the signals come from here, and force is not needed. */
static void test_kill__obedient_without_logind__is_signalled_and_not_forced(void **state)
{
        World w;
        uint64_t gone = play(&stubborn[3], &w);

        (void)state;
        assert_int_equal(w.signals, 1);
        assert_int_equal(w.trees + w.scopes, 0);
        assert_true(gone - DEADLINE < SECONDS(1));
}

static void test_kill__ignoring_term__is_killed_right_after_the_grace(void **state)
{
        World w;
        uint64_t gone = play(&stubborn[1], &w);

        (void)state;
        assert_true(w.first_force - w.kill.begun_usec == limits.grace_usec);
        assert_true(gone - DEADLINE < limits.grace_usec + SECONDS(1));
}

static void test_kill__outside_a_scope__is_killed_without_grace(void **state)
{
        World w;
        uint64_t gone = play(&stubborn[4], &w);

        (void)state;
        assert_true(w.first_force == w.kill.begun_usec);
        assert_true(gone - DEADLINE < SECONDS(1));
        assert_int_equal(w.asks, 0);
}

/* A logind that forgot the session is not believed while the shell lives. */
static void test_kill__logind_forgets_a_living_login__it_is_killed_all_the_same(void **state)
{
        World w;

        (void)state;
        (void)play(&stubborn[5], &w);
        assert_true(w.trees >= 1);
        assert_true(w.died - DEADLINE < SECONDS(1));
}

static void test_kill__person_leaves_before_the_deadline__nobody_is_killed(void **state)
{
        static const LogindMood moods[] = {MOOD_RIGHT, MOOD_AWAY, MOOD_NEVER, MOOD_CLINGING};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(moods); i++) {
                const Scenario scenario = {.name = "leaves",
                                           .leader_in_scope = moods[i] != MOOD_NEVER,
                                           .mood = moods[i],
                                           .lets_go_usec = SECONDS(20),
                                           .logs_out = DEADLINE - SECONDS(1800)};
                World w;
                uint64_t gone = play(&scenario, &w);

                assert_true(gone >= scenario.logs_out);
                assert_true(gone <= scenario.logs_out + SECONDS(22));
                assert_int_equal(w.terms + w.trees + w.scopes + w.missed, 0);
        }
}

/* Not a busy loop: what hangs for a day is tried about once a second. */
static void test_kill__hanging_for_a_day__is_tried_with_backoff(void **state)
{
        World w;

        (void)state;
        (void)play(&stubborn[9], &w);
        assert_in_range(w.trees, 80000, 90000);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_kill__each_stubborn_session__ends),
                cmocka_unit_test(
                        test_kill__each_stubborn_session__misses_once_iff_it_took_too_long),
                cmocka_unit_test(test_kill__obedient_session__is_not_forced),
                cmocka_unit_test(test_kill__obedient_without_logind__is_signalled_and_not_forced),
                cmocka_unit_test(test_kill__ignoring_term__is_killed_right_after_the_grace),
                cmocka_unit_test(test_kill__outside_a_scope__is_killed_without_grace),
                cmocka_unit_test(
                        test_kill__logind_forgets_a_living_login__it_is_killed_all_the_same),
                cmocka_unit_test(test_kill__person_leaves_before_the_deadline__nobody_is_killed),
                cmocka_unit_test(test_kill__hanging_for_a_day__is_tried_with_backoff),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

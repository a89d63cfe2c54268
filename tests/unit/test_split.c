/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A leader that came into its scope after it had forked: what it forked before stands where it stood, and
 * ends with its session all the same. With real processes in real control groups, where they can be made. */
#include "tests/unit/login_rig.h"
#include "tests/unit/machine_rig.h"

#include "credd/db-internal.h"
#include "credd/logind-internal.h"
#include "credd/proc.h"

#define SLICES 4

typedef struct Yard {
        Machine machine;
        char slices[SLICES][SCRATCH_PATH_MAX];
        size_t n_slices;
        Agent agent;
        pid_t child;
        int child_fd;
        char id[TOKEN_ID_LEN + 1];
        int64_t login;
} Yard;

static int yard_setup(void **state)
{
        Yard *yard = calloc(1, sizeof(*yard));

        assert_non_null(yard);
        yard->child_fd = -1;
        *state = yard;
        if (geteuid() != 0)
                return 0;
        machine_init(&yard->machine);
        hands_turn(&yard->machine.hands, SECONDS(2)); /* it waits for logind no more */
        return 0;
}

static int yard_teardown(void **state)
{
        Yard *yard = *state;

        if (yard->child > 0) {
                *agent_place(&yard->machine, yard->child) = 0;
                (void)pidfd_send_signal(yard->child_fd, SIGKILL, NULL, 0);
                (void)kill(yard->agent.pid, SIGKILL);
                scope_await_empty(yard->agent.scope);
                (void)close(yard->child_fd);
        }
        agent_free(&yard->machine, &yard->agent);
        if (yard->machine.rig.folder)
                machine_done(&yard->machine);
        while (yard->n_slices > 0)
                (void)rmdir(yard->slices[--yard->n_slices]);
        free(yard);
        return 0;
}

/* false: there are no control groups to be made. */
static bool make_groups(Yard *yard)
{
        Machine *machine = &yard->machine;

        if (!machine_make_slice(machine, PERSON, yard->slices, &yard->n_slices))
                return false;
        assert_int_equal(proc_cgroup(getpid(), &machine->home), 0);
        if (!make_cgroup(machine->cgroups, "/user.slice/credd-split", yard->slices,
                         &yard->n_slices))
                return false;
        machine_enter(machine->cgroups, "/user.slice/credd-split");
        return true;
}

/* more: of the issue. */
static void come_in_with(Yard *yard, json_t *more)
{
        Rig *rig = &yard->machine.rig;
        AUTO_FREE char *token = issue(rig, more, yard->id), *login = log_in(rig, token);
        json_auto_t *reply = NULL;

        yard->login = strtoll(login, NULL, 10);
        yard->agent = agent_new(&yard->machine);
        reply = agent_ask(&yard->machine, &yard->agent, 'L', "io.credd.Login.OpenSession",
                          question("login", login));
        assert_null(json_object_get(reply, "error"));
}

static void come_in(Yard *yard)
{
        come_in_with(yard, NULL);
}

static void beget(Yard *yard)
{
        yard->child = agent_beget(&yard->machine, &yard->agent, PERSON);
        yard->child_fd = pidfd_open(yard->child, 0);
        assert_true(yard->child_fd >= 0);
}

static void announce(Yard *yard)
{
        agent_announce(&yard->machine, &yard->agent, PERSON, yard->login);
        assert_true(yard->agent.in_scope);
        machine_ring(&yard->machine);
}

static bool child_lives(const Yard *yard)
{
        struct pollfd died = {.fd = yard->child_fd, .events = POLLIN};

        return poll(&died, 1, 0) == 0;
}

static void pass(Yard *yard, uint64_t usec)
{
        hands_turn(&yard->machine.hands, usec);
        machine_ring(&yard->machine);
}

/* Until it is verified gone. */
static void let_it_end(Yard *yard)
{
        for (unsigned i = 0; machine_session(&yard->machine, yard->login); i++) {
                assert_true(i < 2000);
                machine_bury(&yard->machine);
                pass(yard, MACHINE_TICK);
        }
}

static void end_it(Yard *yard)
{
        json_auto_t *reply = rig_call(&yard->machine.rig, yard->machine.rig.admin,
                                      "io.credd.Admin.Revoke", json_pack("{ss}", "id", yard->id));

        assert_null(json_object_get(reply, "error"));
        machine_ring(&yard->machine);
}

static void test_end__forked_before_the_scope_was_made__ends_with_it(void **state)
{
        Yard *yard = *state;

        need_root();
        if (!make_groups(yard))
                skip();
        come_in(yard);
        beget(yard);
        announce(yard);
        assert_true(machine_session(&yard->machine, yard->login)->split);
        assert_true(child_lives(yard));
        end_it(yard);
        let_it_end(yard);
        assert_false(child_lives(yard));
        assert_true(has_receipt(&yard->machine.rig, yard->id, "confirmed"));
}

/* The leader leaves: what it forked has until the deadline, as in a scope. */
static void
test_end__forked_before_the_scope_and_its_leader_left__waits_for_the_deadline(void **state)
{
        Yard *yard = *state;

        need_root();
        if (!make_groups(yard))
                skip();
        come_in(yard);
        beget(yard);
        announce(yard);
        pass(yard, MACHINE_TICK);
        agent_kill(&yard->agent);
        for (unsigned i = 0; i < 10; i++)
                pass(yard, SECONDS(6));
        assert_non_null(machine_session(&yard->machine, yard->login));
        assert_true(child_lives(yard));
        end_it(yard);
        let_it_end(yard);
        assert_false(child_lives(yard));
        assert_true(has_receipt(&yard->machine.rig, yard->id, "confirmed"));
}

static void test_end__forked_in_the_scope__is_judged_by_the_scope(void **state)
{
        Yard *yard = *state;
        const Session *session;

        need_root();
        if (!make_groups(yard))
                skip();
        come_in(yard);
        announce(yard);
        beget(yard);
        session = machine_session(&yard->machine, yard->login);
        assert_false(session->split);
        assert_null(session->home);
        end_it(yard);
        let_it_end(yard);
        assert_false(child_lives(yard));
        assert_true(has_receipt(&yard->machine.rig, yard->id, "confirmed"));
}

static void move(pid_t pid, const char *scope)
{
        char path[3 * SCRATCH_PATH_MAX];
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s/cgroup.procs", scope);
        f = fopen(path, "we");
        assert_non_null(f);
        assert_true(fprintf(f, "%d", pid) > 0);
        assert_int_equal(fclose(f), 0);
}

/* Whoever comes from the test blocks SIGTERM, as the daemon in it does: it stays pending. */
static bool is_told(pid_t pid)
{
        char path[64], line[128];
        unsigned long long pending = 0;
        FILE *f;

        (void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
        f = fopen(path, "re");
        assert_non_null(f);
        while (fgets(line, sizeof(line), f))
                if (strncmp(line, "ShdPnd:", 7) == 0)
                        pending = strtoull(line + 7, NULL, 16);
        assert_int_equal(fclose(f), 0);
        return pending & (1ULL << (SIGTERM - 1));
}

static bool has_step(Yard *yard, const char *step)
{
        AUTO_CREDENTIAL Credential c = find(&yard->machine.rig, yard->id);
        CLEANUP(receipt_done) Receipt receipt = {0};
        json_t *steps, *each;
        size_t i;

        assert_int_equal(store_find_receipt(yard->machine.rig.manager->store, c.num, &receipt), 1);
        steps = json_object_get(json_array_get(json_object_get(receipt.data, "evidence"), 0),
                                "steps");
        json_array_foreach (steps, i, each)
                if (strcmp(json_string_value(each), step) == 0)
                        return true;
        return false;
}

/* Somebody else is in the scope of an agent that came in; neither the agent nor its child. */
static Agent come_in_with_worker(Yard *yard)
{
        Agent worker;

        come_in(yard);
        announce(yard);
        worker = agent_new(&yard->machine);
        move(worker.pid, yard->agent.scope);
        return worker;
}

static void let_it_end_without(Yard *yard, Agent *worker)
{
        agent_kill(worker);
        let_it_end(yard);
        agent_free(&yard->machine, worker);
}

/* What a shell started is signalled at once; the leader, and its child without a terminal, when logind had
 * its time. */
static void test_end__in_its_scope__who_carries_the_terminal_is_signalled_last(void **state)
{
        Yard *yard = *state;
        Agent worker;

        need_root();
        if (!make_groups(yard))
                skip();
        worker = come_in_with_worker(yard);
        beget(yard);
        yard->machine.rig.manager->logind_obeyed = true;
        end_it(yard);
        assert_true(is_told(worker.pid));
        assert_false(is_told(yard->agent.pid) || is_told(yard->child));
        pass(yard, 499 * USEC_PER_MSEC);
        assert_false(is_told(yard->agent.pid) || is_told(yard->child));
        pass(yard, USEC_PER_MSEC);
        assert_true(is_told(yard->agent.pid) && is_told(yard->child));
        let_it_end_without(yard, &worker);
        assert_true(has_receipt(&yard->machine.rig, yard->id, "confirmed"));
        assert_true(has_step(yard, "sigterm"));
}

/* Whether logind ends sessions is not known: it is given its time with all of it. */
static void test_end__logind_has_ended_none__nobody_is_signalled_before_its_time(void **state)
{
        Yard *yard = *state;
        Agent worker;

        need_root();
        if (!make_groups(yard))
                skip();
        worker = come_in_with_worker(yard);
        end_it(yard);
        pass(yard, 499 * USEC_PER_MSEC);
        assert_false(is_told(worker.pid));
        pass(yard, USEC_PER_MSEC);
        assert_true(is_told(worker.pid));
        let_it_end_without(yard, &worker);
}

/* It leaves, and who is in its scope stays there. */
static void agent_leave(const Agent *agent)
{
        struct pollfd died = {.fd = agent->pidfd, .events = POLLIN};

        assert_int_equal(kill(agent->pid, SIGKILL), 0);
        assert_int_equal(poll(&died, 1, PATIENCE_MS), 1);
}

/* credd is down while logind makes the session, and until its leader has left: what is in the scope is found
 * all the same, if the session that logind has can be no other. */
static void leave_while_it_is_down(Yard *yard, uint64_t created_after)
{
        uint64_t opened = yard->machine.hands.boot_usec;

        agent_enter_scope(&yard->machine, &yard->agent, PERSON, yard->login);
        beget(yard);
        machine_stop(&yard->machine, false);
        agent_leave(&yard->agent);
        hands_turn(&yard->machine.hands, HOURS(2));
        machine_start(&yard->machine);
        agent_announce_of(&yard->machine, &yard->agent, PERSON, yard->login,
                          opened + created_after);
        pass(yard, SECONDS(2));
}

static void test_end__announced_while_credd_was_down__the_scope_is_ended(void **state)
{
        Yard *yard = *state;

        need_root();
        if (!make_groups(yard))
                skip();
        come_in(yard);
        leave_while_it_is_down(yard, USEC_PER_MSEC);
        let_it_end(yard);
        assert_false(child_lives(yard));
        assert_true(has_receipt(&yard->machine.rig, yard->id, "late"));
}

static void test_end__another_session_with_that_pid_later__is_left_alone(void **state)
{
        Yard *yard = *state;

        need_root();
        if (!make_groups(yard))
                skip();
        come_in(yard);
        leave_while_it_is_down(yard, HOURS(1));
        assert_true(child_lives(yard));
        let_it_end(yard);
        assert_true(child_lives(yard));
}

/* A session that ended has left what its user's manager runs to the one that goes on, which answers for it
 * after a start of credd, too. */
static void test_end__another_goes_on_and_credd_is_started__that_one_answers_for_both(void **state)
{
        Yard *yard = *state;
        Rig *rig = &yard->machine.rig;
        uint64_t since;
        int64_t first;
        Agent agent;

        need_root();
        come_in(yard);
        first = yard->login;
        agent = yard->agent;
        since = machine_session(&yard->machine, first)->row.accepted_usec;
        hands_turn(&yard->machine.hands, SECONDS(5));
        come_in(yard);
        assert_int_equal(kill(agent.pid, SIGKILL), 0);
        for (unsigned i = 0; machine_session(&yard->machine, first); i++) {
                assert_true(i < 2000);
                rig_turn(rig);
                pass(yard, MACHINE_TICK);
        }
        agent_free(&yard->machine, &agent);
        assert_int_equal(machine_session(&yard->machine, yard->login)->since_usec, since);
        machine_stop(&yard->machine, true);
        machine_start(&yard->machine);
        assert_int_equal(machine_session(&yard->machine, yard->login)->since_usec, since);
}

/* No memory for the question, or no such id: nothing else would have it looked at again. */
static void test_end__logind_cannot_be_asked__is_tried_again(void **state)
{
        Yard *yard = *state;
        Manager *manager = yard->machine.rig.manager;
        Session *session;

        need_root();
        if (!make_groups(yard))
                skip();
        come_in(yard);
        announce(yard);
        session = machine_session(&yard->machine, yard->login);
        free(session->row.logind_id);
        session->row.logind_id = strdup("self");
        assert_non_null(session->row.logind_id);
        manager->logind->connected = true;
        agent_kill(&yard->agent);
        for (unsigned i = 0; session->pidfd >= 0; i++) {
                assert_true(i < 2000);
                rig_turn(&yard->machine.rig);
        }
        assert_int_equal(session->look_usec, clock_line_usec(&manager->clock) + SECONDS(1));
        manager->logind->connected = false;
        pass(yard, SECONDS(1));
        let_it_end(yard);
}

/* Its end is being verified, and that does not wait for the new deadline. */
static void test_extend__gone_and_not_yet_on_record__is_on_record_soon(void **state)
{
        Yard *yard = *state;
        Rig *rig = &yard->machine.rig;
        json_auto_t *reply = NULL;

        need_root();
        if (!make_groups(yard))
                skip();
        come_in_with(yard, json_pack("{sI}", "max_lifetime_usec", (json_int_t)HOURS(8)));
        announce(yard);
        agent_kill(&yard->agent);
        for (unsigned i = 0; machine_session(&yard->machine, yard->login)->gone_usec == 0; i++) {
                assert_true(i < 2000);
                rig_turn(rig);
        }
        reply = rig_call(rig, rig->admin, "io.credd.Admin.Extend",
                         json_pack("{ss sI}", "id", yard->id, "by_usec", (json_int_t)HOURS(1)));
        assert_null(json_object_get(reply, "error"));
        for (unsigned i = 0; i < 40; i++)
                pass(yard, MACHINE_TICK);
        assert_null(machine_session(&yard->machine, yard->login));
}

/* No receipt can be written then; that the session is gone can. */
static void test_end__its_credential_is_damaged__is_on_record_all_the_same(void **state)
{
        Yard *yard = *state;
        Rig *rig = &yard->machine.rig;
        Store *store = rig->manager->store;

        need_root();
        if (!make_groups(yard))
                skip();
        come_in_with(yard, NULL);
        announce(yard);
        assert_int_equal(sqlite3_exec(store_db(store)->handle,
                                      "UPDATE credential SET services = '{}'", NULL, NULL, NULL),
                         SQLITE_OK);
        agent_kill(&yard->agent);
        for (unsigned i = 0; machine_session(&yard->machine, yard->login); i++) {
                assert_true(i < 2000);
                pass(yard, MACHINE_TICK);
        }
        assert_int_equal(count_events(rig, "session-ended"), 1);
        assert_int_equal(count_events(rig, "credential-deprovisioned"), 0);
        assert_int_equal(store_trouble(store), STORE_DAMAGED);
}

/* The session line is missing, and who logged in has left again; what he left in the session that logind
 * made stands there. */
static void leave_unclaimed(Yard *yard, uint64_t created_after)
{
        Machine *machine = &yard->machine;
        AUTO_FREE char *token = issue(&machine->rig, NULL, yard->id);
        uint64_t accepted = machine->hands.boot_usec;
        json_auto_t *reply = NULL;

        yard->agent = agent_new(machine);
        reply = agent_ask(machine, &yard->agent, 'L', "io.credd.Login.Authenticate",
                          question("token", token));
        yard->login = strtoll(reply_text(reply, "login", NULL), NULL, 10);
        agent_announce_of(machine, &yard->agent, PERSON, yard->login, accepted + created_after);
        beget(yard);
        agent_leave(&yard->agent);
        for (unsigned i = 0; i < 100; i++)
                pass(yard, SECONDS(3));
}

static void test_end__unclaimed_and_its_leader_left__the_scope_is_ended(void **state)
{
        Yard *yard = *state;

        need_root();
        if (!make_groups(yard))
                skip();
        leave_unclaimed(yard, USEC_PER_MSEC);
        let_it_end(yard);
        assert_false(child_lives(yard));
        assert_int_equal(count_events(&yard->machine.rig, "session-ended"), 1);
}

static void test_end__unclaimed_and_another_session_with_that_pid_later__is_left_alone(void **state)
{
        Yard *yard = *state;

        need_root();
        if (!make_groups(yard))
                skip();
        leave_unclaimed(yard, HOURS(1));
        assert_true(child_lives(yard));
        assert_int_equal(count_events(&yard->machine.rig, "login-unclaimed"), 1);
}

/* He came in by a second token over the same connection: that session is watched, and not this login's. */
static void
test_end__unclaimed_and_its_leader_left_the_session_of_another_login__is_left_alone(void **state)
{
        Yard *yard = *state;
        Machine *machine = &yard->machine;
        AUTO_FREE char *first = NULL, *second = NULL;
        json_auto_t *one = NULL, *two = NULL, *opened = NULL;

        need_root();
        if (!make_groups(yard))
                skip();
        first = issue(&machine->rig, NULL, yard->id);
        second = issue(&machine->rig, NULL, yard->id);
        yard->agent = agent_new(machine);
        one = agent_ask(machine, &yard->agent, 'L', "io.credd.Login.Authenticate",
                        question("token", first));
        assert_null(json_object_get(one, "error"));
        two = agent_ask(machine, &yard->agent, 'L', "io.credd.Login.Authenticate",
                        question("token", second));
        yard->login = strtoll(reply_text(two, "login", NULL), NULL, 10);
        opened = agent_ask(machine, &yard->agent, 'L', "io.credd.Login.OpenSession",
                           question("login", reply_text(two, "login", NULL)));
        assert_null(json_object_get(opened, "error"));
        agent_announce_of(machine, &yard->agent, PERSON, yard->login, machine->hands.boot_usec);
        beget(yard);
        agent_leave(&yard->agent);
        for (unsigned i = 0; i < 100; i++)
                pass(yard, SECONDS(3));
        assert_true(child_lives(yard));
        assert_int_equal(count_events(&machine->rig, "login-unclaimed"), 1);
        end_it(yard);
        let_it_end(yard);
        assert_false(child_lives(yard));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, yard_setup, yard_teardown)
        const struct CMUnitTest tests[] = {
                T(test_end__forked_before_the_scope_was_made__ends_with_it),
                T(test_end__forked_before_the_scope_and_its_leader_left__waits_for_the_deadline),
                T(test_end__forked_in_the_scope__is_judged_by_the_scope),
                T(test_end__in_its_scope__who_carries_the_terminal_is_signalled_last),
                T(test_end__logind_has_ended_none__nobody_is_signalled_before_its_time),
                T(test_end__announced_while_credd_was_down__the_scope_is_ended),
                T(test_end__another_session_with_that_pid_later__is_left_alone),
                T(test_end__another_goes_on_and_credd_is_started__that_one_answers_for_both),
                T(test_end__logind_cannot_be_asked__is_tried_again),
                T(test_extend__gone_and_not_yet_on_record__is_on_record_soon),
                T(test_end__its_credential_is_damaged__is_on_record_all_the_same),
                T(test_end__unclaimed_and_its_leader_left__the_scope_is_ended),
                T(test_end__unclaimed_and_its_leader_left_the_session_of_another_login__is_left_alone),
                T(test_end__unclaimed_and_another_session_with_that_pid_later__is_left_alone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

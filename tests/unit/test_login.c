/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way of a login through the daemon, from the token to the receipt. */
#include "tests/unit/login_rig.h"

#include "credd/proc.h"

static void test_login__whole_way_and_logout__ends_in_a_confirmed_receipt(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *login = NULL;
        json_auto_t *account = NULL, *again = NULL;
        CLEANUP(person_free) Person person = NO_PERSON;

        need_root();
        token = issue(rig, NULL, id);
        login = log_in(rig, token);
        account =
                rig_call(rig, rig->login, "io.credd.Login.CheckAccount", question("login", login));
        assert_string_equal(reply_text(account, "credential", NULL), id);
        person = open_session(rig, login);
        assert_int_equal(sessions_live(rig->manager->sessions), 1);
        /* one login, one session */
        again = rig_call(rig, rig->login, "io.credd.Login.CheckAccount", question("login", login));
        assert_error(again, "io.credd.Login.Refused", NULL, NULL);
        assert_false(has_receipt(rig, id, "confirmed"));
        assert_int_equal(kill(person.pid, SIGKILL), 0);
        await_receipt(rig, id, "confirmed");
        assert_int_equal(sessions_live(rig->manager->sessions), 0);
        assert_int_equal(count_events(rig, "session-ended"), 1);
        assert_int_equal(count_events(rig, "credential-deprovisioned"), 1);
        assert_int_equal(count_events(rig, "session-killed"), 0);
}

/* By these a login that no session claims is found. */
static void test_login__accepted__is_known_by_its_process_and_the_parent_of_that(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *text = NULL;
        CLEANUP(person_free) Person person = NO_PERSON;
        CLEANUP(login_done) Login login = {0};
        ProcInfo child, own;

        need_root();
        token = issue(rig, NULL, id);
        person = person_new(rig->login, 0, "io.credd.Login.Authenticate", question("token", token));
        text = person_reply(rig, &person);
        assert_non_null(text);
        assert_int_equal(store_find_login(rig->manager->store, 1, &login), 1);
        assert_int_equal(proc_read_stat(person.pid, &child), 0);
        assert_int_equal(proc_read_stat(getpid(), &own), 0);
        assert_int_equal(login.pid, person.pid);
        assert_int_equal(login.ticks, child.start_ticks);
        assert_int_equal(login.parent, getpid());
        assert_int_equal(login.parent_ticks, own.start_ticks);
}

static void test_login__revoked_while_logged_in__the_person_is_ended_and_it_is_proved(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *login = NULL;
        json_auto_t *reply = NULL, *final = NULL;
        CLEANUP(person_free) Person person = NO_PERSON;
        int status;

        need_root();
        token = issue(rig, NULL, id);
        login = log_in(rig, token);
        person = open_session(rig, login);
        reply = rig_call(rig, rig->admin, "io.credd.Admin.Revoke",
                         json_pack("{ss ss}", "id", id, "reason", "laptop lost"));
        assert_string_equal(reply_text(reply, "credential", "state"), "ending");
        await_receipt(rig, id, "confirmed");
        status = person_wait(&person);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_int_equal(count_events(rig, "session-killed"), 1);
        final = rig_call(rig, rig->admin, "io.credd.Admin.Revoke", json_pack("{ss}", "id", id));
        assert_error(final, "io.credd.Admin.Final", "state", "revoked");
}

static void test_open_session__second_time__is_refused_and_the_first_lives_on(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *login = NULL, *text = NULL;
        CLEANUP(person_free) Person first = NO_PERSON;
        CLEANUP(person_free) Person second = NO_PERSON;

        need_root();
        token = issue(rig, NULL, id);
        login = log_in(rig, token);
        first = open_session(rig, login);
        second = person_new(rig->login, 0, "io.credd.Login.OpenSession", question("login", login));
        text = person_reply(rig, &second);
        assert_non_null(text);
        assert_non_null(strstr(text, "io.credd.Login.Refused"));
        assert_int_equal(sessions_live(rig->manager->sessions), 1);
        assert_int_equal(waitpid(first.pid, NULL, WNOHANG), 0);
        assert_int_equal(kill(first.pid, SIGKILL), 0);
        await_receipt(rig, id, "confirmed");
}

static void test_login__never_claimed__lapses_and_the_credential_ends(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *login = NULL;
        json_auto_t *reply = NULL;

        need_root();
        token = issue(rig, NULL, id);
        login = log_in(rig, token);
        rig_settle(rig);
        /* There is no logind here, and as long again is waited for it. */
        rig->skew_usec += 2 * rig->manager->config.bind_timeout_usec + SECONDS(1);
        expiry_changed(rig->manager->expiry);
        await_receipt(rig, id, "confirmed");
        assert_int_equal(count_events(rig, "login-unclaimed"), 1);
        reply = rig_call(rig, rig->login, "io.credd.Login.CheckAccount", question("login", login));
        assert_error(reply, "io.credd.Login.Refused", NULL, NULL);
}

/* One process may authenticate twice, as for a password that was mistyped. What it opened with the second
 * login runs as that user, where it authenticated: as if it were of the first. */
static void test_login__unclaimed_and_its_process_opened_a_later_one__that_lives_on(void **state)
{
        Rig *rig = *state;
        char first[TOKEN_ID_LEN + 1], second[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *later = NULL, *unclaimed = NULL, *text = NULL,
                       *opened = NULL;
        json_auto_t *reply = NULL;
        CLEANUP(person_free) Person leader = NO_PERSON;
        CLEANUP(person_free) Person shell = NO_PERSON;

        need_root();
        token = issue(rig, NULL, first);
        later = issue(rig, NULL, second);
        leader = person_new(rig->login, 0, "io.credd.Login.Authenticate", question("token", token));
        unclaimed = person_reply(rig, &leader);
        assert_non_null(unclaimed);
        person_ask(&leader, "io.credd.Login.Authenticate", question("token", later));
        text = person_reply(rig, &leader);
        assert_non_null(text);
        reply = json_loads(text, 0, NULL);
        person_ask(&leader, "io.credd.Login.OpenSession",
                   question("login", reply_text(reply, "login", NULL)));
        opened = person_reply(rig, &leader);
        assert_non_null(opened);
        assert_null(strstr(opened, "error"));
        shell = person_new(rig->admin, PERSON, "io.credd.Admin.Status", json_object());
        assert_int_equal(sessions_live(rig->manager->sessions), 1);

        rig->skew_usec += 2 * rig->manager->config.bind_timeout_usec + SECONDS(1);
        expiry_changed(rig->manager->expiry);
        await_receipt(rig, first, "confirmed");
        assert_int_equal(count_events(rig, "login-unclaimed"), 1);
        assert_int_equal(count_events(rig, "session-terminating"), 0);
        assert_int_equal(sessions_live(rig->manager->sessions), 1);
        assert_int_equal(waitpid(leader.pid, NULL, WNOHANG), 0);
        assert_int_equal(waitpid(shell.pid, NULL, WNOHANG), 0);
        assert_false(has_receipt(rig, second, "confirmed"));
}

/* Authenticated, and then the credential goes: sshd would go on without a session, so the process
 * that asked for one is ended. */
static void
test_open_session__revoked_since_the_login__is_refused_and_its_process_ended(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *login = NULL, *text = NULL;
        json_auto_t *reply = NULL;
        CLEANUP(person_free) Person person = NO_PERSON;
        int status;

        need_root();
        token = issue(rig, NULL, id);
        login = log_in(rig, token);
        reply = rig_call(rig, rig->admin, "io.credd.Admin.Revoke", json_pack("{ss}", "id", id));
        assert_null(json_object_get(reply, "error"));
        person = person_new(rig->login, 0, "io.credd.Login.OpenSession", question("login", login));
        text = person_reply(rig, &person);
        assert_true(!text || strstr(text, "io.credd.Login.Refused"));
        await_receipt(rig, id, "confirmed");
        status = person_wait(&person);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_int_equal(sessions_live(rig->manager->sessions), 0);
}

/* Over as soon as it has begun, so that no test waits for its deadline. */
static json_t *shortest_session(void)
{
        return json_pack("{si}", "session_ttl_usec", 1);
}

/* Who logs in with a token and goes on without a session, where there is no logind: as sshd does when the
 * session line is missing. */
static void go_on_without_session(Rig *rig, const char *token, Person *ret_leader,
                                  Person *ret_shell)
{
        AUTO_FREE char *refused = NULL, *text = NULL;

        *ret_leader = person_new(rig->login, 0, "io.credd.Login.CheckAccount",
                                 question("login", "1-none"));
        refused = person_reply(rig, ret_leader);
        assert_non_null(refused);
        *ret_shell = person_new(rig->admin, PERSON, "io.credd.Admin.Status", json_object());
        person_ask(ret_leader, "io.credd.Login.Authenticate", question("token", token));
        text = person_reply(rig, ret_leader);
        assert_non_null(text);
        assert_null(strstr(text, "error"));
}

static void assert_killed(Person *person)
{
        int status = person_wait(person);

        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void
test_login__unclaimed_at_its_deadline__is_ended_then_and_an_earlier_one_is_left_alone(void **state)
{
        Rig *rig = *state;
        char first[TOKEN_ID_LEN + 1], second[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *short_lived = NULL, *login = NULL;
        json_auto_t *reply = NULL;
        CLEANUP(person_free) Person leader = NO_PERSON;
        CLEANUP(person_free) Person shell = NO_PERSON;

        need_root();
        token = issue(rig, NULL, first);
        login = log_in(rig, token);
        short_lived = issue(rig, shortest_session(), second);
        rig_settle(rig);
        go_on_without_session(rig, short_lived, &leader, &shell);
        /* Nothing but the login makes the daemon look. */
        await_receipt(rig, second, "confirmed");
        assert_killed(&leader);
        assert_killed(&shell);
        assert_int_equal(count_events(rig, "login-unclaimed"), 1);
        assert_false(has_receipt(rig, first, "confirmed"));
        reply = rig_call(rig, rig->login, "io.credd.Login.CheckAccount", question("login", login));
        assert_null(json_object_get(reply, "error"));
}

static void test_login__revoked_while_unclaimed__is_ended_at_once(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL;
        json_auto_t *reply = NULL;
        CLEANUP(person_free) Person leader = NO_PERSON;
        CLEANUP(person_free) Person shell = NO_PERSON;

        need_root();
        token = issue(rig, NULL, id);
        go_on_without_session(rig, token, &leader, &shell);
        reply = rig_call(rig, rig->admin, "io.credd.Admin.Revoke", json_pack("{ss}", "id", id));
        assert_null(json_object_get(reply, "error"));
        await_receipt(rig, id, "confirmed");
        assert_killed(&leader);
        assert_killed(&shell);
}

/* Between account and session the deadline may pass. Were the login given up at that moment, its session
 * would be unknown, and sshd go on unwatched. */
static void
test_open_session__past_the_deadline_of_its_login__is_refused_and_its_process_ended(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *login = NULL, *text = NULL;
        CLEANUP(person_free) Person person = NO_PERSON;

        need_root();
        token = issue(rig, shortest_session(), id);
        login = log_in(rig, token);
        expiry_changed(rig->manager->expiry);
        rig_settle(rig);
        assert_int_equal(count_events(rig, "login-unclaimed"), 0);
        person = person_new(rig->login, 0, "io.credd.Login.OpenSession", question("login", login));
        text = person_reply(rig, &person);
        assert_true(!text || strstr(text, "io.credd.Login.Refused"));
        await_receipt(rig, id, "confirmed");
        assert_killed(&person);
}

static bool read_deadline(void *userdata, SessionRow *row)
{
        uint64_t *ret_deadline = userdata;

        *ret_deadline = row->deadline_usec;
        return true;
}

/* Of its one session, which must be the same in the store and in memory. */
static uint64_t deadline_of(Rig *rig, const char *id)
{
        AUTO_CREDENTIAL Credential c = find(rig, id);
        uint64_t stored = 0;

        assert_int_equal(store_each_session(rig->manager->store, SESSIONS_OF, c.num, 0, INT64_MAX,
                                            read_deadline, &stored),
                         0);
        assert_int_equal(sessions_earliest(rig->manager->sessions, c.num), stored);
        return stored;
}

/* So many readings of the clock before the deadline; each takes a second. */
static bool extend_before_deadline(Rig *rig, const char *id, unsigned readings)
{
        uint64_t now = clock_line_usec(&rig->manager->clock);
        json_auto_t *reply = NULL;

        rig->skew_usec += deadline_of(rig, id) - SECONDS(readings) - now;
        rig->step_usec = SECONDS(1);
        reply = rig_call(rig, rig->admin, "io.credd.Admin.Extend",
                         json_pack("{ss si}", "id", id, "by_usec", SECONDS(100)));
        rig->step_usec = 0;
        return !json_object_get(reply, "error");
}

static void test_extend__while_the_deadline_passes__is_done_wholly_or_refused(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *login = NULL;
        CLEANUP(person_free) Person person = {.pid = -1, .reply = -1};
        uint64_t deadline;
        unsigned extended = 0, refused = 0;

        need_root();
        token = issue(rig, json_pack("{sI}", "max_lifetime_usec", (json_int_t)HOURS(12)), id);
        login = log_in(rig, token);
        person = open_session(rig, login);
        for (unsigned readings = 30; readings > 0; readings--) {
                deadline = deadline_of(rig, id);
                if (extend_before_deadline(rig, id, readings)) {
                        deadline += SECONDS(100);
                        extended++;
                } else
                        refused++;
                assert_int_equal(deadline_of(rig, id), deadline);
                assert_int_equal(count_events(rig, "credential-extended"), extended);
        }
        assert_true(extended > 0 && refused > 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
        const struct CMUnitTest tests[] = {
                T(test_login__whole_way_and_logout__ends_in_a_confirmed_receipt),
                T(test_login__accepted__is_known_by_its_process_and_the_parent_of_that),
                T(test_login__revoked_while_logged_in__the_person_is_ended_and_it_is_proved),
                T(test_open_session__second_time__is_refused_and_the_first_lives_on),
                T(test_login__never_claimed__lapses_and_the_credential_ends),
                T(test_login__unclaimed_and_its_process_opened_a_later_one__that_lives_on),
                T(test_open_session__revoked_since_the_login__is_refused_and_its_process_ended),
                T(test_login__unclaimed_at_its_deadline__is_ended_then_and_an_earlier_one_is_left_alone),
                T(test_login__revoked_while_unclaimed__is_ended_at_once),
                T(test_open_session__past_the_deadline_of_its_login__is_refused_and_its_process_ended),
                T(test_extend__while_the_deadline_passes__is_done_wholly_or_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

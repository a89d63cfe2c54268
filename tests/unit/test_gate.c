/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Logins without a token, of people who need a credential: which one is taken, who is refused, and that
 * a refusal ends whoever asked. */
#include "tests/unit/login_rig.h"

#include "credd/db-internal.h"
#include "credd/gate.h"
#include "credd/outcast.h"

static json_t *no_token(void)
{
        json_t *parameters = question("login", "");

        (void)json_object_set_new(parameters, "login", json_null());
        return parameters;
}

static json_t *check(Rig *rig)
{
        return rig_call(rig, rig->login, "io.credd.Login.CheckAccount", no_token());
}

static void assert_refused(Rig *rig)
{
        json_auto_t *reply = check(rig);

        assert_error(reply, "io.credd.Login.Refused", NULL, NULL);
}

static void assert_chosen(Rig *rig, const char *id)
{
        json_auto_t *reply = check(rig);

        assert_string_equal(reply_text(reply, "credential", NULL), id);
}

static bool says(const char *name, const char *wanted, const EventRow *row)
{
        json_auto_t *data = json_loads(row->data, 0, NULL);
        const char *is = json_string_value(json_object_get(data, name));

        return is && strcmp(is, wanted) == 0;
}

/* An event of that name has that value in a field. */
static bool has_said(Rig *rig, const char *event, const char *name, const char *value)
{
        int64_t seq = 0;

        for (;;) {
                CLEANUP(event_row_done) EventRow row = {0};

                if (store_next_event(rig->manager->store, seq, &row) <= 0)
                        return false;
                seq = row.seq;
                if (strcmp(row.name, event) == 0 && says(name, value, &row))
                        return true;
        }
}

static void await_said(Rig *rig, const char *event, const char *name, const char *value)
{
        for (unsigned waited = 0; !has_said(rig, event, name, value); waited += 5) {
                assert_true(waited < PATIENCE_MS);
                rig_turn(rig);
        }
}

static Person open_without(Rig *rig)
{
        return person_new(rig->login, 0, "io.credd.Login.OpenSession", no_token());
}

/* The process was refused, and is ended by the daemon. */
static void assert_turned_away(Rig *rig)
{
        CLEANUP(person_free) Person person = open_without(rig);
        AUTO_FREE char *text = person_reply(rig, &person);
        int status;

        assert_true(!text || !strstr(text, "\"credential\""));
        for (unsigned waited = 0; outcasts_count(rig->manager->outcasts) > 0; waited += 5) {
                assert_true(waited < PATIENCE_MS);
                rig_turn(rig);
        }
        status = person_wait(&person);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_int_equal(sessions_live(rig->manager->sessions), 0);
}

static void test_check_account__no_token_and_no_credential__is_refused_with_its_reason(void **state)
{
        Rig *rig = *state;

        need_root();
        assert_refused(rig);
        await_said(rig, "login-refused", "reason", "no-live-credential");
        assert_int_equal(count_events(rig, "login-ended"), 0);
}

static void test_check_account__credential_that_is_no_use_to_him__is_refused(void **state)
{
        Rig *rig = *state;
        const uint64_t later = clock_real_usec(&rig->manager->clock) + HOURS(5);
        json_t *others[] = {
                json_pack("{ss}", "user", "deploy2"),
                json_pack("{si}", "uid", PERSON + 1),
                json_pack("{s[s]}", "services", "login"),
                json_pack("{s[s]}", "sources", "local"),
                json_pack("{s[s]}", "sources", "10.1.3.0/24"),
                json_pack("{sI}", "not_before_usec", (json_int_t)later),
        };
        char id[TOKEN_ID_LEN + 1];

        need_root();
        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                AUTO_FREE char *token = issue(rig, others[i], id);

                assert_refused(rig);
        }
}

static void test_check_account__live_credential__is_named_until_it_is_not_live(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1], other[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *second = NULL, *login = NULL;
        json_auto_t *revoked = NULL;

        need_root();
        token = issue(rig, json_pack("{si}", "uses", 1), id);
        assert_chosen(rig, id);
        assert_chosen(rig, id); /* it was looked at, not used */
        login = log_in(rig, token);
        assert_refused(rig); /* its use is spent */
        second = issue(rig, NULL, other);
        assert_chosen(rig, other);
        revoked =
                rig_call(rig, rig->admin, "io.credd.Admin.Revoke", json_pack("{ss}", "id", other));
        assert_null(json_object_get(revoked, "error"));
        assert_refused(rig);
        free(second);
        second = issue(rig, json_pack("{si}", "ttl_usec", 60000000), other);
        assert_chosen(rig, other);
        rig->skew_usec += SECONDS(60);
        assert_refused(rig);
}

static void test_check_account__host_frozen__is_refused(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL;
        json_auto_t *frozen = NULL;

        need_root();
        token = issue(rig, NULL, id);
        frozen = rig_call(rig, rig->admin, "io.credd.Admin.Freeze", json_object());
        assert_null(json_object_get(frozen, "error"));
        assert_refused(rig);
        await_said(rig, "login-refused", "reason", "frozen");
        assert_turned_away(rig);
}

static void
test_check_account__several_credentials__the_longest_session_and_then_the_first(void **state)
{
        Rig *rig = *state;
        char ids[6][TOKEN_ID_LEN + 1];
        AUTO_FREE char *a = NULL, *b = NULL, *c = NULL, *d = NULL, *e = NULL, *f = NULL;

        need_root();
        a = issue(rig, json_pack("{sI}", "ttl_usec", (json_int_t)SECONDS(600)), ids[0]);
        b = issue(rig, json_pack("{sI}", "ttl_usec", (json_int_t)SECONDS(1200)), ids[1]);
        assert_chosen(rig, ids[1]);
        /* a login limit that is far off, and a session that is short */
        c = issue(rig,
                  json_pack("{sI sI}", "ttl_usec", (json_int_t)HOURS(2), "session_ttl_usec",
                            (json_int_t)SECONDS(60)),
                  ids[2]);
        assert_chosen(rig, ids[1]);
        d = issue(rig,
                  json_pack("{sI sI}", "ttl_usec", (json_int_t)SECONDS(300), "session_ttl_usec",
                            (json_int_t)HOURS(1)),
                  ids[3]);
        assert_chosen(rig, ids[3]);
        e = issue(rig,
                  json_pack("{sI sI}", "ttl_usec", (json_int_t)SECONDS(900), "session_ttl_usec",
                            (json_int_t)HOURS(1)),
                  ids[4]);
        assert_chosen(rig, ids[3]);
        /* nor is it the one that is over first, which is the first that the store finds */
        f = issue(rig,
                  json_pack("{sI sI}", "ttl_usec", (json_int_t)SECONDS(120), "session_ttl_usec",
                            (json_int_t)HOURS(1)),
                  ids[5]);
        assert_chosen(rig, ids[3]);
}

static Refusal found(Rig *rig, int expected)
{
        const LoginFacts facts = {.user = "deploy", .uid = PERSON, .service = "sshd"};
        AUTO_CREDENTIAL Credential credential = {0};
        Refusal refusal = REFUSAL_SECRET;

        assert_int_equal(gate_find(rig->manager, &facts, &credential, &refusal), expected);
        assert_int_equal(credential.num > 0, refusal == REFUSAL_NONE);
        return refusal;
}

/* How long the machine was off is not known: what is live cannot be told. */
static void test_gate_find__clock_behind__finds_nobody(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = issue(rig, NULL, id);

        assert_non_null(token);
        assert_int_equal(found(rig, 0), REFUSAL_NONE);
        rig->manager->clock.mark_real_usec = USEC_INFINITY;
        rig->manager->clock.behind = true;
        assert_int_equal(found(rig, 0), REFUSAL_CLOCK);
}

static void test_gate_find__row_is_damaged__is_an_error(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = issue(rig, NULL, id);

        assert_non_null(token);
        assert_int_equal(
                db_execute(store_db(rig->manager->store), "UPDATE credential SET services='{}'"),
                0);
        assert_int_equal(found(rig, -EBADMSG), REFUSAL_NONE_LIVE);
}

static void test_check_account__login_that_is_empty__is_no_missing_login(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL;
        json_auto_t *reply = NULL;

        need_root();
        token = issue(rig, NULL, id);
        reply = rig_call(rig, rig->login, "io.credd.Login.CheckAccount", question("login", ""));
        assert_error(reply, "io.credd.Login.Refused", NULL, NULL);
}

static void test_open_session__no_token__spends_a_use_and_ends_with_the_credential(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *text = NULL;
        AUTO_CREDENTIAL Credential c = {0};
        CLEANUP(person_free) Person person = {.pid = -1, .reply = -1};
        json_auto_t *reply = NULL, *revoked = NULL;
        int status;

        need_root();
        token = issue(rig, json_pack("{si}", "uses", 2), id);
        person = open_without(rig);
        text = person_reply(rig, &person);
        assert_non_null(text);
        reply = json_loads(text, 0, NULL);
        assert_string_equal(reply_text(reply, "credential", NULL), id);
        assert_true(json_integer_value(reply_at(reply, "backstop_usec", NULL)) > 0);
        assert_int_equal(sessions_live(rig->manager->sessions), 1);
        c = find(rig, id);
        assert_int_equal(c.uses_left, 1);
        assert_int_equal(c.open_logins, 1);
        assert_true(has_said(rig, "login-accepted", "method", "gate"));
        assert_int_equal(count_events(rig, "session-opened"), 1);
        revoked = rig_call(rig, rig->admin, "io.credd.Admin.Revoke", json_pack("{ss}", "id", id));
        assert_null(json_object_get(revoked, "error"));
        await_receipt(rig, id, "confirmed");
        status = person_wait(&person);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_int_equal(count_events(rig, "login-ended"), 0);
}

static void
test_open_session__last_use_without_a_token__is_used_up_and_the_next_turned_away(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *text = NULL;
        CLEANUP(person_free) Person person = {.pid = -1, .reply = -1};
        CLEANUP(person_free) Person second = {.pid = -1, .reply = -1};
        AUTO_FREE char *refused = NULL;
        int status;

        need_root();
        token = issue(rig, NULL, id);
        person = open_without(rig);
        text = person_reply(rig, &person);
        assert_non_null(strstr(text, id));
        assert_int_equal(count_events(rig, "credential-used-up"), 1);
        second = open_without(rig);
        refused = person_reply(rig, &second);
        assert_true(!refused || strstr(refused, "io.credd.Login.Refused"));
        for (unsigned waited = 0; outcasts_count(rig->manager->outcasts) > 0; waited += 5) {
                assert_true(waited < PATIENCE_MS);
                rig_turn(rig);
        }
        status = person_wait(&second);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        /* and the first lives on */
        assert_int_equal(waitpid(person.pid, NULL, WNOHANG), 0);
        assert_int_equal(sessions_live(rig->manager->sessions), 1);
        assert_int_equal(kill(person.pid, SIGKILL), 0);
        await_receipt(rig, id, "confirmed");
}

static void test_open_session__no_token_and_no_credential__ends_who_asked(void **state)
{
        Rig *rig = *state;

        need_root();
        assert_turned_away(rig);
        assert_int_equal(count_events(rig, "login-ended"), 1);
        assert_true(has_said(rig, "login-ended", "user", "deploy"));
        await_said(rig, "login-refused", "reason", "no-live-credential");
        assert_int_equal(count_events(rig, "login-lingers"), 0);
        assert_int_equal(count_events(rig, "login-accepted"), 0);
}

/* Who asked has forked already, and his child too: both go. */
static void test_open_session__refused_with_descendants__ends_them_all(void **state)
{
        Rig *rig = *state;
        AUTO_FREE char *call = call_text("io.credd.Login.OpenSession", no_token());
        AUTO_CLOSE int alive = -1;
        int ends[2], status = 0;
        char c;
        pid_t pid;

        need_root();
        assert_int_equal(pipe(ends), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                int fd;

                (void)close(ends[0]);
                if (setpgid(0, 0) < 0)
                        _exit(1);
                if (fork() == 0) {
                        (void)fork();
                        for (;;)
                                (void)pause();
                }
                fd = rig_connect(rig->login);
                rig_send(fd, call, strlen(call) + 1);
                for (;;)
                        (void)pause();
        }
        (void)close(ends[1]);
        alive = ends[0];
        /* the end of the pipe is closed when the last of them is gone */
        for (unsigned waited = 0;; waited += 5) {
                struct pollfd closed = {.fd = alive};

                if (poll(&closed, 1, 0) == 1)
                        break;
                assert_true(waited < PATIENCE_MS);
                rig_turn(rig);
        }
        assert_int_equal(read(alive, &c, 1), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
        const struct CMUnitTest tests[] = {
                T(test_check_account__no_token_and_no_credential__is_refused_with_its_reason),
                T(test_check_account__credential_that_is_no_use_to_him__is_refused),
                T(test_check_account__live_credential__is_named_until_it_is_not_live),
                T(test_check_account__host_frozen__is_refused),
                T(test_check_account__several_credentials__the_longest_session_and_then_the_first),
                T(test_gate_find__clock_behind__finds_nobody),
                T(test_gate_find__row_is_damaged__is_an_error),
                T(test_check_account__login_that_is_empty__is_no_missing_login),
                T(test_open_session__no_token__spends_a_use_and_ends_with_the_credential),
                T(test_open_session__last_use_without_a_token__is_used_up_and_the_next_turned_away),
                T(test_open_session__no_token_and_no_credential__ends_who_asked),
                T(test_open_session__refused_with_descendants__ends_them_all),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

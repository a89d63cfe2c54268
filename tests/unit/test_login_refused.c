/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who does not get in, and that nobody is told why. */
#include "tests/unit/login_rig.h"

#include "credd/db-internal.h"
#include "credd/store-internal.h"
#include "credd/verbs-login.h"

/* What stands behind a refusal is for the journal: the bytes are the same for all. */
static void test_authenticate__every_reason_to_refuse__looks_alike(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *good = NULL, *used = NULL, *revoked = NULL, *expired = NULL, *login = NULL;
        AUTO_FREE char *elsewhere = NULL, *early = NULL;
        AUTO_FREE char *reference = NULL;
        uint8_t random[TOKEN_RANDOM_LEN] = {1, 2, 3};
        uint64_t later = clock_real_usec(&rig->manager->clock) + HOURS(5);
        char unknown[TOKEN_TEXT_LEN + 1], wrong[TOKEN_TEXT_LEN + 1];
        json_auto_t *done = NULL;
        Token token;

        need_root();
        expired = issue(rig, json_pack("{si}", "ttl_usec", 1000000), id);
        revoked = issue(rig, NULL, id);
        done = rig_call(rig, rig->admin, "io.credd.Admin.Revoke", json_pack("{ss}", "id", id));
        assert_null(json_object_get(done, "error"));
        used = issue(rig, NULL, id);
        login = log_in(rig, used);
        elsewhere = issue(rig, json_pack("{s[s]}", "sources", "local"), id);
        early = issue(rig, json_pack("{sI}", "not_before_usec", (json_int_t)later), id);
        good = issue(rig, NULL, id);
        token_from_random(random, &token);
        token_format(&token, unknown);
        assert_int_equal(token_parse(good, strlen(good), &token), 0);
        token.secret[0] = token.secret[0] == 'a' ? 'b' : 'a';
        token_format(&token, wrong);
        rig->skew_usec += SECONDS(2);
        {
                const char *const tokens[] = {unknown,   wrong, expired, revoked,      used,
                                              elsewhere, early, "",      "eph_ no one"};

                for (size_t i = 0; i < ELEMENTSOF(tokens); i++) {
                        AUTO_FREE char *text =
                                rig_call_raw(rig, rig->login, "io.credd.Login.Authenticate",
                                             question("token", tokens[i]));

                        assert_non_null(text);
                        if (!reference)
                                reference = strdup(text);
                        assert_string_equal(text, reference);
                }
        }
        for (int i = 0; i < 3; i++) {
                json_t *other = question("token", good);
                AUTO_FREE char *text = NULL;

                if (i == 0)
                        (void)json_object_set_new(other, "uid", json_integer(PERSON + 1));
                else if (i == 1)
                        (void)json_object_set_new(other, "user", json_string("deploy2"));
                else
                        (void)json_object_set_new(other, "service", json_string("su"));
                text = rig_call_raw(rig, rig->login, "io.credd.Login.Authenticate", other);
                assert_string_equal(text, reference);
        }
        assert_non_null(strstr(reference, "Refused"));
        assert_int_equal(rig->manager->counters.refused_by[REFUSAL_UNKNOWN], 3);
        assert_int_equal(rig->manager->counters.refused_by[REFUSAL_SECRET], 1);
        assert_int_equal(rig->manager->counters.logins_refused, 12);
        /* and after all that the good one is good */
        free(login);
        login = log_in(rig, good);
}

/* A module that gave up long ago must not spend a use of the person's token, nor of a code. */
static void test_authenticate__caller_gone_before_the_answer__spends_no_use(void **state)
{
        static const char *const kinds[] = {"token", "code"};
        Rig *rig = *state;

        need_root();
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                char id[TOKEN_ID_LEN + 1];
                AUTO_FREE char *token = issue(rig, json_pack("{ss}", "kind", kinds[i]), id);
                AUTO_FREE char *text = call_text(
                        "io.credd.Login.Authenticate",
                        json_pack("{ss si ss ss ss}", "user", "deploy", "uid", PERSON, "service",
                                  i == 0 ? "sshd" : "login", "tty", "tty1", "token", token));
                AUTO_CREDENTIAL Credential c = {0};
                int fd = rig_connect(rig->login);

                rig_send(fd, text, strlen(text) + 1);
                (void)close(fd);
                rig_settle(rig);
                c = find(rig, id);
                assert_int_equal(c.uses_left, 1);
                assert_int_equal(c.cause, CAUSE_NONE);
        }
        assert_int_equal(rig->manager->counters.refused_by[REFUSAL_PEER], 2);
        assert_int_equal(rig->manager->counters.logins_accepted, 0);
}

/* Open by its state, and yet nothing to compare with: that is no secret at all. */
static void test_authenticate__hash_is_missing_in_the_row__refused_as_wrong(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL;
        json_auto_t *reply = NULL;

        need_root();
        token = issue(rig, NULL, id);
        assert_int_equal(db_execute(rig->manager->store->db, "UPDATE standing SET hash = NULL"), 0);
        reply = authenticate(rig, token);
        assert_error(reply, "io.credd.Login.Refused", NULL, NULL);
        assert_int_equal(rig->manager->counters.refused_by[REFUSAL_SECRET], 1);
}

static void test_authenticate__one_use_offered_often_in_one_batch__is_accepted_once(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *text = NULL;
        AUTO_CREDENTIAL Credential c = {0};
        unsigned accepted = 0;
        int fds[20];

        need_root();
        token = issue(rig, NULL, id);
        text = call_text("io.credd.Login.Authenticate", question("token", token));
        for (size_t i = 0; i < ELEMENTSOF(fds); i++) {
                fds[i] = rig_connect(rig->login);
                rig_send(fds[i], text, strlen(text) + 1);
        }
        for (size_t i = 0; i < ELEMENTSOF(fds); i++) {
                AUTO_FREE char *reply = rig_receive(rig, fds[i]);

                assert_non_null(reply);
                if (strstr(reply, "\"login\""))
                        accepted++;
                else
                        assert_non_null(strstr(reply, "Refused"));
                (void)close(fds[i]);
        }
        assert_int_equal(accepted, 1);
        c = find(rig, id);
        assert_int_equal(c.uses_left, 0);
        assert_int_equal(c.open_logins, 1);
        assert_int_equal(count_events(rig, "login-accepted"), 1);
        assert_int_equal(count_events(rig, "credential-used-up"), 1);
}

static void test_check_account__login_that_is_not_this_one__is_refused(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *login = NULL, *upper = NULL;

        need_root();
        token = issue(rig, NULL, id);
        login = log_in(rig, token);
        upper = strdup(login);
        for (char *c = upper; *c; c++)
                if (*c >= 'a' && *c <= 'f')
                        *c = (char)(*c - 'a' + 'A');
        {
                const char *const bad[] = {"",
                                           "1",
                                           "1-",
                                           "-",
                                           "0-00000000000000000000000000000000",
                                           "1-00000000000000000000000000000000",
                                           "2-00000000000000000000000000000000",
                                           "99999999999999999999-00",
                                           "+1-00000000000000000000000000000000",
                                           login + 1,
                                           upper};

                for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                        json_auto_t *reply = NULL;

                        if (strcmp(bad[i], login) == 0)
                                continue;
                        reply = rig_call(rig, rig->login, "io.credd.Login.CheckAccount",
                                         question("login", bad[i]));
                        assert_error(reply, "io.credd.Login.Refused", NULL, NULL);
                }
        }
        {
                json_t *other = question("login", login);
                json_auto_t *reply = NULL;

                (void)json_object_set_new(other, "service", json_string("login"));
                reply = rig_call(rig, rig->login, "io.credd.Login.CheckAccount", other);
                assert_error(reply, "io.credd.Login.Refused", NULL, NULL);
        }
}

/* What no login manager sends is no question at all; what one may send is answered. */
static void test_login__facts_that_cannot_be__are_named_as_such(void **state)
{
        static const struct {
                const char *name;
                int64_t number; /* if there is no text */
                size_t len;     /* of a text of 'x'; 0: text is what it is */
                const char *text;
                bool good;
        } table[] = {
                {"user", 0, 0, "", false},
                {"user", 0, 0, "a b", false},
                {"user", 0, 32, NULL, true},
                {"user", 0, 33, NULL, false},
                {"uid", -1, 0, NULL, false},
                {"uid", INT64_MIN, 0, NULL, false},
                {"uid", 0, 0, NULL, true},
                {"uid", UINT32_MAX, 0, NULL, false},
                {"uid", INT64_C(1) << 32 | PERSON, 0, NULL, false},
                {"service", 0, 0, "", false},
                {"service", 0, 0, "a/b", false},
                {"tty", 0, 64, NULL, true},
                {"tty", 0, 65, NULL, false},
                {"tty", 0, 0, "tty\n1", false},
                {"rhost", 0, 255, NULL, true},
                {"rhost", 0, 256, NULL, false},
                {"rhost", 0, 0, "\x1b[2J", false},
        };
        Rig *rig = *state;

        need_root();
        for (size_t i = 0; i < 2 * ELEMENTSOF(table); i++) {
                const char *const name = table[i / 2].name, *const as = table[i / 2].text;
                json_t *parameters = question(i % 2 ? "login" : "token", "eph_nothing");
                json_auto_t *reply = NULL;
                char text[257] = "";
                json_t *value;

                memset(text, 'x', table[i / 2].len);
                value = strcmp(name, "uid") == 0 ? json_integer(table[i / 2].number)
                                                 : json_string(as ?: text);
                assert_int_equal(json_object_set_new(parameters, name, value), 0);
                reply = rig_call(rig, rig->login,
                                 i % 2 ? "io.credd.Login.CheckAccount"
                                       : "io.credd.Login.Authenticate",
                                 parameters);
                if (table[i / 2].good)
                        assert_error(reply, "io.credd.Login.Refused", NULL, NULL);
                else
                        assert_error(reply, "org.varlink.service.InvalidParameter", NULL, NULL);
        }
}

static void test_login__question_with_a_part_missing_or_too_many__names_the_part(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *login = NULL;
        AUTO_CREDENTIAL Credential c = {0};

        need_root();
        token = issue(rig, json_pack("{si}", "uses", 2), id);
        login = log_in(rig, token);
        for (unsigned i = 0; i < 4; i++) {
                json_t *parameters = i % 2 ? question("login", login) : question("token", token);
                json_auto_t *reply = NULL;

                if (i < 2)
                        assert_int_equal(json_object_del(parameters, "service"), 0);
                else
                        assert_int_equal(json_object_set_new(parameters, "more", json_true()), 0);
                reply = rig_call(rig, rig->login,
                                 i % 2 ? "io.credd.Login.CheckAccount"
                                       : "io.credd.Login.Authenticate",
                                 parameters);
                assert_error(reply, "org.varlink.service.InvalidParameter", "parameter",
                             i < 2 ? "service" : "more");
        }
        c = find(rig, id);
        assert_int_equal(c.uses_left, 1);
}

/* Neither in nor refused: the module falls back, and the person may come again. */
static void assert_no_answer(Rig *rig, const char *method, json_t *parameters)
{
        json_auto_t *reply = rig_call(rig, rig->login, method, parameters);

        assert_error(reply, "io.credd.Login.Unavailable", NULL, NULL);
}

static json_t *question_of(bool code, const char *secret)
{
        return json_pack("{ss si ss ss ss}", "user", "deploy", "uid", PERSON, "service",
                         code ? "login" : "sshd", "tty", "tty1", "token", secret);
}

/* Whatever of a login cannot be written: nobody is in by it, and no use is spent. */
static void test_authenticate__store_gives_out_half_way__nobody_is_in(void **state)
{
        static const char *const fails[] = {
                "BEFORE UPDATE OF uses_left ON standing",
                "BEFORE UPDATE OF cause ON standing",
                "BEFORE INSERT ON login",
                "BEFORE INSERT ON event WHEN NEW.name = 'login-accepted'",
                "BEFORE INSERT ON event WHEN NEW.name = 'credential-used-up'",
        };
        Rig *rig = *state;
        Db *db = rig->manager->store->db;

        need_root();
        for (size_t i = 0; i < 2 * ELEMENTSOF(fails); i++) {
                bool code = i % 2;
                char id[TOKEN_ID_LEN + 1];
                AUTO_FREE char *secret = NULL, *sql = NULL;
                AUTO_CREDENTIAL Credential c = {0};
                json_auto_t *reply = NULL;

                secret = issue(rig, json_pack("{ss}", "kind", code ? "code" : "token"), id);
                assert_true(asprintf(&sql,
                                     "CREATE TEMP TRIGGER no %s BEGIN SELECT RAISE(ABORT, 'no'); "
                                     "END",
                                     fails[i / 2]) > 0);
                assert_int_equal(db_execute(db, sql), 0);
                assert_no_answer(rig, "io.credd.Login.Authenticate", question_of(code, secret));
                assert_int_equal(db_execute(db, "DROP TRIGGER temp.no"), 0);
                c = find(rig, id);
                assert_int_equal(c.uses_left, 1);
                assert_int_equal(c.open_logins, 0);
                assert_int_equal(rig->manager->counters.logins_accepted, i);
                reply = rig_call(rig, rig->login, "io.credd.Login.Authenticate",
                                 question_of(code, secret));
                assert_non_null(reply_at(reply, "login", NULL));
        }
}

/* How long the machine was off is not known: what is over cannot be told. */
static void test_authenticate__clock_behind__nobody_is_in_until_it_is_set(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *code = NULL;

        need_root();
        token = issue(rig, NULL, id);
        code = issue(rig, json_pack("{ss}", "kind", "code"), id);
        rig->manager->clock.mark_real_usec = USEC_INFINITY;
        for (unsigned i = 0; i < 4; i++) {
                json_auto_t *reply = NULL;

                rig->manager->clock.behind = i < 2;
                reply = rig_call(rig, rig->login, "io.credd.Login.Authenticate",
                                 question_of(i % 2, i % 2 ? code : token));
                assert_int_equal(!reply_at(reply, "login", NULL), i < 2);
        }
        assert_int_equal(rig->manager->counters.refused_by[REFUSAL_CLOCK], 2);
}

/* What is accepted now might not be known at the next start. */
static void test_authenticate__store_is_damaged__nobody_is_in(void **state)
{
        Rig *rig = *state;

        need_root();
        for (unsigned code = 0; code < 2; code++) {
                char id[TOKEN_ID_LEN + 1];
                AUTO_FREE char *secret =
                        issue(rig, json_pack("{ss}", "kind", code ? "code" : "token"), id);
                AUTO_CREDENTIAL Credential c = {0};

                rig->manager->store->db->damaged = true;
                assert_no_answer(rig, "io.credd.Login.Authenticate", question_of(code, secret));
                rig->manager->store->db->damaged = false;
                c = find(rig, id);
                assert_int_equal(c.uses_left, 1);
        }
}

/* Nobody is let in by a row that a disk has made; its like is no refusal either. */
static void test_login__row_is_damaged__nobody_is_in(void **state)
{
        Rig *rig = *state;
        Db *db = rig->manager->store->db;
        char id[TOKEN_ID_LEN + 1], code_id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *code = NULL, *other = NULL, *login = NULL, *closed = NULL;
        json_auto_t *revoked = NULL;

        need_root();
        other = issue(rig, NULL, id);
        login = log_in(rig, other);
        token = issue(rig, NULL, id);
        closed = issue(rig, json_pack("{ss}", "kind", "code"), code_id);
        revoked = rig_call(rig, rig->admin, "io.credd.Admin.Revoke",
                           json_pack("{ss}", "id", code_id));
        assert_null(json_object_get(revoked, "error"));
        code = issue(rig, json_pack("{ss}", "kind", "code"), code_id);
        assert_int_equal(db_execute(db, "UPDATE credential SET services = '{}'"), 0);
        assert_no_answer(rig, "io.credd.Login.Authenticate", question_of(false, token));
        assert_no_answer(rig, "io.credd.Login.Authenticate", question_of(true, code));
        assert_no_answer(rig, "io.credd.Login.Authenticate", question_of(true, closed));
        assert_no_answer(rig, "io.credd.Login.CheckAccount", question("login", login));
        assert_int_equal(
                db_execute(db, "PRAGMA foreign_keys = OFF; UPDATE login SET credential = 99"), 0);
        assert_no_answer(rig, "io.credd.Login.CheckAccount", question("login", login));
        assert_int_equal(db_execute(db, "UPDATE login SET state = -1"), 0);
        assert_no_answer(rig, "io.credd.Login.CheckAccount", question("login", login));
}

/* Each has the right nonce, and yet another form: there is one text a login. */
static void test_check_account__login_in_another_form__is_refused(void **state)
{
        static const struct {
                const char *before, *between;
                int len; /* so much of the nonce */
                const char *behind;
        } forms[] = {
                {"+", "-", 99, ""}, {" ", "-", 99, ""}, {"0", "-", 99, ""}, {"", "x", 99, ""},
                {"", " ", 99, ""},  {"", "--", 99, ""}, {"", "-", 99, "0"}, {"", "-", 99, "00"},
                {"", "-", 99, " "}, {"", "-", 31, ""},  {"", "-", 31, "g"},
        };
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *login = NULL;
        const char *nonce;

        need_root();
        token = issue(rig, NULL, id);
        login = log_in(rig, token);
        nonce = strchr(login, '-') + 1;
        for (size_t i = 0; i < ELEMENTSOF(forms); i++) {
                AUTO_FREE char *other = NULL;
                json_auto_t *good = NULL, *reply = NULL;

                good = rig_call(rig, rig->login, "io.credd.Login.CheckAccount",
                                question("login", login));
                assert_non_null(reply_at(good, "credential", NULL));
                assert_true(asprintf(&other, "%s%lld%s%.*s%s", forms[i].before, atoll(login),
                                     forms[i].between, forms[i].len, nonce, forms[i].behind) > 0);
                reply = rig_call(rig, rig->login, "io.credd.Login.CheckAccount",
                                 question("login", other));
                assert_error(reply, "io.credd.Login.Refused", NULL, NULL);
        }
}

static void test_login_check__whatever_it_finds__is_no_error(void **state)
{
        static const char *const none[] = {"", "99-00000000000000000000000000000000",
                                           "1-00000000000000000000000000000000"};
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *login = NULL;

        need_root();
        token = issue(rig, NULL, id);
        login = log_in(rig, token);
        for (size_t i = 0; i <= ELEMENTSOF(none); i++) {
                bool right = i == ELEMENTSOF(none);
                const LoginQuestion asked = {
                        {.user = "deploy", .uid = PERSON, .service = "sshd", .rhost = "10.1.2.3"},
                        right ? login : none[i]};
                CLEANUP(login_done) Login found = {0};
                AUTO_CREDENTIAL Credential credential = {0};
                Refusal refusal = REFUSAL_MAX;

                assert_int_equal(login_check(rig->manager, &asked, &found, &credential, &refusal),
                                 0);
                assert_int_equal(refusal, right ? REFUSAL_NONE : REFUSAL_LOGIN);
        }
}

static void test_login_socket__another_uid_than_root__is_turned_away(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *text = NULL;
        CLEANUP(person_free) Person person = NO_PERSON;
        AUTO_CREDENTIAL Credential c = {0};

        need_root();
        token = issue(rig, NULL, id);
        person = person_new(rig->login, PERSON, "io.credd.Login.Authenticate",
                            question("token", token));
        text = person_reply(rig, &person);
        assert_true(!text || strstr(text, "\"error\""));
        assert_true(!text || !strstr(text, "\"login\""));
        c = find(rig, id);
        assert_int_equal(c.uses_left, 1);
}

static void test_admin_socket__another_uid_than_root__may_look_and_not_issue(void **state)
{
        Rig *rig = *state;
        AUTO_FREE char *refused = NULL, *status = NULL;
        CLEANUP(person_free) Person asks = NO_PERSON;
        CLEANUP(person_free) Person looks = NO_PERSON;

        need_root();
        asks = person_new(rig->admin, PERSON, "io.credd.Admin.Issue",
                          json_pack("{ss si}", "user", "deploy", "uid", PERSON));
        looks = person_new(rig->admin, PERSON, "io.credd.Admin.Status", json_object());
        /* an Admin connection stays open: end the people, so that their replies end */
        for (unsigned i = 0; i < 40; i++)
                rig_turn(rig);
        (void)kill(asks.pid, SIGKILL);
        (void)kill(looks.pid, SIGKILL);
        refused = person_reply(rig, &asks);
        status = person_reply(rig, &looks);
        assert_non_null(refused);
        assert_non_null(strstr(refused, "io.credd.Admin.PermissionDenied"));
        assert_non_null(status);
        assert_null(strstr(status, "\"error\""));
        assert_int_equal(count_events(rig, "credential-issued"), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
        const struct CMUnitTest tests[] = {
                T(test_authenticate__every_reason_to_refuse__looks_alike),
                T(test_authenticate__caller_gone_before_the_answer__spends_no_use),
                T(test_authenticate__hash_is_missing_in_the_row__refused_as_wrong),
                T(test_authenticate__one_use_offered_often_in_one_batch__is_accepted_once),
                T(test_check_account__login_that_is_not_this_one__is_refused),
                T(test_login__facts_that_cannot_be__are_named_as_such),
                T(test_login__question_with_a_part_missing_or_too_many__names_the_part),
                T(test_authenticate__store_gives_out_half_way__nobody_is_in),
                T(test_authenticate__clock_behind__nobody_is_in_until_it_is_set),
                T(test_authenticate__store_is_damaged__nobody_is_in),
                T(test_login__row_is_damaged__nobody_is_in),
                T(test_check_account__login_in_another_form__is_refused),
                T(test_login_check__whatever_it_finds__is_no_error),
                T(test_login_socket__another_uid_than_root__is_turned_away),
                T(test_admin_socket__another_uid_than_root__may_look_and_not_issue),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

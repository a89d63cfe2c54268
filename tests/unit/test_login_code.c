/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Codes through the daemon: who gets in, what locks, and what does not. */
#include "tests/unit/login_rig.h"

#include "credd/codes.h"
#include "credd/db-internal.h"
#include "credd/limiter.h"

static char *issue_code(Rig *rig, char ret_id[static TOKEN_ID_LEN + 1])
{
        return issue(rig, json_pack("{ss}", "kind", "code"), ret_id);
}

static json_t *at_console(const char *code)
{
        return json_pack("{ss si ss ss ss}", "user", "deploy", "uid", PERSON, "service", "login",
                         "tty", "tty1", "token", code);
}

/* Takes the parameters. */
static bool gets_in(Rig *rig, json_t *parameters)
{
        json_auto_t *reply = rig_call(rig, rig->login, "io.credd.Login.Authenticate", parameters);
        bool in = reply_at(reply, "login", NULL) != NULL;

        if (!in)
                assert_error(reply, "io.credd.Login.Refused", NULL, NULL);
        return in;
}

/* Another secret, and its right check character. */
static void spoil(const char *text, unsigned by, char ret_text[static CODE_TEXT_LEN + 1])
{
        static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
        Code code;
        const char *at;

        assert_int_equal(code_parse(text, strlen(text), &code), 0);
        at = strchr(digits, code.secret[0]);
        code.secret[0] = digits[(unsigned)(at - digits + (int)by) % 32];
        code_format(&code, ret_text);
}

static void try_wrong(Rig *rig, const char *text, unsigned n)
{
        for (unsigned i = 1; i <= n; i++) {
                char wrong[CODE_TEXT_LEN + 1];

                spoil(text, i, wrong);
                assert_false(gets_in(rig, at_console(wrong)));
        }
}

static bool last_reason_is(Rig *rig, const char *reason)
{
        Store *store = rig->manager->store;

        for (int64_t seq = store_newest_event(store); seq > 0; seq--) {
                CLEANUP(event_row_done) EventRow row = {0};

                assert_int_equal(store_read_event(store, seq, &row), 1);
                if (strcmp(row.name, "login-refused") == 0)
                        return strstr(row.data, reason) != NULL;
        }
        return false;
}

/* The number of the credential that the newest refusal is on record with; 0: with none. */
static int64_t last_refusal_names(Rig *rig)
{
        Store *store = rig->manager->store;

        for (int64_t seq = store_newest_event(store); seq > 0; seq--) {
                CLEANUP(event_row_done) EventRow row = {0};

                assert_int_equal(store_read_event(store, seq, &row), 1);
                if (strcmp(row.name, "login-refused") != 0)
                        continue;
                assert_int_equal(strstr(row.data, "\"uid\"") != NULL, row.credential != 0);
                return row.credential;
        }
        return -1;
}

static int64_t tries_of(Rig *rig, const char *text)
{
        AUTO_CREDENTIAL Credential found = {0};
        int64_t tries = -1;
        Code code;

        assert_int_equal(code_parse(text, strlen(text), &code), 0);
        (void)store_find_code(rig->manager->store, code.handle, &found, &tries);
        return tries;
}

static void test_issue__code__is_narrow_and_its_handle_begins_its_id(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *text = issue_code(rig, id);
        AUTO_FREE char *services = NULL, *sources = NULL;
        AUTO_CREDENTIAL Credential c = find(rig, id);
        Code code;

        assert_int_equal(code_parse(text, strlen(text), &code), 0);
        assert_memory_equal(code.handle, id, CODE_HANDLE_LEN);
        assert_int_equal(c.kind, KIND_CODE);
        assert_int_equal(c.uses, 1);
        assert_int_equal(c.login_limit_usec - c.not_before_usec, 15 * SECONDS(60));
        services = json_dumps(c.services, JSON_COMPACT);
        sources = json_dumps(c.sources, JSON_COMPACT);
        assert_string_equal(services, "[\"login\"]");
        assert_string_equal(sources, "[\"local\"]");
        assert_int_equal(tries_of(rig, text), 0);
}

static void test_issue__code_that_is_too_much__is_refused(void **state)
{
        Rig *rig = *state;
        json_t *more[] = {
                json_pack("{ss si}", "kind", "code", "uses", 2),
                json_pack("{ss sI}", "kind", "code", "ttl_usec", (json_int_t)HOURS(1)),
                json_pack("{ss s[s]}", "kind", "code", "services", "sshd"),
                json_pack("{ss s[s]}", "kind", "code", "sources", "10.0.0.0/8"),
        };

        for (size_t i = 0; i < ELEMENTSOF(more); i++) {
                json_t *parameters = json_pack("{ss si}", "user", "deploy", "uid", PERSON);
                json_auto_t *reply = NULL;

                assert_int_equal(json_object_update_new(parameters, more[i]), 0);
                reply = rig_call(rig, rig->admin, "io.credd.Admin.Issue", parameters);
                assert_error(reply, "io.credd.Admin.Refused", NULL, NULL);
        }
        assert_int_equal(count_events(rig, "credential-issued"), 0);
}

static void test_issue__kind_that_nobody_may_ask_for__is_named(void **state)
{
        Rig *rig = *state;
        static const char *const kinds[] = {"", "Drill", "key", "Code"};

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                json_auto_t *reply = rig_call(
                        rig, rig->admin, "io.credd.Admin.Issue",
                        json_pack("{ss si ss}", "user", "deploy", "uid", PERSON, "kind", kinds[i]));

                assert_error(reply, "org.varlink.service.InvalidParameter", "parameter", "kind");
        }
}

static void test_authenticate__right_code__once(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *text = NULL;

        need_root();
        text = issue_code(rig, id);
        assert_true(gets_in(rig, at_console(text)));
        assert_int_equal(tries_of(rig, text), -1);
        assert_false(gets_in(rig, at_console(text)));
        assert_true(last_reason_is(rig, "\"used\""));
}

static void test_authenticate__code_not_from_the_console__is_refused_and_costs_nothing(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1], wrong[CODE_TEXT_LEN + 1];
        AUTO_FREE char *text = NULL;
        json_t *other;

        need_root();
        text = issue_code(rig, id);
        spoil(text, 3, wrong);
        for (unsigned i = 0; i < 2 * CODES_TRIES; i++) {
                const char *typed = i % 2 ? text : wrong;

                other = at_console(typed);
                (void)json_object_set_new(other, "service", json_string("sshd"));
                assert_false(gets_in(rig, other));
                other = at_console(typed);
                (void)json_object_set_new(other, "rhost", json_string("10.1.2.3"));
                assert_false(gets_in(rig, other));
                other = at_console(typed);
                (void)json_object_set_new(other, "user", json_string("mallory"));
                (void)json_object_set_new(other, "uid", json_integer(PERSON + 1));
                assert_false(gets_in(rig, other));
        }
        assert_int_equal(tries_of(rig, text), 0);
        assert_true(gets_in(rig, at_console(text)));
}

static void test_authenticate__four_wrong_tries__do_not_lock(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *text = NULL;

        need_root();
        text = issue_code(rig, id);
        try_wrong(rig, text, CODES_TRIES - 1);
        assert_int_equal(tries_of(rig, text), CODES_TRIES - 1);
        assert_int_equal(count_events(rig, "credential-locked"), 0);
        assert_true(gets_in(rig, at_console(text)));
}

static void test_authenticate__five_wrong_tries__lock_for_good(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *text = NULL;
        AUTO_CREDENTIAL Credential c = {0};

        need_root();
        text = issue_code(rig, id);
        try_wrong(rig, text, CODES_TRIES);
        assert_int_equal(count_events(rig, "login-refused"), CODES_TRIES);
        assert_int_equal(count_events(rig, "credential-locked"), 1);
        c = find(rig, id);
        assert_int_equal(c.cause, CAUSE_LOCKED);
        assert_false(c.has_hash);
        assert_true(has_receipt(rig, id, "confirmed"));
        assert_int_equal(tries_of(rig, text), -1);
        assert_false(gets_in(rig, at_console(text)));
        assert_true(last_reason_is(rig, "\"locked\""));
}

/* An answer to a try that does not count would be one try more. */
static void test_authenticate__try_that_cannot_be_written__is_not_answered(void **state)
{
        static const char *const fails[] = {
                "BEFORE UPDATE ON code",
                "BEFORE INSERT ON event WHEN NEW.name = 'login-refused'",
                "BEFORE UPDATE OF cause ON standing",
                "BEFORE INSERT ON event WHEN NEW.name = 'credential-locked'",
                "BEFORE INSERT ON receipt",
        };
        Rig *rig = *state;
        Db *db = store_db(rig->manager->store);

        need_root();
        for (size_t i = 0; i < ELEMENTSOF(fails); i++) {
                char id[TOKEN_ID_LEN + 1], wrong[CODE_TEXT_LEN + 1];
                AUTO_FREE char *text = issue_code(rig, id), *sql = NULL;
                json_auto_t *reply = NULL;

                try_wrong(rig, text, CODES_TRIES - 1);
                spoil(text, CODES_TRIES, wrong);
                assert_true(asprintf(&sql,
                                     "CREATE TEMP TRIGGER no %s BEGIN SELECT RAISE(ABORT, 'no'); "
                                     "END",
                                     fails[i]) > 0);
                assert_int_equal(db_execute(db, sql), 0);
                reply = rig_call(rig, rig->login, "io.credd.Login.Authenticate", at_console(wrong));
                assert_error(reply, "io.credd.Login.Unavailable", NULL, NULL);
                assert_int_equal(db_execute(db, "DROP TRIGGER temp.no"), 0);
                assert_int_equal(tries_of(rig, text), CODES_TRIES - 1);
                rig->skew_usec += LIMITER_WINDOW_USEC;
        }
        assert_int_equal(count_events(rig, "credential-locked"), 0);
}

/* The answer is nothing before the commit that counts the try. */
static void test_authenticate__wrong_codes_of_any_kind__all_wait_for_the_commit(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1], wrong[CODE_TEXT_LEN + 1], unknown[CODE_TEXT_LEN + 1];
        AUTO_FREE char *text = NULL, *used = NULL;
        Code code;

        need_root();
        used = issue_code(rig, id);
        assert_true(gets_in(rig, at_console(used)));
        text = issue_code(rig, id);
        spoil(text, 1, wrong);
        assert_int_equal(code_parse(text, strlen(text), &code), 0);
        code.handle[0] = code.handle[0] == 'a' ? 'b' : 'a';
        code_format(&code, unknown);
        {
                const char *const typed[] = {wrong, unknown, used};
                AUTO_FREE char *reference = NULL;

                for (size_t i = 0; i < ELEMENTSOF(typed); i++) {
                        unsigned before = count_events(rig, "login-refused");
                        AUTO_FREE char *reply =
                                rig_call_raw(rig, rig->login, "io.credd.Login.Authenticate",
                                             at_console(typed[i]));

                        assert_int_equal(count_events(rig, "login-refused"), before + 1);
                        reference = reference ?: strdup(reply);
                        assert_string_equal(reply, reference);
                }
        }
        assert_int_equal(rig->manager->counters.refused_by[REFUSAL_SECRET], 1);
        assert_int_equal(rig->manager->counters.refused_by[REFUSAL_UNKNOWN], 1);
        assert_int_equal(rig->manager->counters.refused_by[REFUSAL_USED], 1);
}

/* The record is read by those who issue: it names what was tried, and to another's guess nothing. */
static void test_authenticate__code_that_is_closed__named_to_its_own_user_alone(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1], wrong[CODE_TEXT_LEN + 1];
        AUTO_FREE char *text = NULL;
        AUTO_CREDENTIAL Credential c = {0};
        json_t *other;

        need_root();
        text = issue_code(rig, id);
        c = find(rig, id);
        spoil(text, 1, wrong);
        assert_false(gets_in(rig, at_console(wrong)));
        assert_int_equal(last_refusal_names(rig), c.num);
        assert_true(gets_in(rig, at_console(text)));
        assert_false(gets_in(rig, at_console(wrong)));
        assert_int_equal(last_refusal_names(rig), c.num);
        assert_true(last_reason_is(rig, "\"used\""));
        other = at_console(text);
        (void)json_object_set_new(other, "user", json_string("mallory"));
        (void)json_object_set_new(other, "uid", json_integer(PERSON + 1));
        assert_false(gets_in(rig, other));
        assert_int_equal(last_refusal_names(rig), 0);
        assert_true(last_reason_is(rig, "\"unknown-id\""));
}

static void
test_authenticate__handle_of_a_closed_code_comes_again__the_open_one_counts(void **state)
{
        Rig *rig = *state;
        char closed[TOKEN_ID_LEN + 1], id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *used = NULL, *text = NULL, *sql = NULL;

        need_root();
        used = issue_code(rig, closed);
        assert_true(gets_in(rig, at_console(used)));
        text = issue_code(rig, id);
        assert_true(asprintf(&sql, "UPDATE credential SET id = '%.*s%s' WHERE id = '%s'",
                             CODE_HANDLE_LEN, id,
                             strcmp(id + CODE_HANDLE_LEN, "zzzz") ? "zzzz" : "0000", closed) > 0);
        assert_int_equal(db_execute(store_db(rig->manager->store), sql), 0);
        assert_true(gets_in(rig, at_console(text)));
}

static void test_authenticate__too_many_wrong_codes__right_one_waits_a_minute(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1], other_id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *text = NULL, *token = NULL;

        need_root();
        token = issue(rig, json_pack("{s[s]}", "services", "login"), other_id);
        for (unsigned i = 0; i < LIMITER_TRIES / CODES_TRIES; i++) {
                AUTO_FREE char *locked = issue_code(rig, id);

                try_wrong(rig, locked, CODES_TRIES);
        }
        text = issue_code(rig, id);
        assert_false(gets_in(rig, at_console(text)));
        assert_true(last_reason_is(rig, "\"too-many-tries\""));
        /* what is refused so cannot be guessed at, and does not count */
        try_wrong(rig, text, CODES_TRIES);
        assert_int_equal(tries_of(rig, text), 0);
        /* a token does not wait */
        assert_true(gets_in(rig, at_console(token)));
        rig->skew_usec += LIMITER_WINDOW_USEC;
        assert_true(gets_in(rig, at_console(text)));
}

/* Nobody can lock or delay another user's token by typing rubbish. */
static void test_authenticate__rubbish_on_a_token__neither_locks_nor_delays_it(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1], rubbish[TOKEN_TEXT_LEN + 1];
        AUTO_FREE char *token = NULL;
        AUTO_CREDENTIAL Credential c = {0};
        Token wrong;

        need_root();
        token = issue(rig, NULL, id);
        assert_int_equal(token_parse(token, strlen(token), &wrong), 0);
        wrong.secret[3] = wrong.secret[3] == 'x' ? 'y' : 'x';
        token_format(&wrong, rubbish);
        for (unsigned i = 0; i < 200; i++)
                assert_false(gets_in(rig, question("token", rubbish)));
        c = find(rig, id);
        assert_int_equal(c.cause, CAUSE_NONE);
        assert_int_equal(count_events(rig, "credential-locked"), 0);
        assert_true(limiter_allows(rig->manager->limiter, PERSON, "10.1.2.3",
                                   clock_line_usec(&rig->manager->clock)));
        assert_true(gets_in(rig, question("token", token)));
}

static void test_authenticate__host_frozen__a_wrong_code_costs_nothing(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *text = NULL;
        json_auto_t *frozen = NULL, *thawed = NULL;

        need_root();
        text = issue_code(rig, id);
        frozen = rig_call(rig, rig->admin, "io.credd.Admin.Freeze", json_object());
        try_wrong(rig, text, 2 * CODES_TRIES);
        assert_true(last_reason_is(rig, "\"frozen\""));
        thawed = rig_call(rig, rig->admin, "io.credd.Admin.Thaw", json_object());
        assert_true(gets_in(rig, at_console(text)));
}

static void test_code__final_in_whatever_way__its_handle_is_free(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *revoked = NULL, *expired = NULL;
        json_auto_t *reply = NULL;

        revoked = issue_code(rig, id);
        reply = rig_call(rig, rig->admin, "io.credd.Admin.Revoke", json_pack("{ss}", "id", id));
        assert_null(json_object_get(reply, "error"));
        assert_int_equal(tries_of(rig, revoked), -1);
        expired = issue_code(rig, id);
        rig->skew_usec += HOURS(1);
        expiry_changed(rig->manager->expiry);
        await_receipt(rig, id, "confirmed");
        assert_int_equal(tries_of(rig, expired), -1);
}

static void test_store__handle_of_an_open_code__is_not_given_twice(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *text = issue_code(rig, id);
        AUTO_CREDENTIAL Credential c = find(rig, id), found = {0};

        memcpy(c.id + CODE_HANDLE_LEN, strncmp(id + 4, "0000", 4) == 0 ? "1111" : "0000", 4);
        assert_int_equal(batch_enter(rig->manager->batch), 0);
        assert_int_equal(store_add_credential(rig->manager->store, &c, NULL), -EEXIST);
        assert_int_equal(batch_leave(rig->manager->batch, 0), 0);
        assert_int_equal(store_find_credential(rig->manager->store, c.id, &found), 0);
        assert_non_null(text);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
        const struct CMUnitTest tests[] = {
                T(test_issue__code__is_narrow_and_its_handle_begins_its_id),
                T(test_issue__code_that_is_too_much__is_refused),
                T(test_issue__kind_that_nobody_may_ask_for__is_named),
                T(test_authenticate__right_code__once),
                T(test_authenticate__code_not_from_the_console__is_refused_and_costs_nothing),
                T(test_authenticate__four_wrong_tries__do_not_lock),
                T(test_authenticate__five_wrong_tries__lock_for_good),
                T(test_authenticate__try_that_cannot_be_written__is_not_answered),
                T(test_authenticate__wrong_codes_of_any_kind__all_wait_for_the_commit),
                T(test_authenticate__code_that_is_closed__named_to_its_own_user_alone),
                T(test_authenticate__handle_of_a_closed_code_comes_again__the_open_one_counts),
                T(test_authenticate__too_many_wrong_codes__right_one_waits_a_minute),
                T(test_authenticate__rubbish_on_a_token__neither_locks_nor_delays_it),
                T(test_authenticate__host_frozen__a_wrong_code_costs_nothing),
                T(test_code__final_in_whatever_way__its_handle_is_free),
                T(test_store__handle_of_an_open_code__is_not_given_twice),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

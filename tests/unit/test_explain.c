/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Explain over a whole daemon: what is found of a credential and of a user, in what order, and that a long
 * look back comes in slices. */
#include "tests/unit/login_rig.h"

static json_t *explain(Rig *rig, json_t *parameters)
{
        return rig_call(rig, rig->admin, "io.credd.Admin.Explain", parameters);
}

static const char *attempt(const json_t *reply, size_t n, const char *name)
{
        const json_t *attempts = reply_at(reply, "attempts", NULL);

        return json_string_value(json_object_get(json_array_get(attempts, n), name));
}

static size_t n_attempts(const json_t *reply)
{
        return json_array_size(reply_at(reply, "attempts", NULL));
}

/* As refusals.c writes it; num 0: of no credential. */
static void refused(Rig *rig, int64_t num, uid_t uid, Refusal why, unsigned count)
{
        AUTO_CREDENTIAL Credential c = {0};

        if (num > 0)
                assert_int_equal(store_read_credential(rig->manager->store, num, &c), 1);
        assert_int_equal(batch_enter(rig->manager->batch), 0);
        assert_int_equal(event_login_refused(&rig->manager->events, num > 0 ? &c : NULL, uid,
                                             "sshd", "10.1.2.3", why, count),
                         0);
        assert_int_equal(batch_leave(rig->manager->batch, 0), 0);
}

static int64_t issued(Rig *rig, char ret_id[static TOKEN_ID_LEN + 1])
{
        AUTO_FREE char *token = issue(rig, NULL, ret_id);
        AUTO_CREDENTIAL Credential c = find(rig, ret_id);

        return token ? c.num : 0;
}

static void test_explain__of_a_credential__its_own_refusals_newest_first(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1], other[TOKEN_ID_LEN + 1];
        int64_t num = issued(rig, id), other_num = issued(rig, other);
        json_auto_t *reply = NULL;

        refused(rig, num, PERSON, REFUSAL_SOURCE, 1);
        refused(rig, other_num, PERSON, REFUSAL_EXPIRED, 1);
        refused(rig, num, PERSON + 1, REFUSAL_USER, 7);
        reply = explain(rig, json_pack("{ss}", "id", id));
        assert_int_equal(n_attempts(reply), 2);
        assert_string_equal(attempt(reply, 0, "reason"), "wrong-user");
        assert_int_equal(json_integer_value(json_object_get(
                                 json_array_get(reply_at(reply, "attempts", NULL), 0), "count")),
                         7);
        assert_string_equal(attempt(reply, 1, "reason"), "wrong-source");
        assert_string_equal(attempt(reply, 1, "credential"), id);
        assert_string_equal(attempt(reply, 1, "rhost"), "10.1.2.3");
        assert_string_equal(reply_text(reply, "credential", "id"), id);
        assert_true(json_is_null(reply_at(reply, "next", NULL)));
}

static void test_explain__of_a_user__as_whom_and_with_whose(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        int64_t num = issued(rig, id);
        json_auto_t *own = NULL, *tried = NULL, *named = NULL, *nobody = NULL;

        refused(rig, num, PERSON + 1, REFUSAL_USER, 1);
        refused(rig, 0, PERSON + 1, REFUSAL_UNKNOWN, 2);
        refused(rig, num, PERSON, REFUSAL_USED, 1);
        own = explain(rig, json_pack("{si}", "uid", PERSON));
        assert_int_equal(n_attempts(own), 2);
        assert_string_equal(attempt(own, 0, "reason"), "used");
        tried = explain(rig, json_pack("{si}", "uid", PERSON + 1));
        assert_int_equal(n_attempts(tried), 2);
        assert_string_equal(attempt(tried, 0, "reason"), "unknown-id");
        assert_null(attempt(tried, 0, "credential"));
        named = explain(rig, json_pack("{ss}", "user", "deploy"));
        assert_int_equal(n_attempts(named), 2);
        nobody = explain(rig, json_pack("{si}", "uid", PERSON + 2));
        assert_int_equal(n_attempts(nobody), 0);
        assert_null(reply_at(nobody, "credential", NULL));
}

static void test_explain__login_that_no_session_claimed__is_there(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *login = NULL;
        json_auto_t *reply = NULL;

        need_root();
        token = issue(rig, NULL, id);
        login = log_in(rig, token);
        rig_settle(rig);
        rig->skew_usec += 2 * rig->manager->config.bind_timeout_usec + SECONDS(1);
        expiry_changed(rig->manager->expiry);
        await_receipt(rig, id, "confirmed");
        reply = explain(rig, json_pack("{ss}", "id", id));
        assert_int_equal(n_attempts(reply), 1);
        assert_string_equal(attempt(reply, 0, "reason"), "unclaimed");
}

static size_t collect(Rig *rig, json_t *parameters, unsigned *ret_calls)
{
        json_int_t before = INT64_MAX;
        size_t n = 0;

        for (*ret_calls = 1;; (*ret_calls)++) {
                json_auto_t *reply = explain(rig, json_deep_copy(parameters));
                const json_t *next = reply_at(reply, "next", NULL);

                n += n_attempts(reply);
                if (!json_is_integer(next))
                        return n;
                assert_true(json_integer_value(next) < before);
                before = json_integer_value(next);
                assert_int_equal(json_object_set_new(parameters, "before", json_integer(before)),
                                 0);
        }
}

static void test_explain__many_events__come_in_slices_and_none_twice(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        int64_t num = issued(rig, id);
        json_auto_t *by_id = json_pack("{ss}", "id", id);
        json_auto_t *by_uid = json_pack("{si}", "uid", PERSON + 1);
        unsigned calls;

        for (unsigned i = 0; i < 700; i++) {
                refused(rig, num, PERSON, REFUSAL_SECRET, 1);
                refused(rig, 0, i == 0 ? PERSON + 1 : PERSON + 2, REFUSAL_UNKNOWN, 1);
        }
        assert_int_equal(collect(rig, by_id, &calls), 700);
        assert_int_equal(calls, 2);
        assert_int_equal(collect(rig, by_uid, &calls), 1);
        assert_int_equal(calls, 3);
}

static void test_explain__since__ends_the_look_back(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        int64_t num = issued(rig, id);
        json_auto_t *reply = NULL;
        json_int_t since;

        refused(rig, num, PERSON, REFUSAL_EXPIRED, 1);
        rig->skew_usec += HOURS(1);
        since = (json_int_t)clock_real_usec(&rig->manager->clock);
        refused(rig, num, PERSON, REFUSAL_USED, 1);
        reply = explain(rig, json_pack("{si sI}", "uid", PERSON, "since_usec", since));
        assert_int_equal(n_attempts(reply), 1);
        assert_string_equal(attempt(reply, 0, "reason"), "used");
        assert_true(json_is_null(reply_at(reply, "next", NULL)));
}

static void test_explain__wrong_questions__are_told_what_is_wrong(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1], other[TOKEN_ID_LEN + 1];
        int64_t num = issued(rig, id);
        json_auto_t *nothing = explain(rig, json_object());
        json_auto_t *unknown = explain(rig, json_pack("{ss}", "id", "zzzzzzzz"));
        json_auto_t *chain = NULL;

        assert_error(nothing, "org.varlink.service.InvalidParameter", "parameter", "user");
        assert_error(unknown, "io.credd.Admin.NotFound", "id", "zzzzzzzz");
        /* an event of another credential is no place to go on */
        (void)issued(rig, other);
        refused(rig, num, PERSON, REFUSAL_USED, 1);
        chain = explain(rig, json_pack("{ss sI}", "id", id, "before",
                                       (json_int_t)store_newest_event(rig->manager->store)));
        assert_error(chain, "org.varlink.service.InvalidParameter", "parameter", "before");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
        const struct CMUnitTest tests[] = {
                T(test_explain__of_a_credential__its_own_refusals_newest_first),
                T(test_explain__of_a_user__as_whom_and_with_whose),
                T(test_explain__login_that_no_session_claimed__is_there),
                T(test_explain__many_events__come_in_slices_and_none_twice),
                T(test_explain__since__ends_the_look_back),
                T(test_explain__wrong_questions__are_told_what_is_wrong),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What changes a credential, or the host, as it is asked for: what does not fit is named and changes
 * nothing, what is final stays so, and what is not yours is not there. */
#include "tests/unit/login_rig.h"

#include "common/varlink.h"

#define METHOD(name) "io.credd.Admin." name
#define INVALID      VARLINK_INVALID_PARAMETER
#define STRANGER     54322 /* nobody's, and not PERSON */
#define NO_ID        "zzzzzzzz"
#define REASON_MAX   200

static json_t *ask(Rig *rig, const char *method, json_t *parameters)
{
        return rig_call(rig, rig->admin, method, parameters);
}

static void assert_fine(const json_t *reply)
{
        AUTO_FREE char *text = json_dumps(reply, 0);

        if (json_object_get(reply, "error"))
                fail_msg("%s", text);
}

static void extend(Rig *rig, const char *id, uint64_t by_usec, const char *refusal)
{
        json_auto_t *reply = ask(rig, METHOD("Extend"),
                                 json_pack("{ss sI}", "id", id, "by_usec", (json_int_t)by_usec));

        if (!refusal) {
                assert_fine(reply);
                return;
        }
        assert_error(reply, METHOD("Refused"), NULL, NULL);
        if (!strstr(reply_text(reply, "reason", NULL), refusal))
                fail_msg("%s", reply_text(reply, "reason", NULL));
}

static void
test_verbs_change__parameters_that_do_not_fit__are_named_and_change_nothing(void **state)
{
        static const struct {
                const char *method, *parameters, *name;
        } table[] = {
                {METHOD("Revoke"), "{}", "id"},
                {METHOD("Revoke"), "{\"id\":5}", "id"},
                {METHOD("Revoke"), "{\"id\":null}", "id"},
                {METHOD("Revoke"), "{\"id\":\"zzzzzzzz\",\"all\":true}", "all"},
                {METHOD("Revoke"), "{\"id\":\"zzzzzzzz\",\"reason\":5}", "reason"},
                {METHOD("Revoke"), "{\"id\":\"zzzzzzzz\",\"reason\":\"\"}", "reason"},
                {METHOD("Revoke"), "{\"id\":\"zzzzzzzz\",\"reason\":\"a\\nb\"}", "reason"},
                {METHOD("Extend"), "{\"by_usec\":1}", "id"},
                {METHOD("Extend"), "{\"id\":\"zzzzzzzz\"}", "by_usec"},
                {METHOD("Extend"), "{\"id\":\"zzzzzzzz\",\"by_usec\":\"1h\"}", "by_usec"},
                {METHOD("Extend"), "{\"id\":\"zzzzzzzz\",\"by_usec\":-1}", "by_usec"},
                {METHOD("Extend"), "{\"id\":\"zzzzzzzz\",\"by_usec\":1.0}", "by_usec"},
                {METHOD("Extend"), "{\"id\":\"zzzzzzzz\",\"by_usec\":1,\"reason\":\"\\u001b[m\"}",
                 "reason"},
                {METHOD("Freeze"), "{\"reason\":\"\"}", "reason"},
                {METHOD("Freeze"), "{\"reason\":\"\\u0085\"}", "reason"},
                {METHOD("Freeze"), "{\"end_sessions\":\"yes\"}", "end_sessions"},
                {METHOD("Freeze"), "{\"end_sessions\":1}", "end_sessions"},
                {METHOD("Freeze"), "{\"all\":true}", "all"},
                {METHOD("Thaw"), "{\"reason\":\"over\"}", "reason"},
                {METHOD("Time"), "{\"id\":\"zzzzzzzz\"}", "id"},
                {METHOD("Return"), "{\"id\":\"zzzzzzzz\"}", "id"},
        };
        Rig *rig = *state;

        need_root();
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                json_auto_t *reply =
                        ask(rig, table[i].method, json_loads(table[i].parameters, 0, NULL));

                assert_error(reply, INVALID, "parameter", table[i].name);
        }
        assert_null(store_frozen(rig->manager->store));
        assert_int_equal(store_newest_event(rig->manager->store), 0);
}

static void test_verbs_change__reason__is_taken_up_to_its_longest_and_no_longer(void **state)
{
        Rig *rig = *state;
        char longest[REASON_MAX + 1], longer[REASON_MAX + 2], id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL;
        json_auto_t *no = NULL, *yes = NULL;

        need_root();
        memset(longer, 'a', sizeof(longer));
        longer[sizeof(longer) - 1] = '\0';
        memcpy(longest, longer + 1, sizeof(longest));
        token = issue(rig, NULL, id);
        no = ask(rig, METHOD("Revoke"), json_pack("{ss ss}", "id", id, "reason", longer));
        assert_error(no, INVALID, "parameter", "reason");
        yes = ask(rig, METHOD("Revoke"), json_pack("{ss ss}", "id", id, "reason", longest));
        assert_fine(yes);
}

static void test_verbs_change__what_is_final__stays_and_its_state_is_named(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = issue(rig, NULL, id);
        json_auto_t *first = NULL, *again = NULL, *extended = NULL;
        int64_t events;

        need_root();
        first = ask(rig, METHOD("Revoke"), json_pack("{ss}", "id", id));
        assert_fine(first);
        assert_string_equal(reply_text(first, "credential", "state"), "revoked");
        events = store_newest_event(rig->manager->store);
        again = ask(rig, METHOD("Revoke"), json_pack("{ss}", "id", id));
        assert_error(again, METHOD("Final"), "state", "revoked");
        assert_string_equal(reply_text(again, "id", NULL), id);
        extended = ask(rig, METHOD("Extend"), json_pack("{ss si}", "id", id, "by_usec", 1));
        assert_error(extended, METHOD("Final"), "state", "revoked");
        assert_int_equal(store_newest_event(rig->manager->store), events);
}

static void test_verbs_change__its_time_is_over__is_final_before_that_is_written(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = issue(rig, NULL, id);
        json_auto_t *extended = NULL, *revoked = NULL;

        need_root();
        rig->skew_usec += HOURS(1);
        extended = ask(rig, METHOD("Extend"), json_pack("{ss si}", "id", id, "by_usec", 1));
        assert_error(extended, METHOD("Final"), "state", "expired");
        revoked = ask(rig, METHOD("Revoke"), json_pack("{ss}", "id", id));
        assert_error(revoked, METHOD("Final"), "state", "expired");
}

static void test_extend__past_the_ceiling__names_what_is_left_and_takes_all_of_that(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token =
                issue(rig, json_pack("{sI}", "max_lifetime_usec", (json_int_t)HOURS(3)), id);
        AUTO_CREDENTIAL Credential before = find(rig, id);
        AUTO_CREDENTIAL Credential after = {0};

        need_root();
        extend(rig, id, 0, "longer than zero");
        extend(rig, id, HOURS(2) + 1, "at most 2h is left");
        extend(rig, id, INT64_MAX, "at most 2h is left");
        assert_int_equal(count_events(rig, "credential-extended"), 0);
        extend(rig, id, HOURS(2), NULL);
        after = find(rig, id);
        assert_int_equal(after.login_limit_usec, before.login_limit_usec + HOURS(2));
        assert_int_equal(after.login_limit_usec, before.ceiling_usec);
        assert_int_equal(after.ceiling_usec, before.ceiling_usec);
        extend(rig, id, 1, "nothing is left");
        assert_int_equal(count_events(rig, "credential-extended"), 1);
}

static void test_extend__used_up_and_no_session_open__has_nothing_to_extend(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token =
                issue(rig, json_pack("{sI}", "max_lifetime_usec", (json_int_t)HOURS(3)), id);
        AUTO_FREE char *login = NULL;
        AUTO_CREDENTIAL Credential before = find(rig, id);
        AUTO_CREDENTIAL Credential after = {0};

        need_root();
        login = log_in(rig, token);
        extend(rig, id, 1, "nothing is open");
        after = find(rig, id);
        assert_int_equal(after.login_limit_usec, before.login_limit_usec);
}

/* The reply to a stranger, with each id in it written as NO_ID; to be freed. */
static char *as_stranger(Rig *rig, const char *method, const char *id)
{
        CLEANUP(person_free)
        Person person = person_new(rig->admin, STRANGER, method,
                                   json_pack("{ss so*}", "id", id, "by_usec",
                                             strstr(method, "Extend") ? json_integer(1) : NULL));
        char *text = person_reply(rig, &person), *at;

        assert_non_null(text);
        while ((at = strstr(text, id)) && strcmp(id, NO_ID) != 0)
                memcpy(at, NO_ID, strlen(NO_ID));
        return text;
}

static void test_verbs_change__somebody_elses__looks_as_if_it_did_not_exist(void **state)
{
        static const char *const methods[] = {METHOD("Revoke"), METHOD("Extend")};
        Rig *rig = *state;
        char open[TOKEN_ID_LEN + 1], final[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = issue(rig, NULL, open), *other = issue(rig, NULL, final);
        json_auto_t *revoked = NULL;

        need_root();
        revoked = ask(rig, METHOD("Revoke"), json_pack("{ss}", "id", final));
        assert_fine(revoked);
        for (size_t i = 0; i < ELEMENTSOF(methods); i++) {
                AUTO_FREE char *none = as_stranger(rig, methods[i], NO_ID);
                AUTO_FREE char *of_open = as_stranger(rig, methods[i], open);
                AUTO_FREE char *of_final = as_stranger(rig, methods[i], final);

                assert_non_null(strstr(none, METHOD("NotFound")));
                assert_string_equal(of_open, none);
                assert_string_equal(of_final, none);
        }
        assert_int_equal(count_events(rig, "credential-revoked"), 1);
        assert_int_equal(count_events(rig, "credential-extended"), 0);
}

#define MORE_THAN_A_CALL 2001

/* Of somebody else: one with many sessions, and as many that were asked for. */
static void add_many(Rig *rig)
{
        Store *store = rig->manager->store;
        AUTO_FREE char *token = NULL;
        char id[TOKEN_ID_LEN + 1];
        int64_t num;

        token = issue(rig, NULL, id);
        {
                AUTO_CREDENTIAL Credential c = find(rig, id);

                num = c.num;
        }
        assert_int_equal(batch_enter(rig->manager->batch), 0);
        for (unsigned i = 0; i < MORE_THAN_A_CALL; i++) {
                char service[] = "sshd", user[] = "deploy", role[] = "oncall";
                json_auto_t *none = json_array();
                Login login = {.credential = num, .nonce = {1}, .service = service};
                Credential c = {.user = user,
                                .uid = PERSON,
                                .role = role,
                                .services = none,
                                .sources = none,
                                .uses = 1,
                                .uses_left = 1,
                                .cause = CAUSE_PENDING,
                                .login_limit_usec = USEC_INFINITY / 4};
                SessionRow row = {.credential = num, .leader = 1, .deadline_usec = NOON};

                (void)snprintf(c.id, sizeof(c.id), "%08u", i);
                assert_int_equal(store_add_credential(store, &c, NULL), 0);
                assert_int_equal(store_add_login(store, &login), 0);
                row.login = login.num;
                assert_int_equal(store_add_session(store, &row), 0);
        }
        assert_int_equal(batch_leave(rig->manager->batch, 0), 0);
        assert_int_equal(batch_commit(rig->manager->batch), 0);
}

static void test_lists__more_of_others_than_a_call_looks_at__a_stranger_learns_nothing(void **state)
{
        static const struct {
                const char *method, *parameters, *name;
        } table[] = {
                {METHOD("List"), "{\"all\":true}", "credentials"},
                {METHOD("Sessions"), "{\"all\":true}", "sessions"},
                {METHOD("Sessions"), "{}", "sessions"},
                {METHOD("Requests"), "{}", "requests"},
        };
        Rig *rig = *state;

        need_root();
        add_many(rig);
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                json_t *parameters = json_loads(table[i].parameters, 0, NULL);
                CLEANUP(person_free)
                Person stranger =
                        person_new(rig->admin, STRANGER, table[i].method, json_incref(parameters));
                AUTO_FREE char *text = person_reply(rig, &stranger);
                json_auto_t *none = json_loads(text, 0, NULL);
                json_auto_t *all = ask(rig, table[i].method, parameters);

                assert_int_equal(json_array_size(reply_at(none, table[i].name, NULL)), 0);
                assert_true(json_is_null(reply_at(none, "next", NULL)));
                assert_int_equal(json_array_size(reply_at(all, table[i].name, NULL)), 200);
                assert_true(json_is_integer(reply_at(all, "next", NULL)));
        }
}

static void test_verbs_change__no_such_id__is_named_as_it_was_given(void **state)
{
        static const char *const ids[] = {NO_ID, "", "z", "zzzzzzzzz", "ZZZZZZZZ", "' OR 1=1"};
        Rig *rig = *state;

        need_root();
        for (size_t i = 0; i < ELEMENTSOF(ids); i++) {
                json_auto_t *reply = ask(rig, METHOD("Revoke"), json_pack("{ss}", "id", ids[i]));

                assert_error(reply, METHOD("NotFound"), "id", ids[i]);
        }
}

static void test_time_and_return__outside_any_session__are_told_so(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *login = NULL;
        CLEANUP(person_free) Person person = NO_PERSON;
        json_auto_t *time = NULL, *returned = NULL;

        need_root();
        token = issue(rig, NULL, id);
        login = log_in(rig, token);
        person = open_session(rig, login); /* of someone else */
        time = ask(rig, METHOD("Time"), json_object());
        assert_error(time, METHOD("NotInSession"), NULL, NULL);
        returned = ask(rig, METHOD("Return"), json_object());
        assert_error(returned, METHOD("NotInSession"), NULL, NULL);
        assert_int_equal(count_events(rig, "credential-returned"), 0);
        assert_int_equal(waitpid(person.pid, NULL, WNOHANG), 0);
}

static void test_freeze_and_thaw__as_it_is_already__is_nothing_to_do(void **state)
{
        Rig *rig = *state;
        json_auto_t *frozen = NULL, *again = NULL, *ending = NULL, *thawed = NULL, *warm = NULL;

        need_root();
        warm = ask(rig, METHOD("Thaw"), json_object());
        assert_error(warm, METHOD("NothingToDo"), NULL, NULL);
        frozen = ask(rig, METHOD("Freeze"), json_pack("{ss}", "reason", "ticket 7"));
        assert_fine(frozen);
        assert_non_null(strstr(store_frozen(rig->manager->store), "ticket 7"));
        again = ask(rig, METHOD("Freeze"), json_pack("{ss}", "reason", "ticket 8"));
        assert_error(again, METHOD("NothingToDo"), NULL, NULL);
        assert_non_null(strstr(store_frozen(rig->manager->store), "ticket 7"));
        ending = ask(rig, METHOD("Freeze"), json_pack("{sb}", "end_sessions", true));
        assert_fine(ending);
        assert_int_equal(json_integer_value(reply_at(ending, "sessions_ending", NULL)), 0);
        thawed = ask(rig, METHOD("Thaw"), json_object());
        assert_fine(thawed);
        assert_null(store_frozen(rig->manager->store));
        assert_int_equal(count_events(rig, "host-frozen"), 2);
        assert_int_equal(count_events(rig, "host-thawed"), 1);
}

static void test_freeze_and_thaw__by_a_stranger__are_denied(void **state)
{
        static const char *const methods[] = {METHOD("Freeze"), METHOD("Thaw")};
        Rig *rig = *state;

        need_root();
        for (size_t i = 0; i < ELEMENTSOF(methods); i++) {
                CLEANUP(person_free)
                Person person = person_new(rig->admin, STRANGER, methods[i], json_object());
                AUTO_FREE char *text = person_reply(rig, &person);

                assert_non_null(text);
                assert_non_null(strstr(text, METHOD("PermissionDenied")));
        }
        assert_null(store_frozen(rig->manager->store));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
        const struct CMUnitTest tests[] = {
                T(test_verbs_change__parameters_that_do_not_fit__are_named_and_change_nothing),
                T(test_verbs_change__reason__is_taken_up_to_its_longest_and_no_longer),
                T(test_verbs_change__what_is_final__stays_and_its_state_is_named),
                T(test_verbs_change__its_time_is_over__is_final_before_that_is_written),
                T(test_extend__past_the_ceiling__names_what_is_left_and_takes_all_of_that),
                T(test_extend__used_up_and_no_session_open__has_nothing_to_extend),
                T(test_verbs_change__somebody_elses__looks_as_if_it_did_not_exist),
                T(test_lists__more_of_others_than_a_call_looks_at__a_stranger_learns_nothing),
                T(test_verbs_change__no_such_id__is_named_as_it_was_given),
                T(test_time_and_return__outside_any_session__are_told_so),
                T(test_freeze_and_thaw__as_it_is_already__is_nothing_to_do),
                T(test_freeze_and_thaw__by_a_stranger__are_denied),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

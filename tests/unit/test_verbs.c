/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be asked on the two sockets, and what is said to what cannot. */
#include "tests/unit/manager_rig.h"

#include "common/varlink.h"

#define METHOD(name)      "io.credd.Admin." name
#define INVALID           VARLINK_INVALID_PARAMETER
#define METHOD_UNKNOWN    VARLINK_METHOD_NOT_FOUND
#define INTERFACE_UNKNOWN VARLINK_INTERFACE_NOT_FOUND

static json_t *object(const char *text)
{
        json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

        if (!value)
                fail_msg("the test's own JSON: %s", text);
        return value;
}

static json_t *ask(Rig *rig, const char *method, const char *parameters)
{
        return rig_call(rig, rig->admin, method, object(parameters));
}

static void test_verbs__unknown_names__are_told_apart_by_the_standard_errors(void **state)
{
        static const struct {
                bool login;
                const char *method, *error;
        } table[] = {
                {false, "io.credd.Admin.Nothing", METHOD_UNKNOWN},
                {false, "io.credd.Admin.ISSUE", METHOD_UNKNOWN},
                {false, "io.credd.Adminx.Issue", INTERFACE_UNKNOWN},
                {false, "io.credd.Issue", INTERFACE_UNKNOWN},
                {false, "org.example.Thing.Do", INTERFACE_UNKNOWN},
                {false, "org.varlink.service.GetNothing", METHOD_UNKNOWN},
                /* each socket has its own interface alone */
                {false, "io.credd.Login.Authenticate", INTERFACE_UNKNOWN},
                {true, "io.credd.Admin.Issue", INTERFACE_UNKNOWN},
                {true, "io.credd.Login.CloseSession", METHOD_UNKNOWN},
        };
        Rig *rig = *state;

        need_root();
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                json_auto_t *reply = rig_call(rig, table[i].login ? rig->login : rig->admin,
                                              table[i].method, json_object());

                assert_error(reply, table[i].error, NULL, NULL);
                if (strcmp(table[i].error, METHOD_UNKNOWN) == 0)
                        assert_error(reply, METHOD_UNKNOWN, "method", table[i].method);
        }
}

/* The specification's parameter is the name of the interface, and not of the method that was called. */
static void test_verbs__unknown_interface__is_named(void **state)
{
        Rig *rig = *state;
        json_auto_t *reply = ask(rig, "org.example.Thing.Do", "{}");

        assert_error(reply, INTERFACE_UNKNOWN, "interface", "org.example.Thing");
}

static void test_verbs__parameters_that_do_not_fit__are_named(void **state)
{
        static const struct {
                const char *method, *parameters, *name;
        } table[] = {
                {METHOD("Issue"), "{\"uid\":5}", "user"},
                {METHOD("Issue"), "{\"user\":\"deploy\"}", "uid"},
                {METHOD("Issue"), "{\"user\":null,\"uid\":5}", "user"},
                {METHOD("Issue"), "{\"user\":5,\"uid\":5}", "user"},
                {METHOD("Issue"), "{\"user\":\"deploy\",\"uid\":\"5\"}", "uid"},
                {METHOD("Issue"), "{\"user\":\"deploy\",\"uid\":-1}", "uid"},
                {METHOD("Issue"), "{\"user\":\"deploy\",\"uid\":5.0}", "uid"},
                {METHOD("Issue"), "{\"user\":\"deploy\",\"uid\":true}", "uid"},
                {METHOD("Issue"), "{\"user\":\"deploy\",\"uid\":5,\"ttl_usec\":\"1h\"}",
                 "ttl_usec"},
                {METHOD("Issue"), "{\"user\":\"deploy\",\"uid\":5,\"ttl_usec\":-1}", "ttl_usec"},
                {METHOD("Issue"), "{\"user\":\"deploy\",\"uid\":5,\"services\":\"sshd\"}",
                 "services"},
                {METHOD("Issue"), "{\"user\":\"deploy\",\"uid\":5,\"services\":[1]}", "services"},
                {METHOD("Issue"), "{\"user\":\"deploy\",\"uid\":5,\"sources\":{}}", "sources"},
                {METHOD("Issue"), "{\"user\":\"deploy\",\"uid\":5,\"key\":\"\"}", "key"},
                {METHOD("Issue"), "{\"user\":\"deploy\",\"uid\":5,\"key\":\"a\\nb\"}", "key"},
                {METHOD("Issue"), "{\"user\":\"deploy\",\"uid\":5,\"admin\":true}", "admin"},
                {METHOD("Show"), "{}", "id"},
                {METHOD("Show"), "{\"id\":[]}", "id"},
                {METHOD("List"), "{\"all\":1}", "all"},
                {METHOD("List"), "{\"state\":\"dead\"}", "state"},
                {METHOD("List"), "{\"after\":-1}", "after"},
                {METHOD("Revoke"), "{\"reason\":\"x\"}", "id"},
                {METHOD("Status"), "{\"x\":1}", "x"},
                {"org.varlink.service.GetInterfaceDescription", "{}", "interface"},
        };
        Rig *rig = *state;

        need_root();
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                json_auto_t *reply = ask(rig, table[i].method, table[i].parameters);

                assert_error(reply, INVALID, "parameter", table[i].name);
        }
        assert_int_equal(store_newest_event(rig->manager->store), 0);
}

static void test_verbs__optional_parameter__may_be_absent_or_null(void **state)
{
        static const char *const fine[] = {
                "{\"user\":\"deploy\",\"uid\":5}",
                "{\"user\":\"deploy\",\"uid\":5,\"role\":null,\"ttl_usec\":null,\"uses\":null,"
                "\"services\":null,\"holder\":null,\"key\":null}",
        };
        Rig *rig = *state;

        need_root();
        for (size_t i = 0; i < ELEMENTSOF(fine); i++) {
                json_auto_t *reply = ask(rig, METHOD("Issue"), fine[i]);

                assert_int_equal(strlen(reply_text(reply, "token", NULL)), TOKEN_TEXT_LEN);
        }
}

static void test_issue__refused_by_policy__leaves_nothing(void **state)
{
        Rig *rig = *state;
        json_auto_t *reply = NULL, *list = NULL;

        need_root();
        reply = ask(rig, METHOD("Issue"), "{\"user\":\"root\",\"uid\":0}");
        assert_error(reply, "io.credd.Admin.Refused", NULL, NULL);
        assert_non_null(strstr(reply_text(reply, "reason", NULL), "root"));
        list = ask(rig, METHOD("List"), "{\"all\":true}");
        assert_int_equal(json_array_size(reply_at(list, "credentials", NULL)), 0);
        assert_int_equal(store_newest_event(rig->manager->store), 0);
}

static void test_issue__with_a_key_twice__names_the_first_and_makes_no_second(void **state)
{
        static const char call[] = "{\"user\":\"deploy\",\"uid\":5,\"key\":\"run-7\"}";
        Rig *rig = *state;
        json_auto_t *first = NULL, *second = NULL, *list = NULL;

        need_root();
        first = ask(rig, METHOD("Issue"), call);
        second = ask(rig, METHOD("Issue"), call);
        assert_string_equal(reply_text(first, "credential", "id"),
                            reply_text(second, "credential", "id"));
        assert_non_null(reply_at(first, "token", NULL));
        assert_null(reply_at(second, "token", NULL));
        list = ask(rig, METHOD("List"), "{}");
        assert_int_equal(json_array_size(reply_at(list, "credentials", NULL)), 1);
}

static void test_show__unknown_id__is_not_found_however_it_looks(void **state)
{
        static const char *const ids[] = {"k7m2q9xd", "", "x", "'; DROP TABLE event; --",
                                          "k7m2q9xdk7m2q9xd"};
        Rig *rig = *state;

        need_root();
        for (size_t i = 0; i < ELEMENTSOF(ids); i++) {
                json_auto_t *show =
                        rig_call(rig, rig->admin, METHOD("Show"), json_pack("{ss}", "id", ids[i]));
                json_auto_t *revoke = rig_call(rig, rig->admin, METHOD("Revoke"),
                                               json_pack("{ss}", "id", ids[i]));

                assert_error(show, "io.credd.Admin.NotFound", "id", ids[i]);
                assert_error(revoke, "io.credd.Admin.NotFound", "id", ids[i]);
        }
}

/* What is shown of a credential never holds what logs in with it. */
static void test_show__issued_credential__tells_no_secret(void **state)
{
        Rig *rig = *state;
        AUTO_FREE char *shown = NULL, *listed = NULL;
        json_auto_t *issued = NULL;
        const char *token, *id;
        char secret[TOKEN_SECRET_LEN + 1];

        need_root();
        issued = ask(rig, METHOD("Issue"), "{\"user\":\"deploy\",\"uid\":5}");
        token = reply_text(issued, "token", NULL);
        id = reply_text(issued, "credential", "id");
        (void)snprintf(secret, sizeof(secret), "%s", token + 4 + TOKEN_ID_LEN);
        shown = rig_call_raw(rig, rig->admin, METHOD("Show"), json_pack("{ss}", "id", id));
        listed = rig_call_raw(rig, rig->admin, METHOD("List"), json_object());
        assert_non_null(strstr(shown, id));
        assert_non_null(strstr(listed, id));
        assert_null(strstr(shown, secret));
        assert_null(strstr(listed, secret));
        assert_null(strstr(shown, "hash"));
        for (int64_t seq = 1; seq <= store_newest_event(rig->manager->store); seq++) {
                CLEANUP(event_row_done) EventRow row = {0};

                assert_int_equal(store_read_event(rig->manager->store, seq, &row), 1);
                assert_null(strstr(row.data, secret));
        }
}

static void test_list__more_than_a_page__comes_whole_and_once(void **state)
{
        Rig *rig = *state;
        char last[TOKEN_ID_LEN + 1] = "";
        json_int_t after = 0;
        size_t total = 0;

        need_root();
        for (unsigned i = 0; i < 450; i++) {
                json_auto_t *reply = ask(rig, METHOD("Issue"), "{\"user\":\"deploy\",\"uid\":5}");

                (void)snprintf(last, sizeof(last), "%s", reply_text(reply, "credential", "id"));
        }
        for (unsigned page = 0;; page++) {
                json_auto_t *reply = rig_call(rig, rig->admin, METHOD("List"),
                                              json_pack("{sI}", "after", after));
                const json_t *found = reply_at(reply, "credentials", NULL);
                const json_t *next = reply_at(reply, "next", NULL);
                const json_t *end = json_array_get(found, json_array_size(found) - 1);

                assert_true(page < 10);
                total += json_array_size(found);
                if (json_is_null(next)) {
                        assert_string_equal(json_string_value(json_object_get(end, "id")), last);
                        break;
                }
                assert_true(json_integer_value(next) > after);
                after = json_integer_value(next);
        }
        assert_int_equal(total, 450);
}

static void test_service__interfaces__are_served_as_the_files_say(void **state)
{
        Rig *rig = *state;

        need_root();
        for (int i = 0; i < 2; i++) {
                const char *own = i == 0 ? "io.credd.Admin" : "io.credd.Login";
                const char *path = i == 0 ? rig->admin : rig->login;
                json_auto_t *info =
                        rig_call(rig, path, "org.varlink.service.GetInfo", json_object());
                json_auto_t *text =
                        rig_call(rig, path, "org.varlink.service.GetInterfaceDescription",
                                 json_pack("{ss}", "interface", own));
                const json_t *names = reply_at(info, "interfaces", NULL);

                assert_string_equal(reply_text(info, "product", NULL), "credd");
                assert_int_equal(json_array_size(names), 2);
                assert_string_equal(json_string_value(json_array_get(names, 0)), own);
                assert_non_null(strstr(reply_text(text, "description", NULL), own));
        }
}

/* A minute after the start, so that nothing is excused by it any more. */
static void test_status__no_bus_nor_journal__names_what_is_missing(void **state)
{
        Rig *rig = *state;
        json_auto_t *reply = NULL;

        rig->skew_usec += SECONDS(60);
        reply = ask(rig, METHOD("Status"), "{}");
        assert_string_equal(reply_text(reply, "logind", NULL), "unreachable");
        assert_string_equal(reply_text(reply, "store", NULL), "ok");
        assert_true(json_array_size(reply_at(reply, "problems", NULL)) >= 1);
}

static unsigned problems_with(Rig *rig, const char *text)
{
        json_auto_t *reply = ask(rig, METHOD("Status"), "{}");
        const json_t *problems = reply_at(reply, "problems", NULL), *problem;
        unsigned found = 0;
        size_t i;

        json_array_foreach (problems, i, problem)
                found += strstr(json_string_value(problem), text) != NULL;
        return found;
}

static void test_status__logind_refuses_to_end_sessions__says_so_and_the_journal_once(void **state)
{
        Rig *rig = *state;
        Store *store = rig->manager->store;
        int64_t before = store_newest_event(store);

        manager_note_logind(rig->manager, 0, NULL);
        assert_int_equal(store_newest_event(store), before);
        manager_note_logind(rig->manager, -EACCES, "Access denied");
        manager_note_logind(rig->manager, -EACCES, "Access denied");
        assert_int_equal(problems_with(rig, "polkit rule 50-credd.rules"), 1);
        assert_int_equal(store_newest_event(store), before + 1);
        manager_note_logind(rig->manager, -ETIMEDOUT, NULL);
        assert_int_equal(problems_with(rig, "polkit rule 50-credd.rules"), 0);
        assert_int_equal(problems_with(rig, "did not end a session"), 1);
        assert_int_equal(store_newest_event(store), before + 2);
        manager_note_logind(rig->manager, 0, NULL);
        assert_int_equal(problems_with(rig, "did not end a session"), 0);
        assert_int_equal(store_newest_event(store), before + 2);
}

/* What ends of itself before logind can end it is no sign that logind would not. */
static void test_status__logind_finds_nothing_to_end__is_no_problem(void **state)
{
        Rig *rig = *state;
        Manager *manager = rig->manager;

        manager_note_logind(manager, -ENOENT, "Unit session-c1.scope not loaded.");
        manager_note_logind(manager, -ENXIO, "No session 'c1' known");
        assert_string_equal(manager->logind_problem, "");
        manager_note_logind(manager, -EACCES, "Access denied");
        assert_non_null(strstr(manager->logind_problem, "polkit"));
        manager_note_logind(manager, -ENXIO, NULL);
        assert_non_null(strstr(manager->logind_problem, "polkit"));
        manager_hear_logind(manager);
        assert_non_null(strstr(manager->logind_problem, "polkit"));
        manager_note_logind(manager, 0, NULL);
        assert_string_equal(manager->logind_problem, "");
}

/* Else a host whose logind was restarted would be told of it until the next session is ended. */
static void test_status__logind_is_there_again__is_no_problem(void **state)
{
        Rig *rig = *state;
        Manager *manager = rig->manager;

        manager_note_logind(manager, -ENOTCONN, "Name \"org.freedesktop.login1\" does not exist");
        assert_non_null(strstr(manager->logind_problem, "does not exist"));
        sessions_logind_handlers.on_connected(manager, false);
        assert_non_null(strstr(manager->logind_problem, "does not exist"));
        sessions_logind_handlers.on_connected(manager, true);
        assert_string_equal(manager->logind_problem, "");
        manager_note_logind(manager, -ETIMEDOUT, NULL);
        manager_note_logind(manager, -ENXIO, "No session 'c1' known");
        assert_string_equal(manager->logind_problem, "");
}

/* The loop ends soon; until then nothing may be told that may not be so. */
static void test_verbs__after_a_commit_that_failed__nothing_is_answered(void **state)
{
        Rig *rig = *state;
        json_auto_t *reply = NULL;

        rig->manager->failed = true;
        assert_int_equal(batch_commit(rig->manager->batch), -EIO);
        reply = ask(rig, METHOD("Status"), "{}");
        assert_error(reply, METHOD("Unavailable"), NULL, NULL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
        const struct CMUnitTest tests[] = {
                T(test_verbs__unknown_names__are_told_apart_by_the_standard_errors),
                T(test_verbs__unknown_interface__is_named),
                T(test_verbs__parameters_that_do_not_fit__are_named),
                T(test_verbs__optional_parameter__may_be_absent_or_null),
                T(test_issue__refused_by_policy__leaves_nothing),
                T(test_issue__with_a_key_twice__names_the_first_and_makes_no_second),
                T(test_show__unknown_id__is_not_found_however_it_looks),
                T(test_show__issued_credential__tells_no_secret),
                T(test_list__more_than_a_page__comes_whole_and_once),
                T(test_service__interfaces__are_served_as_the_files_say),
                T(test_status__no_bus_nor_journal__names_what_is_missing),
                T(test_status__logind_refuses_to_end_sessions__says_so_and_the_journal_once),
                T(test_status__logind_finds_nothing_to_end__is_no_problem),
                T(test_status__logind_is_there_again__is_no_problem),
                T(test_verbs__after_a_commit_that_failed__nothing_is_answered),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

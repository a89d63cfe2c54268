/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What people may call things when they issue or ask, and what a login may be called: each text that must
 * not come in, at each place it could come in by, through the socket. What is not UTF-8 ends the connection
 * before anybody looks at it. */
#include "tests/unit/login_rig.h"

#define X85 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* As long as a file's name may be. */
static const char longest[] = X85 X85 X85;

_Static_assert(sizeof(longest) - 1 == 255, "three times 85");

/* Names: nothing that a list, a terminal, a path or an option could take for its own. */
static const char *const bad_names[] = {
        "",     "a\nb", "alice\n", "a,b",  "a\x1b[2J", "a\x7f",      "a\tb",      "a b",
        "../a", "a/b",  "-a",      ".a",   "a:b",      "\xc3\xa9va", "a\xc2\x9b", "a;b",
        "a=b",  "a*",   "$(a)",    "a\rb", "1234",     "a@b",        longest,
};

/* Texts: no control characters, not too long; commas and any script are people's own. */
static const char *const bad_texts[] = {"",     "a\nb",      "a\x1b[2J", "a\x7f",
                                        "a\tb", "a\xc2\x9b", "a\rb",     longest};

static json_t *plain(void)
{
        return json_pack("{ss si}", "user", "deploy", "uid", PERSON);
}

static void assert_turned_away(Rig *rig, const char *name, const char *value)
{
        json_t *parameters = plain();
        json_auto_t *reply = NULL;

        assert_int_equal(json_object_set_new(parameters, name, json_string(value)), 0);
        reply = rig_call(rig, rig->admin, "io.credd.Admin.Issue", parameters);
        if (!json_object_get(reply, "error"))
                fail_msg("a credential was issued with %s \"%s\"", name, value);
        assert_null(reply_at(reply, "token", NULL));
}

static void test_issue__name_of_a_user_or_role_that_is_none__is_refused(void **state)
{
        Rig *rig = *state;

        for (size_t i = 0; i < ELEMENTSOF(bad_names); i++) {
                assert_turned_away(rig, "user", bad_names[i]);
                assert_turned_away(rig, "role", bad_names[i]);
        }
        assert_int_equal(count_events(rig, "credential-issued"), 0);
}

static void test_issue__text_that_no_line_can_show__is_refused(void **state)
{
        Rig *rig = *state;

        for (size_t i = 0; i < ELEMENTSOF(bad_texts); i++) {
                assert_turned_away(rig, "holder", bad_texts[i]);
                assert_turned_away(rig, "reason", bad_texts[i]);
                assert_turned_away(rig, "key", bad_texts[i]);
        }
        assert_int_equal(count_events(rig, "credential-issued"), 0);
}

static void test_issue__text_of_people__comes_back_as_it_went_in(void **state)
{
        Rig *rig = *state;
        static const char *const texts[] = {"Doe, Jane", "caf\xc3\xa9 \xe2\x82\xac",
                                            "\"quoted\" \\ {x}"};

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                json_t *parameters = plain();
                json_auto_t *reply = NULL;

                (void)json_object_set_new(parameters, "holder", json_string(texts[i]));
                (void)json_object_set_new(parameters, "reason", json_string(texts[i]));
                reply = rig_call(rig, rig->admin, "io.credd.Admin.Issue", parameters);
                assert_string_equal(reply_text(reply, "credential", "holder"), texts[i]);
                assert_string_equal(reply_text(reply, "credential", "reason"), texts[i]);
        }
}

/* Admins may ask under any role. */
static void make_role(Rig *rig)
{
        Roles *roles = calloc(1, sizeof(*roles));
        Role *role = calloc(1, sizeof(*role));

        assert_non_null(roles);
        assert_non_null(role);
        role->name = strdup("oncall");
        role->users = calloc(2, sizeof(*role->users));
        assert_non_null(role->users);
        role->users[0] = strdup("*");
        role->services = json_array();
        role->sources = json_array();
        roles->roles = calloc(1, sizeof(Role *));
        assert_non_null(roles->roles);
        roles->roles[roles->n++] = role;
        (void)roles_free(rig->manager->roles);
        rig->manager->roles = roles;
}

static json_t *ask_for(Rig *rig, const char *name, const char *value)
{
        json_t *parameters = json_pack("{ss si ss ss}", "user", "deploy", "uid", PERSON, "role",
                                       "oncall", "reason", "a test");

        assert_int_equal(json_object_set_new(parameters, name, json_string(value)), 0);
        return rig_call(rig, rig->admin, "io.credd.Admin.Request", parameters);
}

static void test_request__names_and_texts_that_are_none__are_refused(void **state)
{
        Rig *rig = *state;
        json_auto_t *good = NULL;

        need_root();
        make_role(rig);
        for (size_t i = 0; i < ELEMENTSOF(bad_names) + ELEMENTSOF(bad_texts); i++) {
                bool is_name = i < ELEMENTSOF(bad_names);
                const char *bad = is_name ? bad_names[i] : bad_texts[i - ELEMENTSOF(bad_names)];
                json_auto_t *one = ask_for(rig, is_name ? "user" : "reason", bad);
                json_auto_t *other = ask_for(rig, is_name ? "role" : "holder", bad);

                if (!json_object_get(one, "error") || !json_object_get(other, "error"))
                        fail_msg("\"%s\" was taken", bad);
        }
        assert_int_equal(count_events(rig, "credential-requested"), 0);
        good = ask_for(rig, "holder", "Doe, Jane");
        assert_null(json_object_get(good, "error"));
}

/* Nothing of it is kept, not even in the refusal: people type passwords where their name belongs. */
static void test_login__names_and_texts_that_are_none__are_turned_away_and_not_kept(void **state)
{
        static const char *const fields[] = {"user", "service", "tty", "rhost"};
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL;

        need_root();
        token = issue(rig, NULL, id);
        for (size_t i = 0; i < ELEMENTSOF(fields) * ELEMENTSOF(bad_names); i++) {
                size_t f = i % ELEMENTSOF(fields), n = i / ELEMENTSOF(fields);
                json_t *parameters = question("token", token);
                json_auto_t *reply = NULL;
                bool is_name = f < 2;

                if (!is_name && (n >= ELEMENTSOF(bad_texts) || bad_texts[n][0] == '\0' ||
                                 bad_texts[n] == longest)) {
                        json_decref(parameters);
                        continue;
                }
                assert_int_equal(
                        json_object_set_new(parameters, fields[f],
                                            json_string(is_name ? bad_names[n] : bad_texts[n])),
                        0);
                reply = rig_call(rig, rig->login, "io.credd.Login.Authenticate", parameters);
                assert_error(reply, "org.varlink.service.InvalidParameter", NULL, NULL);
        }
        assert_int_equal(count_events(rig, "login-accepted"), 0);
        assert_int_equal(count_events(rig, "login-refused"), 0);
        free(log_in(rig, token));
}

/* jansson does not encode it, so it is written by hand. */
static void test_issue__what_is_not_utf8__ends_the_connection(void **state)
{
        Rig *rig = *state;
        static const char *const names[] = {"user", "role", "holder", "reason", "key", "kind"};
        static const char *const bytes[] = {"andr\xe9", "a\xc3", "\xc0\xaf", "\xed\xa0\x80",
                                            "\xff"};

        for (size_t i = 0; i < ELEMENTSOF(names) * ELEMENTSOF(bytes); i++) {
                AUTO_FREE char *call = NULL;
                AUTO_CLOSE int fd = rig_connect(rig->admin);

                assert_true(asprintf(&call,
                                     "{\"method\":\"io.credd.Admin.Issue\",\"parameters\":{"
                                     "\"uid\":%d,\"%s\":\"%s\"}}",
                                     PERSON, names[i % ELEMENTSOF(names)],
                                     bytes[i / ELEMENTSOF(names)]) > 0);
                rig_send(fd, call, strlen(call) + 1);
                assert_null(rig_receive(rig, fd));
        }
        assert_int_equal(count_events(rig, "credential-issued"), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
        const struct CMUnitTest tests[] = {
                T(test_issue__name_of_a_user_or_role_that_is_none__is_refused),
                T(test_issue__text_that_no_line_can_show__is_refused),
                T(test_issue__text_of_people__comes_back_as_it_went_in),
                T(test_request__names_and_texts_that_are_none__are_refused),
                T(test_login__names_and_texts_that_are_none__are_turned_away_and_not_kept),
                T(test_issue__what_is_not_utf8__ends_the_connection),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

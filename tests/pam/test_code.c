/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Codes inside libpam: from where one is sent to credd, and that elsewhere it stays a password. */
#include "tests/pam/stage.h"

#define PROBED "auth required % min_uid=0\nauth optional pam_echo.so probe\n"

/* rhost NULL: the item is not set at all. */
static void start(Stage *s, const char *service, const char *rhost, const char *typed)
{
        stage_stack(s, service, PROBED);
        s->answer = typed;
        s->null_answer = false;
        stage_start(s, service, s->user);
        assert_int_equal(pam_set_item(s->pamh, PAM_RHOST, rhost), PAM_SUCCESS);
}

static void make_code(const Stage *s, char ret_text[static CODE_TEXT_LEN + 1])
{
        Token token;
        Code code;

        assert_int_equal(token_parse(s->token, strlen(s->token), &token), 0);
        code_from_token(&token, &code);
        code_format(&code, ret_text);
}

static void test_code__at_the_console__is_sent_and_leaves_nothing(void **state)
{
        static const char *const rhosts[] = {NULL, ""};
        Stage *s = *state;
        char text[CODE_TEXT_LEN + 1];

        make_code(s, text);
        for (size_t i = 0; i < ELEMENTSOF(rhosts); i++) {
                stage_credd(s, (Plan){.authenticate = ACCEPTED});
                start(s, "login", rhosts[i], text);
                assert_int_equal(pam_authenticate(s->pamh, 0), PAM_SUCCESS);
                assert_false(s->has_authtok);
                assert_sent(s, 1);
                assert_non_null(strstr(s->credd.record->text[0], text));
                assert_null(strstr(s->credd.record->text[0], "rhost"));
        }
}

static void test_code__refused__auth_err_and_nothing_travels_on(void **state)
{
        Stage *s = *state;
        char text[CODE_TEXT_LEN + 1];

        make_code(s, text);
        stage_credd(s, (Plan){.authenticate = REFUSED});
        start(s, "login", NULL, text);
        assert_int_equal(pam_authenticate(s->pamh, 0), PAM_AUTH_ERR);
        assert_int_equal(s->probes, 1);
        assert_false(s->has_authtok);
        assert_not_logged(text);
}

static void test_code__from_elsewhere__is_a_password_and_never_sent(void **state)
{
        static const struct {
                const char *service, *rhost;
        } places[] = {{"sshd", NULL}, {"sshd", "192.0.2.7"}, {"login", "192.0.2.7"}};
        Stage *s = *state;
        char text[CODE_TEXT_LEN + 1];

        make_code(s, text);
        stage_credd(s, (Plan){.authenticate = ACCEPTED});
        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                start(s, places[i].service, places[i].rhost, text);
                assert_int_equal(pam_authenticate(s->pamh, 0), PAM_CRED_INSUFFICIENT);
                assert_string_equal(s->authtok, text);
        }
        assert_sent(s, 0);
}

static void test_code__without_its_hyphens__is_a_password_and_never_sent(void **state)
{
        Stage *s = *state;
        char text[CODE_TEXT_LEN + 1], bare[CODE_TEXT_LEN + 1];

        make_code(s, text);
        (void)snprintf(bare, sizeof(bare), "%.4s%.4s%.4s", text, text + 5, text + 10);
        stage_credd(s, (Plan){.authenticate = ACCEPTED});
        start(s, "login", NULL, bare);
        assert_int_equal(pam_authenticate(s->pamh, 0), PAM_CRED_INSUFFICIENT);
        assert_string_equal(s->authtok, bare);
        assert_sent(s, 0);
}

static void test_code__token_at_the_console__is_sent_as_ever(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.authenticate = ACCEPTED});
        start(s, "login", NULL, s->token);
        assert_int_equal(pam_authenticate(s->pamh, 0), PAM_SUCCESS);
        assert_sent(s, 1);
        assert_non_null(strstr(s->credd.record->text[0], s->token));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                STAGE_TEST(test_code__at_the_console__is_sent_and_leaves_nothing),
                STAGE_TEST(test_code__refused__auth_err_and_nothing_travels_on),
                STAGE_TEST(test_code__from_elsewhere__is_a_password_and_never_sent),
                STAGE_TEST(test_code__without_its_hyphens__is_a_password_and_never_sent),
                STAGE_TEST(test_code__token_at_the_console__is_sent_as_ever),
        };

        return cmocka_run_group_tests_name("code", tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pam_sm_authenticate inside libpam: who is asked, what is sent, what is left for the next module.
 */
#include "tests/pam/stage.h"

#define ALONE "auth required % min_uid=0\n"
/* What follows sees what we left behind, whatever came of it. */
#define PROBED "auth required % min_uid=0\nauth optional pam_echo.so probe\n"

static void test_auth__good_token__success_and_nonce(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.authenticate = ACCEPTED});
        stage_login(s, PROBED, s->token);
        assert_int_equal(pam_authenticate(s->pamh, 0), PAM_SUCCESS);
        assert_int_equal(s->asked, 1);
        assert_string_equal(s->question, "Password or token: ");
        assert_string_equal(stage_env(s, "CREDD_LOGIN"), NONCE);
        assert_int_equal(s->probes, 1);
        assert_false(s->has_authtok);
        assert_sent(s, 1);
        assert_call(s, 0, s->user, "io.credd.Login.Authenticate", "token", s->token);
        assert_int_equal(stage_log.len, 0);
}

static void test_auth__token_with_blanks_and_capitals__sent_canonical(void **state)
{
        Stage *s = *state;
        char typed[TOKEN_TEXT_LEN + 8];

        (void)snprintf(typed, sizeof(typed), "  %.10s-%s ", s->token, s->token + 10);
        for (char *p = typed + 6; *p; p++)
                if (*p >= 'a' && *p <= 'z')
                        *p = (char)(*p - 'a' + 'A');
        stage_credd(s, (Plan){.authenticate = ACCEPTED});
        stage_login(s, PROBED, typed);
        assert_int_equal(pam_authenticate(s->pamh, 0), PAM_SUCCESS);
        assert_false(s->has_authtok);
        assert_sent(s, 1);
        assert_call(s, 0, s->user, "io.credd.Login.Authenticate", "token", s->token);
}

static void test_auth__password__left_for_the_next_module_and_never_sent(void **state)
{
        static char huge[601];
        const char *passwords[] = {PASSWORD, "", "eph_", "eph_hunter2", "\xff\x01", huge};
        Stage *s = *state;

        memset(huge, 'x', sizeof(huge) - 1);
        stage_credd(s, (Plan){.authenticate = ACCEPTED});
        for (size_t i = 0; i < ELEMENTSOF(passwords); i++) {
                stage_login(s, PROBED, passwords[i]);
                assert_int_equal(pam_authenticate(s->pamh, 0), PAM_CRED_INSUFFICIENT);
                assert_int_equal(s->asked, 1);
                assert_true(s->has_authtok);
                assert_string_equal(s->authtok, passwords[i]);
                assert_null(stage_env(s, "CREDD_LOGIN"));
        }
        assert_sent(s, 0);
}

static void test_auth__mistyped_token__not_sent(void **state)
{
        Stage *s = *state;
        char typed[TOKEN_TEXT_LEN + 1];

        memcpy(typed, s->token, sizeof(typed));
        typed[20] = typed[20] == '7' ? '8' : '7';
        stage_credd(s, (Plan){.authenticate = ACCEPTED});
        stage_login(s, PROBED, typed);
        assert_int_equal(pam_authenticate(s->pamh, 0), PAM_CRED_INSUFFICIENT);
        assert_sent(s, 0);
}

static void test_auth__refused__auth_err_and_nothing_travels_on(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.authenticate = REFUSED});
        stage_login(s, PROBED, s->token);
        assert_int_equal(pam_authenticate(s->pamh, 0), PAM_AUTH_ERR);
        assert_int_equal(s->probes, 1);
        assert_false(s->has_authtok);
        assert_null(stage_env(s, "CREDD_LOGIN"));
        assert_int_equal(s->told, 0);
        assert_int_equal(stage_log.len, 0);
        assert_sent(s, 1);
}

static void test_auth__credd_not_making_sense__unavailable(void **state)
{
        static const char *const answers[] = {
                UNAVAILABLE,
                INVALID,
                CHECKED,
                "",
                "{}",
                "garbage",
                "\xff\xfe\xfd",
                "{\"parameters\":{}}",
                "{\"parameters\":{\"login\":\"\",\"credential\":\"k\",\"left_usec\":1}}",
                "{\"parameters\":{\"login\":\"n\",\"credential\":\"k\",\"left_usec\":-1}}",
                "{\"parameters\":{\"login\":true,\"credential\":\"k\",\"left_usec\":1}}",
                ACCEPTED " ",
                ACCEPTED ACCEPTED,
        };
        Stage *s = *state;

        for (size_t i = 0; i < ELEMENTSOF(answers); i++) {
                bool sense = strcmp(answers[i], ACCEPTED " ") == 0;

                stage_credd(s, (Plan){.authenticate = answers[i]});
                stage_login(s, PROBED, s->token);
                assert_int_equal(pam_authenticate(s->pamh, 0),
                                 sense ? PAM_SUCCESS : PAM_AUTHINFO_UNAVAIL);
                assert_false(s->has_authtok);
                /* credd itself logs why it is unavailable */
                assert_int_equal(stage_log.errors, !sense && i != 0);
                assert_sent(s, 1);
        }
}

static void test_auth__credd_not_answering__unavailable_in_time(void **state)
{
        static const struct {
                Manner manner;
                bool waits;
        } cases[] = {
                {SILENT, true}, {DRIP, true},   {HALF, false},  {CLOSE, false},
                {DIE, false},   {FLOOD, false}, {STALE, false}, {MISSING, false},
        };
        Stage *s = *state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint64_t before, took;

                stage_credd(s, (Plan){.manner = cases[i].manner, .authenticate = ACCEPTED});
                stage_login(s,
                            "auth required % min_uid=0 timeout=300ms\n"
                            "auth optional pam_echo.so probe\n",
                            s->token);
                before = client_deadline_usec(0);
                assert_int_equal(pam_authenticate(s->pamh, 0), PAM_AUTHINFO_UNAVAIL);
                took = client_deadline_usec(0) - before;
                assert_true(took < 5 * USEC_PER_SEC);
                if (cases[i].waits)
                        assert_true(took >= 290 * USEC_PER_MSEC);
                assert_int_equal(s->probes, 1);
                assert_false(s->has_authtok);
                assert_null(stage_env(s, "CREDD_LOGIN"));
                assert_int_equal(stage_log.errors, 1);
                assert_non_null(strstr(stage_log.text, "systemctl status credd"));
                assert_not_logged(s->token);
        }
}

static void test_auth__long_thought_at_the_prompt__not_counted(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.authenticate = ACCEPTED});
        stage_login(s, "auth required % min_uid=0 timeout=5s\n", s->token);
        s->thinks_usec = 60 * USEC_PER_SEC;
        assert_int_equal(pam_authenticate(s->pamh, 0), PAM_SUCCESS);
        assert_true(stage_ahead_usec == 60 * USEC_PER_SEC);
        assert_sent(s, 1);
}

static void test_auth__unknown_user__looks_like_any_other_and_is_not_sent(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.authenticate = ACCEPTED});
        stage_login(s, "auth required % debug\nauth optional pam_echo.so probe\n", s->token);
        stage_start(s, "sshd", NOBODY);
        assert_int_equal(pam_authenticate(s->pamh, 0), PAM_AUTH_ERR);
        assert_int_equal(s->asked, 1);
        assert_false(s->has_authtok);
        assert_true(s->delay_usec > 0);
        s->answer = PASSWORD;
        stage_start(s, "sshd", NOBODY);
        assert_int_equal(pam_authenticate(s->pamh, 0), PAM_CRED_INSUFFICIENT);
        assert_int_equal(s->asked, 1);
        assert_string_equal(s->authtok, PASSWORD);
        assert_sent(s, 0);
        assert_not_logged(NOBODY);
}

static void test_auth__other_service_or_low_uid__stands_aside(void **state)
{
        static const char *const lines[] = {
                "auth required % \nauth optional pam_echo.so probe\n",
                "auth required % nonsense min_uid\nauth optional pam_echo.so probe\n",
                "auth required % min_uid=4294967294 timeout=x debug\n"
                "auth optional pam_echo.so probe\n",
                "auth required % min_uid=0 services=login\nauth optional pam_echo.so probe\n",
                "auth required % min_uid=0 tiemout=5s services=login\n"
                "auth optional pam_echo.so probe\n",
        };
        Stage *s = *state;

        stage_credd(s, (Plan){.authenticate = ACCEPTED});
        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                stage_login(s, lines[i], s->token);
                if (i < 2) /* the default min_uid: root is below it everywhere */
                        stage_start(s, "sshd", s->other);
                assert_int_equal(pam_authenticate(s->pamh, 0), PAM_CRED_INSUFFICIENT);
                assert_int_equal(s->asked, 0);
                assert_int_equal(s->probes, 1);
                assert_false(s->has_authtok);
                assert_int_equal(s->delay_usec, 0);
        }
        stage_stack(s, "su", "auth required % min_uid=0 misspelt\n");
        stage_start(s, "su", s->user);
        assert_int_equal(pam_authenticate(s->pamh, 0), PAM_CRED_INSUFFICIENT);
        assert_int_equal(s->asked, 0);
        assert_sent(s, 0);
        assert_int_equal(stage_log.errors, 0);
}

static void test_auth__misspelt_option_for_us__system_err_and_nothing_asked(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.authenticate = ACCEPTED});
        stage_login(s, "auth required % min_uid=0 tiemout=5s\n", s->token);
        assert_int_equal(pam_authenticate(s->pamh, 0), PAM_SYSTEM_ERR);
        assert_int_equal(s->asked, 0);
        assert_int_equal(stage_log.errors, 1);
        assert_non_null(strstr(stage_log.text, "tiemout=5s"));
        stage_start(s, "sshd", NOBODY);
        assert_int_equal(pam_authenticate(s->pamh, 0), PAM_SYSTEM_ERR);
        assert_sent(s, 0);
}

static void test_auth__every_outcome_of_ours__same_delay_asked(void **state)
{
        const struct {
                const char *answer, *options;
        } cases[] = {
                {REFUSED, "\n"},
                {UNAVAILABLE, "\n"},
                {"x", "\n"},
                {REFUSED, " misspelt\n"},
        };
        Stage *s = *state;

        for (size_t i = 0; i <= ELEMENTSOF(cases); i++) {
                bool password = i == ELEMENTSOF(cases);
                char lines[64];

                (void)snprintf(lines, sizeof(lines), "auth required %% min_uid=0%s",
                               password ? "\n" : cases[i].options);
                stage_credd(s, (Plan){.authenticate = password ? NULL : cases[i].answer});
                stage_login(s, lines, password ? PASSWORD : s->token);
                assert_int_not_equal(pam_authenticate(s->pamh, 0), PAM_SUCCESS);
                /* libpam spreads it by half in both directions */
                assert_in_range(s->delay_usec, 1000000, 3000000);
        }
}

static void test_auth__failed_conversation__system_err(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.authenticate = ACCEPTED});
        stage_login(s, ALONE, NULL);
        assert_int_equal(pam_authenticate(s->pamh, 0), PAM_SYSTEM_ERR);
        s->null_answer = true;
        stage_start(s, "sshd", s->user);
        assert_int_equal(pam_authenticate(s->pamh, 0), PAM_SYSTEM_ERR);
        assert_sent(s, 0);
}

static void test_auth__prompt_option__is_what_is_asked(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.authenticate = ACCEPTED});
        stage_login(s, "auth required % min_uid=0 [prompt=Token, please: ]\n", s->token);
        assert_int_equal(pam_authenticate(s->pamh, 0), PAM_SUCCESS);
        assert_string_equal(s->question, "Token, please: ");
}

static void test_auth__second_try_on_one_handle__forgets_the_first_login(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.authenticate = ACCEPTED});
        stage_login(s,
                    ALONE "account [ignore=1 success=ignore default=die] %\n"
                          "account requisite pam_deny.so\naccount required pam_permit.so\n",
                    s->token);
        assert_int_equal(pam_authenticate(s->pamh, 0), PAM_SUCCESS);
        s->answer = PASSWORD;
        assert_int_equal(pam_authenticate(s->pamh, 0), PAM_CRED_INSUFFICIENT);
        assert_null(stage_env(s, "CREDD_LOGIN"));
        assert_int_equal(pam_acct_mgmt(s->pamh, 0),
                         PAM_SUCCESS); /* that is: IGNORE, see the stack */
        assert_sent(s, 1);
}

static void test_auth__control_characters_from_the_host__system_err_and_not_sent(void **state)
{
        static const char *const bad[] = {"a\nb", "a\x1b[2J", "\xff"};
        Stage *s = *state;

        stage_credd(s, (Plan){.authenticate = ACCEPTED});
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                stage_login(s, ALONE, s->token);
                assert_int_equal(pam_set_item(s->pamh, PAM_RHOST, bad[i]), PAM_SUCCESS);
                assert_int_equal(pam_authenticate(s->pamh, 0), PAM_SYSTEM_ERR);
                stage_login(s, ALONE, s->token);
                assert_int_equal(pam_set_item(s->pamh, PAM_TTY, bad[i]), PAM_SUCCESS);
                assert_int_equal(pam_authenticate(s->pamh, 0), PAM_SYSTEM_ERR);
        }
        assert_sent(s, 0);
}

static void test_auth__debug__tells_outcomes_and_no_secret(void **state)
{
        static const char *const answers[] = {ACCEPTED, REFUSED, UNAVAILABLE, "garbage"};
        Stage *s = *state;

        for (size_t i = 0; i < ELEMENTSOF(answers); i++) {
                stage_credd(s, (Plan){.authenticate = answers[i]});
                stage_login(s, "auth required % min_uid=0 debug\n", s->token);
                (void)pam_authenticate(s->pamh, 0);
                s->answer = PASSWORD;
                assert_int_equal(pam_authenticate(s->pamh, 0), PAM_CRED_INSUFFICIENT);
                assert_non_null(strstr(stage_log.text, "auth: no token"));
                assert_not_logged(PASSWORD);
                assert_not_logged(NONCE);
                assert_not_logged(s->token);
                assert_not_logged(s->token + 12);
                assert_not_logged(s->user);
        }
}

static void test_auth__any_outcome__no_descriptor_left(void **state)
{
        static const Plan plans[] = {
                {.authenticate = ACCEPTED}, {.authenticate = REFUSED}, {.authenticate = "garbage"},
                {.manner = SILENT},         {.manner = DRIP},          {.manner = HALF},
                {.manner = CLOSE},          {.manner = DIE},           {.manner = FLOOD},
                {.manner = STALE},          {.manner = MISSING},
        };
        Stage *s = *state;

        for (size_t i = 0; i < ELEMENTSOF(plans); i++) {
                unsigned before;

                stage_credd(s, plans[i]);
                stage_end(s);
                before = count_descriptors();
                stage_login(s, "auth required % min_uid=0 timeout=100ms\n", s->token);
                (void)pam_authenticate(s->pamh, 0);
                assert_int_equal(count_descriptors(), before);
                stage_end(s);
                assert_int_equal(count_descriptors(), before);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                STAGE_TEST(test_auth__good_token__success_and_nonce),
                STAGE_TEST(test_auth__token_with_blanks_and_capitals__sent_canonical),
                STAGE_TEST(test_auth__password__left_for_the_next_module_and_never_sent),
                STAGE_TEST(test_auth__mistyped_token__not_sent),
                STAGE_TEST(test_auth__refused__auth_err_and_nothing_travels_on),
                STAGE_TEST(test_auth__credd_not_making_sense__unavailable),
                STAGE_TEST(test_auth__credd_not_answering__unavailable_in_time),
                STAGE_TEST(test_auth__long_thought_at_the_prompt__not_counted),
                STAGE_TEST(test_auth__unknown_user__looks_like_any_other_and_is_not_sent),
                STAGE_TEST(test_auth__other_service_or_low_uid__stands_aside),
                STAGE_TEST(test_auth__misspelt_option_for_us__system_err_and_nothing_asked),
                STAGE_TEST(test_auth__every_outcome_of_ours__same_delay_asked),
                STAGE_TEST(test_auth__failed_conversation__system_err),
                STAGE_TEST(test_auth__prompt_option__is_what_is_asked),
                STAGE_TEST(test_auth__second_try_on_one_handle__forgets_the_first_login),
                STAGE_TEST(test_auth__control_characters_from_the_host__system_err_and_not_sent),
                STAGE_TEST(test_auth__debug__tells_outcomes_and_no_secret),
                STAGE_TEST(test_auth__any_outcome__no_descriptor_left),
        };

        return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}

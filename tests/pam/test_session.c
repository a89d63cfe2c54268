/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Session, setcred and chauthtok inside libpam. The probe line stands where pam_systemd stands in a
 * real stack: behind us. */
#include "tests/pam/stage.h"

#define AUTH  "auth required % min_uid=0\n"
#define ALONE "session required % min_uid=0 timeout=2s\n"
/* As in the shipped profile, with pam_systemd's place taken by the probe. */
#define PROFILE(options)                                                                           \
        "session [success=ok module_unknown=ignore default=die] % " options "\n"                   \
        "session optional pam_echo.so probe\n"                                                     \
        "session required pam_permit.so\n"

static void arrive_with(Stage *s, const char *lines, const char *nonce)
{
        char variable[256];

        stage_login(s, lines, NULL);
        (void)snprintf(variable, sizeof(variable), "CREDD_LOGIN=%s", nonce);
        assert_int_equal(pam_putenv(s->pamh, variable), PAM_SUCCESS);
}

static void assert_opened(Stage *s)
{
        assert_null(stage_env(s, "CREDD_LOGIN"));
        assert_string_equal(stage_env(s, "CREDD_CREDENTIAL"), CREDENTIAL);
        assert_string_equal(stage_env(s, "CREDD_EXPIRES"), "2026-11-22T20:30:00Z");
        assert_int_equal(s->probes, 1);
        assert_string_equal(s->backstop, "7202"); /* 7201.000001 s, rounded up */
}

static void assert_not_opened(Stage *s)
{
        assert_null(stage_env(s, "CREDD_LOGIN"));
        assert_null(stage_env(s, "CREDD_CREDENTIAL"));
        assert_null(stage_env(s, "CREDD_EXPIRES"));
        assert_string_equal(s->backstop, "");
        assert_int_equal(s->told, 0);
}

static void test_session__after_login_in_the_same_process__opened(void **state)
{
        Stage *s = *state;

        assert_int_equal(setenv("TZ", "XYZ-1", 1), 0);
        tzset();
        stage_credd(s, (Plan){.authenticate = ACCEPTED, .open_session = OPENED});
        stage_login(s, AUTH PROFILE("min_uid=0"), s->token);
        assert_int_equal(pam_authenticate(s->pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_open_session(s->pamh, 0), PAM_SUCCESS);
        assert_opened(s);
        assert_int_equal(s->told, 1);
        assert_non_null(
                strstr(s->text, "21:30:00 +0100 (in 1h 0min); the session is closed then."));
        assert_memory_equal(s->text, "Access ends at ", 15);
        assert_sent(s, 2);
        assert_call(s, 1, s->user, "io.credd.Login.OpenSession", "login", NONCE);
        assert_int_equal(pam_close_session(s->pamh, 0), PAM_SUCCESS);
        assert_int_equal(stage_log.len, 0);
}

static void test_session__nonce_from_the_environment__opened(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.open_session = OPENED});
        arrive_with(s, PROFILE("min_uid=0"), NONCE);
        assert_int_equal(pam_open_session(s->pamh, 0), PAM_SUCCESS);
        assert_opened(s);
        assert_sent(s, 1);
        assert_call(s, 0, s->user, "io.credd.Login.OpenSession", "login", NONCE);
}

static void test_session__fresh_login__asks_all_the_same(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.authenticate = ACCEPTED, .open_session = REFUSED});
        stage_login(s, AUTH ALONE, s->token);
        assert_int_equal(pam_authenticate(s->pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_open_session(s->pamh, 0), PAM_SESSION_ERR);
        assert_not_opened(s);
        assert_sent(s, 2);
}

static void test_session__silent__opened_without_a_word(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.open_session = OPENED});
        arrive_with(s, PROFILE("min_uid=0"), NONCE);
        assert_int_equal(pam_open_session(s->pamh, PAM_SILENT), PAM_SUCCESS);
        assert_int_equal(s->probes, 0); /* pam_echo is silent too */
        assert_string_equal(stage_env(s, "CREDD_CREDENTIAL"), CREDENTIAL);
        assert_int_equal(s->told, 0);
}

static void test_session__opened_twice__second_is_no_login_any_more(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.open_session = OPENED});
        arrive_with(s, ALONE, NONCE);
        assert_int_equal(pam_open_session(s->pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_open_session(s->pamh, 0), PAM_SUCCESS);
        assert_sent(s, 1);
}

static void test_session__no_login_of_ours__success_and_untouched(void **state)
{
        static const char *const lines[] = {
                PROFILE("min_uid=0"),
                PROFILE("min_uid=4294967294 tiemout=3"),
                PROFILE("min_uid=0 services=login misspelt"),
        };
        Stage *s = *state;

        stage_credd(s, (Plan){.open_session = OPENED});
        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                stage_login(s, lines[i], NULL);
                assert_int_equal(pam_open_session(s->pamh, 0), PAM_SUCCESS);
                assert_int_equal(s->probes, 1);
                assert_not_opened(s);
                assert_int_equal(pam_close_session(s->pamh, 0), PAM_SUCCESS);
        }
        assert_sent(s, 0);
        assert_int_equal(stage_log.errors, 0);
}

static void test_session__refused_or_unavailable__session_err_and_nonce_gone(void **state)
{
        static const Plan plans[] = {
                {.open_session = REFUSED},
                {.open_session = UNAVAILABLE},
                {.open_session = INVALID},
                {.open_session = "garbage"},
                {.open_session = CHECKED},
                {.open_session = "{\"parameters\":{\"credential\":\"k\",\"deadline\":1,"
                                 "\"ceiling\":1,\"left_usec\":1,\"backstop_usec\":0}}"},
                {.manner = SILENT},
                {.manner = HALF},
                {.manner = CLOSE},
                {.manner = DIE},
                {.manner = STALE},
                {.manner = MISSING},
        };
        Stage *s = *state;

        for (size_t i = 0; i < ELEMENTSOF(plans); i++) {
                unsigned before;

                stage_credd(s, plans[i]);
                stage_end(s);
                before = count_descriptors();
                arrive_with(s, PROFILE("min_uid=0 timeout=200ms"), NONCE);
                assert_int_equal(pam_open_session(s->pamh, 0), PAM_SESSION_ERR);
                assert_int_equal(s->probes, 0); /* pam_systemd is not reached */
                assert_not_opened(s);
                stage_end(s);
                assert_int_equal(count_descriptors(), before);
        }
}

static void test_session__deadline_beyond_any_calendar__system_err(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.open_session = "{\"parameters\":{\"credential\":\"k\","
                                              "\"deadline\":9223372036854775807,\"ceiling\":1,"
                                              "\"left_usec\":1,\"backstop_usec\":1}}"});
        arrive_with(s, ALONE, NONCE);
        assert_int_equal(pam_open_session(s->pamh, 0), PAM_SYSTEM_ERR);
        assert_null(stage_env(s, "CREDD_LOGIN"));
        assert_int_equal(s->told, 0);
}

static void test_session__malformed_nonce__session_err_unsent(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.open_session = OPENED});
        arrive_with(s, ALONE, "a b");
        assert_int_equal(pam_open_session(s->pamh, 0), PAM_SESSION_ERR);
        assert_not_opened(s);
        assert_sent(s, 0);
}

static void test_session__user_changed_since__the_new_one_is_sent(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.authenticate = ACCEPTED, .open_session = REFUSED});
        stage_login(s, AUTH ALONE, s->token);
        assert_int_equal(pam_authenticate(s->pamh, 0), PAM_SUCCESS);
        assert_int_equal(pam_set_item(s->pamh, PAM_USER, s->other), PAM_SUCCESS);
        assert_int_equal(pam_open_session(s->pamh, 0), PAM_SESSION_ERR);
        assert_sent(s, 2);
        assert_call(s, 1, s->other, "io.credd.Login.OpenSession", "login", NONCE);
}

static void test_session__user_became_unknown__session_err_unsent(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.open_session = OPENED});
        arrive_with(s, ALONE, NONCE);
        assert_int_equal(pam_set_item(s->pamh, PAM_USER, NOBODY), PAM_SUCCESS);
        assert_int_equal(pam_open_session(s->pamh, 0), PAM_SESSION_ERR);
        assert_not_opened(s);
        assert_sent(s, 0);
}

static void test_session__misspelt_option__system_err_and_nonce_gone(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.open_session = OPENED});
        arrive_with(s, PROFILE("min_uid=0 tiemout=1"), NONCE);
        assert_int_equal(pam_open_session(s->pamh, 0), PAM_SYSTEM_ERR);
        assert_null(stage_env(s, "CREDD_LOGIN"));
        assert_int_equal(stage_log.errors, 1);
        assert_sent(s, 0);
}

/* --- require_credential --- */

/* The mark of account, in the same process and from the environment alone. */
static void test_session__marked_by_account__credd_is_asked_for_a_credential(void **state)
{
        char lines[512];
        Stage *s = *state;

        (void)snprintf(lines, sizeof(lines),
                       "account required %% min_uid=0 require_credential=@%s\n"
                       "account required pam_permit.so\n%s",
                       s->group, PROFILE("min_uid=0"));
        for (unsigned i = 0; i < 3; i++) {
                stage_credd(s, (Plan){.check_account = CHECKED, .open_session = OPENED});
                if (i == 0) {
                        arrive_with(s, PROFILE("min_uid=0"), "gate");
                } else {
                        stage_login(s, lines, NULL);
                        assert_int_equal(pam_acct_mgmt(s->pamh, 0), PAM_SUCCESS);
                }
                /* who takes the mark away is not believed where we know better */
                if (i == 2)
                        assert_int_equal(pam_putenv(s->pamh, "CREDD_LOGIN"), PAM_SUCCESS);
                assert_int_equal(pam_open_session(s->pamh, 0), PAM_SUCCESS);
                assert_opened(s);
                assert_sent(s, i == 0 ? 1 : 2);
                assert_call(s, i == 0 ? 0 : 1, s->user, "io.credd.Login.OpenSession", "login",
                            NULL);
        }
}

static void test_session__marked_and_refused_or_away__session_err(void **state)
{
        static const Plan plans[] = {
                {.open_session = REFUSED}, {.open_session = UNAVAILABLE}, {.manner = MISSING}};
        Stage *s = *state;

        for (size_t i = 0; i < ELEMENTSOF(plans); i++) {
                stage_credd(s, plans[i]);
                arrive_with(s, PROFILE("min_uid=0"), "gate");
                assert_int_equal(pam_open_session(s->pamh, 0), PAM_SESSION_ERR);
                assert_int_equal(s->probes, 0);
                assert_not_opened(s);
        }
}

static int session_demanding(Stage *s, const char *group, const char *nonce)
{
        char lines[256];

        (void)snprintf(lines, sizeof(lines),
                       "session [success=ok module_unknown=ignore default=die] %% min_uid=0 "
                       "require_credential=@%s\nsession optional pam_echo.so probe\n",
                       group);
        if (nonce)
                arrive_with(s, lines, nonce);
        else
                stage_login(s, lines, NULL);
        return pam_open_session(s->pamh, 0);
}

static void test_session__unmarked_and_required_here__decided_by_membership(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.open_session = OPENED});
        assert_int_equal(session_demanding(s, s->group, NULL), PAM_SUCCESS);
        assert_opened(s);
        assert_int_equal(session_demanding(s, s->other_group, NULL), PAM_SUCCESS);
        assert_not_opened(s);
        assert_int_equal(session_demanding(s, "no-such-group_77", NULL), PAM_SYSTEM_ERR);
        assert_sent(s, 1);
        assert_call(s, 0, s->user, "io.credd.Login.OpenSession", "login", NULL);
        stage_credd(s, (Plan){.open_session = REFUSED});
        assert_int_equal(session_demanding(s, s->group, NULL), PAM_SESSION_ERR);
        assert_not_opened(s);
}

static void test_session__nonce_of_a_member__goes_the_usual_way(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.open_session = OPENED});
        assert_int_equal(session_demanding(s, s->group, NONCE), PAM_SUCCESS);
        assert_opened(s);
        assert_sent(s, 1);
        assert_call(s, 0, s->user, "io.credd.Login.OpenSession", "login", NONCE);
}

static void test_session__planted_nonce_of_a_member__credd_decides_all_the_same(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.open_session = REFUSED});
        assert_int_equal(session_demanding(s, s->group, "a b"), PAM_SESSION_ERR);
        assert_int_equal(session_demanding(s, s->group, NONCE), PAM_SESSION_ERR);
        assert_not_opened(s);
        assert_int_equal(session_demanding(s, s->other_group, NONCE), PAM_SESSION_ERR);
        assert_sent(s, 4);
        assert_call(s, 0, s->user, "io.credd.Login.OpenSession", "login", NULL);
        assert_call(s, 1, s->user, "io.credd.Login.OpenSession", "login", NONCE);
        assert_call(s, 2, s->user, "io.credd.Login.OpenSession", "login", NULL);
        assert_call(s, 3, s->user, "io.credd.Login.OpenSession", "login", NONCE);
}

static void test_session__debug__tells_no_secret(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.open_session = OPENED});
        arrive_with(s, "session required % min_uid=0 debug\n", NONCE);
        assert_int_equal(pam_open_session(s->pamh, 0), PAM_SUCCESS);
        assert_non_null(strstr(stage_log.text, "open session: good"));
        assert_not_logged(NONCE);
        assert_not_logged(s->user);
}

static void test_setcred__whatever_came_before__success(void **state)
{
        static const char *const lines[] = {
                "auth required % min_uid=0\n",
                "auth required %\n",
                "auth required % min_uid=0 misspelt\n",
        };
        Stage *s = *state;

        stage_credd(s, (Plan){.manner = MISSING});
        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                stage_login(s, lines[i], NULL);
                assert_int_equal(pam_setcred(s->pamh, PAM_ESTABLISH_CRED), PAM_SUCCESS);
                assert_int_equal(pam_setcred(s->pamh, PAM_REINITIALIZE_CRED), PAM_SUCCESS);
                assert_int_equal(pam_setcred(s->pamh, PAM_DELETE_CRED), PAM_SUCCESS);
                stage_start(s, "sshd", NOBODY);
                assert_int_equal(pam_setcred(s->pamh, PAM_ESTABLISH_CRED), PAM_SUCCESS);
        }
        assert_int_equal(s->asked, 0);
}

static void test_chauthtok__any_control__no_change_goes_through(void **state)
{
        static const struct {
                const char *lines;
                int code;
        } cases[] = {
                {"password required %\n", PAM_AUTHTOK_ERR},
                {"password required %\npassword required pam_permit.so\n", PAM_AUTHTOK_ERR},
                {"password requisite % misspelt\npassword required pam_permit.so\n",
                 PAM_AUTHTOK_ERR},
                {"password [success=ok module_unknown=ignore ignore=ignore default=die] %\n"
                 "password required pam_permit.so\n",
                 PAM_AUTHTOK_ERR},
                /* Sufficient: the decision stays with whoever is behind. */
                {"password sufficient %\npassword required pam_deny.so\n", PAM_AUTHTOK_ERR},
                {"password sufficient %\npassword required pam_permit.so\n", PAM_SUCCESS},
        };
        Stage *s = *state;

        stage_credd(s, (Plan){.manner = MISSING});
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                stage_login(s, cases[i].lines, NULL);
                assert_int_equal(pam_chauthtok(s->pamh, 0), cases[i].code);
                assert_int_equal(s->asked, 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                STAGE_TEST(test_session__after_login_in_the_same_process__opened),
                STAGE_TEST(test_session__nonce_from_the_environment__opened),
                STAGE_TEST(test_session__fresh_login__asks_all_the_same),
                STAGE_TEST(test_session__silent__opened_without_a_word),
                STAGE_TEST(test_session__opened_twice__second_is_no_login_any_more),
                STAGE_TEST(test_session__no_login_of_ours__success_and_untouched),
                STAGE_TEST(test_session__refused_or_unavailable__session_err_and_nonce_gone),
                STAGE_TEST(test_session__deadline_beyond_any_calendar__system_err),
                STAGE_TEST(test_session__malformed_nonce__session_err_unsent),
                STAGE_TEST(test_session__user_changed_since__the_new_one_is_sent),
                STAGE_TEST(test_session__user_became_unknown__session_err_unsent),
                STAGE_TEST(test_session__misspelt_option__system_err_and_nonce_gone),
                STAGE_TEST(test_session__marked_by_account__credd_is_asked_for_a_credential),
                STAGE_TEST(test_session__marked_and_refused_or_away__session_err),
                STAGE_TEST(test_session__unmarked_and_required_here__decided_by_membership),
                STAGE_TEST(test_session__nonce_of_a_member__goes_the_usual_way),
                STAGE_TEST(test_session__planted_nonce_of_a_member__credd_decides_all_the_same),
                STAGE_TEST(test_session__debug__tells_no_secret),
                STAGE_TEST(test_setcred__whatever_came_before__success),
                STAGE_TEST(test_chauthtok__any_control__no_change_goes_through),
        };

        return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}

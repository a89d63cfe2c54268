/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pam_sm_authenticate beside other modules: whose question the person answers, whose decision
 * counts. pam_permit and pam_deny stand where pam_unix does in the stack that the package
 * generates. */
#include "tests/pam/stage.h"

/* As pam-auth-update writes the profile, with a line in pam_unix's place that takes every password,
 * or none. */
#define PROFILE(options, next)                                                                     \
        "auth [success=3 auth_err=die authinfo_unavail=die default=ignore] % min_uid=0 " options   \
        "\n"                                                                                       \
        "auth optional pam_echo.so probe\n"                                                        \
        "auth [success=1 default=ignore] " next "\n"                                               \
        "auth requisite pam_deny.so\n"                                                             \
        "auth required pam_permit.so\n"

static void test_auth__try_first_pass__token_of_an_earlier_module_taken_and_cleared(void **state)
{
        static const char *const words[] = {"try_first_pass", "use_first_pass"};
        Stage *s = *state;

        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                char lines[160];

                (void)snprintf(lines, sizeof(lines),
                               "auth optional pam_echo.so plant\nauth required %% min_uid=0 %s\n"
                               "auth optional pam_echo.so probe\n",
                               words[i]);
                for (int good = 0; good < 2; good++) {
                        stage_credd(s, (Plan){.authenticate = good ? ACCEPTED : REFUSED});
                        stage_login(s, lines, s->token);
                        assert_int_equal(pam_authenticate(s->pamh, 0),
                                         good ? PAM_SUCCESS : PAM_AUTH_ERR);
                        assert_int_equal(s->asked, 0);
                        assert_int_equal(s->probes, 1);
                        assert_false(s->has_authtok);
                        assert_sent(s, 1);
                }
        }
}

static void test_auth__try_first_pass__password_of_an_earlier_module_not_asked_again(void **state)
{
        static const char *const words[] = {"try_first_pass", "use_first_pass"};
        Stage *s = *state;

        stage_credd(s, (Plan){.authenticate = ACCEPTED});
        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                char lines[160];

                (void)snprintf(lines, sizeof(lines),
                               "auth optional pam_echo.so plant\nauth required %% min_uid=0 %s\n"
                               "auth optional pam_echo.so probe\n",
                               words[i]);
                stage_login(s, lines, PASSWORD);
                assert_int_equal(pam_authenticate(s->pamh, 0), PAM_CRED_INSUFFICIENT);
                assert_int_equal(s->asked, 0);
                assert_string_equal(s->authtok, PASSWORD);
        }
        assert_sent(s, 0);
}

static void test_auth__nothing_typed_before__try_asks_and_use_does_not(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.authenticate = ACCEPTED});
        stage_login(s, "auth required % min_uid=0 use_first_pass\n", s->token);
        assert_int_equal(pam_authenticate(s->pamh, 0), PAM_CRED_INSUFFICIENT);
        assert_int_equal(s->asked, 0);
        stage_login(s, "auth required % min_uid=0 try_first_pass\n", s->token);
        assert_int_equal(pam_authenticate(s->pamh, 0), PAM_SUCCESS);
        assert_int_equal(s->asked, 1);
        assert_sent(s, 1);
}

static void test_profile__good_token__in_without_the_next_module(void **state)
{
        static const char *const lines[] = {
                PROFILE("", "pam_deny.so"),
                PROFILE("try_first_pass", "pam_deny.so"),
        };
        Stage *s = *state;

        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                stage_credd(s, (Plan){.authenticate = ACCEPTED});
                stage_login(s, lines[i], s->token);
                assert_int_equal(pam_authenticate(s->pamh, 0), PAM_SUCCESS);
                assert_int_equal(s->probes, 0);
                assert_int_equal(s->asked, 1);
                assert_sent(s, 1);
        }
}

static void test_profile__refused_or_unavailable__out_though_the_next_would_permit(void **state)
{
        static const struct {
                Plan plan;
                int code;
        } cases[] = {
                {{.authenticate = REFUSED}, PAM_AUTH_ERR},
                {{.authenticate = UNAVAILABLE}, PAM_AUTHINFO_UNAVAIL},
                {{.authenticate = "garbage"}, PAM_AUTHINFO_UNAVAIL},
                {{.manner = MISSING}, PAM_AUTHINFO_UNAVAIL},
                {{.manner = CLOSE}, PAM_AUTHINFO_UNAVAIL},
        };
        Stage *s = *state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                stage_credd(s, cases[i].plan);
                stage_login(s, PROFILE("", "pam_permit.so"), s->token);
                assert_int_equal(pam_authenticate(s->pamh, 0), cases[i].code);
                assert_int_equal(s->probes, 0);
        }
}

static void test_profile__password__decided_by_the_next_module_alone(void **state)
{
        static const Plan plans[] = {{.authenticate = ACCEPTED}, {.manner = MISSING}};
        Stage *s = *state;

        for (size_t i = 0; i < ELEMENTSOF(plans); i++) {
                stage_credd(s, plans[i]);
                stage_login(s, PROFILE("", "pam_permit.so"), PASSWORD);
                assert_int_equal(pam_authenticate(s->pamh, 0), PAM_SUCCESS);
                assert_int_equal(s->asked, 1);
                assert_string_equal(s->authtok, PASSWORD);
                stage_login(s, PROFILE("", "pam_deny.so"), PASSWORD);
                assert_int_equal(pam_authenticate(s->pamh, 0), PAM_AUTH_ERR);
                assert_string_equal(s->authtok, PASSWORD);
                assert_sent(s, 0);
                assert_int_equal(stage_log.errors, 0);
        }
}

static void test_profile__standing_aside__next_module_as_if_we_were_not_there(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.authenticate = ACCEPTED});
        stage_login(s, PROFILE("min_uid=1000", "pam_permit.so"), s->token);
        stage_start(s, "sshd", s->other);
        assert_int_equal(pam_authenticate(s->pamh, 0), PAM_SUCCESS);
        assert_int_equal(s->probes, 1);
        assert_int_equal(s->asked, 0);
        assert_false(s->has_authtok);
        assert_sent(s, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                STAGE_TEST(test_auth__try_first_pass__token_of_an_earlier_module_taken_and_cleared),
                STAGE_TEST(
                        test_auth__try_first_pass__password_of_an_earlier_module_not_asked_again),
                STAGE_TEST(test_auth__nothing_typed_before__try_asks_and_use_does_not),
                STAGE_TEST(test_profile__good_token__in_without_the_next_module),
                STAGE_TEST(test_profile__refused_or_unavailable__out_though_the_next_would_permit),
                STAGE_TEST(test_profile__password__decided_by_the_next_module_alone),
                STAGE_TEST(test_profile__standing_aside__next_module_as_if_we_were_not_there),
        };

        return cmocka_run_group_tests_name("stacks", tests, NULL, NULL);
}

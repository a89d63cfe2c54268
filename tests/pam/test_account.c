/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pam_sm_acct_mgmt inside libpam: when it answers by itself, when it asks, and what it demands of
 * those who come without a token. */
#include <dlfcn.h>

#include "tests/pam/stage.h"

#define AUTH "auth required % min_uid=0\n"
#define FULL AUTH "account required % min_uid=0 timeout=2s\n"
/* PAM_SUCCESS if, and only if, our line with these options returned PAM_IGNORE. */
#define IS_IGNORE(options)                                                                         \
        "account [ignore=1 success=ignore default=die] % " options "\n"                            \
        "account requisite pam_deny.so\n"                                                          \
        "account required pam_permit.so\n"
/* As in the shipped profile, with a line in pam_unix's place that lets everybody in. */
#define PROFILE(options)                                                                           \
        "account [success=ok ignore=ignore module_unknown=ignore default=die] % " options "\n"     \
        "account required pam_permit.so\n"

/* Stands before libc's. */
static unsigned lookups;
int getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t size,
               struct passwd **ret)
{
        int (*libc)(const char *, struct passwd *, char *, size_t, struct passwd **) = NULL;

        *(void **)&libc = dlsym(RTLD_NEXT, "getpwnam_r");
        lookups++;
        return libc(name, entry, buffer, size, ret);
}

static void log_in(Stage *s, const char *lines, Plan plan)
{
        stage_credd(s, plan);
        stage_login(s, lines, s->token);
        assert_int_equal(pam_authenticate(s->pamh, 0), PAM_SUCCESS);
}

/* A handle that, as sshd's after keyboard-interactive, has the environment of the authentication
 * and not its data. */
static void arrive_with(Stage *s, const char *lines, const char *nonce)
{
        char variable[256];

        stage_login(s, lines, NULL);
        (void)snprintf(variable, sizeof(variable), "CREDD_LOGIN=%s", nonce);
        assert_int_equal(pam_putenv(s->pamh, variable), PAM_SUCCESS);
}

static void test_account__at_once_in_the_same_process__no_question(void **state)
{
        Stage *s = *state;

        log_in(s, FULL, (Plan){.authenticate = ACCEPTED, .check_account = REFUSED});
        assert_true(lookups > 0);
        lookups = 0;
        assert_int_equal(pam_acct_mgmt(s->pamh, 0), PAM_SUCCESS);
        stage_ahead_usec += USEC_PER_SEC;
        assert_int_equal(pam_acct_mgmt(s->pamh, 0), PAM_SUCCESS);
        assert_sent(s, 1);
        assert_int_equal(lookups, 0);
}

static void test_account__two_seconds_later__asks(void **state)
{
        static const struct {
                const char *answer;
                int code;
        } cases[] = {
                {CHECKED, PAM_SUCCESS},
                {REFUSED, PAM_ACCT_EXPIRED},
                {UNAVAILABLE, PAM_AUTHINFO_UNAVAIL},
        };
        Stage *s = *state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                log_in(s, FULL, (Plan){.authenticate = ACCEPTED, .check_account = cases[i].answer});
                stage_ahead_usec += 2 * USEC_PER_SEC;
                lookups = 0;
                assert_int_equal(pam_acct_mgmt(s->pamh, 0), cases[i].code);
                assert_true(lookups > 0);
                assert_sent(s, 2);
                assert_call(s, 1, s->user, "io.credd.Login.CheckAccount", "login", NONCE);
        }
}

static void test_account__access_over_meanwhile__asks(void **state)
{
        Stage *s = *state;

        log_in(s, FULL,
               (Plan){.authenticate = "{\"parameters\":{\"login\":\"" NONCE
                                      "\",\"credential\":\"k\",\"left_usec\":1000000}}",
                      .check_account = REFUSED});
        stage_ahead_usec += USEC_PER_SEC;
        assert_int_equal(pam_acct_mgmt(s->pamh, 0), PAM_ACCT_EXPIRED);
        assert_sent(s, 2);
}

static void test_account__in_another_process__asks(void **state)
{
        Stage *s = *state;
        int status = 0;
        pid_t child;

        log_in(s, FULL, (Plan){.authenticate = ACCEPTED, .check_account = REFUSED});
        child = fork();
        assert_true(child >= 0);
        if (child == 0)
                _exit(pam_acct_mgmt(s->pamh, 0));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), PAM_ACCT_EXPIRED);
        assert_sent(s, 2);
        assert_call(s, 1, s->user, "io.credd.Login.CheckAccount", "login", NONCE);
}

static void test_account__user_changed_since__asks_about_the_new_one(void **state)
{
        Stage *s = *state;

        log_in(s, FULL, (Plan){.authenticate = ACCEPTED, .check_account = REFUSED});
        assert_int_equal(pam_set_item(s->pamh, PAM_USER, s->other), PAM_SUCCESS);
        assert_int_equal(pam_acct_mgmt(s->pamh, 0), PAM_ACCT_EXPIRED);
        assert_sent(s, 2);
        assert_call(s, 1, s->other, "io.credd.Login.CheckAccount", "login", NONCE);
}

static void test_account__user_became_unknown__refused_unsent(void **state)
{
        Stage *s = *state;

        log_in(s, FULL, (Plan){.authenticate = ACCEPTED, .check_account = CHECKED});
        assert_int_equal(pam_set_item(s->pamh, PAM_USER, NOBODY), PAM_SUCCESS);
        assert_int_equal(pam_acct_mgmt(s->pamh, 0), PAM_ACCT_EXPIRED);
        assert_sent(s, 1);
        assert_not_logged(NOBODY);
}

static void test_account__nonce_from_the_environment__asked_about(void **state)
{
        static const struct {
                Plan plan;
                int code;
        } cases[] = {
                {{.check_account = CHECKED}, PAM_SUCCESS},
                {{.check_account = REFUSED}, PAM_ACCT_EXPIRED},
                {{.check_account = UNAVAILABLE}, PAM_AUTHINFO_UNAVAIL},
                {{.check_account = "{}"}, PAM_AUTHINFO_UNAVAIL},
                {{.manner = CLOSE}, PAM_AUTHINFO_UNAVAIL},
                {{.manner = MISSING}, PAM_AUTHINFO_UNAVAIL},
        };
        Stage *s = *state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                stage_credd(s, cases[i].plan);
                arrive_with(s, FULL, NONCE);
                assert_int_equal(pam_acct_mgmt(s->pamh, 0), cases[i].code);
                arrive_with(s, PROFILE("min_uid=0"), NONCE);
                assert_int_equal(pam_acct_mgmt(s->pamh, 0), cases[i].code);
        }
}

static void test_account__malformed_nonce_in_the_environment__refused_unsent(void **state)
{
        static const char too_long[] =
                "0123456789012345678901234567890123456789012345678901234567890123456789"
                "0123456789012345678901234567890123456789012345678901234567890";
        static const char *const bad[] = {
                "", "a b", "a\"b", "\xff", too_long,
        };
        Stage *s = *state;

        stage_credd(s, (Plan){.check_account = CHECKED});
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                arrive_with(s, FULL, bad[i]);
                assert_int_equal(pam_acct_mgmt(s->pamh, 0), PAM_ACCT_EXPIRED);
        }
        assert_sent(s, 0);
}

static void test_account__no_login_of_ours__ignore_and_not_asked(void **state)
{
        static const char *const lines[] = {
                IS_IGNORE("min_uid=0"),
                IS_IGNORE(""),
                IS_IGNORE("min_uid=4294967294 tiemout=3"),
                IS_IGNORE("min_uid=0 services=login misspelt require_credential=@root"),
        };
        Stage *s = *state;

        stage_credd(s, (Plan){.check_account = CHECKED});
        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                stage_login(s, lines[i], NULL);
                if (i == 1)
                        stage_start(s, "sshd", s->other);
                assert_int_equal(pam_acct_mgmt(s->pamh, 0), PAM_SUCCESS);
        }
        stage_login(s, PROFILE("min_uid=0"), NULL);
        assert_int_equal(pam_acct_mgmt(s->pamh, 0), PAM_SUCCESS);
        stage_start(s, "sshd", NOBODY);
        assert_int_equal(pam_acct_mgmt(s->pamh, 0), PAM_SUCCESS);
        assert_sent(s, 0);
        assert_int_equal(stage_log.errors, 0);
}

/* The nonce of a login does not make a foreign service ours. */
static void test_account__nonce_where_we_stand_aside__ignore(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.check_account = REFUSED});
        arrive_with(s, IS_IGNORE("min_uid=0 services=login"), NONCE);
        assert_int_equal(pam_acct_mgmt(s->pamh, 0), PAM_SUCCESS);
        assert_sent(s, 0);
}

static void test_account__misspelt_option__system_err(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.check_account = CHECKED});
        stage_login(s, PROFILE("min_uid=0 require_credental=@root"), NULL);
        assert_int_equal(pam_acct_mgmt(s->pamh, 0), PAM_SYSTEM_ERR);
        assert_int_equal(stage_log.errors, 1);
        arrive_with(s, PROFILE("min_uid=0 misspelt"), NONCE);
        assert_int_equal(pam_acct_mgmt(s->pamh, 0), PAM_SYSTEM_ERR);
        assert_sent(s, 0);
}

static int account_demanding(Stage *s, const char *group, const char *user)
{
        char lines[256];

        (void)snprintf(lines, sizeof(lines),
                       "account [success=ok ignore=ignore module_unknown=ignore default=die] %% "
                       "min_uid=0 require_credential=@%s\naccount required pam_permit.so\n",
                       group);
        stage_login(s, lines, NULL);
        stage_start(s, "sshd", user);
        return pam_acct_mgmt(s->pamh, 0);
}

static void test_account__credential_required_and_none_live__members_denied(void **state)
{
        Stage *s = *state;

        stage_credd(s, (Plan){.check_account = REFUSED});
        assert_int_equal(account_demanding(s, s->group, s->user), PAM_PERM_DENIED);
        assert_null(stage_env(s, "CREDD_LOGIN"));
        assert_int_equal(account_demanding(s, s->other_group, s->user), PAM_SUCCESS);
        assert_int_equal(account_demanding(s, s->other_group, s->other), PAM_PERM_DENIED);
        assert_int_equal(stage_log.errors, 0);
        /* What cannot be found out is a no, and nothing to ask about. */
        assert_int_equal(account_demanding(s, s->group, NOBODY), PAM_PERM_DENIED);
        assert_int_equal(account_demanding(s, "no-such-group_77", s->user), PAM_SYSTEM_ERR);
        assert_int_equal(stage_log.errors, 1);
        assert_sent(s, 2);
        assert_call(s, 0, s->user, "io.credd.Login.CheckAccount", "login", NULL);
        assert_call(s, 1, s->other, "io.credd.Login.CheckAccount", "login", NULL);
}

static void test_account__credential_required_and_credd_away__members_denied(void **state)
{
        static const Plan plans[] = {
                {.check_account = UNAVAILABLE},
                {.check_account = INVALID},
                {.check_account = "{}"},
                {.manner = CLOSE},
                {.manner = STALE},
                {.manner = MISSING},
        };
        Stage *s = *state;

        for (size_t i = 0; i < ELEMENTSOF(plans); i++) {
                stage_credd(s, plans[i]);
                assert_int_equal(account_demanding(s, s->group, s->user), PAM_AUTHINFO_UNAVAIL);
                assert_null(stage_env(s, "CREDD_LOGIN"));
                assert_int_equal(account_demanding(s, s->other_group, s->user), PAM_SUCCESS);
        }
}

/* The key was sshd's to check, the account is others': of that we say nothing. */
static void test_account__credential_required_and_there__ignore_and_marked(void **state)
{
        char lines[256];
        Stage *s = *state;

        stage_credd(s, (Plan){.check_account = CHECKED});
        (void)snprintf(lines, sizeof(lines),
                       "account [ignore=1 success=ignore default=die] %% min_uid=0 "
                       "require_credential=@%s\n"
                       "account requisite pam_deny.so\naccount required pam_permit.so\n",
                       s->group);
        stage_login(s, lines, NULL);
        assert_int_equal(pam_acct_mgmt(s->pamh, 0), PAM_SUCCESS);
        assert_string_equal(stage_env(s, "CREDD_LOGIN"), "gate");
        /* and each time it is asked again */
        assert_int_equal(pam_acct_mgmt(s->pamh, 0), PAM_SUCCESS);
        assert_sent(s, 2);
        stage_credd(s, (Plan){.check_account = REFUSED});
        assert_int_equal(pam_acct_mgmt(s->pamh, 0), PAM_PERM_DENIED);
        assert_null(stage_env(s, "CREDD_LOGIN"));
}

static void test_account__credential_required_and_sufficient__others_still_decide(void **state)
{
        char lines[256];
        Stage *s = *state;

        stage_credd(s, (Plan){.check_account = CHECKED});
        (void)snprintf(lines, sizeof(lines),
                       "account sufficient %% min_uid=0 require_credential=@%s\n"
                       "account required pam_deny.so\n",
                       s->group);
        stage_login(s, lines, NULL);
        assert_int_equal(pam_acct_mgmt(s->pamh, 0), PAM_AUTH_ERR);
}

/* Whoever can write into the environment gains nothing by it. */
static void test_account__mark_of_somebody_else__asked_about_or_taken_away(void **state)
{
        char lines[256];
        Stage *s = *state;

        stage_credd(s, (Plan){.check_account = REFUSED});
        (void)snprintf(lines, sizeof(lines),
                       "account required %% min_uid=0 require_credential=@%s\n", s->group);
        arrive_with(s, lines, "gate");
        assert_int_equal(pam_acct_mgmt(s->pamh, 0), PAM_PERM_DENIED);
        arrive_with(s, IS_IGNORE("min_uid=0"), "gate");
        assert_int_equal(pam_acct_mgmt(s->pamh, 0), PAM_SUCCESS);
        assert_null(stage_env(s, "CREDD_LOGIN"));
        assert_sent(s, 1);
}

static void test_account__credential_required_and_live__success(void **state)
{
        char lines[256];
        Stage *s = *state;

        (void)snprintf(lines, sizeof(lines),
                       "auth required %% min_uid=0\n"
                       "account required %% min_uid=0 require_credential=@%s\n",
                       s->group);
        log_in(s, lines, (Plan){.authenticate = ACCEPTED, .check_account = REFUSED});
        assert_int_equal(pam_acct_mgmt(s->pamh, 0), PAM_SUCCESS);
        stage_ahead_usec += 2 * USEC_PER_SEC;
        assert_int_equal(pam_acct_mgmt(s->pamh, 0), PAM_ACCT_EXPIRED);
        stage_credd(s, (Plan){.manner = MISSING});
        assert_int_equal(pam_acct_mgmt(s->pamh, 0), PAM_AUTHINFO_UNAVAIL);
}

static void test_account__any_outcome__no_descriptor_left(void **state)
{
        static const Plan plans[] = {
                {.check_account = CHECKED}, {.check_account = REFUSED}, {.check_account = "x"},
                {.manner = SILENT},         {.manner = CLOSE},          {.manner = MISSING},
        };
        Stage *s = *state;

        for (size_t i = 0; i < ELEMENTSOF(plans); i++) {
                unsigned before;

                stage_credd(s, plans[i]);
                stage_end(s);
                before = count_descriptors();
                arrive_with(s, "account required % min_uid=0 timeout=100ms\n", NONCE);
                (void)pam_acct_mgmt(s->pamh, 0);
                stage_end(s);
                assert_int_equal(count_descriptors(), before);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                STAGE_TEST(test_account__at_once_in_the_same_process__no_question),
                STAGE_TEST(test_account__two_seconds_later__asks),
                STAGE_TEST(test_account__access_over_meanwhile__asks),
                STAGE_TEST(test_account__in_another_process__asks),
                STAGE_TEST(test_account__user_changed_since__asks_about_the_new_one),
                STAGE_TEST(test_account__user_became_unknown__refused_unsent),
                STAGE_TEST(test_account__nonce_from_the_environment__asked_about),
                STAGE_TEST(test_account__malformed_nonce_in_the_environment__refused_unsent),
                STAGE_TEST(test_account__no_login_of_ours__ignore_and_not_asked),
                STAGE_TEST(test_account__nonce_where_we_stand_aside__ignore),
                STAGE_TEST(test_account__misspelt_option__system_err),
                STAGE_TEST(test_account__credential_required_and_none_live__members_denied),
                STAGE_TEST(test_account__credential_required_and_credd_away__members_denied),
                STAGE_TEST(test_account__credential_required_and_there__ignore_and_marked),
                STAGE_TEST(test_account__credential_required_and_sufficient__others_still_decide),
                STAGE_TEST(test_account__mark_of_somebody_else__asked_about_or_taken_away),
                STAGE_TEST(test_account__credential_required_and_live__success),
                STAGE_TEST(test_account__any_outcome__no_descriptor_left),
        };

        return cmocka_run_group_tests_name("account", tests, NULL, NULL);
}

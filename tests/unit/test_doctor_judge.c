/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is found in PAM stacks: in those that pam-auth-update writes on Debian 12 and 13, and in
 * those that people make of them. Runs in the root of the tree. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "credctl/doctor-judge.h"
#include "pam_ephemeral/options.h"

#define STACKS "tests/unit/stacks"

/* One file is other than it is in the release. */
typedef struct Files {
        const char *release;
        const char *name, *text;
} Files;

static char *load(void *userdata, const char *name)
{
        const Files *files = userdata;
        char path[128], *text;
        FILE *file;

        if (files->name && strcmp(files->name, name) == 0)
                return strdup(files->text);
        snprintf(path, sizeof path, STACKS "/%s/%s", files->release, name);
        file = fopen(path, "re");
        if (!file)
                return NULL;
        text = calloc(1, 65536);
        assert_non_null(text);
        text[fread(text, 1, 65535, file)] = '\0';
        fclose(file);
        return text;
}

typedef struct Found {
        Level worst;
        char text[8192];
} Found;

static void on_found(void *userdata, Level level, const char *finding, const char *mend)
{
        Found *found = userdata;
        size_t len = strlen(found->text);

        assert_non_null(mend);
        if (level > found->worst)
                found->worst = level;
        snprintf(found->text + len, sizeof found->text - len, "%d %s\n", level, finding);
}

static Found judge_files(const Files *files, const char *service)
{
        PamStack stacks[PAM_KIND_MAX] = {0};
        Found found = {.worst = LEVEL_OK};

        for (PamKind kind = 0; kind < PAM_KIND_MAX; kind++)
                assert_int_equal(pam_stack_read(service, kind, load, (void *)files, &stacks[kind]),
                                 0);
        judge_service(service, stacks, on_found, &found);
        for (PamKind kind = 0; kind < PAM_KIND_MAX; kind++)
                pam_stack_done(&stacks[kind]);
        return found;
}

static Found judge_with(const char *name, const char *text)
{
        const Files files = {.release = "bookworm", .name = name, .text = text};

        return judge_files(&files, "sshd");
}

static void assert_found(const char *name, const char *text, Level level, const char *words)
{
        Found found = judge_with(name, text);

        if (found.worst != level || !strstr(found.text, words))
                fail_msg("wanted %d \"%s\", found %d:\n%s", level, words, found.worst, found.text);
}

#define AUTH_OURS                                                                                  \
        "auth [success=2 auth_err=die authinfo_unavail=die default=ignore] pam_ephemeral.so\n"
#define AUTH_REST                                                                                  \
        "auth [success=1 default=ignore] pam_unix.so nullok try_first_pass\n"                      \
        "auth requisite pam_deny.so\nauth required pam_permit.so\n"
#define ACCOUNT_OURS                                                                               \
        "account [success=ok ignore=ignore module_unknown=ignore default=die] pam_ephemeral.so\n"
#define ACCOUNT_REST                                                                               \
        "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\n"                   \
        "account requisite pam_deny.so\naccount required pam_permit.so\n"
#define SESSION_OURS "session [success=ok module_unknown=ignore default=die] pam_ephemeral.so\n"
#define SESSION_REST "session required pam_unix.so\nsession optional pam_systemd.so\n"

static void test_judge__as_pam_auth_update_writes_it__nothing(void **state)
{
        static const char *const releases[] = {"bookworm", "trixie"};
        static const char *const services[] = {"sshd", "login"};

        (void)state;
        for (size_t i = 0; i < 4; i++) {
                const Files files = {.release = releases[i / 2]};
                Found found = judge_files(&files, services[i % 2]);

                assert_string_equal(found.text, "");
        }
        assert_string_equal(judge_with("common-auth", AUTH_OURS AUTH_REST).text, "");
        assert_string_equal(judge_with("common-account", ACCOUNT_OURS ACCOUNT_REST).text, "");
        assert_string_equal(judge_with("common-session", SESSION_OURS SESSION_REST).text, "");
}

static void test_judge__a_line_is_missing__error(void **state)
{
        (void)state;
        assert_found("common-auth", AUTH_REST, LEVEL_ERROR, "no auth line");
        assert_found("common-account", ACCOUNT_REST, LEVEL_ERROR, "no account line");
        assert_found("common-session", SESSION_REST, LEVEL_ERROR, "no session line");
        assert_found("common-session", "#" SESSION_OURS SESSION_REST, LEVEL_ERROR,
                     "no session line");
        assert_found("common-auth", "@include gone\n" AUTH_OURS AUTH_REST, LEVEL_ERROR,
                     "includes gone");
}

static void test_judge__lets_in_before_us__error(void **state)
{
        static const char *const before[] = {
                "auth sufficient pam_unix.so\n",
                "auth sufficient pam_permit.so\n",
                "auth [success=done default=ignore] pam_sss.so\n",
                /* to pam_permit at the end */
                ("auth [success=4 default=ignore] pam_ldap.so\n"
                 "auth optional pam_faildelay.so\n"),
                "auth sufficient pam_succeed_if.so user = deploy\n",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(before); i++) {
                char text[1024];

                snprintf(text, sizeof text, "%s" AUTH_OURS AUTH_REST, before[i]);
                assert_found("common-auth", text, LEVEL_ERROR, "before credd is asked");
        }
}

static void test_judge__harmless_before_us__nothing(void **state)
{
        static const char *const before[] = {
                "auth required pam_env.so\n",
                "auth requisite pam_nologin.so\n",
                "auth optional pam_permit.so\n",
                "auth required pam_faillock.so preauth\n",
                ("auth [success=1 default=ignore] pam_succeed_if.so uid < 1000\n"
                 "auth required pam_faildelay.so\n"),
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(before); i++) {
                char text[1024];

                snprintf(text, sizeof text, "%s" AUTH_OURS AUTH_REST, before[i]);
                assert_string_equal(judge_with("common-auth", text).text, "");
        }
}

static void test_judge__ignored_and_then_permitted__error(void **state)
{
        (void)state;
        assert_found("common-auth",
                     "auth [success=done auth_err=die default=ignore] pam_ephemeral.so\n"
                     "auth required pam_permit.so\n",
                     LEVEL_ERROR, "a wrong password lets in");
        assert_found("common-auth",
                     "auth [success=done default=ignore] pam_ephemeral.so\n"
                     "auth required pam_permit.so\n",
                     LEVEL_ERROR, "a refused token lets in");
        assert_found("common-auth",
                     "auth [success=1 auth_err=die default=ignore] pam_ephemeral.so\n"
                     "auth [success=ok default=1] pam_unix.so\nauth requisite pam_deny.so\n"
                     "auth required pam_permit.so\n",
                     LEVEL_ERROR, "a wrong password lets in");
        assert_found("common-auth", AUTH_OURS "auth sufficient pam_rootok.so\n" AUTH_REST,
                     LEVEL_ERROR, "a wrong password lets in");
}

static void test_judge__jumps_to_the_wrong_line__error(void **state)
{
        (void)state;
        assert_found("common-auth",
                     "auth [success=1 auth_err=die default=ignore] pam_ephemeral.so\n" AUTH_REST,
                     LEVEL_ERROR, "a right token does not let in");
        assert_found("common-auth",
                     "auth [success=3 auth_err=die default=ignore] pam_ephemeral.so\n" AUTH_REST,
                     LEVEL_ERROR, "a right token does not let in");
}

static void test_judge__refused_token_travels_on__warning(void **state)
{
        (void)state;
        assert_found("common-auth", "auth [success=2 default=ignore] pam_ephemeral.so\n" AUTH_REST,
                     LEVEL_WARNING, "goes on to the next module");
        assert_found("common-auth",
                     "auth [success=ok auth_err=die authinfo_unavail=die default=ignore] "
                     "pam_ephemeral.so\n"
                     "auth required pam_google_authenticator.so\n",
                     LEVEL_WARNING, "alone does not let in");
}

static void test_judge__account__denials_count_and_order(void **state)
{
        (void)state;
        assert_found("common-account",
                     "account [success=ok default=ignore] pam_ephemeral.so\n" ACCOUNT_REST,
                     LEVEL_ERROR, "let in all the same");
        assert_found("common-account", "account sufficient pam_ephemeral.so\n" ACCOUNT_REST,
                     LEVEL_ERROR, "let in all the same");
        assert_found("common-account", ACCOUNT_REST ACCOUNT_OURS, LEVEL_WARNING,
                     "expired password");
        assert_found("common-account", "account sufficient pam_unix.so\n" ACCOUNT_OURS, LEVEL_ERROR,
                     "let in all the same");
        assert_found("common-account", "account required pam_ephemeral.so\n" ACCOUNT_REST,
                     LEVEL_WARNING, "were the module away");
        assert_found("common-account",
                     "account [success=ok default=die] pam_ephemeral.so\n" ACCOUNT_REST,
                     LEVEL_ERROR, "nobody gets in without a token");
}

static void test_judge__session__reached_and_before_systemd(void **state)
{
        (void)state;
        assert_found("common-session", SESSION_REST SESSION_OURS, LEVEL_ERROR,
                     "behind pam_systemd");
        assert_found("common-session", "session sufficient pam_unix.so\n" SESSION_OURS SESSION_REST,
                     LEVEL_ERROR, "never reached");
        assert_found("common-session", SESSION_OURS "session required pam_unix.so\n", LEVEL_WARNING,
                     "no pam_systemd");
        assert_found("common-session", "session optional pam_ephemeral.so\n" SESSION_REST,
                     LEVEL_WARNING, "ended afterwards");
        assert_found("common-session", "session required pam_ephemeral.so\n" SESSION_REST,
                     LEVEL_WARNING, "were the module away");
}

static void test_judge__options__known_and_serving(void **state)
{
        (void)state;
        assert_found("common-session",
                     "session [success=ok module_unknown=ignore default=die] pam_ephemeral.so "
                     "debugg\n" SESSION_REST,
                     LEVEL_ERROR, "no option debugg");
        assert_found("common-session",
                     "session [success=ok module_unknown=ignore default=die] pam_ephemeral.so "
                     "services=login\n" SESSION_REST,
                     LEVEL_ERROR, "no session line");
        assert_string_equal(judge_with("common-session",
                                       "session [success=ok module_unknown=ignore default=die] "
                                       "pam_ephemeral.so services=login,SSHD\n" SESSION_REST)
                                    .text,
                            "");
        assert_found("common-auth", "auth perhaps pam_x.so\n" AUTH_OURS AUTH_REST, LEVEL_ERROR,
                     "does not understand");
}

/* One that the module takes is known here, and the other way round. */
static void test_judge_options__the_module_s__agree(void **state)
{
        static const char *const words[] = {
                "socket=/x",
                "timeout=5s",
                "prompt=x",
                "services=sshd",
                "min_uid=1",
                "debug",
                "try_first_pass",
                "use_first_pass",
                "require_credential=@x",
                "debug=",
                "sockets=/x",
                "nullok",
                "timeout",
                "",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                char *arguments[] = {(char *)words[i]};
                const char *const argv[] = {words[i]};
                const PamLine line = {
                        .module = "pam_ephemeral.so", .arguments = arguments, .n_arguments = 1};
                Options options;

                assert_int_equal(options_from_argv(1, argv, &options) == 0,
                                 judge_wrong_option(&line) == NULL);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_judge__as_pam_auth_update_writes_it__nothing),
                cmocka_unit_test(test_judge__a_line_is_missing__error),
                cmocka_unit_test(test_judge__lets_in_before_us__error),
                cmocka_unit_test(test_judge__harmless_before_us__nothing),
                cmocka_unit_test(test_judge__ignored_and_then_permitted__error),
                cmocka_unit_test(test_judge__jumps_to_the_wrong_line__error),
                cmocka_unit_test(test_judge__refused_token_travels_on__warning),
                cmocka_unit_test(test_judge__account__denials_count_and_order),
                cmocka_unit_test(test_judge__session__reached_and_before_systemd),
                cmocka_unit_test(test_judge__options__known_and_serving),
                cmocka_unit_test(test_judge_options__the_module_s__agree),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

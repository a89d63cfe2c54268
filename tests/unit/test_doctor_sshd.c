/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What "sshd -T" prints, and what it means. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "credctl/doctor-sshd.h"

#define SOUND                                                                                      \
        "port 22\nusepam yes\npermitrootlogin without-password\npasswordauthentication yes\n"      \
        "kbdinteractiveauthentication no\npermitemptypasswords no\n"
#define ANY "authenticationmethods any\n"

typedef struct Found {
        Level worst;
        char text[1024];
} Found;

static void on_found(void *userdata, Level level, const char *finding, const char *mend)
{
        Found *found = userdata;

        assert_non_null(mend);
        found->worst = level > found->worst ? level : found->worst;
        strncat(found->text, finding, sizeof found->text - strlen(found->text) - 1);
}

static void assert_judged(const char *text, Level worst, const char *words)
{
        Found found = {.worst = LEVEL_OK};

        sshd_judge(text, on_found, &found);
        if (found.worst != worst || !strstr(found.text, words))
                fail_msg("wanted %d \"%s\", found %d: %s", worst, words, found.worst, found.text);
}

static void test_sshd_judge__as_debian_has_it__nothing(void **state)
{
        (void)state;
        assert_judged(SOUND ANY, LEVEL_OK, "");
}

static void test_sshd_judge__no_way_for_a_token__error(void **state)
{
        (void)state;
        assert_judged("usepam no\npasswordauthentication yes\n", LEVEL_ERROR, "UsePAM");
        assert_judged("usepam yes\npasswordauthentication no\nkbdinteractiveauthentication no\n",
                      LEVEL_ERROR, "cannot be given");
        assert_judged("", LEVEL_ERROR, "UsePAM");
}

static void test_sshd_judge__methods__alone_together_or_not(void **state)
{
        (void)state;
        assert_judged(SOUND "authenticationmethods publickey password\n", LEVEL_OK, "");
        assert_judged(SOUND "authenticationmethods keyboard-interactive:pam\n", LEVEL_OK, "");
        assert_judged(SOUND "authenticationmethods publickey,password\n", LEVEL_WARNING,
                      "more than");
        assert_judged(SOUND "authenticationmethods publickey hostbased\n", LEVEL_ERROR,
                      "no method");
}

static void test_sshd_judge__open_doors__told(void **state)
{
        (void)state;
        assert_judged("permitrootlogin yes\nusepam yes\nkbdinteractiveauthentication yes\n",
                      LEVEL_NOTE, "root");
        assert_judged("permitemptypasswords yes\nusepam yes\nkbdinteractiveauthentication yes\n",
                      LEVEL_WARNING, "PermitEmptyPasswords");
}

static void test_sshd_value__keyword__whole(void **state)
{
        AUTO_FREE char *value = sshd_value("usepamx no\nusepam yes no\nrest", "UsePAM");
        AUTO_FREE char *last = sshd_value("usepam yes", "usepam");

        (void)state;
        assert_string_equal(value, "yes no");
        assert_string_equal(last, "yes");
        assert_null(sshd_value("usepam", "usepam"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sshd_judge__as_debian_has_it__nothing),
                cmocka_unit_test(test_sshd_judge__no_way_for_a_token__error),
                cmocka_unit_test(test_sshd_judge__methods__alone_together_or_not),
                cmocka_unit_test(test_sshd_judge__open_doors__told),
                cmocka_unit_test(test_sshd_value__keyword__whole),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

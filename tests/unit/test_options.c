/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pam_ephemeral/options: a line's words to values, and what a slip does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "pam_ephemeral/options.h"

#define PARSE(options, ...)                                                                        \
        options_from_argv((int)ELEMENTSOF(((const char *[]){__VA_ARGS__})),                        \
                          (const char *[]){__VA_ARGS__}, (options))

static void test_options__empty_line__defaults(void **state)
{
        Options o;

        (void)state;
        assert_int_equal(options_from_argv(0, NULL, &o), 0);
        assert_string_equal(o.socket, "/run/credd/io.credd.Login");
        assert_string_equal(o.prompt, "Password or token: ");
        assert_string_equal(o.services, "sshd,login");
        assert_null(o.require_group);
        assert_int_equal(o.timeout_usec, 5 * USEC_PER_SEC);
        assert_int_equal(o.min_uid, 1000);
        assert_int_equal(o.first_pass, FIRST_PASS_ASK);
        assert_false(o.debug);
        assert_null(o.wrong);
}

static void test_options__every_option__taken(void **state)
{
        Options o;

        (void)state;
        assert_int_equal(PARSE(&o, "socket=/tmp/s", "timeout=250ms",
                               "prompt=Käse: ", "try_first_pass", "min_uid=0", "services=sshd",
                               "require_credential=@ops", "debug"),
                         0);
        assert_string_equal(o.socket, "/tmp/s");
        assert_string_equal(o.prompt, "Käse: ");
        assert_string_equal(o.services, "sshd");
        assert_string_equal(o.require_group, "ops");
        assert_int_equal(o.timeout_usec, 250 * USEC_PER_MSEC);
        assert_int_equal(o.min_uid, 0);
        assert_int_equal(o.first_pass, FIRST_PASS_TRY);
        assert_true(o.debug);
        assert_null(o.wrong);
        assert_int_equal(PARSE(&o, "use_first_pass"), 0);
        assert_int_equal(o.first_pass, FIRST_PASS_USE);
}

static void test_options__timeouts__whole_unit_or_none(void **state)
{
        static const struct {
                const char *word;
                uint64_t usec;
        } good[] = {
                {"timeout=1ms", 1000},      {"timeout=2s", 2000000},
                {"timeout=7", 7000000},     {"timeout=120", 120000000},
                {"timeout=0003s", 3000000}, {"timeout=120000ms", 120000000},
        };
        static const char *const bad[] = {
                "timeout=",
                "timeout=0",
                "timeout=0ms",
                "timeout=-1",
                "timeout=+1",
                "timeout= 1",
                "timeout=1 ",
                "timeout=1m",
                "timeout=1min",
                "timeout=1.5s",
                "timeout=s",
                "timeout=121",
                "timeout=1sms",
                "timeout=0x10",
                "timeout=120001ms",
                "timeout=18446744073709551617",
                "timeout=99999999999999999999999999s",
        };
        Options o;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                assert_int_equal(PARSE(&o, good[i].word), 0);
                assert_int_equal(o.timeout_usec, good[i].usec);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                assert_int_equal(PARSE(&o, bad[i]), -EINVAL);
                assert_int_equal(o.timeout_usec, OPTIONS_TIMEOUT_USEC);
        }
}

static void test_options__wrong_word__refused_and_named(void **state)
{
        static const char *const bad[] = {
                "",
                "Debug",
                "debugg",
                "debug=1",
                "deb",
                "try_first_pas",
                "try_first_pass=yes",
                "socket",
                "socket=",
                "socket=run/credd",
                "prompt=",
                "prompt=a\nb",
                "prompt=\x1b[2J",
                "prompt=\xff",
                "min_uid",
                "min_uid=",
                "min_uid=-1",
                "min_uid=1000 ",
                "min_uid=4294967295",
                "min_uid=4294967296",
                "min_uid=1e3",
                "services",
                "services=",
                "services=,",
                "services=sshd,",
                "services=sshd,,login",
                "services=sshd login",
                "services=/etc/pam.d/sshd",
                "require_credential",
                "require_credential=",
                "require_credential=@",
                "require_credential=ops",
                "nullok",
        };
        char longest[200] = "socket=/";
        Options o;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                assert_int_equal(PARSE(&o, "debug", bad[i]), -EINVAL);
                assert_string_equal(o.wrong, bad[i]);
                assert_true(o.debug);
        }
        memset(longest + strlen(longest), 'x', 107);
        assert_int_equal(PARSE(&o, longest), -EINVAL);
        longest[strlen(longest) - 1] = '\0';
        assert_int_equal(PARSE(&o, longest), 0);
}

static void test_options__both_first_passes__refused(void **state)
{
        Options o;

        (void)state;
        assert_int_equal(PARSE(&o, "try_first_pass", "use_first_pass"), -EINVAL);
        assert_string_equal(o.wrong, "use_first_pass");
        assert_int_equal(PARSE(&o, "use_first_pass", "try_first_pass"), -EINVAL);
        assert_int_equal(PARSE(&o, "try_first_pass", "try_first_pass"), 0);
}

static void test_options__slip_beside_services_and_min_uid__both_still_taken(void **state)
{
        Options o;

        (void)state;
        assert_int_equal(PARSE(&o, "tiemout=5s", "services=login", "min_uid=7", "x"), -EINVAL);
        assert_string_equal(o.wrong, "tiemout=5s");
        assert_string_equal(o.services, "login");
        assert_int_equal(o.min_uid, 7);
        assert_int_equal(PARSE(&o, "services=,", "min_uid=lots"), -EINVAL);
        assert_string_equal(o.services, "sshd,login");
        assert_int_equal(o.min_uid, 1000);
}

static void test_options__repeated__the_later_good_one_counts(void **state)
{
        Options o;

        (void)state;
        assert_int_equal(PARSE(&o, "min_uid=5", "min_uid=6"), 0);
        assert_int_equal(o.min_uid, 6);
        assert_int_equal(PARSE(&o, "min_uid=5", "min_uid=six"), -EINVAL);
        assert_int_equal(o.min_uid, 5);
}

static void test_options__service__matches_a_whole_name(void **state)
{
        Options o;

        (void)state;
        assert_int_equal(PARSE(&o, "services=sshd,login"), 0);
        assert_true(options_serve(&o, "sshd"));
        assert_true(options_serve(&o, "login"));
        assert_true(options_serve(&o, "SSHD"));
        assert_false(options_serve(&o, ""));
        assert_false(options_serve(&o, "ssh"));
        assert_false(options_serve(&o, "sshd2"));
        assert_false(options_serve(&o, "su"));
        assert_false(options_serve(&o, "sshd,login"));
        assert_false(options_serve(&o, ","));
        assert_false(options_serve(&o, "ogin"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_options__empty_line__defaults),
                cmocka_unit_test(test_options__every_option__taken),
                cmocka_unit_test(test_options__timeouts__whole_unit_or_none),
                cmocka_unit_test(test_options__wrong_word__refused_and_named),
                cmocka_unit_test(test_options__both_first_passes__refused),
                cmocka_unit_test(test_options__slip_beside_services_and_min_uid__both_still_taken),
                cmocka_unit_test(test_options__repeated__the_later_good_one_counts),
                cmocka_unit_test(test_options__service__matches_a_whole_name),
        };

        return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The services in nsswitch.conf, as nsswitch.conf(5) writes them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "credctl/doctor-nss.h"

static void assert_services(const char *text, const char *expected)
{
        char services[NSS_SERVICES_MAX];

        assert_true(nss_services(text, "passwd", services));
        assert_string_equal(services, expected);
}

static void test_nss_services__a_line__its_services(void **state)
{
        (void)state;
        assert_services("passwd: files\n", "files");
        assert_services("# Debian\npasswd:\t\tfiles systemd\ngroup: files\n", "files systemd");
        assert_services("  passwd:files   sss", "files sss");
        assert_services("hosts: files dns\npasswd: compat # and no more\n", "compat");
}

static void test_nss_services__actions_between__left_out(void **state)
{
        (void)state;
        assert_services("passwd: files [NOTFOUND=continue SUCCESS=return] sss\n", "files sss");
        assert_services("passwd: files[NOTFOUND=return]sss\n", "files sss");
        assert_services("passwd: files [NOTFOUND=return\ngroup: sss\n", "files");
}

static void test_nss_services__no_line__files(void **state)
{
        (void)state;
        assert_services("", "files");
        assert_services("group: sss\n", "files");
        assert_services("#passwd: sss\n", "files");
        assert_services("passwd_compat: nis\n", "files");
}

static void test_nss_services__an_empty_line__none(void **state)
{
        (void)state;
        assert_services("passwd:\ngroup: files\n", "");
}

static void test_nss_services__more_than_fit__false(void **state)
{
        char text[2 * NSS_SERVICES_MAX] = "passwd:", services[NSS_SERVICES_MAX];

        (void)state;
        for (int i = 0; i < 16; i++)
                strcat(text, " a-service");
        assert_false(nss_services(text, "passwd", services));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nss_services__a_line__its_services),
                cmocka_unit_test(test_nss_services__actions_between__left_out),
                cmocka_unit_test(test_nss_services__no_line__files),
                cmocka_unit_test(test_nss_services__an_empty_line__none),
                cmocka_unit_test(test_nss_services__more_than_fit__false),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

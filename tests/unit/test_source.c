/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "credd/source.h"

static void test_source_parse__good_text__has_one_canonical_form(void **state)
{
        static const char *const table[][2] = {
                {"local", "local"},
                {"10.0.0.0/24", "10.0.0.0/24"},
                {"10.0.0.7", "10.0.0.7/32"},
                {"10.0.0.7/32", "10.0.0.7/32"},
                {"0.0.0.0/0", "0.0.0.0/0"},
                {"10.64.0.0/10", "10.64.0.0/10"},
                {"::1/128", "::1/128"},
                {"::1", "::1/128"},
                {"::/0", "::/0"},
                {"2001:DB8:0:0::/32", "2001:db8::/32"},
                {"fe80::/10", "fe80::/10"},
                {"2001:db8:ffff:ffff:ffff:ffff:255.255.255.255",
                 "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff/128"},
                {"::ffff:10.0.0.7", "10.0.0.7/32"},
                {"::ffff:10.0.0.0/104", "10.0.0.0/8"},
                {"::ffff:0:0/96", "0.0.0.0/0"},
        };
        char buffer[SOURCE_TEXT_MAX];
        Source source, again;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                assert_int_equal(source_parse(table[i][0], &source), 0);
                assert_string_equal(source_format(&source, buffer), table[i][1]);
                assert_int_equal(source_parse(buffer, &again), 0);
                assert_memory_equal(&source, &again, sizeof(source));
        }
}

static void test_source_parse__anything_else__is_refused(void **state)
{
        static const char *const bad[] = {
                "",
                " ",
                "/",
                "Local",
                "LOCAL",
                "local ",
                "local/0",
                "localhost",
                "example.org",
                "*",
                "10",
                "10.0",
                "10.0.0",
                "10.0.0.0.0",
                "10.0.0.256",
                "010.0.0.1",
                "0x0a.0.0.1",
                " 10.0.0.1",
                "10.0.0.1 ",
                "10.0.0.1\n",
                "-1.0.0.0",
                "10.0.0.0/",
                "10.0.0.0/33",
                "10.0.0.0/08",
                "10.0.0.0/+8",
                "10.0.0.0/-8",
                "10.0.0.0/ 8",
                "10.0.0.0/8 ",
                "10.0.0.0/8/8",
                "10.0.0.0/255.0.0.0",
                "10.0.0.0/0008",
                "10.0.0.0/4294967304",
                /* bits beyond the prefix */
                "10.0.0.1/24",
                "10.0.0.1/0",
                "10.96.0.0/10",
                "::1/127",
                "::1/0",
                "fe80::1/10",
                "::ffff:10.0.0.1/104",
                "::ffff:0:0/80",
                "::ffff:10.0.0.0/95",
                ":",
                ":::",
                "::1::",
                "1:2:3:4:5:6:7",
                "1:2:3:4:5:6:7:8:9",
                "::g",
                "::12345",
                "[::1]",
                "::1/129",
                "::1/1280",
                "fe80::1%eth0",
                "fe80::%eth0/10",
                "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/1",
        };
        Source source;

        (void)state;
        memset(&source, 0x5a, sizeof(source));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_int_equal(source_parse(bad[i], &source), -EINVAL);
        assert_int_equal(source.prefix, 0x5a);
}

static void test_source_matches__table__holds(void **state)
{
        static const struct {
                const char *source, *rhost;
                bool want;
        } table[] = {
                {"10.0.0.0/8", "10.0.0.1", true},
                {"10.0.0.0/8", "10.255.255.255", true},
                {"10.0.0.0/8", "11.0.0.0", false},
                {"10.64.0.0/10", "10.127.255.255", true},
                {"10.64.0.0/10", "10.128.0.0", false},
                {"10.0.0.7", "10.0.0.7", true},
                {"10.0.0.7", "10.0.0.6", false},
                {"0.0.0.0/0", "192.0.2.1", true},
                {"0.0.0.0/1", "127.0.0.1", true},
                {"0.0.0.0/1", "128.0.0.1", false},
                {"::1/128", "::1", true},
                {"::1/128", "::2", false},
                {"2001:db8::/32", "2001:db8:ffff::1", true},
                {"2001:db8::/32", "2001:db9::1", false},
                {"2001:db8::/33", "2001:db8:7fff::", true},
                {"2001:db8::/33", "2001:db8:8000::", false},
                /* IPv4-mapped is IPv4, on either side, and IPv6 networks hold no IPv4. */
                {"10.0.0.0/8", "::ffff:10.0.0.1", true},
                {"10.0.0.0/8", "::ffff:a00:1", true},
                {"10.0.0.0/8", "::ffff:11.0.0.1", false},
                {"::ffff:10.0.0.0/104", "10.1.2.3", true},
                {"::/0", "::ffff:10.0.0.1", false},
                {"::/0", "10.0.0.1", false},
                {"::/0", "2001:db8::1", true},
                {"0.0.0.0/0", "::1", false},
                {"0.0.0.0/0", "::10.0.0.1", false},
                /* A zone belongs to a link-local address alone. */
                {"fe80::/10", "fe80::1", true},
                {"fe80::/10", "fe80::1%eth0", true},
                {"fe80::1", "fe80::1%2", true},
                {"fe80::/10", "fe80::1%", false},
                {"fe80::/10", "fe80::1%an-interface-name-too-long", false},
                {"2001:db8::/32", "2001:db8::1%eth0", false},
                {"10.0.0.0/8", "10.0.0.1%eth0", false},
                {"10.0.0.0/8", "::ffff:10.0.0.1%eth0", false},
                /* Host names never match, whatever they look like. */
                {"0.0.0.0/0", "localhost", false},
                {"0.0.0.0/0", "10.0.0.1.example.org", false},
                {"0.0.0.0/0", "10.0.0.1 ", false},
                {"0.0.0.0/0", "10.0.0.1/8", false},
                {"0.0.0.0/0", "10.1", false},
                {"0.0.0.0/0", "UNKNOWN", false},
                {"::/0", "[::1]", false},
                {"::/0", "a-very-long-name-that-no-address-in-digits-could-ever-have.example.org",
                 false},
                /* No remote host. */
                {"local", NULL, true},
                {"local", "", true},
                {"local", "local", false},
                {"local", "localhost", false},
                {"local", "127.0.0.1", false},
                {"local", "::1", false},
                {"0.0.0.0/0", NULL, false},
                {"0.0.0.0/0", "", false},
                {"::/0", NULL, false},
        };
        Source source;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                assert_int_equal(source_parse(table[i].source, &source), 0);
                if (source_matches(&source, table[i].rhost) != table[i].want)
                        fail_msg("%s and %s", table[i].source,
                                 table[i].rhost ? table[i].rhost : "(no remote host)");
        }
}

static void test_source_matches__empty_struct__matches_nothing(void **state)
{
        const Source source = {0};

        (void)state;
        assert_false(source_matches(&source, NULL));
        assert_false(source_matches(&source, "0.0.0.0"));
        assert_false(source_matches(&source, "::"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_source_parse__good_text__has_one_canonical_form),
                cmocka_unit_test(test_source_parse__anything_else__is_refused),
                cmocka_unit_test(test_source_matches__table__holds),
                cmocka_unit_test(test_source_matches__empty_struct__matches_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events as people read them in credctl show. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/varlink.h"
#include "credctl/event.h"

static void assert_words(const char *name, const char *fields, const char *expected)
{
        json_auto_t *event =
                json_pack("{s:s, s:o}", "event", name, "fields", json_loads(fields, 0, NULL));
        char words[EVENT_TEXT_MAX];

        assert_non_null(event);
        assert_string_equal(event_words(event, words), expected);
}

static void test_event_words__extended__length_actor_and_local_moment(void **state)
{
        (void)state;
        assert_words("credential-extended",
                     "{\"user\":\"deploy\",\"uid\":\"1001\",\"actor\":\"carol\","
                     "\"actor_uid\":\"1000\",\"deadline\":\"2026-11-22T20:17:00Z\","
                     "\"by_usec\":\"1800000000\",\"reason\":\"not done yet\"}",
                     "credential-extended       by 30min, by carol, uid 1000, "
                     "until 2026-11-22 21:17:00 +01:00, reason: not done yet");
}

static void test_event_words__warned__where_and_until_when(void **state)
{
        (void)state;
        assert_words("session-warned",
                     "{\"user\":\"deploy\",\"service\":\"sshd\",\"rhost\":\"10.1.2.3\","
                     "\"session\":\"12\",\"deadline\":\"2026-11-22T20:17:00Z\"}",
                     "session-warned            session 12, through sshd, from 10.1.2.3, "
                     "until 2026-11-22 21:17:00 +01:00");
}

static void test_event_words__clock_stepped__sign_kept(void **state)
{
        (void)state;
        assert_words("clock-stepped", "{\"by_usec\":\"-3600000000\"}",
                     "clock-stepped             by -1h");
        assert_words("clock-stepped", "{\"by_usec\":\"+90000000\"}",
                     "clock-stepped             by +1min 30s");
}

static void test_event_words__host_frozen__who_and_why(void **state)
{
        (void)state;
        assert_words("host-frozen",
                     "{\"actor\":\"root\",\"reason\":\"a break-in\",\"end_sessions\":\"yes\"}",
                     "host-frozen               by root, sessions ended: yes, reason: a break-in");
        assert_words("host-thawed", "{\"actor\":\"root\"}", "host-thawed               by root");
}

static void test_event_words__nothing_to_add__the_name_alone(void **state)
{
        json_auto_t *bare = json_pack("{s:s}", "event", "daemon-stopped");
        char words[EVENT_TEXT_MAX];

        (void)state;
        assert_words("credential-used-up", "{\"user\":\"deploy\"}", "credential-used-up");
        assert_string_equal(event_words(bare, words), "daemon-stopped");
}

static void test_event_words__unknown_fields__by_name(void **state)
{
        (void)state;
        assert_words("new-thing", "{\"colour\":\"red\",\"wait_usec\":\"5000000\",\"n\":3}",
                     "new-thing                 colour=red, wait_usec=5s, n=?");
}

static void test_event_words__odd_values__as_they_are(void **state)
{
        (void)state;
        assert_words("x", "{\"by_usec\":\"soon\",\"deadline\":\"TZ\"}",
                     "x                         by soon, until TZ");
        assert_words("x", "{\"by_usec\":\"\",\"left_usec\":\"99999999999999999999999\"}",
                     "x                         by , 99999999999999999999999 left");
}

static void test_event_words__too_long__cut(void **state)
{
        char fields[2 * EVENT_TEXT_MAX], words[EVENT_TEXT_MAX];
        json_auto_t *event = NULL;

        (void)state;
        memset(fields, 'a', sizeof fields - 1);
        fields[sizeof fields - 1] = '\0';
        event = json_pack("{s:s, s:{s:s, s:s}}", "event", "x", "fields", "reason", fields, "other",
                          "b");
        assert_int_equal(strlen(event_words(event, words)), EVENT_TEXT_MAX - 1);
}

static int set_zone(void **state)
{
        (void)state;
        setenv("TZ", "CET-1", 1);
        tzset();
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_event_words__extended__length_actor_and_local_moment),
                cmocka_unit_test(test_event_words__warned__where_and_until_when),
                cmocka_unit_test(test_event_words__clock_stepped__sign_kept),
                cmocka_unit_test(test_event_words__host_frozen__who_and_why),
                cmocka_unit_test(test_event_words__nothing_to_add__the_name_alone),
                cmocka_unit_test(test_event_words__unknown_fields__by_name),
                cmocka_unit_test(test_event_words__odd_values__as_they_are),
                cmocka_unit_test(test_event_words__too_long__cut),
        };

        return cmocka_run_group_tests(tests, set_zone, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From facts to the report: what is counted, what is an exception, and cells that no spreadsheet runs. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "common/varlink.h"
#include "credctl/audit.h"
#include "credctl/record.h"

#define SEC  USEC_PER_SEC
#define HOUR (3600 * SEC)
#define DAY  (24 * HOUR)
#define T0   (UINT64_C(1795305600) * SEC) /* 2026-11-22 */

typedef struct Rig {
        AuditInput input;
        AuditEvents events;
        json_t *report;
} Rig;

static int rig_setup(void **state)
{
        Rig *rig = calloc(1, sizeof *rig);

        assert_non_null(rig);
        rig->input.question = (AuditQuestion){.since_usec = T0,
                                              .until_usec = T0 + DAY,
                                              .now_usec = T0 + DAY + HOUR,
                                              .long_lived_usec = DAY,
                                              .uid = -1};
        rig->input.events = &rig->events;
        rig->input.origin = json_pack("{s:s}", "host", "web1");
        rig->input.head = json_pack("{s:i, s:s}", "seq", 9, "hash", "ab");
        rig->input.credentials = json_array();
        rig->input.users = json_pack("[s]", "deploy*");
        rig->input.logins = json_array();
        assert_int_equal(audit_events_init(&rig->events, &rig->input.question), 0);
        *state = rig;
        return 0;
}

static int rig_teardown(void **state)
{
        Rig *rig = *state;

        audit_events_done(&rig->events);
        json_decref(rig->input.origin);
        json_decref(rig->input.head);
        json_decref(rig->input.credentials);
        json_decref(rig->input.users);
        json_decref(rig->input.logins);
        json_decref(rig->report);
        free(rig);
        return 0;
}

/* A credential that was issued at one hour of the day and is over, but for what more says. */
static json_t *put(Rig *rig, const char *id, const char *more)
{
        json_auto_t *extra = json_loads(more, 0, NULL);
        json_t *credential = json_pack(
                "{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:[], s:[], s:[], s:[], s:b, s:n}", "id",
                id, "kind", "token", "state", "expired", "user", "deploy", "issued_usec",
                (json_int_t)(T0 + HOUR), "not_before_usec", (json_int_t)(T0 + HOUR),
                "login_limit_usec", (json_int_t)(T0 + 2 * HOUR), "closed_usec",
                (json_int_t)(T0 + 2 * HOUR), "sessions", "extensions", "missed", "alarms",
                "history_whole", 1, "role_off");

        assert_non_null(extra);
        assert_int_equal(json_object_update(credential, extra), 0);
        assert_int_equal(json_array_append_new(rig->input.credentials, credential), 0);
        return credential;
}

static void note(Rig *rig, const char *event, uint64_t at_usec, json_t *fields)
{
        json_auto_t *row = json_pack("{s:s, s:I, s:o}", "event", event, "time_usec",
                                     (json_int_t)at_usec, "fields", fields);

        assert_non_null(row);
        assert_int_equal(audit_events_note(&rig->events, row), 0);
}

static void collect(Rig *rig)
{
        assert_int_equal(audit_collect(&rig->input, &rig->report), 0);
}

static uint64_t total(const Rig *rig, const char *name)
{
        return record_number_or(json_object_get(rig->report, "totals"), name, 999);
}

static void assert_found(const Rig *rig, size_t i, const char *kind, const char *severity)
{
        const json_t *one = json_array_get(json_object_get(rig->report, "exceptions"), i);

        assert_string_equal(record_text_or(one, "kind", "none"), kind);
        assert_string_equal(record_text_or(one, "severity", "none"), severity);
}

static void assert_found_n(const Rig *rig, size_t n)
{
        assert_int_equal(json_array_size(json_object_get(rig->report, "exceptions")), n);
}

#define RECEIPT(verdict, late)                                                                     \
        "\"receipt\":{\"verdict\":\"" verdict "\",\"late_usec\":" late                             \
        ",\"written_usec\":1795312801000000,\"residue\":[{},{}]}"

static void test_collect__verdicts__each_credential_counted_once(void **state)
{
        Rig *rig = *state;

        put(rig, "confirmd", "{" RECEIPT("confirmed", "5") "}");
        put(rig, "lateone1", "{" RECEIPT("late", "3000000") "}");
        put(rig, "residue1", "{" RECEIPT("residue", "0") "}");
        put(rig, "openone1", "{\"state\":\"active\",\"closed_usec\":null}");
        put(rig, "drillone", "{\"kind\":\"drill\"," RECEIPT("late", "1") "}");
        put(rig, "denied11",
            "{\"state\":\"denied\",\"issued_usec\":null,"
            "\"request\":{\"asked_usec\":1795305600000000}}");
        collect(rig);
        assert_int_equal(total(rig, "credentials"), 4);
        assert_int_equal(total(rig, "confirmed"), 1);
        assert_int_equal(total(rig, "on_time"), 1);
        assert_int_equal(total(rig, "late"), 1);
        assert_int_equal(total(rig, "residue"), 1);
        assert_int_equal(total(rig, "open"), 1);
        assert_int_equal(total(rig, "drills"), 1);
        assert_int_equal(total(rig, "requests"), 1);
        assert_int_equal(total(rig, "not_issued"), 1);
        /* that of the drill is one, too */
        assert_found_n(rig, 3);
        assert_int_equal(audit_count(rig->report, "late"), 2);
        assert_int_equal(audit_count(rig->report, "residue"), 1);
}

static void test_collect__lives__have_their_lengths(void **state)
{
        Rig *rig = *state;
        json_t *over = put(rig, "confirmd", "{" RECEIPT("confirmed", "5") "}");
        json_t *open = put(rig, "openone1",
                           "{\"sessions\":[{\"opened_usec\":1795312800000000,\"deadline_usec\":"
                           "1795395599000000,\"ended_usec\":null}]}");

        collect(rig);
        assert_int_equal(record_number_or(over, "lived_usec", 0), HOUR + SEC);
        assert_int_equal(record_number_or(over, "lateness_usec", 0), 5);
        assert_int_equal(record_number_or(open, "lived_usec", 0), DAY);
        assert_int_equal(record_number_or(open, "lateness_usec", 0), SEC);
        assert_int_equal(total(rig, "sessions"), 1);
}

static void test_exceptions__of_credentials__the_worst_first(void **state)
{
        Rig *rig = *state;
        json_t *c;

        put(rig, "lateone1", "{" RECEIPT("late", "3000000") "}");
        c = put(rig, "missed11",
                "{\"missed\":[{\"at_usec\":1795312811000000,\"late_usec\":11000000}],\"alarms\":["
                "{\"kind\":\"missed\",\"raised_usec\":1795312811000000,\"acked_usec\":null},"
                "{\"kind\":\"break-glass\",\"raised_usec\":1,\"acked_usec\":2}],"
                "\"issued_usec\":1795000000000000}");
        put(rig, "roleoff1",
            "{\"role\":\"ops\",\"role_off\":{\"at_usec\":1795312811000001},"
            "\"sessions\":[{\"ended_usec\":null}]}");
        collect(rig);
        assert_found(rig, 0, "missed", "critical");
        assert_found(rig, 1, "unacknowledged", "critical");
        assert_found(rig, 2, "role-off-live", "critical");
        assert_found(rig, 3, "late", "warning");
        assert_found(rig, 4, "long-lived", "note");
        assert_found_n(rig, 5);
        assert_int_equal(total(rig, "break_glass"), 1);
        assert_int_equal(json_array_size(json_object_get(c, "exceptions")), 3);
}

static void test_collect__logins_of_drills__not_counted(void **state)
{
        Rig *rig = *state;

        note(rig, "login-accepted", T0 + HOUR, json_pack("{s:s}", "user", "deploy"));
        note(rig, "login-accepted", T0 + HOUR,
             json_pack("{s:s, s:s}", "user", "x", "kind", "drill"));
        note(rig, "login-refused", T0 + HOUR,
             json_pack("{s:s, s:s}", "count", "1", "kind", "code"));
        note(rig, "login-refused", T0 + HOUR,
             json_pack("{s:s, s:s}", "count", "1", "kind", "drill"));
        collect(rig);
        assert_int_equal(total(rig, "logins_accepted"), 1);
        assert_int_equal(total(rig, "logins_refused"), 1);
}

static void refuse(Rig *rig, uint64_t at_usec, const char *rhost, const char *count)
{
        note(rig, "login-refused", at_usec,
             json_pack("{s:s, s:s, s:s}", "asked_uid", "1001", "rhost", rhost, "count", count));
}

static void test_exceptions__refused_logins__only_dense_ones_of_one_source(void **state)
{
        Rig *rig = *state;

        for (unsigned i = 0; i < 12; i++)
                refuse(rig, T0 + i * 11 * 60 * SEC, "10.0.0.1", "1"); /* slow */
        for (unsigned i = 0; i < 9; i++)
                refuse(rig, T0 + i * SEC, "10.0.0.2", "1"); /* few */
        refuse(rig, T0 + SEC, "10.0.0.3", "4");
        refuse(rig, T0 + 500 * SEC, "10.0.0.3", "6"); /* just enough */
        refuse(rig, T0 + DAY, "10.0.0.4", "99");      /* another day */
        collect(rig);
        assert_found(rig, 0, "refused-burst", "warning");
        assert_found_n(rig, 1);
        assert_int_equal(total(rig, "logins_refused"), 31);
}

static void test_exceptions__credd_down__told_if_a_deadline_fell_into_it(void **state)
{
        Rig *rig = *state;

        put(rig, "confirmd", "{" RECEIPT("confirmed", "5") "}");
        note(rig, "login-accepted", T0 - SEC, json_object());
        note(rig, "daemon-started", T0 + 30 * 60 * SEC, json_object()); /* nothing fell due */
        note(rig, "session-ended", T0 + HOUR + 59 * 60 * SEC, json_object());
        note(rig, "daemon-started", T0 + 3 * HOUR, json_object()); /* no daemon-stopped before it */
        collect(rig);
        assert_found(rig, 0, "down", "warning");
        assert_found_n(rig, 1);
        assert_int_equal(total(rig, "logins_accepted"), 0);
}

static void head(Rig *rig, uint64_t at_usec, const char *clock)
{
        note(rig, "audit-head", at_usec, json_pack("{s:s}", "clock", clock));
}

static void test_exceptions__clock_not_synchronised__once_a_span(void **state)
{
        Rig *rig = *state;
        const json_t *one;

        head(rig, T0 + HOUR, "not synchronized");
        head(rig, T0 + 2 * HOUR, "not synchronized");
        head(rig, T0 + 3 * HOUR, "synchronized");
        head(rig, T0 + 3 * HOUR + 1, "unknown");
        head(rig, T0 + 4 * HOUR, "not synchronized");
        note(rig, "clock-stepped", T0 + 5 * HOUR, json_pack("{s:s}", "by_usec", "-5000000"));
        collect(rig);
        assert_found_n(rig, 3);
        one = json_array_get(json_object_get(rig->report, "exceptions"), 0);
        assert_non_null(strstr(record_text_or(one, "text", ""), "for 2h"));
        one = json_array_get(json_object_get(rig->report, "exceptions"), 2);
        assert_non_null(strstr(record_text_or(one, "text", ""), "back by 5s"));
}

static void log_in(Rig *rig, const char *user, const char *session, int leader)
{
        assert_int_equal(json_array_append_new(rig->input.logins,
                                               json_pack("{s:s, s:s, s:i, s:I}", "user", user,
                                                         "session", session, "leader", leader,
                                                         "time_usec", (json_int_t)(T0 + HOUR))),
                         0);
}

static void test_exceptions__logins__those_of_role_users_that_are_not_credds(void **state)
{
        Rig *rig = *state;

        log_in(rig, "deploy", "5", 500);
        log_in(rig, "deploy2", "5", 501); /* the id recurs, its leader does not */
        log_in(rig, "alice", "6", 502);   /* of no role */
        note(rig, "session-bound", T0 + HOUR + SEC,
             json_pack("{s:s, s:s}", "session", "5", "leader", "500"));
        collect(rig);
        assert_found(rig, 0, "no-credential-session", "warning");
        assert_found_n(rig, 1);
        assert_int_equal(total(rig, "no_credential_sessions"), 1);
}

static bool says_it_does_not_see(const Rig *rig, const char *what)
{
        json_t *text;
        size_t i;

        json_array_foreach (json_object_get(rig->report, "not_covered"), i, text) {
                if (strstr(json_string_value(text), what))
                        return true;
        }
        return false;
}

static void test_collect__clock_never_told__said(void **state)
{
        Rig *rig = *state;

        head(rig, T0 - SEC, "synchronized"); /* the day before */
        head(rig, T0 + HOUR, "unknown");
        collect(rig);
        assert_true(says_it_does_not_see(rig, "whether the wall clock was right"));
}

static void test_collect__clock_told_once__not_said(void **state)
{
        Rig *rig = *state;

        head(rig, T0 + HOUR, "unknown");
        head(rig, T0 + 2 * HOUR, "synchronized");
        collect(rig);
        assert_false(says_it_does_not_see(rig, "whether the wall clock was right"));
}

static void test_collect__no_journal__said_and_not_counted(void **state)
{
        Rig *rig = *state;

        json_decref(rig->input.logins);
        rig->input.logins = NULL;
        rig->input.no_logins = "no rights";
        collect(rig);
        assert_true(json_is_null(
                json_object_get(json_object_get(rig->report, "totals"), "no_credential_sessions")));
        assert_true(says_it_does_not_see(rig, "(no rights)"));
}

static void test_collect__as_of__those_who_had_access_then(void **state)
{
        Rig *rig = *state;
        const json_t *found;

        rig->input.question.as_of = true;
        rig->input.question.since_usec = rig->input.question.until_usec = T0 + 90 * 60 * SEC;
        put(rig, "login111", "{}");
        put(rig, "closed11", "{\"closed_usec\":1795310000000000}");
        put(rig, "notyet11", "{\"not_before_usec\":1795312000000000}");
        put(rig, "session1",
            "{\"closed_usec\":1795310000000000,\"sessions\":["
            "{\"opened_usec\":1795309300000000,\"ended_usec\":1795312000000000}]}");
        put(rig, "pending1", "{\"issued_usec\":null,\"closed_usec\":null}");
        collect(rig);
        found = json_object_get(rig->report, "credentials");
        assert_int_equal(json_array_size(found), 2);
        assert_string_equal(record_text_or(json_array_get(found, 0), "access", ""), "login");
        assert_string_equal(record_text_or(json_array_get(found, 1), "access", ""), "session");
        assert_int_equal(total(rig, "sessions"), 1);
}

static void assert_cell(const char *text, const char *expected)
{
        char *cell = audit_csv_cell(text);

        assert_non_null(cell);
        assert_string_equal(cell, expected);
        free(cell);
}

static void test_csv_cell__plain_text__as_it_is(void **state)
{
        (void)state;
        assert_cell("", "");
        assert_cell("a b-c=d", "a b-c=d");
        assert_cell("M\xc3\xbcller", "M\xc3\xbcller");
}

static void test_csv_cell__separators__quoted(void **state)
{
        (void)state;
        assert_cell("a,b", "\"a,b\"");
        assert_cell("say \"x\"", "\"say \"\"x\"\"\"");
        assert_cell("a\r\nb", "\"a\r\nb\"");
}

static void test_csv_cell__formula__defused(void **state)
{
        static const char *const starts[] = {"=", "+", "-", "@", "\t", "\r", "\n"};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(starts); i++) {
                char text[16], expected[16];

                (void)snprintf(text, sizeof text, "%s1+1", starts[i]);
                (void)snprintf(expected, sizeof expected, "\"'%s1+1\"", starts[i]);
                assert_cell(text, expected);
        }
        assert_cell("  =1+1", "\"'  =1+1\"");
        assert_cell("\uff1d1+1", "\"'\uff1d1+1\"");
        assert_cell("\uff20SUM(1)", "\"'\uff20SUM(1)\"");
        assert_cell("\uff0e1", "\uff0e1"); /* another wide one */
}

/* Where cells are divided by semicolons, one may begin amid the text, and quotes amid a line are none. */
static void test_csv_cell__formula_behind_a_semicolon__defused(void **state)
{
        (void)state;
        assert_cell("done;=1+1", "\"done;'=1+1\"");
        assert_cell("a; @b;;+c", "\"a;' @b;;'+c\"");
        assert_cell("a; b", "\"a; b\"");
        assert_cell(";", "\";\"");
}

static void test_audit_kind__names__whole_ones_only(void **state)
{
        (void)state;
        assert_string_equal(audit_kind("late,missed", 4), "late");
        assert_null(audit_kind("lat", 3));
        assert_null(audit_kind("", 0));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_collect__verdicts__each_credential_counted_once),
                TEST(test_collect__lives__have_their_lengths),
                TEST(test_exceptions__of_credentials__the_worst_first),
                TEST(test_collect__logins_of_drills__not_counted),
                TEST(test_exceptions__refused_logins__only_dense_ones_of_one_source),
                TEST(test_exceptions__credd_down__told_if_a_deadline_fell_into_it),
                TEST(test_exceptions__clock_not_synchronised__once_a_span),
                TEST(test_exceptions__logins__those_of_role_users_that_are_not_credds),
                TEST(test_collect__clock_never_told__said),
                TEST(test_collect__clock_told_once__not_said),
                TEST(test_collect__no_journal__said_and_not_counted),
                TEST(test_collect__as_of__those_who_had_access_then),
                cmocka_unit_test(test_csv_cell__plain_text__as_it_is),
                cmocka_unit_test(test_csv_cell__separators__quoted),
                cmocka_unit_test(test_csv_cell__formula__defused),
                cmocka_unit_test(test_csv_cell__formula_behind_a_semicolon__defused),
                cmocka_unit_test(test_audit_kind__names__whole_ones_only),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

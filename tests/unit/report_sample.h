/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reports of any number of credentials, with all there is in a report: drills, requests, late ends,
 * residue, what is open and what is missing. The same number gives the same report. */
#pragma once

#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE_MINUTE INT64_C(60000000)
#define SAMPLE_HOUR   (60 * SAMPLE_MINUTE)
#define SAMPLE_DAY    (24 * SAMPLE_HOUR)
#define SAMPLE_SINCE  INT64_C(1793577600000000) /* 2026-11-02T00:00:00Z */

static json_t *sample_actor(const char *name, int uid, int login)
{
        return json_pack("{s:s, s:i, s:i}", "name", name, "uid", uid, "loginuid", login);
}

static json_t *sample_request(json_int_t begin)
{
        return json_pack("{s:I, s:o, s:i, s:i, s:[{s:o, s:I, s:s}]}", "asked_usec",
                         begin - 20 * SAMPLE_MINUTE, "by", sample_actor("mira", 1004, 1004),
                         "needed", 1, "given", 1, "approvals", "by",
                         sample_actor("jonas", 1002, 1002), "at_usec", begin - 5 * SAMPLE_MINUTE,
                         "reason", "Change 4711 is approved.");
}

static json_t *sample_session(const char *id, json_int_t opened, json_int_t deadline,
                              json_int_t ended, int number)
{
        return json_pack("{s:s, s:s, s:s, s:n, s:s, s:i, s:I, s:I, s:o, s:I}", "credential", id,
                         "service", "sshd", "rhost", "192.0.2.17", "tty", "session", "c12",
                         "leader", 1000 + number, "opened_usec", opened, "deadline_usec", deadline,
                         "ended_usec", ended ? json_integer(ended) : json_null(), "lasted_usec",
                         (ended ? ended : deadline) - opened);
}

static json_t *sample_receipt(const char *verdict, json_int_t late, json_int_t deadline, int number)
{
        json_t *residue = json_array();

        if (strcmp(verdict, "residue") == 0)
                (void)json_array_append_new(residue,
                                            json_pack("{s:i, s:s, s:s}", "pid", 4242, "command",
                                                      "tmux: server", "unit", "user@1007.service"));
        return json_pack("{s:s, s:I, s:I, s:o, s:[{s:s, s:i, s:I}], s:[]}", "verdict", verdict,
                         "late_usec", late, "written_usec", deadline + late, "residue", residue,
                         "evidence", "session", "c12", "leader", 1000 + number, "late_usec", late,
                         "not_covered");
}

static void sample_exception(json_t *report, json_t *credential, const char *kind,
                             const char *severity, json_int_t when, const char *text)
{
        json_t *list = json_object_get(report, "exceptions");

        if (credential)
                (void)json_array_append_new(json_object_get(credential, "exceptions"),
                                            json_string(kind));
        (void)json_array_insert_new(
                list, strcmp(severity, "critical") == 0 ? 0 : json_array_size(list),
                json_pack("{s:s, s:s, s:O?, s:O?, s:I, s:s}", "kind", kind, "severity", severity,
                          "credential", json_object_get(credential, "id"), "user",
                          json_object_get(credential, "user"), "time_usec", when, "text", text));
}

static void sample_count(json_t *report, const char *name)
{
        json_t *totals = json_object_get(report, "totals");
        json_int_t n = json_integer_value(json_object_get(totals, name));

        (void)json_object_set_new(totals, name, json_integer(n + 1));
}

/* Drills are counted as such alone. */
static void sample_count_for(json_t *report, int number, const char *name)
{
        if (number % 60 != 59)
                sample_count(report, name);
}

static json_t *sample_credential(const char *id, json_int_t begin, int number)
{
        static const char *const users[] = {"deploy", "backup-operator", "dba", "svc-reporting"};
        static const char *const reasons[] = {
                "INC-20417: web shop answers with 502 since the release", "Monthly restore test",
                NULL,
                "Rotation of the TLS certificates of the payment gateway, agreed with the vendor "
                "by "
                "telephone; the maintenance window was moved twice, so that the request refers to "
                "the calendar entry of the on-call team and not to the ticket, which is older"};

        return json_pack(
                "{s:s, s:s, s:s, s:s, s:i, s:s?, s:s?, s:s?, s:[s], s:[s], s:i, s:i, s:o, s:I, s:I,"
                " s:I, s:I, s:I, s:n, s:n, s:n, s:n, s:[], s:[], s:[], s:n, s:b, s:[]}",
                "id", id, "kind", number % 60 == 59 ? "drill" : "token", "state", "used", "user",
                users[number % 4], "uid", 1007, "role", number % 3 ? "db-maintenance" : NULL,
                "holder", number % 2 ? "Anna Lindqvist, Example GmbH" : NULL, "reason",
                reasons[number % 4], "services", "sshd", "sources", "192.0.2.0/24", "uses", 1,
                "uses_left", 0, "issued_by", sample_actor("root", 0, 1001), "issued_usec", begin,
                "not_before_usec", begin, "login_limit_usec", begin + 30 * SAMPLE_MINUTE,
                "session_ttl_usec", SAMPLE_HOUR, "ceiling_usec", begin + 8 * SAMPLE_HOUR,
                "end_reason", "ended_by", "receipt", "request", "sessions", "extensions", "missed",
                "closed_usec", "history_whole", 1, "exceptions");
}

static json_int_t sample_now(const json_t *report)
{
        return json_integer_value(json_object_get(report, "generated_usec"));
}

/* Its session, and its end: of three the second is late and the third is open; of more a few are. */
static void sample_end(json_t *report, json_t *c, json_int_t begin, int number, bool open)
{
        const char *id = json_string_value(json_object_get(c, "id"));
        json_int_t opened = begin + 9 * SAMPLE_MINUTE, deadline = opened + SAMPLE_HOUR;
        bool late = number == 1 || number % 47 == 5, left = number % 83 == 7;
        json_int_t late_usec = late ? (3 + number % 11) * SAMPLE_MINUTE : 0;
        json_int_t ended =
                late ? deadline + late_usec : deadline - (number % 7) * 6 * SAMPLE_MINUTE;

        (void)json_array_append_new(json_object_get(c, "sessions"),
                                    sample_session(id, opened, deadline, open ? 0 : ended, number));
        sample_count_for(report, number, "sessions");
        if (open) {
                (void)json_object_set_new(c, "state", json_string("in-use"));
                (void)json_object_set_new(c, "lateness_usec",
                                          json_integer(sample_now(report) - deadline));
                sample_exception(report, c, "missed", "critical", deadline + 30000000,
                                 "its session was not gone 30s after its deadline");
                sample_count_for(report, number, "open");
                return;
        }
        (void)json_object_set_new(c, "lived_usec", json_integer(ended - begin));
        (void)json_object_set_new(c, "receipt",
                                  sample_receipt(late   ? "late"
                                                 : left ? "residue"
                                                        : "confirmed",
                                                 late_usec, late ? deadline : ended, number));
        sample_count_for(report, number, late ? "late" : left ? "residue" : "confirmed");
        if (!late && !left)
                sample_count_for(report, number, "on_time");
        if (late)
                sample_exception(report, c, "late", "warning", ended,
                                 "its last session was gone minutes after its deadline");
        if (left)
                sample_exception(report, c, "residue", "warning", ended,
                                 "1 process of its user was left when its sessions were gone");
}

static void sample_add(json_t *report, size_t n, int number, json_int_t span)
{
        json_int_t begin = SAMPLE_SINCE + 2 * SAMPLE_HOUR + span / (json_int_t)n * number;
        bool open = number == (int)n - 1 && n > 2;
        char id[16];
        json_t *c;

        snprintf(id, sizeof id, "k%07x", (unsigned)number * 2654435U % 0xfffffff);
        c = sample_credential(id, begin, number);
        (void)json_array_append_new(json_object_get(report, "credentials"), c);
        sample_count(report, number % 60 == 59 ? "drills" : "credentials");
        if (number % 3 == 0) {
                (void)json_object_set_new(c, "request", sample_request(begin));
                sample_count(report, "requests");
        }
        if (number % 13 != 12) {
                sample_end(report, c, begin, number, open);
                return;
        }
        (void)json_object_set_new(
                c, "receipt", sample_receipt("confirmed", 0, begin + 30 * SAMPLE_MINUTE, number));
        sample_count_for(report, number, "confirmed");
        sample_count_for(report, number, "on_time");
}

/* n of them over a working day, or over weeks if there are many. */
static json_t *report_sample(size_t n)
{
        json_int_t span = n > 20 ? 20 * SAMPLE_DAY : 6 * SAMPLE_HOUR;
        json_int_t now = SAMPLE_SINCE + span + 3 * SAMPLE_HOUR;
        json_t *report = json_pack(
                "{s:s, s:s, s:s, s:s, s:{s:s, s:i}, s:I, s:I, s:n, s:I, s:n, s:n, s:{s:i, s:s},"
                " s:[s, s, s], s:{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}, s:[], s:[]}",
                "host", "web1.example.org", "machine_id", "4f0c6a0d5f7e4a1d9a5a3f2f64d3b7aa",
                "version", "0.1.0", "zone", "UTC +0000", "generated_by", "name", "auditor", "uid",
                1010, "since_usec", SAMPLE_SINCE, "until_usec",
                SAMPLE_SINCE + (n > 20 ? 21 : 1) * SAMPLE_DAY, "as_of_usec", "generated_usec", now,
                "user", "role", "chain", "seq", 812, "hash",
                "9f2b5c0e7a6d41f08b3c5e7d9a1f2b4c6d8e0f1a3b5c7d9e1f3a5b7c9d0e2f4a", "not_covered",
                "access that needs no credential: keys, passwords, sudo, su and root",
                "what was done in the sessions, and what lives on under other users",
                "whether the record itself was changed: credctl verify tells", "totals",
                "credentials", 0, "on_time", 0, "late", 0, "residue", 0, "open", 0, "sessions", 0,
                "logins_refused", n ? 4 : 0, "drills", 0, "confirmed", 0, "exceptions",
                "credentials");

        for (size_t i = 0; i < n; i++)
                sample_add(report, n, (int)i, span);
        if (n > 20)
                sample_exception(report, NULL, "clock", "note", SAMPLE_SINCE + SAMPLE_DAY,
                                 "the wall clock was not synchronised, for 12min");
        return report;
}

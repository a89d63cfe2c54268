/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The report for people, in lines as wide as the terminal, or of 80 columns: what needs attention, the totals, then each
 * credential's life from the request to the receipt. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "credctl/audit.h"
#include "credctl/output.h"
#include "credctl/receipt.h"
#include "credctl/record.h"

#define LINE_MAX 2048
#define LABEL    13 /* where the text of a labelled line begins, from its indent on */

static const char *moment_of(const json_t *record, const char *name,
                             char buffer[static WHEN_TEXT_MAX])
{
        uint64_t usec;

        return record_number(record, name, &usec) && when_format(usec, WHEN_LOCAL, buffer) ? buffer
                                                                                           : "-";
}

/* A label, and a text beside it that goes on below itself. */
__attribute__((format(printf, 5, 6))) static void labelled(const Context *context, Style style,
                                                           int indent, const char *label,
                                                           const char *format, ...)
{
        char text[LINE_MAX];
        const char *at = text;
        size_t room = context->columns - (size_t)(indent + LABEL);
        va_list values;

        va_start(values, format);
        (void)vsnprintf(text, sizeof text, format, values);
        va_end(values);
        do {
                size_t len = output_piece(at, room);

                output_line(context, style, "%*s%-*s%.*s", indent, "", LABEL,
                            at == text ? label : "", (int)len, at);
                at += len;
                at += strspn(at, " ");
        } while (*at);
}

static void heading(const Context *context, const char *text)
{
        output_line(context, STYLE_PLAIN, "%s", "");
        output_line(context, STYLE_HEADING, "%s", text);
}

/* --- whose report it is --- */

static void print_origin(const Context *context, const json_t *report)
{
        const json_t *chain = json_object_get(report, "chain");
        const json_t *by = json_object_get(report, "generated_by");
        char from[WHEN_TEXT_MAX], to[WHEN_TEXT_MAX], made[WHEN_TEXT_MAX];

        output_line(context, STYLE_HEADING, "Access to %s", record_text_or(report, "host", "?"));
        moment_of(report, "since_usec", from);
        if (json_is_integer(json_object_get(report, "as_of_usec")))
                labelled(context, STYLE_PLAIN, 2, "at", "%s", from);
        else
                labelled(context, STYLE_PLAIN, 2, "period", "%s to %s", from,
                         moment_of(report, "until_usec", to));
        if (record_text(report, "user") || record_text(report, "role"))
                labelled(context, STYLE_PLAIN, 2, "of", "user %s, role %s",
                         record_text_or(report, "user", "any"),
                         record_text_or(report, "role", "any"));
        labelled(context, STYLE_PLAIN, 2, "made", "%s by %s (uid %" PRIu64 "), zone %s",
                 moment_of(report, "generated_usec", made), record_text_or(by, "name", "?"),
                 record_number_or(by, "uid", 0), record_text_or(report, "zone", "?"));
        labelled(context, STYLE_PLAIN, 2, "machine", "%s, credd %s",
                 record_text_or(report, "machine_id", "?"), record_text_or(report, "version", "?"));
        labelled(context, STYLE_PLAIN, 2, "chain", "event %" PRIu64 ", hash %s",
                 record_number_or(chain, "seq", 0), record_text_or(chain, "hash", "?"));
}

/* --- what comes first --- */

static void print_exceptions(const Context *context, const json_t *report)
{
        const json_t *exceptions = json_object_get(report, "exceptions");
        char moment[WHEN_TEXT_MAX];
        json_t *one;
        size_t i;

        heading(context, "Exceptions");
        if (json_array_size(exceptions) == 0)
                output_line(context, STYLE_GOOD, "  None.");
        json_array_foreach (exceptions, i, one) {
                const char *severity = record_text_or(one, "severity", "?");
                bool note = strcmp(severity, "note") == 0;
                const char *user = record_text(one, "user"), *id = record_text(one, "credential");

                labelled(context, note ? STYLE_PLAIN : STYLE_ALARM, 2, severity, "%s  %s%s%s%s%s",
                         moment_of(one, "time_usec", moment), record_text_or(one, "kind", "?"),
                         id ? "  " : "", id ? id : "", user ? "  " : "", user ? user : "");
                labelled(context, STYLE_PLAIN, 2, "", "%s", record_text_or(one, "text", "?"));
        }
}

static uint64_t total(const json_t *report, const char *name)
{
        return record_number_or(json_object_get(report, "totals"), name, 0);
}

static void print_totals(const Context *context, const json_t *report)
{
        heading(context, "Totals");
        labelled(context, STYLE_PLAIN, 2, "credentials",
                 "%" PRIu64 ": %" PRIu64 " ended on time, %" PRIu64 " late, %" PRIu64
                 " with residue, %" PRIu64 " still open",
                 total(report, "credentials"), total(report, "on_time"), total(report, "late"),
                 total(report, "residue"), total(report, "open"));
        labelled(context, STYLE_PLAIN, 2, "requests",
                 "%" PRIu64 "; never issued: %" PRIu64 "; break-glass: %" PRIu64,
                 total(report, "requests"), total(report, "not_issued"),
                 total(report, "break_glass"));
        labelled(context, STYLE_PLAIN, 2, "sessions",
                 "%" PRIu64 "; extensions: %" PRIu64 "; without a credential: %" PRIu64,
                 total(report, "sessions"), total(report, "extensions"),
                 total(report, "no_credential_sessions"));
        if (!json_is_integer(json_object_get(report, "as_of_usec")))
                labelled(context, STYLE_PLAIN, 2, "logins",
                         "%" PRIu64 " accepted, %" PRIu64 " refused; calls refused: %" PRIu64,
                         total(report, "logins_accepted"), total(report, "logins_refused"),
                         total(report, "actions_refused"));
        labelled(context, STYLE_PLAIN, 2, "drills", "%" PRIu64 ", counted nowhere else",
                 total(report, "drills"));
}

/* --- a life --- */

static void print_request(const Context *context, const json_t *request)
{
        char moment[WHEN_TEXT_MAX];
        json_t *one;
        size_t i;

        if (!json_is_object(request))
                return;
        labelled(context, STYLE_PLAIN, 4, "asked", "%s by %s",
                 moment_of(request, "asked_usec", moment), record_actor(request, "by") ?: "?");
        json_array_foreach (json_object_get(request, "approvals"), i, one) {
                const char *reason = record_text(one, "reason");

                labelled(context, STYLE_PLAIN, 4, "approved", "%s by %s%s%s",
                         moment_of(one, "at_usec", moment), record_actor(one, "by") ?: "?",
                         reason ? ": " : "", reason ? reason : "");
        }
}

static void print_issue(const Context *context, const json_t *c)
{
        char moment[WHEN_TEXT_MAX], limit[WHEN_TEXT_MAX], ceiling[WHEN_TEXT_MAX];
        char services[RECORD_TEXT_MAX], sources[RECORD_TEXT_MAX], uses[RECORD_TEXT_MAX];

        if (record_number_or(c, "issued_usec", 0) == 0)
                return;
        labelled(context, STYLE_PLAIN, 4, "issued", "%s by %s", moment_of(c, "issued_usec", moment),
                 record_actor(c, "issued_by") ?: "?");
        record_join(json_object_get(c, "services"), services);
        record_join(json_object_get(c, "sources"), sources);
        labelled(context, STYLE_PLAIN, 4, "limits",
                 "logins until %s, never beyond %s, uses %s, through %s, from %s",
                 moment_of(c, "login_limit_usec", limit), moment_of(c, "ceiling_usec", ceiling),
                 record_uses(c, uses), *services ? services : "any", *sources ? sources : "any");
}

static void print_sessions(const Context *context, const json_t *c)
{
        char moment[WHEN_TEXT_MAX], lasted[DURATION_TEXT_MAX];
        json_t *one;
        size_t i;

        json_array_foreach (json_object_get(c, "sessions"), i, one) {
                duration_format(record_number_or(one, "lasted_usec", 0), lasted);
                labelled(context, STYLE_PLAIN, 4, "session", "%s, %s%s, %s from %s",
                         moment_of(one, "opened_usec", moment), lasted,
                         json_is_integer(json_object_get(one, "ended_usec")) ? ""
                                                                             : " and still open",
                         record_text_or(one, "service", "?"), record_text_or(one, "rhost", "here"));
        }
        json_array_foreach (json_object_get(c, "extensions"), i, one) {
                const char *reason = record_text(one, "reason");

                duration_format(record_number_or(one, "by_usec", 0), lasted);
                labelled(context, STYLE_PLAIN, 4, "extended", "%s by %s, by %s%s%s",
                         moment_of(one, "at_usec", moment), lasted, record_actor(one, "by") ?: "?",
                         reason ? ": " : "", reason ? reason : "");
        }
}

static void print_end(const Context *context, const json_t *c)
{
        char closed[WHEN_TEXT_MAX], written[WHEN_TEXT_MAX], verdict[RECORD_TEXT_MAX];
        char late[DURATION_TEXT_MAX];
        const json_t *receipt = receipt_of(c);
        const char *by = record_actor(c, "ended_by"), *reason = record_text(c, "end_reason");

        if (json_is_integer(json_object_get(c, "closed_usec")))
                labelled(context, STYLE_PLAIN, 4, "closed", "%s, no login after that; %s%s%s%s%s",
                         moment_of(c, "closed_usec", closed), record_text_or(c, "state", "?"),
                         by ? " by " : "", by ? by : "", reason ? ": " : "", reason ? reason : "");
        if (!receipt)
                return;
        duration_format(record_number_or(receipt, "late_usec", 0), late);
        labelled(context, receipt_confirmed(receipt) ? STYLE_GOOD : STYLE_ALARM, 4, "receipt",
                 "%s: %s, gone %s after the deadline", moment_of(receipt, "written_usec", written),
                 receipt_verdict(receipt, verdict), late);
}

static void print_alarms(const Context *context, const json_t *c)
{
        char moment[WHEN_TEXT_MAX];
        json_t *one;
        size_t i;

        json_array_foreach (json_object_get(c, "alarms"), i, one) {
                bool acked = json_is_integer(json_object_get(one, "acked_usec"));
                const char *reason = record_text(one, "reason");

                labelled(context, acked ? STYLE_PLAIN : STYLE_ALARM, 4,
                         record_text_or(one, "kind", "?"), "%s%s%s%s",
                         acked ? "acknowledged " : "not acknowledged",
                         acked ? moment_of(one, "acked_usec", moment) : "", acked ? " by " : "",
                         acked ? record_actor(one, "by") ?: "?" : "");
                if (acked && reason)
                        labelled(context, STYLE_PLAIN, 4, "", "%s", reason);
        }
}

static void print_credential(const Context *context, const json_t *c)
{
        const char *role = record_text(c, "role"), *holder = record_text(c, "holder");
        const char *access = record_text(c, "access"), *reason = record_text(c, "reason");

        labelled(context, STYLE_HEADING, 2, record_text_or(c, "id", "?"), "%s%s%s%s%s, %s%s%s%s",
                 record_text_or(c, "user", "?"), holder ? " for " : "", holder ? holder : "",
                 role ? ", role " : "", role ? role : "", record_text_or(c, "state", "?"),
                 strcmp(record_text_or(c, "kind", ""), "drill") == 0 ? ", a drill" : "",
                 access ? ", had access by a " : "", access ? access : "");
        if (reason)
                labelled(context, STYLE_PLAIN, 4, "reason", "%s", reason);
        print_request(context, json_object_get(c, "request"));
        print_issue(context, c);
        print_sessions(context, c);
        print_end(context, c);
        print_alarms(context, c);
}

void audit_table_print(const Context *context, const json_t *report)
{
        const json_t *credentials = json_object_get(report, "credentials");
        json_t *one;
        size_t i;

        print_origin(context, report);
        print_exceptions(context, report);
        print_totals(context, report);
        heading(context, "Credentials");
        if (json_array_size(credentials) == 0)
                output_line(context, STYLE_PLAIN, "  None.");
        json_array_foreach (credentials, i, one) {
                print_credential(context, one);
        }
        if (context->quiet)
                return;
        heading(context, "What this report does not see");
        json_array_foreach (json_object_get(report, "not_covered"), i, one) {
                labelled(context, STYLE_PLAIN, 2, "-", "%s", json_string_value(one));
        }
}

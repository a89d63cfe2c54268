/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The details, a row a credential: what a reader asks of it in the order of asking. Roles are written
 * out since a table that is laid out as cards would lose what it is to a screen reader. */
#include <inttypes.h>
#include <string.h>

#include "common/cleanup.h"
#include "credctl/audit-html-internal.h"
#include "credctl/html.h"

typedef struct Row {
        FILE *out;
        const json_t *report, *credential;
} Row;

/* "label: text" as a line of its own; nothing, if there is no text. */
static void write_line(FILE *out, const char *label, const char *text)
{
        if (!text || !*text)
                return;
        html_write(out, "<p><span class=\"soft\">");
        html_text(out, label);
        html_write(out, "</span> ");
        html_text(out, text);
        html_write(out, "</p>");
}

static void write_moment(const Row *row, const char *label, const json_t *record, const char *name)
{
        if (!json_is_integer(json_object_get(record, name)))
                return;
        html_write(row->out, "<p><span class=\"soft\">");
        html_text(row->out, label);
        html_write(row->out, "</span> ");
        moment_write(row->out, row->report, record, name);
        html_write(row->out, "</p>");
}

static void write_length(const Row *row, const char *label, const json_t *record, const char *name)
{
        char text[DURATION_TEXT_MAX];
        uint64_t usec;

        if (record_number(record, name, &usec))
                write_line(row->out, label, duration_format(usec, text));
}

/* Who, when, and who that was before sudo. */
static void write_actor(const Row *row, const char *label, const json_t *actor,
                        const json_t *record, const char *when)
{
        uint64_t uid, login;

        if (!json_is_object(actor))
                return;
        html_write(row->out, "<p><span class=\"soft\">");
        html_text(row->out, label);
        html_write(row->out, "</span> ");
        html_text(row->out, record_text_or(actor, "name", "–"));
        if (record_number(actor, "uid", &uid) && record_number(actor, "loginuid", &login) &&
            uid != login)
                html_format(row->out, " (logged in as uid %" PRIu64 ")", login);
        if (json_is_integer(json_object_get(record, when))) {
                html_write(row->out, ", ");
                moment_write(row->out, row->report, record, when);
        }
        html_write(row->out, "</p>");
}

/* --- cells --- */

static void write_tags(const Row *row)
{
        json_t *kind;
        size_t i;

        json_array_foreach (json_object_get(row->credential, "exceptions"), i, kind) {
                html_write(row->out, "<span class=\"tag bad\">");
                html_text(row->out, json_string_value(kind));
                html_write(row->out, "</span>");
        }
}

static void write_credential(const Row *row)
{
        const char *state = record_text_or(row->credential, "state", "–");

        html_write(row->out, "<code>");
        html_text(row->out, record_text_or(row->credential, "id", "–"));
        html_write(row->out, "</code><p>");
        html_text(row->out, record_text_or(row->credential, "kind", "–"));
        html_write(row->out, ", ");
        html_text(row->out, state);
        html_write(row->out, "</p>");
        if (json_array_size(json_object_get(row->credential, "exceptions")) > 0) {
                html_write(row->out, "<p>");
                write_tags(row);
                html_write(row->out, "</p>");
        }
}

static void write_user(const Row *row)
{
        html_write(row->out, "<p><b>");
        html_text(row->out, record_text_or(row->credential, "user", "–"));
        html_write(row->out, "</b></p>");
        write_line(row->out, "role", record_text(row->credential, "role"));
        write_line(row->out, "held by", record_text(row->credential, "holder"));
}

static void write_reason(const Row *row)
{
        html_write(row->out, "<p>");
        html_text(row->out, record_text_or(row->credential, "reason", "–"));
        html_write(row->out, "</p>");
}

static void write_giver(const Row *row)
{
        const json_t *request = json_object_get(row->credential, "request");
        json_t *approval;
        size_t i;

        write_actor(row, "asked", json_object_get(request, "by"), request, "asked_usec");
        json_array_foreach (json_object_get(request, "approvals"), i, approval) {
                write_actor(row, "approved", json_object_get(approval, "by"), approval, "at_usec");
                write_line(row->out, "–", record_text(approval, "reason"));
        }
        write_actor(row, "denied", json_object_get(request, "denied_by"), request, "denied_usec");
        if (record_number_or(row->credential, "issued_usec", 0) > 0)
                write_actor(row, "issued", json_object_get(row->credential, "issued_by"),
                            row->credential, "issued_usec");
}

static void write_extensions(const Row *row)
{
        json_t *one;
        size_t i;

        json_array_foreach (json_object_get(row->credential, "extensions"), i, one) {
                write_length(row, "extended by", one, "by_usec");
                write_actor(row, "–", json_object_get(one, "by"), one, "at_usec");
                write_line(row->out, "–", record_text(one, "reason"));
        }
}

static void write_limits(const Row *row)
{
        char text[RECORD_TEXT_MAX];
        const json_t *c = row->credential;

        write_moment(row, "logins from", c, "not_before_usec");
        write_moment(row, "until", c, "login_limit_usec");
        write_length(row, "a session at most", c, "session_ttl_usec");
        write_moment(row, "over by", c, "ceiling_usec");
        write_line(row->out, "uses", record_uses(c, text));
        write_line(row->out, "through", record_join(json_object_get(c, "services"), text));
        write_line(row->out, "from", record_join(json_object_get(c, "sources"), text));
        write_extensions(row);
}

static void write_session(const Row *row, const json_t *session)
{
        uint64_t late = session_late_usec(row->report, row->credential, session);
        bool open = !json_is_integer(json_object_get(session, "ended_usec"));
        char text[DURATION_TEXT_MAX];

        html_write(row->out, "<li><p>");
        moment_write(row->out, row->report, session, "opened_usec");
        html_format(row->out, ", %s from %s", record_text_or(session, "service", "–"),
                    record_text_or(session, "rhost", record_text_or(session, "tty", "here")));
        html_write(row->out, "</p>");
        write_moment(row, "deadline", session, "deadline_usec");
        if (open)
                html_write(row->out, "<p><b>still open</b></p>");
        write_moment(row, "ended", session, "ended_usec");
        write_length(row, open ? "so far" : "lasted", session, "lasted_usec");
        if (late > 0) {
                html_write(row->out, "<p class=\"t-bad\"><b>");
                html_format(row->out, "%s after its deadline", duration_format(late, text));
                html_write(row->out, "</b></p>");
        }
        html_write(row->out, "</li>");
}

static void write_sessions(const Row *row)
{
        const json_t *sessions = json_object_get(row->credential, "sessions");
        json_t *session;
        size_t i;

        if (json_array_size(sessions) == 0) {
                html_write(row->out, "<p class=\"soft\">none</p>");
                return;
        }
        html_write(row->out, "<ul>");
        json_array_foreach (sessions, i, session) {
                write_session(row, session);
        }
        html_write(row->out, "</ul>");
}

/* --- the end --- */

static void write_residue(const Row *row, const json_t *receipt)
{
        json_t *one;
        size_t i;

        json_array_foreach (json_object_get(receipt, "residue"), i, one) {
                html_write(row->out, "<p><span class=\"soft\">left</span> ");
                html_format(row->out, "process %" PRIu64 " %s in %s",
                            record_number_or(one, "pid", 0), record_text_or(one, "command", "–"),
                            record_text_or(one, "unit", "–"));
                html_write(row->out, "</p>");
        }
}

static void write_alarms(const Row *row)
{
        json_t *one;
        size_t i;

        json_array_foreach (json_object_get(row->credential, "missed"), i, one) {
                write_moment(row, "end missed, said", one, "at_usec");
        }
        json_array_foreach (json_object_get(row->credential, "alarms"), i, one) {
                write_line(row->out, "alarm", record_text(one, "kind"));
                if (json_is_integer(json_object_get(one, "acked_usec")))
                        write_actor(row, "acknowledged", json_object_get(one, "by"), one,
                                    "acked_usec");
                else
                        html_write(row->out, "<p class=\"t-bad\"><b>not acknowledged</b></p>");
                write_line(row->out, "–", record_text(one, "reason"));
        }
}

static void write_access(const Row *row)
{
        const char *access = record_text(row->credential, "access");

        if (access)
                write_line(row->out, "then",
                           strcmp(access, "session") == 0 ? "a session was open"
                                                          : "a login was possible");
}

static void write_end(const Row *row)
{
        const json_t *receipt = json_object_get(row->credential, "receipt");

        html_write(row->out, "<p>");
        ending_badge(row->out, row->credential);
        html_write(row->out, "</p>");
        write_access(row);
        write_moment(row, "receipt", receipt, "written_usec");
        write_length(row, "lived", row->credential, "lived_usec");
        write_actor(row, "ended by", json_object_get(row->credential, "ended_by"), NULL, "");
        write_line(row->out, "because", record_text(row->credential, "end_reason"));
        write_residue(row, receipt);
        write_alarms(row);
        if (json_is_false(json_object_get(row->credential, "history_whole")))
                html_write(row->out, "<p class=\"soft\">Some of its events are pruned or damaged."
                                     "</p>");
}

/* --- the table --- */

static const struct {
        const char *title;
        void (*write)(const Row *row);
} cells[] = {
        {"Credential", write_credential},
        {"For whom", write_user},
        {"Why", write_reason},
        {"By whom", write_giver},
        {"Limits", write_limits},
        {"Sessions", write_sessions},
        {"End", write_end},
};

static void write_row(const Row *row)
{
        html_write(row->out, "<tr role=\"row\" id=\"c-");
        html_text(row->out, record_text_or(row->credential, "id", ""));
        html_write(row->out, "\">");
        html_write(row->out, "<th scope=\"row\" role=\"rowheader\">");
        cells[0].write(row);
        html_write(row->out, "</th>");
        for (size_t i = 1; i < ELEMENTSOF(cells); i++) {
                html_write(row->out, "<td role=\"cell\" data-label=\"");
                html_text(row->out, cells[i].title);
                html_write(row->out, "\">");
                cells[i].write(row);
                html_write(row->out, "</td>");
        }
        html_write(row->out, "</tr>\n");
}

void page_credentials(FILE *out, const json_t *report)
{
        Row row = {.out = out, .report = report};
        json_t *credential;
        size_t i;

        if (json_array_size(json_object_get(report, "credentials")) == 0) {
                html_write(out, "<section>\n<h2>Credentials</h2>\n"
                                "<p class=\"none\">None.</p>\n</section>\n");
                return;
        }
        html_write(out, "<section class=\"lives\">\n<h2>Credentials</h2>\n");
        html_write(out, "<table role=\"table\">\n<caption>In the order in which they came to be."
                        "</caption>\n<thead role=\"rowgroup\"><tr role=\"row\">");
        for (i = 0; i < ELEMENTSOF(cells); i++) {
                html_write(out, "<th scope=\"col\" role=\"columnheader\">");
                html_text(out, cells[i].title);
                html_write(out, "</th>");
        }
        html_write(out, "</tr></thead>\n<tbody role=\"rowgroup\">\n");
        json_array_foreach (json_object_get(report, "credentials"), i, credential) {
                row.credential = credential;
                write_row(&row);
        }
        html_write(out, "</tbody>\n</table>\n</section>\n");
}

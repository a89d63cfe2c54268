/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The page, from its head to its foot. It loads nothing and runs nothing, and its policy has the
 * browser hold it to that: whatever slipped through the escaping would stay text. Judges nothing
 * but what is worth being said first; all figures are the report's. */
#include "credctl/audit-html.h"

#include <inttypes.h>
#include <string.h>

#include "common/cleanup.h"
#include "credctl/audit-html-internal.h"
#include "credctl/html.h"
#include "credctl/words.h"

#define HASH_SHOWN 16 /* characters, where it is to be told from another one at a glance */

static const json_t *totals_of(const json_t *report)
{
        return json_object_get(report, "totals");
}

static uint64_t total(const json_t *report, const char *name)
{
        return record_number_or(totals_of(report), name, 0);
}

static bool is_as_of(const json_t *report)
{
        return json_is_integer(json_object_get(report, "as_of_usec"));
}

/* --- head --- */

static void write_period(FILE *out, const json_t *report)
{
        if (is_as_of(report)) {
                html_write(out, "at ");
                moment_write(out, report, report, "as_of_usec");
                return;
        }
        moment_write(out, report, report, "since_usec");
        html_write(out, " to ");
        moment_write(out, report, report, "until_usec");
}

static void write_head(FILE *out, const json_t *report)
{
        html_write(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                        "<meta http-equiv=\"Content-Security-Policy\" "
                        "content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
                        "form-action 'none'\">\n"
                        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                        "<meta name=\"color-scheme\" content=\"light dark\">\n"
                        "<meta name=\"robots\" content=\"noindex\">\n<title>Access to ");
        html_text(out, record_text_or(report, "host", "this host"));
        html_write(out, " – credd</title>\n");
        page_style(out);
        html_write(out, "</head>\n");
}

static void write_maker(FILE *out, const json_t *report)
{
        const json_t *by = json_object_get(report, "generated_by");
        uint64_t uid;

        html_text(out, record_text_or(by, "name", "–"));
        if (record_number(by, "uid", &uid))
                html_format(out, " (uid %" PRIu64 ")", uid);
}

/* Of which record it is; the whole hash is at the foot. */
static void write_source(FILE *out, const json_t *report)
{
        const json_t *chain = json_object_get(report, "chain");

        html_format(out, "Machine %s · credd %s · ", record_text_or(report, "machine_id", "–"),
                    record_text_or(report, "version", "–"));
        html_format(out, "record up to event %" PRIu64 ", ", record_number_or(chain, "seq", 0));
        html_write(out, "<a href=\"#about\">hash <code>");
        html_text_cut(out, record_text_or(chain, "hash", "–"), HASH_SHOWN);
        html_write(out, "</code></a>");
}

static void write_header(FILE *out, const json_t *report)
{
        html_write(out, "<header>\n<p class=\"over\">Access report</p>\n<h1>");
        html_write(out, "Who had access to ");
        html_text(out, record_text_or(report, "host", "this host"));
        html_write(out, "</h1>\n<p class=\"period\">");
        write_period(out, report);
        if (record_text(report, "user")) {
                html_write(out, " · user ");
                html_text(out, record_text(report, "user"));
        }
        if (record_text(report, "role")) {
                html_write(out, " · role ");
                html_text(out, record_text(report, "role"));
        }
        html_write(out, "</p>\n<p class=\"made\">Made ");
        moment_write(out, report, report, "generated_usec");
        html_write(out, " by ");
        write_maker(out, report);
        html_format(out, " · times are local, %s", record_text_or(report, "zone", "–"));
        html_write(out, "<br>");
        write_source(out, report);
        html_write(out, "</p>\n</header>\n");
}

/* --- the answer --- */

static uint64_t count_severity(const json_t *report, const char *severity)
{
        json_t *one;
        uint64_t n = 0;
        size_t i;

        json_array_foreach (json_object_get(report, "exceptions"), i, one) {
                n += strcmp(record_text_or(one, "severity", ""), severity) == 0;
        }
        return n;
}

/* Open, and a session is past its deadline. */
static uint64_t count_overdue(const json_t *report)
{
        json_t *c;
        uint64_t n = 0;
        size_t i;

        json_array_foreach (json_object_get(report, "credentials"), i, c) {
                n += !credential_is_drill(c) && ending_of(c) == ENDING_OVERDUE;
        }
        return n;
}

static void write_open(FILE *out, const json_t *report)
{
        uint64_t n = total(report, "open"), overdue = count_overdue(report);

        if (n == 0)
                return;
        html_format(out, "%" PRIu64 " %s not over yet", n, n == 1 ? "is" : "are");
        if (overdue > 0)
                html_format(out, ", %" PRIu64 " past the deadline", overdue);
        html_write(out, ".");
}

static void write_access(FILE *out, const json_t *report)
{
        uint64_t n = total(report, "credentials"), ended;

        ended = total(report, "confirmed") + total(report, "late") + total(report, "residue");
        html_write(out, "<p>");
        if (n == 0 && is_as_of(report))
                html_write(out, "At that moment no credential gave access to this host.");
        else if (n == 0)
                html_write(out, "In this period no credential gave access to this host.");
        else
                html_format(out,
                            "%" PRIu64 " credential%s gave access%s, with %" PRIu64 " session%s. ",
                            n, WORDS_PLURAL(n), is_as_of(report) ? " at that moment" : "",
                            total(report, "sessions"), WORDS_PLURAL(total(report, "sessions")));
        if (ended > 0)
                html_format(out, "%" PRIu64 " of %" PRIu64 " that ended did so on time. ",
                            total(report, "on_time"), ended);
        write_open(out, report);
        html_write(out, "</p>");
}

static void write_answer(FILE *out, const json_t *report)
{
        uint64_t critical = count_severity(report, "critical");
        uint64_t warnings = count_severity(report, "warning");
        uint64_t n = critical + warnings;

        if (critical > 0)
                html_write(out, "<div class=\"answer bad\">");
        else if (warnings > 0)
                html_write(out, "<div class=\"answer warn\">");
        else
                html_write(out, "<div class=\"answer good\">");
        ending_icon(out, n == 0 ? ENDING_ON_TIME : critical ? ENDING_OVERDUE : ENDING_LATE);
        html_write(out, "<div><p class=\"lead\">");
        if (n == 0)
                html_write(out, "Nothing needs attention");
        else
                html_format(out, "%" PRIu64 " exception%s need%s attention", n, WORDS_PLURAL(n),
                            n == 1 ? "s" : "");
        html_write(out, "</p>");
        write_access(out, report);
        html_write(out, "</div></div>\n");
}

/* --- figures --- */

typedef struct Figure {
        const char *name, *title, *note;
        bool bad; /* unless it is 0 */
} Figure;

static void write_figure(FILE *out, const json_t *report, const Figure *figure)
{
        uint64_t n;

        if (!record_number(totals_of(report), figure->name, &n))
                return;
        if (figure->bad && n > 0)
                html_write(out, "<div class=\"bad\"><dt>");
        else
                html_write(out, "<div><dt>");
        html_text(out, figure->title);
        html_write(out, "</dt><dd>");
        html_number(out, n);
        html_write(out, "<small>");
        html_text(out, figure->note);
        html_write(out, "</small></dd></div>\n");
}

static void write_figures(FILE *out, const json_t *report)
{
        static const Figure figures[] = {
                {"credentials", "Credentials", "that gave access", false},
                {"on_time", "On time", "ended, and seen to be gone", false},
                {"late", "Late", "gone after the deadline", true},
                {"residue", "Residue", "left processes behind", true},
                {"open", "Not over yet", "no receipt so far", false},
                {"sessions", "Sessions", "opened by credentials", false},
                {"logins_refused", "Logins refused", "wrong, too late, not allowed", false},
                {"requests", "Requests", "credentials asked for", false},
                {"extensions", "Extensions", "deadlines moved", false},
                {"break_glass", "Break-glass", "for emergencies", false},
                {"no_credential_sessions", "Other sessions", "opened without a credential", true},
                {"drills", "Drills", "tests, not counted here", false},
        };

        html_write(out, "<h3>In figures</h3>\n<dl class=\"figures\">\n");
        for (size_t i = 0; i < ELEMENTSOF(figures); i++)
                write_figure(out, report, &figures[i]);
        html_write(out, "</dl>\n");
}

/* --- foot --- */

static void write_limits(FILE *out, const json_t *report)
{
        json_t *text;
        size_t i;

        html_write(out,
                   "<section>\n<h2>What this report does not see</h2>\n<ul class=\"limits\">\n");
        json_array_foreach (json_object_get(report, "not_covered"), i, text) {
                html_write(out, "<li>");
                html_text(out, json_string_value(text));
                html_write(out, "</li>\n");
        }
        html_write(out, "</ul>\n</section>\n");
}

static void write_fact(FILE *out, const char *title, const char *text)
{
        html_write(out, "<div><dt>");
        html_text(out, title);
        html_write(out, "</dt><dd>");
        html_text(out, text ? text : "–");
        html_write(out, "</dd></div>\n");
}

static void write_origin(FILE *out, const json_t *report)
{
        const json_t *chain = json_object_get(report, "chain");

        html_write(out,
                   "<section id=\"about\">\n<h2>About this report</h2>\n<dl class=\"facts\">\n");
        write_fact(out, "Host", record_text(report, "host"));
        write_fact(out, "Machine id", record_text(report, "machine_id"));
        html_write(out, "<div><dt>Period</dt><dd>");
        write_period(out, report);
        html_write(out, "</dd></div>\n<div><dt>Made</dt><dd>");
        moment_write(out, report, report, "generated_usec");
        html_write(out, "</dd></div>\n<div><dt>Made by</dt><dd>");
        write_maker(out, report);
        html_write(out, "</dd></div>\n");
        write_fact(out, "Times are local", record_text(report, "zone"));
        write_fact(out, "credd", record_text(report, "version"));
        html_write(out, "<div class=\"wide\"><dt>Record up to event ");
        html_number(out, record_number_or(chain, "seq", 0));
        html_write(out, ", whose hash is</dt><dd><code>");
        html_text(out, record_text_or(chain, "hash", "–"));
        html_write(out, "</code></dd></div>\n</dl>\n"
                        "<p class=\"note\">The period's last moment is not part of it. "
                        "<code>credctl verify</code> tells whether the record was changed; "
                        "<code>credctl audit --output json</code> has every detail of each receipt."
                        "</p>\n</section>\n");
}

void audit_html_write(FILE *out, const json_t *report)
{
        write_head(out, report);
        html_write(out, "<body>\n");
        page_shapes(out);
        write_header(out, report);
        html_write(out, "<main>\n<section>\n<h2>Summary</h2>\n");
        write_answer(out, report);
        page_exceptions(out, report);
        write_figures(out, report);
        html_write(out, "</section>\n");
        page_timeline(out, report);
        page_credentials(out, report);
        write_limits(out, report);
        write_origin(out, report);
        html_write(out, "</main>\n</body>\n</html>\n");
}

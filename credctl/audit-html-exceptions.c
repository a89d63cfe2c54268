/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exceptions, by kind: what each kind means in a line for those who are no engineers, then each one. The
 * order is the report's, the worst first. A kind that this page does not know is shown under its own
 * name rather than not at all. */
#include <string.h>

#include "common/cleanup.h"
#include "credctl/audit-html-internal.h"
#include "credctl/html.h"

/* As one list on a page; the table of credentials marks each of them as well. */
static const struct {
        const char *kind, *title, *meaning;
} kinds[] = {
        {"missed", "End missed",
         "A session was still there when it had to be gone, and credd raised the alarm."},
        {"unacknowledged", "Not acknowledged",
         "Somebody has to look at it and say so, and nobody has."},
        {"role-off-live", "Role off, sessions live",
         "The role was switched off, and people are still in under it."},
        {"late", "Ended late", "Access lasted longer than was allowed."},
        {"residue", "Residue", "The session ended, and left programs running."},
        {"refused-burst", "Many logins refused",
         "Somebody may be guessing, or a program tries an old token again and again."},
        {"down", "Nobody on watch", "credd was not running when it had to end something."},
        {"no-credential-session", "Session without a credential",
         "Somebody came in another way: credd gave no access and does not end it."},
        {"clock", "Clock not reliable", "The times of this report may be off there."},
        {"long-lived", "Long-lived", "Access that lives that long is hardly temporary."},
};

static const char *severity_words(const char *severity)
{
        if (strcmp(severity, "critical") == 0)
                return "Critical";
        return strcmp(severity, "warning") == 0 ? "Warning" : "Note";
}

static void write_severity(FILE *out, const char *severity)
{
        Ending shape = strcmp(severity, "critical") == 0  ? ENDING_OVERDUE
                       : strcmp(severity, "warning") == 0 ? ENDING_LATE
                                                          : ENDING_NEVER;

        html_write(out, "<span class=\"severity ");
        html_text(out, severity);
        html_write(out, "\">");
        ending_icon(out, shape);
        html_text(out, severity_words(severity));
        html_write(out, "</span>");
}

static void write_title(FILE *out, const char *kind, size_t n)
{
        const char *title = kind, *meaning = NULL;

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                if (strcmp(kinds[i].kind, kind) != 0)
                        continue;
                title = kinds[i].title;
                meaning = kinds[i].meaning;
        }
        html_write(out, "<h4>");
        html_text(out, title);
        if (n > 1) {
                html_write(out, " <span class=\"count\">× ");
                html_number(out, n);
                html_write(out, "</span>");
        }
        html_write(out, "</h4>");
        if (meaning) {
                html_write(out, "<p>");
                html_text(out, meaning);
                html_write(out, "</p>");
        }
}

static void write_one(FILE *out, const json_t *report, const json_t *one)
{
        const char *id = record_text(one, "credential"), *user = record_text(one, "user");

        html_write(out, "<li><span class=\"when\">");
        moment_write(out, report, one, "time_usec");
        html_write(out, "</span> <span class=\"whose\">");
        if (user) {
                html_write(out, "<b>");
                html_text(out, user);
                html_write(out, "</b> ");
        }
        if (id) {
                html_write(out, "<a href=\"#c-");
                html_text(out, id);
                html_write(out, "\"><code>");
                html_text(out, id);
                html_write(out, "</code></a>");
        }
        html_write(out, "</span> <span class=\"what\">");
        html_text(out, record_text_or(one, "text", "–"));
        html_write(out, "</span></li>\n");
}

static const char *kind_of(const json_t *one)
{
        return record_text_or(one, "kind", "other");
}

/* They come by severity and time; of one kind all have one severity, so that kinds can be put together
 * without any of them moving behind a lesser one. */
static void write_kind(FILE *out, const json_t *report, const json_t *exceptions, size_t first)
{
        const json_t *head = json_array_get(exceptions, first);
        json_t *one;
        size_t i, n = 0;

        json_array_foreach (exceptions, i, one) {
                n += strcmp(kind_of(one), kind_of(head)) == 0;
        }
        html_write(out, "<div class=\"kind\">\n<div class=\"kind-head\">");
        write_severity(out, record_text_or(head, "severity", "note"));
        html_write(out, "<div>");
        write_title(out, kind_of(head), n);
        html_write(out, "</div></div>\n<ul>\n");
        json_array_foreach (exceptions, i, one) {
                if (strcmp(kind_of(one), kind_of(head)) == 0)
                        write_one(out, report, one);
        }
        html_write(out, "</ul>\n</div>\n");
}

static bool is_first_of_kind(const json_t *exceptions, size_t at)
{
        const char *kind = kind_of(json_array_get(exceptions, at));

        for (size_t i = 0; i < at; i++)
                if (strcmp(kind_of(json_array_get(exceptions, i)), kind) == 0)
                        return false;
        return true;
}

void page_exceptions(FILE *out, const json_t *report)
{
        const json_t *exceptions = json_object_get(report, "exceptions");

        html_write(out, "<h3>Exceptions</h3>\n");
        if (json_array_size(exceptions) == 0) {
                html_write(out, "<p class=\"none\">None.</p>\n");
                return;
        }
        for (size_t i = 0; i < json_array_size(exceptions); i++)
                if (is_first_of_kind(exceptions, i))
                        write_kind(out, report, exceptions, i);
}

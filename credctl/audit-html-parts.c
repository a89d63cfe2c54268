/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of the page have in common. A colour never stands alone: each end has its shape and
 * its words, so that a page in grey, or read aloud, says the same. */
#include <inttypes.h>
#include <string.h>

#include "common/cleanup.h"
#include "credctl/audit-html-internal.h"
#include "credctl/html.h"
#include "credctl/receipt.h"

/* To see that a session is gone takes that long. */
#define LATE_USEC USEC_PER_SEC

/* --- ends --- */

bool credential_is_drill(const json_t *credential)
{
        return strcmp(record_text_or(credential, "kind", ""), "drill") == 0;
}

Ending ending_of(const json_t *credential)
{
        const json_t *receipt = receipt_of(credential);
        const char *verdict = record_text_or(receipt, "verdict", "");

        if (record_number_or(credential, "issued_usec", 0) == 0)
                return ENDING_NEVER;
        if (!receipt)
                return record_number_or(credential, "lateness_usec", 0) > 0 ? ENDING_OVERDUE
                                                                            : ENDING_OPEN;
        if (strcmp(verdict, "confirmed") == 0)
                return ENDING_ON_TIME;
        return strcmp(verdict, "late") == 0 ? ENDING_LATE : ENDING_RESIDUE;
}

bool ending_is_bad(Ending ending)
{
        return ending == ENDING_LATE || ending == ENDING_RESIDUE || ending == ENDING_OVERDUE;
}

const char *ending_words(const json_t *credential, char buffer[static RECORD_TEXT_MAX])
{
        const json_t *receipt = receipt_of(credential);
        size_t residue = json_array_size(json_object_get(receipt, "residue"));
        char text[DURATION_TEXT_MAX];

        switch (ending_of(credential)) {
        case ENDING_ON_TIME:
                snprintf(buffer, RECORD_TEXT_MAX, "On time");
                break;
        case ENDING_LATE:
                duration_format(record_number_or(receipt, "late_usec", 0), text);
                snprintf(buffer, RECORD_TEXT_MAX, "Late by %s", text);
                break;
        case ENDING_RESIDUE:
                snprintf(buffer, RECORD_TEXT_MAX, "Residue: %zu process%s", residue,
                         residue == 1 ? "" : "es");
                break;
        case ENDING_OVERDUE:
                duration_format(record_number_or(credential, "lateness_usec", 0), text);
                snprintf(buffer, RECORD_TEXT_MAX, "Overdue by %s", text);
                break;
        case ENDING_OPEN:
                snprintf(buffer, RECORD_TEXT_MAX, "Not over yet");
                break;
        case ENDING_NEVER:
        case ENDING_MAX:
        case ENDING_INVALID:
                snprintf(buffer, RECORD_TEXT_MAX, "Not issued");
        }
        return buffer;
}

void ending_icon(FILE *out, Ending ending)
{
        static const char *const shapes[ENDING_MAX] = {
                [ENDING_ON_TIME] = "good",    [ENDING_LATE] = "late", [ENDING_RESIDUE] = "residue",
                [ENDING_OVERDUE] = "overdue", [ENDING_OPEN] = "open", [ENDING_NEVER] = "never",
        };

        html_write(out, "<svg class=\"icon\" viewBox=\"-8 -8 16 16\" aria-hidden=\"true\">"
                        "<use href=\"#");
        html_text(out, shapes[ending]);
        html_write(out, "\"/></svg>");
}

void ending_badge(FILE *out, const json_t *credential)
{
        Ending ending = ending_of(credential);
        char words[RECORD_TEXT_MAX];

        html_write(out, "<span class=\"badge ");
        html_text(out, ending_is_bad(ending) ? "bad" : ending == ENDING_ON_TIME ? "good" : "quiet");
        html_write(out, "\">");
        ending_icon(out, ending);
        html_text(out, ending_words(credential, words));
        html_write(out, "</span>");
}

/* --- sessions --- */

static const json_t *evidence_of(const json_t *receipt, const json_t *session)
{
        json_t *evidence;
        size_t i;

        json_array_foreach (json_object_get(receipt, "evidence"), i, evidence) {
                if (record_number_or(evidence, "leader", 0) ==
                            record_number_or(session, "leader", 1) &&
                    strcmp(record_text_or(evidence, "session", ""),
                           record_text_or(session, "session", "")) == 0)
                        return evidence;
        }
        return NULL;
}

/* By credd's own measure where there is one: it is not of the wall clock. */
uint64_t session_late_usec(const json_t *report, const json_t *credential, const json_t *session)
{
        const json_t *receipt = receipt_of(credential), *evidence = evidence_of(receipt, session);
        uint64_t now = record_number_or(report, "generated_usec", 0);
        uint64_t end = record_number_or(session, "ended_usec", now);
        uint64_t deadline = record_number_or(session, "deadline_usec", end), late;

        if (receipt && receipt_confirmed(receipt))
                return 0;
        late = end > deadline ? end - deadline : 0;
        late = record_number_or(evidence, "late_usec", late);
        return late >= LATE_USEC ? late : 0;
}

/* --- moments --- */

const char *moment_text(const json_t *report, uint64_t usec, char buffer[static WHEN_TEXT_MAX])
{
        char now[WHEN_TEXT_MAX], *offset;

        if (!when_format(usec, WHEN_LOCAL, buffer))
                return "-";
        offset = strrchr(buffer, ' ');
        if (when_format(record_number_or(report, "generated_usec", 0), WHEN_LOCAL, now) && offset &&
            strcmp(offset, strrchr(now, ' ')) == 0)
                *offset = '\0';
        return buffer;
}

void moment_write(FILE *out, const json_t *report, const json_t *record, const char *name)
{
        char text[WHEN_TEXT_MAX], utc[WHEN_TEXT_MAX];
        uint64_t usec;

        if (!record_number(record, name, &usec) || !when_format(usec, WHEN_UTC, utc)) {
                html_write(out, "–");
                return;
        }
        html_write(out, "<time datetime=\"");
        html_text(out, utc);
        html_write(out, "\">");
        html_text(out, moment_text(report, usec, text));
        html_write(out, "</time>");
}

/* --- shapes --- */

/* Drawn around 0,0, which is where they are put. The page's own width moves them, and does not
 * stretch them. */
void page_shapes(FILE *out)
{
        html_write(
                out,
                "<svg class=\"shapes\" aria-hidden=\"true\" width=\"0\" height=\"0\"><defs>\n"
                "<g id=\"good\"><circle class=\"f-good\" r=\"5.5\"/><path class=\"s-paper\" "
                "d=\"M-2.6.2-.8 2 2.7-1.7\"/></g>\n"
                "<g id=\"late\"><path class=\"f-bad\" d=\"M0-7 7 0 0 7-7 0Z\"/></g>\n"
                "<g id=\"overdue\"><path class=\"f-bad\" d=\"M0-7 7 0 0 7-7 0Z\"/>"
                "<path class=\"s-paper\" d=\"M0-3.6V.8M0 2.4V3.6\"/></g>\n"
                "<g id=\"residue\"><path class=\"f-bad\" d=\"M-5.5-5.5H5.5V5.5H-5.5Z\"/>"
                "<path class=\"s-paper\" d=\"M-2.5-2.5 2.5 2.5M2.5-2.5-2.5 2.5\"/></g>\n"
                "<g id=\"open\"><path class=\"s-open\" d=\"M-3-5 2 0-3 5\"/></g>\n"
                "<g id=\"never\"><path class=\"s-open\" d=\"M-4 0H4\"/></g>\n"
                "<g id=\"deadline\"><path class=\"s-ink\" d=\"M0-8V8M-3-8H3\"/></g>\n"
                "<pattern id=\"hatch\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" "
                "patternTransform=\"rotate(45)\"><path class=\"hatch\" d=\"M0 0V5\"/></pattern>\n"
                "</defs></svg>\n");
}

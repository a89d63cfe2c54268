/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Says what was looked at and what was seen, in the words of credd's record, and as plainly what
 * nobody looked at. The verdict is credd's; nothing is concluded here. */
#include "credctl/receipt.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "credctl/output.h"

const json_t *receipt_of(const json_t *credential)
{
        const json_t *receipt = json_object_get(credential, "receipt");

        return json_is_object(receipt) ? receipt : NULL;
}

bool receipt_confirmed(const json_t *receipt)
{
        return strcmp(record_text_or(receipt, "verdict", ""), "confirmed") == 0;
}

const char *receipt_verdict(const json_t *receipt, char buffer[static RECORD_TEXT_MAX])
{
        const char *verdict = record_text_or(receipt, "verdict", "?");
        size_t residue = json_array_size(json_object_get(receipt, "residue"));
        char late[DURATION_TEXT_MAX];

        if (strcmp(verdict, "late") == 0)
                snprintf(buffer, RECORD_TEXT_MAX, "late by %s",
                         duration_format(record_number_or(receipt, "late_usec", 0), late));
        else if (strcmp(verdict, "residue") == 0)
                snprintf(buffer, RECORD_TEXT_MAX, "residue: %zu process%s still there", residue,
                         residue == 1 ? " is" : "es are");
        else
                snprintf(buffer, RECORD_TEXT_MAX, "%s", verdict);
        return buffer;
}

#define INDENT 17

static void print_evidence(const Context *context, const json_t *evidence)
{
        char late[DURATION_TEXT_MAX], steps[RECORD_TEXT_MAX], seen[RECORD_TEXT_MAX + 8];
        uint64_t late_usec = record_number_or(evidence, "late_usec", 0);

        snprintf(seen, sizeof seen, "%s, leader %" PRIu64 ": gone %s after its deadline",
                 record_text_or(evidence, "session", "without an id"),
                 record_number_or(evidence, "leader", 0), duration_format(late_usec, late));
        output_item(context, STYLE_PLAIN, INDENT, "  session", seen);
        snprintf(seen, sizeof seen, "seen: leader %s; logind: %s; scope %s; processes: %s",
                 record_text_or(evidence, "leader_sign", "?"),
                 record_text_or(evidence, "logind_sign", "?"),
                 record_text_or(evidence, "scope_sign", "?"),
                 record_text_or(evidence, "tree_sign", "?"));
        output_paragraph(context, INDENT, seen);
        record_join(json_object_get(evidence, "steps"), steps);
        snprintf(seen, sizeof seen, "done: %s", *steps ? steps : "nothing");
        output_paragraph(context, INDENT, seen);
}

static void print_residue(const Context *context, const json_t *residue)
{
        char text[RECORD_TEXT_MAX];

        snprintf(text, sizeof text, "process %" PRIu64 " %s in %s",
                 record_number_or(residue, "pid", 0), record_text_or(residue, "command", "?"),
                 record_text_or(residue, "unit", "?"));
        output_item(context, STYLE_ALARM, INDENT, "  left behind", text);
}

void receipt_print(const Context *context, const json_t *receipt)
{
        char verdict[RECORD_TEXT_MAX], written[RECORD_TEXT_MAX];
        json_t *entry;
        size_t i;

        output_line(context, STYLE_HEADING, "Receipt");
        output_line(context, receipt_confirmed(receipt) ? STYLE_GOOD : STYLE_ALARM,
                    "  verdict        %s", receipt_verdict(receipt, verdict));
        output_line(context, STYLE_PLAIN, "  written        %s",
                    record_moment(context, receipt, "written_usec", written));
        json_array_foreach (json_object_get(receipt, "evidence"), i, entry) {
                print_evidence(context, entry);
        }
        json_array_foreach (json_object_get(receipt, "residue"), i, entry) {
                print_residue(context, entry);
        }
        json_array_foreach (json_object_get(receipt, "not_covered"), i, entry) {
                output_line(context, STYLE_PLAIN, "  not covered    %s",
                            json_is_string(entry) ? json_string_value(entry) : "?");
        }
}

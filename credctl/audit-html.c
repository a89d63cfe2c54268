/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "credctl/audit-html.h"

#include "credctl/outcome.h"
#include "credctl/words.h"

int audit_html_print(const Context *context, const json_t *report)
{
        (void)context;
        (void)report;
        return words_fail(OUTCOME_FAILED,
                          "--output html: not in this credctl; it has table, json and csv");
}

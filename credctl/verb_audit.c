/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl audit: which credentials there were in a period, who gave them to whom and why, when each
 * ended, and whether anybody was in after that. */
#include <inttypes.h>
#include <pwd.h>
#include <string.h>

#include "common/cleanup.h"
#include "credctl/audit-html.h"
#include "credctl/audit.h"
#include "credctl/outcome.h"
#include "credctl/output.h"
#include "credctl/verb.h"
#include "credctl/words.h"

#define DAY_USEC (86400 * USEC_PER_SEC)

const Option verb_audit_options[] = {
        {"since", "T", NULL, OPTION_MOMENT, "the period begins; by default a day ago"},
        {"until", "T", NULL, OPTION_MOMENT, "the period ends; by default now"},
        {"as-of", "T", NULL, OPTION_MOMENT, "instead: who had access at that moment"},
        {"user", "USER", "user", OPTION_TEXT, "of USER alone"},
        {"role", "ROLE", "role", OPTION_TEXT, "under ROLE alone"},
        {"long-lived", "D", NULL, OPTION_DURATION, "to live longer is an exception; 1d"},
        {"fail-on", "KIND,...", NULL, OPTION_TEXT, "exit status 5 if there is such an exception"},
        {.name = NULL},
};

static bool given(const Arguments *arguments, const char *name)
{
        return json_object_get(arguments->values, name) != NULL;
}

static int read_question(const Context *context, const Arguments *arguments,
                         AuditQuestion *question)
{
        const uint64_t now = context->now_real_usec;
        const char *user = arguments_text(arguments, "user");
        const struct passwd *account = user ? getpwnam(user) : NULL;
        uint64_t until = arguments_number(arguments, "until", now);

        *question = (AuditQuestion){
                .until_usec = until,
                .since_usec = arguments_number(arguments, "since",
                                               until > DAY_USEC ? until - DAY_USEC : 0),
                .now_usec = now,
                .long_lived_usec = arguments_number(arguments, "long-lived", DAY_USEC),
                .user = user,
                .role = arguments_text(arguments, "role"),
                .uid = account ? (int64_t)account->pw_uid : -1,
        };
        if (given(arguments, "as-of")) {
                if (given(arguments, "since") || given(arguments, "until"))
                        return words_fail(OUTCOME_USAGE,
                                          "--as-of is one moment: without --since and --until");
                question->as_of = true;
                question->since_usec = arguments_number(arguments, "as-of", now);
                question->until_usec = question->since_usec;
        }
        if (question->until_usec > now || question->since_usec > now)
                return words_fail(OUTCOME_USAGE,
                                  "nobody can report what is still to come: see credctl list");
        if (!question->as_of && question->since_usec >= question->until_usec)
                return words_fail(OUTCOME_USAGE, "--since must be before --until");
        return 0;
}

/* Calls back for each name of a list with commas. */
static int each_kind(const char *list, const json_t *report, json_t *found)
{
        while (list && *list) {
                size_t len = strcspn(list, ",");
                const char *kind = audit_kind(list, len);

                if (!kind)
                        return words_fail(OUTCOME_USAGE,
                                          "--fail-on %.*s: there is no such exception; late, "
                                          "missed, residue and unacknowledged are some",
                                          (int)len, list);
                if (report && audit_count(report, kind) > 0 &&
                    json_object_set_new(found, kind,
                                        json_integer((json_int_t)audit_count(report, kind))) < 0)
                        return -ENOMEM;
                list += len + (list[len] == ',');
        }
        return 0;
}

/* OUTCOME_FOUND, and says of what there is some. */
static int fail_on(const char *list, const json_t *report)
{
        json_auto_t *found = json_object();
        const char *kind;
        json_t *count;
        int r = each_kind(list, report, found);

        if (r != 0 || json_object_size(found) == 0)
                return r;
        json_object_foreach (found, kind, count) {
                (void)words_fail(OUTCOME_FOUND, "found in this report: %s, %lld", kind,
                                 (long long)json_integer_value(count));
        }
        return OUTCOME_FOUND;
}

static int print(const Context *context, json_t *report)
{
        switch (context->form) {
        case OUTPUT_JSON:
                return output_json(context, "report", report);
        case OUTPUT_CSV:
                return audit_csv_print(context, report);
        case OUTPUT_HTML:
                audit_html_write(stdout, report); /* program_run() sees its errors */
                return 0;
        case OUTPUT_TABLE:
        case OUTPUT_TOKEN:
        case OUTPUT_FORM_MAX:
        case OUTPUT_FORM_INVALID:
                break;
        }
        audit_table_print(context, report);
        return 0;
}

int verb_audit_run(const Context *context, const Arguments *arguments)
{
        const char *kinds = arguments_text(arguments, "fail-on");
        json_auto_t *report = NULL;
        AuditQuestion question;
        int r;

        r = read_question(context, arguments, &question);
        if (r == 0)
                r = each_kind(kinds, NULL, NULL);
        if (r == 0)
                r = audit_read(context, &question, &report);
        if (r == 0)
                r = print(context, report);
        return r == 0 ? fail_on(kinds, report) : r;
}

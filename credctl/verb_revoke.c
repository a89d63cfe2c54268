/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl revoke. The caller's own comes last, because its end may be that of this process. With
 * --wait the receipts are waited for after all are revoked. */
#include <inttypes.h>

#include "credctl/choice.h"
#include "credctl/confirm.h"
#include "credctl/credentials.h"
#include "credctl/outcome.h"
#include "credctl/output.h"
#include "credctl/own.h"
#include "credctl/record.h"
#include "credctl/revocation.h"
#include "credctl/verb.h"
#include "credctl/waiting.h"
#include "credctl/words.h"

const Option verb_revoke_options[] = {
        {"user", "USER", "user", OPTION_TEXT, "all of this user's"},
        {"role", "ROLE", "role", OPTION_TEXT, "all under this role"},
        {"all", NULL, NULL, OPTION_FLAG, "all there are"},
        {"reason", "TEXT", "reason", OPTION_TEXT, "why, for the audit"},
        {"wait", NULL, NULL, OPTION_FLAG, "until the receipts are there, at most 2 minutes"},
        {"dry-run", NULL, NULL, OPTION_FLAG, "say what would be done"},
        {"yes", NULL, NULL, OPTION_FLAG, "no question"},
        {.name = NULL},
};

static bool with_words(const Context *context)
{
        return !context->quiet && context->form != OUTPUT_JSON;
}

static uint64_t count_sessions(const json_t *credentials)
{
        json_t *credential;
        uint64_t count = 0;
        size_t i;

        json_array_foreach (credentials, i, credential) {
                count += record_number_or(credential, "sessions_open", 0);
        }
        return count;
}

/* What a filter chose, before anything is done to it. */
static int preview(const Context *context, const Arguments *arguments, json_t *chosen)
{
        size_t n = json_array_size(chosen);
        uint64_t open = count_sessions(chosen);
        int r;

        if (!confirm_wanted(context, arguments) || (n < 2 && !arguments_flag(arguments, "all")))
                return 0;
        r = credentials_print(context, chosen, stderr);
        if (r < 0)
                return r;
        return confirm_ask("Revoke %s%zu credential%s and end %" PRIu64 " session%s?",
                           n == 1 ? "this " : "these ", n, WORDS_PLURAL(n), open,
                           WORDS_PLURAL(open));
}

static int dry_run_filter(const Context *context, json_t *chosen)
{
        size_t n = json_array_size(chosen);
        uint64_t open = count_sessions(chosen);
        int r;

        if (context->form == OUTPUT_JSON)
                return output_json(context, "credentials", chosen);
        r = credentials_print(context, chosen, stdout);
        if (r == 0 && with_words(context))
                output_line(context, STYLE_PLAIN,
                            "%zu credential%s would be revoked; %" PRIu64
                            " session%s would be ended",
                            n, WORDS_PLURAL(n), open, WORDS_PLURAL(open));
        return r;
}

/* To be called before the question, since it is part of what is to be decided. */
static int note_own(const Context *context, json_t *chosen)
{
        json_auto_t *own = NULL;
        int r = own_find(context, &own);

        if (r != 0)
                return r;
        if (own_put_last(own, chosen) && !context->quiet)
                words_note("Your own session is among what this ends.");
        return 0;
}

static int run_chosen(const Context *context, const Arguments *arguments, json_t *chosen)
{
        json_auto_t *done = json_array();
        const Revocation revocation = {
                .context = context,
                .reason = arguments_text(arguments, "reason"),
                .filter = choice_is_filter(arguments),
                .dry_run = arguments_flag(arguments, "dry-run"),
                .done = done,
        };
        int r, worst;

        if (!done)
                return -ENOMEM;
        worst = revocation_run(&revocation, chosen);
        if (arguments_flag(arguments, "wait") && !revocation.dry_run && worst >= 0)
                worst = outcome_worse(worst, waiting_for_receipts(context, done));
        if (context->form != OUTPUT_JSON || (json_array_size(done) == 0 && worst != 0))
                return worst;
        r = output_json(context, "credentials", done);
        return r < 0 ? r : worst;
}

static int run_filter(const Context *context, const Arguments *arguments)
{
        json_auto_t *chosen = NULL;
        int r = 0;

        if (!arguments_flag(arguments, "dry-run"))
                r = confirm_check(context, arguments);
        if (r == 0)
                r = choice_find(context, arguments, &chosen);
        if (r != 0)
                return r;
        if (json_array_size(chosen) == 0 && with_words(context))
                words_note("There is no such credential that you may see, so nothing to revoke.");
        if (json_array_size(chosen) == 0 && context->form != OUTPUT_JSON)
                return 0;
        r = note_own(context, chosen);
        if (r == 0 && arguments_flag(arguments, "dry-run"))
                return dry_run_filter(context, chosen);
        if (r == 0)
                r = preview(context, arguments, chosen);
        return r == 0 ? run_chosen(context, arguments, chosen) : r;
}

static int run_ids(const Context *context, const Arguments *arguments)
{
        json_auto_t *chosen = NULL;
        int r, worst = choice_find(context, arguments, &chosen);

        if (!chosen || json_array_size(chosen) == 0)
                return worst;
        r = note_own(context, chosen);
        if (r == 0)
                r = run_chosen(context, arguments, chosen);
        return outcome_worse(worst, r);
}

int verb_revoke_run(const Context *context, const Arguments *arguments)
{
        int r = choice_check(arguments, context->verb->name);

        if (r != 0)
                return r;
        return choice_is_filter(arguments) ? run_filter(context, arguments)
                                           : run_ids(context, arguments);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl freeze: alone it can be undone, so nothing is asked; the end of sessions cannot. */
#include <inttypes.h>

#include "credctl/confirm.h"
#include "credctl/connection.h"
#include "credctl/output.h"
#include "credctl/own.h"
#include "credctl/record.h"
#include "credctl/verb.h"
#include "credctl/words.h"

const Option verb_freeze_options[] = {
        {"reason", "TEXT", "reason", OPTION_TEXT, "why, for the audit"},
        {"end-sessions", NULL, "end_sessions", OPTION_FLAG, "end the open sessions, too"},
        {"yes", NULL, NULL, OPTION_FLAG, "no question"},
        {.name = NULL},
};

static int count_open(const Context *context, size_t *ret_count)
{
        json_auto_t *parameters = json_object(), *sessions = NULL;
        int r;

        if (!parameters)
                return -ENOMEM;
        r = connection_read_pages(context, "Sessions", "sessions", parameters, &sessions);
        if (r == 0)
                *ret_count = json_array_size(sessions);
        return r;
}

/* How many sessions end, whether the caller's is among them, and the question. */
static int preview(const Context *context, const Arguments *arguments)
{
        json_auto_t *own = NULL;
        size_t open = 0;
        int r;

        r = confirm_check(context, arguments);
        if (r == 0)
                r = own_find(context, &own);
        if (r == 0 && own && !context->quiet)
                words_note("Your own session is among those that end.");
        if (r != 0 || !confirm_wanted(context, arguments))
                return r;
        r = count_open(context, &open);
        if (r != 0)
                return r;
        return confirm_ask("Freeze this host and end %zu session%s?", open, WORDS_PLURAL(open));
}

static void print_frozen(const Context *context, uint64_t ending)
{
        if (context->quiet)
                return;
        output_line(context, STYLE_ALARM,
                    "This host is frozen: no login with a token is possible until credctl thaw.");
        if (ending > 0)
                output_line(context, STYLE_PLAIN, "%" PRIu64 " session%s being ended.", ending,
                            ending == 1 ? " is" : "s are");
}

int verb_freeze_run(const Context *context, const Arguments *arguments)
{
        json_auto_t *parameters = NULL, *reply = NULL;
        int r;

        r = arguments_parameters(arguments, context->verb, &parameters);
        if (r == 0 && arguments_flag(arguments, "end-sessions"))
                r = preview(context, arguments);
        if (r == 0)
                r = connection_change(context, "Freeze", parameters, &reply);
        if (r != 0)
                return r;
        if (context->form == OUTPUT_JSON)
                return output_json(context, "freeze", reply);
        print_frozen(context, record_number_or(reply, "sessions_ending", 0));
        return 0;
}

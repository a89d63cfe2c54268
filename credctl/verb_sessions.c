/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl sessions: what is logged in with a credential. */
#include "credctl/connection.h"
#include "credctl/output.h"
#include "credctl/sessions.h"
#include "credctl/verb.h"
#include "credctl/words.h"

const Option verb_sessions_options[] = {
        {"all", NULL, "all", OPTION_FLAG, "ended ones too"},
        {.name = NULL},
};

int verb_sessions_run(const Context *context, const Arguments *arguments)
{
        json_auto_t *parameters = NULL, *sessions = NULL;
        int r;

        r = arguments_parameters(arguments, context->verb, &parameters);
        if (r < 0)
                return r;
        r = connection_read_pages(context, "Sessions", "sessions", parameters, &sessions);
        if (r != 0)
                return r;
        if (context->form == OUTPUT_JSON)
                return output_json(context, "sessions", sessions);
        if (json_array_size(sessions) > 0)
                return sessions_print(context, sessions, stdout);
        if (!context->quiet)
                words_note("No session is open with a credential.");
        return 0;
}

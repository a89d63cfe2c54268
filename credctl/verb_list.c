/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl list: one row a credential. The filters are credd's; this only shows what it sends. */
#include <stdio.h>

#include "credctl/connection.h"
#include "credctl/credentials.h"
#include "credctl/output.h"
#include "credctl/verb.h"
#include "credctl/words.h"

const Option verb_list_options[] = {
        {"user", "USER", "user", OPTION_TEXT, "only those for USER"},
        {"role", "ROLE", "role", OPTION_TEXT, "only those under ROLE"},
        {"state", "STATE", "state", OPTION_TEXT, "only those in STATE: active, in-use, ..."},
        {"expiring", "D", "expiring_usec", OPTION_DURATION,
         "only those that end, or whose session ends, within D"},
        {"all", NULL, "all", OPTION_FLAG, "final ones too"},
        {.name = NULL},
};

int verb_list_run(const Context *context, const Arguments *arguments)
{
        json_auto_t *parameters = NULL, *credentials = NULL;
        int r;

        r = arguments_parameters(arguments, context->verb, &parameters);
        if (r < 0)
                return r;
        r = connection_read_pages(context, "List", "credentials", parameters, &credentials);
        if (r != 0)
                return r;
        if (context->form == OUTPUT_JSON)
                return output_json(context, "credentials", credentials);
        if (json_array_size(credentials) > 0)
                return credentials_print(context, credentials, stdout);
        if (!context->quiet)
                words_note("There is no such credential that you may see. "
                           "To issue one: credctl issue --user USER");
        return 0;
}

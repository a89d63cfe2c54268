/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl requests: what waits to be decided or collected, as far as it is the caller's to see. */
#include "credctl/asked.h"
#include "credctl/connection.h"
#include "credctl/output.h"
#include "credctl/verb.h"
#include "credctl/words.h"

int verb_requests_run(const Context *context, const Arguments *arguments)
{
        json_auto_t *parameters = json_object(), *requests = NULL;
        int r;

        (void)arguments;
        if (!parameters)
                return -ENOMEM;
        r = connection_read_pages(context, "Requests", "requests", parameters, &requests);
        if (r != 0)
                return r;
        if (context->form == OUTPUT_JSON)
                return output_json(context, "requests", requests);
        if (json_array_size(requests) > 0)
                return asked_print(context, requests);
        if (!context->quiet)
                words_note("Nothing is asked for that you may see. "
                           "To ask: credctl request --role ROLE --user USER --reason TEXT");
        return 0;
}

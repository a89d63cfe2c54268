/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl thaw: the end of a freeze. */
#include "credctl/connection.h"
#include "credctl/output.h"
#include "credctl/verb.h"

int verb_thaw_run(const Context *context, const Arguments *arguments)
{
        json_auto_t *reply = NULL;
        int r;

        (void)arguments;
        r = connection_change(context, "Thaw", NULL, &reply);
        if (r != 0)
                return r;
        if (context->form == OUTPUT_JSON)
                return output_json(context, "thaw", reply);
        if (!context->quiet)
                output_line(context, STYLE_GOOD, "This host takes logins with tokens again.");
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl ack: who may is credd's to say. */

#include "common/cleanup.h"
#include "credctl/connection.h"
#include "credctl/id.h"
#include "credctl/outcome.h"
#include "credctl/output.h"
#include "credctl/verb.h"
#include "credctl/words.h"

const Option verb_ack_options[] = {
        {"reason", "TEXT", "reason", OPTION_TEXT, "what came of it, for the audit"},
        {.name = NULL},
};

int verb_ack_run(const Context *context, const Arguments *arguments)
{
        json_auto_t *parameters = NULL, *reply = NULL;
        AUTO_FREE char *id = NULL;
        int r;

        r = id_resolve(context, arguments->operands[0], &id);
        if (r != 0)
                return r;
        parameters =
                json_pack("{s:s, s:s}", "id", id, "reason", arguments_text(arguments, "reason"));
        const Call call = {.method = "Ack",
                           .changes = true,
                           .parameters = parameters,
                           .tolerated = "NothingToDo"};

        if (!parameters)
                return -ENOMEM;
        r = connection_call(context, &call, &reply);
        if (r != 0)
                return r;
        if (!reply)
                return words_fail(OUTCOME_FAILED, "nothing of credential %s is to be acknowledged",
                                  id);
        if (context->form == OUTPUT_JSON)
                return output_json(context, "ack", reply);
        if (!context->quiet)
                output_line(context, STYLE_GOOD, "%s acknowledged", id);
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl collect. */
#include <signal.h>

#include "common/cleanup.h"
#include "credctl/collecting.h"
#include "credctl/connection.h"
#include "credctl/id.h"
#include "credctl/issued.h"
#include "credctl/verb.h"

int collecting_run(const Context *context, const char *id)
{
        json_auto_t *parameters = json_pack("{s:s}", "id", id), *reply = NULL;
        int r;

        if (!parameters)
                return -ENOMEM;
        /* A reader who has gone must be an error that can be reported. */
        (void)signal(SIGPIPE, SIG_IGN);
        r = connection_change(context, "Collect", parameters, &reply);
        return r == 0 ? issued_print(context, reply) : r;
}

int verb_collect_run(const Context *context, const Arguments *arguments)
{
        AUTO_FREE char *id = NULL;
        int r = id_resolve(context, arguments->operands[0], &id);

        return r == 0 ? collecting_run(context, id) : r;
}

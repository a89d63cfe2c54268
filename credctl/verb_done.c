/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl done: whoever types it in their session means it, so that alone is not asked about; what
 * it does to other sessions is. All that there is to say is said before the call: after it this
 * process may be gone. */
#include <inttypes.h>

#include "credctl/confirm.h"
#include "credctl/connection.h"
#include "credctl/output.h"
#include "credctl/record.h"
#include "credctl/verb.h"
#include "credctl/words.h"

const Option verb_done_options[] = {
        {"yes", NULL, NULL, OPTION_FLAG, "no question"},
        {.name = NULL},
};

/* What the return does besides ending this session. */
static int announce(const Context *context, const Arguments *arguments, const json_t *credential)
{
        const char *id = record_text_or(credential, "id", "?");
        uint64_t open = record_number_or(credential, "sessions_open", 1);
        uint64_t others = open > 0 ? open - 1 : 0;
        uint64_t uses = record_number_or(credential, "uses_left", 0);

        if (!context->quiet && uses > 0)
                words_note("Credential %s was good for %" PRIu64
                           " more login%s; after this it is for none.",
                           id, uses, WORDS_PLURAL(uses));
        if (others > 0 && confirm_wanted(context, arguments))
                return confirm_ask("Give back credential %s, and end this session and %" PRIu64
                                   " other%s?",
                                   id, others, WORDS_PLURAL(others));
        if (!context->quiet && others > 0)
                words_note("Giving back credential %s: this session ends now, and %" PRIu64
                           " other%s.",
                           id, others, WORDS_PLURAL(others));
        else if (!context->quiet)
                words_note("Giving back credential %s: this session ends now.", id);
        return 0;
}

static int give_back(const Context *context)
{
        json_auto_t *reply = NULL, *credentials = NULL;
        json_t *credential;
        int r;

        r = connection_change(context, "Return", NULL, &reply);
        if (r == 0)
                r = record_member(reply, "credential", JSON_OBJECT, &credential);
        if (r != 0 || context->form != OUTPUT_JSON)
                return r;
        credentials = json_pack("[O]", credential);
        return credentials ? output_json(context, "credentials", credentials) : -ENOMEM;
}

int verb_done_run(const Context *context, const Arguments *arguments)
{
        json_auto_t *own = NULL;
        json_t *credential;
        int r;

        r = confirm_check(context, arguments);
        if (r == 0)
                r = connection_read(context, "Time", NULL, &own);
        if (r == 0)
                r = record_member(own, "credential", JSON_OBJECT, &credential);
        if (r == 0)
                r = announce(context, arguments, credential);
        return r == 0 ? give_back(context) : r;
}

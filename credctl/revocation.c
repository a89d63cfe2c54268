/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each credential is its own call, and one that fails does not keep the next from being revoked. */
#include "credctl/revocation.h"

#include <inttypes.h>
#include <string.h>

#include "credctl/connection.h"
#include "credctl/outcome.h"
#include "credctl/output.h"
#include "credctl/record.h"
#include "credctl/state.h"
#include "credctl/words.h"

static bool with_words(const Context *context)
{
        return !context->quiet && context->form != OUTPUT_JSON;
}

/* Somebody revoked it before, and its end is under way. */
static bool already_revoked(const json_t *credential)
{
        return strcmp(record_text_or(credential, "state", ""), "ending") == 0 &&
               json_is_object(json_object_get(credential, "ended_by"));
}

/* Of what a filter chose, one may have become final since: that is what was wanted. */
static int ask(const Revocation *revocation, const char *id, json_t **ret_reply)
{
        json_auto_t *parameters = json_pack("{s:s, s:s*}", "id", id, "reason",
                                            revocation->dry_run ? NULL : revocation->reason);
        const Call call = {
                .method = revocation->dry_run ? "Show" : "Revoke",
                .changes = !revocation->dry_run,
                .parameters = parameters,
                .tolerated = revocation->filter ? "Final" : NULL,
        };

        return parameters ? connection_call(revocation->context, &call, ret_reply) : -ENOMEM;
}

static void say_revoked(const Context *context, const json_t *credential)
{
        const char *id = record_text_or(credential, "id", "?");
        uint64_t open = record_number_or(credential, "sessions_open", 0);

        if (!with_words(context))
                return;
        if (open > 0)
                output_line(context, STYLE_PLAIN, "%s revoked; %" PRIu64 " session%s being ended",
                            id, open, open == 1 ? " is" : "s are");
        else
                output_line(context, STYLE_PLAIN, "%s revoked; no session was open", id);
}

static int say_what_would_be(const Context *context, const json_t *credential)
{
        const char *id = record_text_or(credential, "id", "?");
        const char *state = record_text_or(credential, "state", "?");
        uint64_t open = record_number_or(credential, "sessions_open", 0);

        if (!state_is_live(state))
                return words_fail(OUTCOME_FAILED,
                                  "credential %s is %s already, which nothing changes", id, state);
        if (with_words(context))
                output_line(context, STYLE_PLAIN,
                            "%s would be revoked; %" PRIu64 " session%s would be ended", id, open,
                            WORDS_PLURAL(open));
        return 0;
}

static int revoke_one(const Revocation *revocation, json_t *chosen)
{
        json_auto_t *reply = NULL;
        json_t *credential = chosen;
        int r = 0;

        if (!already_revoked(chosen))
                r = ask(revocation, record_text_or(chosen, "id", ""), &reply);
        if (r == 0 && reply)
                r = record_member(reply, "credential", JSON_OBJECT, &credential);
        if (r != 0)
                return r;
        if (json_array_append(revocation->done, credential) < 0)
                return -ENOMEM;
        if (revocation->dry_run)
                return say_what_would_be(revocation->context, credential);
        if (reply)
                say_revoked(revocation->context, credential);
        else if (with_words(revocation->context))
                output_line(revocation->context, STYLE_PLAIN, "%s had been ended before",
                            record_text_or(credential, "id", "?"));
        return 0;
}

int revocation_run(const Revocation *revocation, json_t *chosen)
{
        int worst = 0;

        for (size_t i = 0; i < json_array_size(chosen) && worst != OUTCOME_UNREACHABLE; i++)
                worst = outcome_worse(worst, revoke_one(revocation, json_array_get(chosen, i)));
        return worst;
}

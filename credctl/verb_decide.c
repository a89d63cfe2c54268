/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl approve and deny: the same but for the word. */
#include "common/cleanup.h"
#include "credctl/asked.h"
#include "credctl/connection.h"
#include "credctl/id.h"
#include "credctl/output.h"
#include "credctl/record.h"
#include "credctl/verb.h"

const Option verb_approve_options[] = {
        {"reason", "TEXT", "reason", OPTION_TEXT, "a word to who asked, and for the audit"},
        {.name = NULL},
};

const Option verb_deny_options[] = {
        {"reason", "TEXT", "reason", OPTION_TEXT, "why, for who asked and for the audit"},
        {.name = NULL},
};

static int decide(const Context *context, const Arguments *arguments, const char *method,
                  json_t **ret_reply)
{
        json_auto_t *parameters = NULL;
        AUTO_FREE char *id = NULL;
        int r;

        r = id_resolve(context, arguments->operands[0], &id);
        if (r == 0)
                r = arguments_parameters(arguments, context->verb, &parameters);
        if (r != 0)
                return r;
        if (json_object_set_new(parameters, "id", json_string(id)) < 0)
                return -ENOMEM;
        return connection_change(context, method, parameters, ret_reply);
}

static void print_approved(const Context *context, const json_t *credential)
{
        const char *id = record_text_or(credential, "id", "?");
        char approvals[ASKED_APPROVALS_MAX];

        output_line(context, STYLE_PLAIN, "%s: %s approvals%s", id,
                    asked_approvals(credential, approvals),
                    asked_approved(credential) ? "; who asked may collect it now" : "");
}

static int run(const Context *context, const Arguments *arguments, const char *method,
               json_t **ret_credential)
{
        json_auto_t *reply = NULL;
        json_t *credential;
        int r;

        r = decide(context, arguments, method, &reply);
        if (r == 0)
                r = record_member(reply, "credential", JSON_OBJECT, &credential);
        if (r != 0)
                return r;
        if (context->form == OUTPUT_JSON)
                return asked_print_json(context, credential);
        *ret_credential = json_incref(credential);
        return 0;
}

int verb_approve_run(const Context *context, const Arguments *arguments)
{
        json_auto_t *credential = NULL;
        int r = run(context, arguments, "Approve", &credential);

        if (r == 0 && credential && !context->quiet)
                print_approved(context, credential);
        return r;
}

int verb_deny_run(const Context *context, const Arguments *arguments)
{
        json_auto_t *credential = NULL;
        int r = run(context, arguments, "Deny", &credential);

        if (r == 0 && credential && !context->quiet)
                output_line(context, STYLE_PLAIN, "%s is denied, for good",
                            record_text_or(credential, "id", "?"));
        return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "credctl/choice.h"

#include "common/cleanup.h"
#include "credctl/connection.h"
#include "credctl/id.h"
#include "credctl/outcome.h"
#include "credctl/words.h"

bool choice_is_filter(const Arguments *arguments)
{
        return arguments->n_operands == 0;
}

int choice_check(const Arguments *arguments, const char *verb)
{
        int ways = (arguments->n_operands > 0) + (arguments_text(arguments, "user") != NULL) +
                   (arguments_text(arguments, "role") != NULL) + arguments_flag(arguments, "all");

        if (ways == 1)
                return 0;
        return words_fail(OUTCOME_USAGE, "%s wants %s: ids, --user USER, --role ROLE, or --all",
                          verb, ways == 0 ? "to know what" : "one of these alone");
}

static int find_by_filter(const Context *context, const Arguments *arguments,
                          json_t **ret_credentials)
{
        json_auto_t *parameters =
                json_pack("{s:s*, s:s*}", "user", arguments_text(arguments, "user"), "role",
                          arguments_text(arguments, "role"));

        if (!parameters)
                return -ENOMEM;
        return connection_read_pages(context, "List", "credentials", parameters, ret_credentials);
}

static int add_by_id(const Context *context, const char *typed, json_t *credentials)
{
        AUTO_FREE char *id = NULL;
        int r = id_resolve(context, typed, &id);

        if (r != 0)
                return r;
        return json_array_append_new(credentials, json_pack("{s:s}", "id", id)) < 0 ? -ENOMEM : 0;
}

int choice_find(const Context *context, const Arguments *arguments, json_t **ret_credentials)
{
        json_auto_t *credentials = NULL;
        int worst = 0;

        if (choice_is_filter(arguments))
                return find_by_filter(context, arguments, ret_credentials);
        credentials = json_array();
        if (!credentials)
                return -ENOMEM;
        for (int i = 0; i < arguments->n_operands && worst != OUTCOME_UNREACHABLE; i++)
                worst = outcome_worse(worst,
                                      add_by_id(context, arguments->operands[i], credentials));
        if (worst >= 0)
                *ret_credentials = take_ptr(credentials);
        return worst;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl role: a verb with commands of its own, by a table of them. */
#include "credctl/verb_role.h"

#include <stdio.h>
#include <string.h>

#include "credctl/outcome.h"
#include "credctl/suggest.h"
#include "credctl/verb.h"
#include "credctl/words.h"

const Option verb_role_options[] = {
        {"reason", "TEXT", "reason", OPTION_TEXT, "enable, disable: why, for the audit"},
        {"revoke", NULL, NULL, OPTION_FLAG, "disable: revoke its credentials as well"},
        {"dry-run", NULL, "dry_run", OPTION_FLAG, "disable: say what would be done"},
        {"wait", NULL, NULL, OPTION_FLAG, "disable: until its sessions are gone"},
        {"yes", NULL, NULL, OPTION_FLAG, "disable: no question"},
        {.name = NULL},
};

const Command verb_role_commands[] = {
        {"list", NULL, "", role_list_run},
        {"show", "ROLE", "", role_show_run},
        {"enable", "ROLE", " reason ", role_enable_run},
        {"disable", "ROLE", " reason revoke dry-run wait yes ", role_disable_run},
        {"check", "FILE", "", role_check_run},
        {.name = NULL},
};

static const Command *find_command(const char *name)
{
        for (const Command *command = verb_role_commands; command->name; command++)
                if (strcmp(command->name, name) == 0)
                        return command;
        return NULL;
}

static int say_commands(const char *typed)
{
        Suggestion suggestion = {.typed = typed ?: ""};
        char known[256] = "";
        size_t n = 0;

        for (const Command *c = verb_role_commands; c->name && n < sizeof known; c++) {
                suggest_offer(&suggestion, c->name);
                n += (size_t)snprintf(known + n, sizeof known - n, "%s%s%s%s", n ? ", " : "",
                                      c->name, c->operand ? " " : "", c->operand ?: "");
        }
        if (typed && suggestion.best)
                return words_fail(OUTCOME_USAGE, "no command %s of role; did you mean %s?", typed,
                                  suggestion.best);
        return words_fail(OUTCOME_USAGE, "credctl role wants a command: %s", known);
}

static int check_operands(const Command *command, const Arguments *arguments)
{
        int wanted = command->operand ? 2 : 1;

        if (arguments->n_operands < wanted)
                return words_fail(OUTCOME_USAGE, "role %s wants %s; see credctl role --help",
                                  command->name, command->operand);
        if (arguments->n_operands > wanted)
                return words_fail(OUTCOME_USAGE, "%s is too much; see credctl role --help",
                                  arguments->operands[wanted]);
        return 0;
}

static int check_options(const Context *context, const Command *command, const Arguments *arguments)
{
        for (const Option *option = context->verb->options; option && option->name; option++) {
                char word[64];

                snprintf(word, sizeof word, " %s ", option->name);
                if (json_object_get(arguments->values, option->name) &&
                    !strstr(command->options, word))
                        return words_fail(OUTCOME_USAGE, "role %s takes no --%s", command->name,
                                          option->name);
        }
        return 0;
}

int verb_role_run(const Context *context, const Arguments *arguments)
{
        const char *name = arguments->n_operands > 0 ? arguments->operands[0] : NULL;
        const Command *command = name ? find_command(name) : NULL;
        int r;

        if (!command)
                return say_commands(name);
        r = check_operands(command, arguments);
        if (r == 0)
                r = check_options(context, command, arguments);
        if (r != 0)
                return r;
        return command->run(context, arguments, command->operand ? arguments->operands[1] : NULL);
}

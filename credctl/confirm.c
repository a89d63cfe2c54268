/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "credctl/confirm.h"

#include <stdio.h>
#include <string.h>

#include "credctl/outcome.h"
#include "credctl/verb.h"
#include "credctl/words.h"

static bool at_terminal(const Context *context)
{
        return context->stdin_terminal && context->stderr_terminal;
}

int confirm_check(const Context *context, const Arguments *arguments)
{
        const char *command;

        if (at_terminal(context) || arguments_flag(arguments, "yes"))
                return 0;
        /* "role disable", of a verb with commands. */
        command = verb_commands(context->verb) ? arguments->operands[0] : "";
        return words_fail(OUTCOME_USAGE,
                          "there is no terminal to ask on: %s%s%s wants --yes here, which does it "
                          "without a question",
                          context->verb->name, *command ? " " : "", command);
}

bool confirm_wanted(const Context *context, const Arguments *arguments)
{
        return at_terminal(context) && !arguments_flag(arguments, "yes");
}

bool confirm_is_yes(const char *line)
{
        char word[5] = "", more;

        return sscanf(line, " %4s %c", word, &more) == 1 &&
               (strcasecmp(word, "y") == 0 || strcasecmp(word, "yes") == 0);
}

int confirm_ask(const char *format, ...)
{
        char question[WORDS_LINE_MAX], line[64];
        va_list values;

        va_start(values, format);
        words_format(question, format, values);
        va_end(values);
        fprintf(stderr, "%s [y/N] ", question);
        (void)fflush(stderr);
        if (!fgets(line, sizeof line, stdin)) {
                fputc('\n', stderr);
                line[0] = '\0';
        }
        return confirm_is_yes(line) ? 0 : words_fail(OUTCOME_FAILED, "nothing was done");
}

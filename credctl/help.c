/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the manual page says at length is not repeated here: a line an option. */
#include "credctl/help.h"

#include <stdio.h>
#include <string.h>

#include "credctl/outcome.h"
#include "credctl/suggest.h"
#include "credctl/verb.h"
#include "credctl/words.h"

#define WIDTH 80

static void print_options(const Option *options)
{
        for (; options->name; options++) {
                char form[64], letter[5] = "";

                if (!options->help)
                        continue;
                if (arguments_letter(options))
                        snprintf(letter, sizeof letter, "-%c, ", arguments_letter(options));
                snprintf(form, sizeof form, "%s--%s%s%s", letter, options->name,
                         options->value ? " " : "", options->value ? options->value : "");
                printf("  %-20s  %s\n", form, options->help);
        }
}

/* Breaks the line before a part that would pass the edge. */
static void print_part(const char *part, size_t indent, size_t *column)
{
        if (*column + 1 + strlen(part) > WIDTH) {
                printf("\n%*s", (int)indent, "");
                *column = indent;
        }
        *column += (size_t)printf(" %s", part);
}

static void print_usage(const Verb *verb)
{
        size_t column = (size_t)printf("Usage: credctl %s", verb->name);
        size_t indent = column;

        for (const Option *option = verb->options; option && option->name; option++) {
                bool must = verb->required && strcmp(verb->required, option->name) == 0;
                char part[64];

                snprintf(part, sizeof part, "%s--%s%s%s%s%s", must ? "" : "[", option->name,
                         option->value ? " " : "", option->value ? option->value : "",
                         must ? "" : "]", option->kind == OPTION_LIST ? "..." : "");
                print_part(part, indent, &column);
        }
        if (*verb->operands)
                print_part(verb->operands, indent, &column);
        putchar('\n');
}

/* "disable ROLE [--reason] [--wait]" */
static void print_command(const Verb *verb, const Command *command)
{
        printf("  %s%s%s", command->name, command->operand ? " " : "", command->operand ?: "");
        for (const Option *option = verb->options; option && option->name; option++) {
                char word[64];

                snprintf(word, sizeof word, " %s ", option->name);
                if (strstr(command->options, word))
                        printf(" [--%s]", option->name);
        }
        putchar('\n');
}

static void print_commands(const Verb *verb)
{
        const Command *command = verb_commands(verb);

        if (!command)
                return;
        puts("\nCommands:\n");
        for (; command->name; command++)
                print_command(verb, command);
}

void help_verb(const Verb *verb)
{
        print_usage(verb);
        printf("\n%s\n", verb->line);
        print_commands(verb);
        if (verb->options) {
                putchar('\n');
                print_options(verb->options);
        }
        puts("\nEverywhere:\n");
        print_options(arguments_everywhere);
        puts("\nMore: man credctl");
}

void help_overview(void)
{
        puts("Usage: credctl [OPTION]... VERB [OPTION]... [ID]...\n\n"
             "Access to this host that ends, and the proof that it ended.");
        for (const Verb *verb = credctl_verbs; verb->name; verb++) {
                if (verb->heading)
                        printf("\n%s:\n", verb->heading);
                printf("  %-8s %-8s  %s\n", verb->name, verb->operands, verb->line);
        }
        puts("\nEverywhere:\n");
        print_options(arguments_everywhere);
        puts("\nMore: credctl VERB --help, man credctl");
}

int help_unknown_verb(const char *typed)
{
        Suggestion suggestion = {.typed = typed};

        for (const Verb *verb = credctl_verbs; verb->name; verb++)
                suggest_offer(&suggestion, verb->name);
        if (suggestion.best)
                return words_fail(OUTCOME_USAGE, "no verb %s; did you mean %s?", typed,
                                  suggestion.best);
        return words_fail(OUTCOME_USAGE, "no verb %s; see credctl help", typed);
}

/* "help role disable": the help of role has it. */
static bool is_command(const Verb *verb, const char *name)
{
        const Command *command = verb_commands(verb);

        while (command && command->name && strcmp(command->name, name) != 0)
                command++;
        return command && command->name;
}

int verb_help_run(const Context *context, const Arguments *arguments)
{
        const Verb *verb = arguments->n_operands > 0 ? verb_find(arguments->operands[0]) : NULL;

        (void)context;
        if (arguments->n_operands > 0 && !verb)
                return help_unknown_verb(arguments->operands[0]);
        if (arguments->n_operands > 1 && !is_command(verb, arguments->operands[1]))
                return words_fail(OUTCOME_USAGE, "%s has no command %s; see credctl %s --help",
                                  verb->name, arguments->operands[1], verb->name);
        if (verb)
                help_verb(verb);
        else
                help_overview();
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* getopt_long() does the scanning, the messages are ours: they name what would have been right. Of
 * an option given twice the last counts, as everywhere, unless its kind is a list. Abbreviations
 * that getopt_long() understands are understood. */
#include "credctl/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/duration.h"
#include "common/cleanup.h"
#include "credctl/outcome.h"
#include "credctl/suggest.h"
#include "credctl/text.h"
#include "credctl/verb.h"
#include "credctl/when.h"
#include "credctl/words.h"

#define NAMES_MAX 128 /* of the options that are named in one message */

/* getopt's val of the first option of a table; below are the letters. */
#define FIRST_VAL 256

const Option arguments_everywhere[] = {
        {"help", NULL, NULL, OPTION_FLAG, "help, of the verb if one is named"},
        {"version", NULL, NULL, OPTION_FLAG, "the version"},
        {"quiet", NULL, NULL, OPTION_FLAG, "results and errors only, no hints"},
        {"no-legend", NULL, NULL, OPTION_FLAG, "tables without headings"},
        {"json", NULL, NULL, OPTION_FLAG, "the same as --output json"},
        {"output", "FORM", NULL, OPTION_TEXT, "table, json; of issue: token; of audit: csv, html"},
        {"socket", "PATH", NULL, OPTION_TEXT, NULL},
        {.name = NULL},
};

static const Option no_options[] = {{.name = NULL}};

static const struct {
        char letter;
        const char *name;
} letters[] = {{'h', "help"}, {'q', "quiet"}};

char arguments_letter(const Option *option)
{
        for (size_t i = 0; i < ELEMENTSOF(letters); i++)
                if (strcmp(letters[i].name, option->name) == 0)
                        return letters[i].letter;
        return 0;
}

static const Option *options_of(const Verb *verb)
{
        return verb && verb->options ? verb->options : no_options;
}

static size_t options_count(const Option *options)
{
        size_t n = 0;

        while (options[n].name)
                n++;
        return n;
}

static const Option *option_of_val(const Verb *verb, int val)
{
        int everywhere = (int)options_count(arguments_everywhere);

        if (val >= FIRST_VAL + everywhere)
                return options_of(verb) + (val - FIRST_VAL - everywhere);
        if (val >= FIRST_VAL)
                return arguments_everywhere + (val - FIRST_VAL);
        for (const Option *option = arguments_everywhere; option->name; option++)
                if (arguments_letter(option) == val)
                        return option;
        return NULL;
}

static struct option *longs_new(const Verb *verb)
{
        size_t everywhere = options_count(arguments_everywhere);
        size_t n = everywhere + options_count(options_of(verb));
        struct option *longs = calloc(n + 1, sizeof *longs);

        for (size_t i = 0; longs && i < n; i++) {
                const Option *option = option_of_val(verb, FIRST_VAL + (int)i);

                longs[i] = (struct option){
                        .name = option->name,
                        .has_arg = option->kind == OPTION_FLAG ? no_argument : required_argument,
                        .val = FIRST_VAL + (int)i,
                };
        }
        return longs;
}

static int read_number(const Option *option, const char *text, uint64_t *ret)
{
        char *end;
        long number;

        errno = 0;
        number = strtol(text, &end, 10);
        if (*text < '0' || *text > '9' || *end || errno != 0 || number < 1 || number > INT32_MAX)
                return words_fail(OUTCOME_USAGE, "--%s %s: not a whole number from 1 on",
                                  option->name, text);
        *ret = (uint64_t)number;
        return 0;
}

static int read_duration(const Option *option, const char *text, uint64_t *ret)
{
        if (duration_parse(text, ret) < 0)
                return words_fail(OUTCOME_USAGE,
                                  "--%s %s: not a length of time; write 90s, 15min, 1h 30min or 2d",
                                  option->name, text);
        return 0;
}

static int read_moment(const Option *option, const char *text, uint64_t now_usec, uint64_t *ret)
{
        if (when_parse(text, now_usec, ret) < 0)
                return words_fail(OUTCOME_USAGE,
                                  "--%s %s: not a moment; write 2030-01-31 18:00, "
                                  "2030-01-31T18:00:00Z, today, +2h or -7d",
                                  option->name, text);
        return 0;
}

static int read_value(const Option *option, const char *text, uint64_t now_usec, json_t **ret_value)
{
        json_t *value = NULL;
        uint64_t number = 0;
        int r = 0;

        switch (option->kind) {
        case OPTION_FLAG:
                value = json_true();
                break;
        case OPTION_TEXT:
        case OPTION_LIST:
                value = json_string(text);
                break;
        case OPTION_NUMBER:
                r = read_number(option, text, &number);
                break;
        case OPTION_DURATION:
                r = read_duration(option, text, &number);
                break;
        case OPTION_MOMENT:
                r = read_moment(option, text, now_usec, &number);
                break;
        }
        if (r != 0)
                return r;
        if (option->kind >= OPTION_NUMBER)
                value = json_integer((json_int_t)number);
        if (!value)
                return -ENOMEM;
        *ret_value = value;
        return 0;
}

static int keep_value(json_t *values, const Option *option, const char *text, uint64_t now_usec)
{
        json_t *value, *list;
        int r;

        if (!text_is_utf8(text))
                return words_fail(OUTCOME_USAGE, "--%s %s: not UTF-8", option->name, text);
        r = read_value(option, text, now_usec, &value);
        if (r != 0)
                return r;
        if (option->kind != OPTION_LIST)
                return json_object_set_new(values, option->name, value) < 0 ? -ENOMEM : 0;
        list = json_object_get(values, option->name);
        if (!list) {
                list = json_array();
                if (json_object_set_new(values, option->name, list) < 0) {
                        json_decref(value);
                        return -ENOMEM;
                }
        }
        return json_array_append_new(list, value) < 0 ? -ENOMEM : 0;
}

static void offer_options(Suggestion *suggestion, const Option *options)
{
        for (; options->name; options++)
                suggest_offer(suggestion, options->name);
}

/* "service, session-ttl"; how many begin with name. */
static size_t find_beginnings(const Verb *verb, const char *name, char found[static NAMES_MAX])
{
        const Option *tables[] = {options_of(verb), arguments_everywhere};
        size_t n = 0, fill = 0;

        for (size_t i = 0; i < ELEMENTSOF(tables); i++)
                for (const Option *option = tables[i]; option->name; option++) {
                        if (strncmp(option->name, name, strlen(name)) != 0 || fill >= NAMES_MAX)
                                continue;
                        fill += (size_t)snprintf(found + fill, NAMES_MAX - fill, "%s--%s",
                                                 n++ ? ", " : "", option->name);
                }
        return n;
}

/* getopt_long() says "?" for these three and for an ambiguous abbreviation. val is its optopt, word
 * the argument it stopped at. */
static int say_bad_option(const Verb *verb, int val, const char *word)
{
        const Option *option = val ? option_of_val(verb, val) : NULL;
        char name[64] = "", beginnings[NAMES_MAX];
        Suggestion suggestion = {.typed = name};

        if (option)
                return words_fail(OUTCOME_USAGE, "--%s takes no value", option->name);
        if (val)
                return words_fail(OUTCOME_USAGE, "no option -%c; see credctl %s%s--help", val,
                                  verb ? verb->name : "", verb ? " " : "");
        word += strspn(word, "-");
        snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
        if (*name && find_beginnings(verb, name, beginnings) > 1)
                return words_fail(OUTCOME_USAGE, "--%s is the beginning of several: %s", name,
                                  beginnings);
        offer_options(&suggestion, arguments_everywhere);
        offer_options(&suggestion, options_of(verb));
        if (suggestion.best)
                return words_fail(OUTCOME_USAGE, "no option --%s; did you mean --%s?", name,
                                  suggestion.best);
        return words_fail(OUTCOME_USAGE, "no option --%s; see credctl %s%s--help", name,
                          verb ? verb->name : "", verb ? " " : "");
}

static int say_no_value(const Option *option)
{
        if (!option || !option->help)
                return words_fail(OUTCOME_USAGE, "--%s wants a value",
                                  option ? option->name : "that option");
        return words_fail(OUTCOME_USAGE, "--%s wants a value, %s: %s", option->name, option->value,
                          option->help);
}

static int parse_options(json_t *values, const Verb *verb, int argc, char *argv[],
                         uint64_t now_usec)
{
        AUTO_FREE struct option *longs = longs_new(verb);
        int val, r;

        if (!longs)
                return -ENOMEM;
        opterr = 0;
        optind = 0; /* glibc: begin anew */
        while ((val = getopt_long(argc, argv, verb ? ":hq" : "+:hq", longs, NULL)) != -1) {
                if (val == ':')
                        return say_no_value(option_of_val(verb, optopt));
                if (val == '?')
                        return say_bad_option(verb, optopt, argv[optind - 1]);
                r = keep_value(values, option_of_val(verb, val), optarg ? optarg : "", now_usec);
                if (r != 0)
                        return r;
        }
        return 0;
}

int arguments_parse(Arguments *arguments, const Verb *verb, int argc, char *argv[],
                    uint64_t now_usec)
{
        int r;

        if (!arguments->values)
                arguments->values = json_object();
        if (!arguments->values)
                return -ENOMEM;
        r = parse_options(arguments->values, verb, argc, argv, now_usec);
        if (r != 0)
                return r;
        arguments->operands = argv + optind;
        arguments->n_operands = argc - optind;
        for (int i = 0; i < arguments->n_operands; i++)
                if (!text_is_utf8(arguments->operands[i]))
                        return words_fail(OUTCOME_USAGE, "%s: not UTF-8", arguments->operands[i]);
        return 0;
}

int arguments_say_missing(const Verb *verb, const char *name)
{
        const Option *option = options_of(verb);

        while (option->name && strcmp(option->name, name) != 0)
                option++;
        if (!option->name)
                return words_fail(OUTCOME_USAGE, "%s wants --%s; see credctl %s --help", verb->name,
                                  name, verb->name);
        return words_fail(OUTCOME_USAGE, "%s wants --%s %s, %s; see credctl %s --help", verb->name,
                          name, option->value, option->help, verb->name);
}

/* Whoever types "list alice" means "list --user alice". */
static int say_too_much(const Verb *verb, const char *word)
{
        for (const Option *option = options_of(verb); option->name; option++)
                if (strcmp(option->name, "user") == 0)
                        return words_fail(OUTCOME_USAGE,
                                          "%s is too much; did you mean --user %s? "
                                          "See credctl %s --help",
                                          word, word, verb->name);
        return words_fail(OUTCOME_USAGE, "%s is too much; see credctl %s --help", word, verb->name);
}

int arguments_check(const Arguments *arguments, const Verb *verb)
{
        bool id = strncmp(verb->operands, "ID", 2) == 0;

        if (arguments->n_operands > verb->operands_max)
                return say_too_much(verb, arguments->operands[verb->operands_max]);
        if (arguments->n_operands < verb->operands_min)
                return words_fail(OUTCOME_USAGE, "%s wants %s; see credctl %s%s", verb->name,
                                  verb->operands, id ? "list" : verb->name, id ? "" : " --help");
        if (verb->required && !json_object_get(arguments->values, verb->required))
                return arguments_say_missing(verb, verb->required);
        return 0;
}

void arguments_done(Arguments *arguments)
{
        json_decref(arguments->values);
        *arguments = (Arguments){0};
}

bool arguments_flag(const Arguments *arguments, const char *name)
{
        return json_is_true(json_object_get(arguments->values, name));
}

const char *arguments_text(const Arguments *arguments, const char *name)
{
        return json_string_value(json_object_get(arguments->values, name));
}

uint64_t arguments_number(const Arguments *arguments, const char *name, uint64_t otherwise)
{
        const json_t *value = json_object_get(arguments->values, name);

        return json_is_integer(value) ? (uint64_t)json_integer_value(value) : otherwise;
}

int arguments_parameters(const Arguments *arguments, const Verb *verb, json_t **ret_parameters)
{
        json_auto_t *parameters = json_object();

        if (!parameters)
                return -ENOMEM;
        for (const Option *option = options_of(verb); option->name; option++) {
                json_t *value = json_object_get(arguments->values, option->name);

                if (value && option->member &&
                    json_object_set(parameters, option->member, value) < 0)
                        return -ENOMEM;
        }
        *ret_parameters = take_ptr(parameters);
        return 0;
}

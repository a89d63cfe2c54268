/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From argv to checked values, by the option tables. Does not talk to anybody but stderr. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct Verb;

typedef enum OptionKind {
        OPTION_FLAG,
        OPTION_TEXT,
        OPTION_LIST, /* may be given again; all count */
        /* From here on integers. */
        OPTION_NUMBER,   /* whole, from 1 on */
        OPTION_DURATION, /* common/duration.h */
        OPTION_MOMENT,   /* credctl/when.h */
} OptionKind;

typedef struct Option {
        const char *name;
        const char *value; /* what the usage calls its value; NULL for a flag */
        const char
                *member; /* the parameter of the call that it fills; NULL: credctl's own affair */
        OptionKind kind;
        const char *help; /* one line; NULL: the manual alone names it */
} Option;

/* Those that every verb takes, before the verb's name or after it. Ended by one without a name. */
extern const Option arguments_everywhere[];
/* The short form of one of them, or 0. */
char arguments_letter(const Option *option);

typedef struct Arguments {
        json_t *values;  /* option's name -> true, text, integer or array of texts */
        char **operands; /* in argv */
        int n_operands;
} Arguments;

/* Adds what argv says after argv[0] to *arguments, which may be all zero. verb NULL: reads the
 * options that stand before the verb and stops there; operands[0] is then the verb. Values are
 * checked, operands are UTF-8. OUTCOME_USAGE: said why. */
int arguments_parse(Arguments *arguments, const struct Verb *verb, int argc, char *argv[],
                    uint64_t now_usec);
/* Whether what the verb must have is there, and no more operands than it takes. OUTCOME_USAGE. */
int arguments_check(const Arguments *arguments, const struct Verb *verb);
/* The option of that name must be given: OUTCOME_USAGE, said with what it is. */
int arguments_say_missing(const struct Verb *verb, const char *name);
void arguments_done(Arguments *arguments);

bool arguments_flag(const Arguments *arguments, const char *name);
/* NULL: not given. */
const char *arguments_text(const Arguments *arguments, const char *name);
uint64_t arguments_number(const Arguments *arguments, const char *name, uint64_t otherwise);

/* The parameters of the verb's call: every given value that has a member. */
int arguments_parameters(const Arguments *arguments, const struct Verb *verb,
                         json_t **ret_parameters);

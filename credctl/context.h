/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a verb knows about the run it is part of, read once at the start and handed down. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum OutputForm {
        OUTPUT_TABLE, /* for people */
        OUTPUT_JSON,
        OUTPUT_TOKEN, /* tokens alone, one a line */
        OUTPUT_CSV,   /* reports: a line a credential */
        OUTPUT_HTML,  /* reports: a file for a browser */
        OUTPUT_FORM_MAX,
        OUTPUT_FORM_INVALID = -EINVAL,
} OutputForm;

#define CONTEXT_COLUMNS 80

typedef struct Context {
        const char *socket;
        const struct Verb *verb; /* NULL: none was named */
        OutputForm form;
        bool quiet;  /* errors and results, no hints */
        bool legend; /* tables have headings */
        bool stdin_terminal;
        bool stdout_terminal;
        bool stderr_terminal;
        bool colour;
        unsigned columns; /* of the terminal on stdout, for running text; elsewhere the usual 80 */
        uint64_t now_real_usec;
} Context;

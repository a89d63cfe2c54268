/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking before what cannot be undone. Who is not at a terminal says --yes instead: a script that
 * waits for an answer, or takes one from its input, helps nobody. */
#pragma once

#include <stdbool.h>

#include "credctl/arguments.h"
#include "credctl/context.h"

/* To be called before anything is looked up. 0: confirm_ask() can be, or need not be, answered;
 * OUTCOME_USAGE: there is no terminal and no --yes. */
int confirm_check(const Context *context, const Arguments *arguments);

/* Whether there is to be a question: false with --yes, or without a terminal. */
bool confirm_wanted(const Context *context, const Arguments *arguments);

/* The question, and " [y/N] " after it, on stderr. 0: yes; OUTCOME_FAILED: anything else. */
int confirm_ask(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether a line that was typed is a yes. Pure. */
bool confirm_is_yes(const char *line);

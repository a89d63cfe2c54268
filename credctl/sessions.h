/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of sessions, for the verbs that show some. */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "credctl/context.h"

int sessions_print(const Context *context, const json_t *sessions);
/* The same on stderr, for what is shown before a question. */
int sessions_print_to(const Context *context, const json_t *sessions, FILE *stream);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of sessions, for the verbs that show some. */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "credctl/context.h"

/* stream is stderr for what is shown before a question, else stdout. */
int sessions_print(const Context *context, const json_t *sessions, FILE *stream);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Credentials, for the verbs that show some. */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "credctl/context.h"

/* A table. stream is stderr for what is shown before a question, else stdout. */
int credentials_print(const Context *context, const json_t *credentials, FILE *stream);

/* Just this one, and within it its sessions. Both are borrowed; credential gets the member. */
int credentials_print_json(const Context *context, json_t *credential, json_t *sessions);

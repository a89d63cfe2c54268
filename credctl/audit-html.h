/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The report of credctl audit as one file for a browser. */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "credctl/context.h"

/* On stdout. report is as audit_collect() made it. As credctl/outcome.h says. */
int audit_html_print(const Context *context, const json_t *report);

/* The same on a stream, whose errors are the caller's to ask for. */
void audit_html_write(FILE *out, const json_t *report);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The report of credctl audit as one file for a browser. */
#pragma once

#include <jansson.h>
#include <stdio.h>

/* report is as audit_collect() made it. The errors of the stream are the caller's to ask for. */
void audit_html_write(FILE *out, const json_t *report);

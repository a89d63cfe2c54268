/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What credctl says on stdout. */
#pragma once

#include <jansson.h>

#include "credctl/context.h"

typedef enum Style {
        STYLE_PLAIN,
        STYLE_HEADING,
        STYLE_GOOD,
        STYLE_ALARM,
        STYLE_WARNING,
        STYLE_FAINT,
        STYLE_MAX,
        STYLE_INVALID = -EINVAL,
} Style;

/* The escape sequence that begins it; NULL: none. */
const char *output_colour(Style style);

/* One line, cleaned as a whole (credctl/text.h). Errors of stdout show in output_flush(). */
void output_line(const Context *context, Style style, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* Text that stands so far in. On a terminal it is broken to its width, elsewhere it is one line. */
void output_paragraph(const Context *context, int indent, const char *text);
/* The same with a label before it, which is shorter than that. */
void output_item(const Context *context, Style style, int indent, const char *label,
                 const char *text);

/* How many bytes of the text go into a line with that room: up to its last blank there, all of it, or as much
 * of one long word as does, in whole characters. */
size_t output_piece(const char *text, size_t room);

/* A secret and a newline, past stdio and so without a copy there. -errno: not or not all of it. */
int output_secret(const char *text);

/* {"schema":1,member:value}, where value is made of credd's records: every "x_usec" that is a
 * moment gets an "x" as RFC 3339 in UTC before it, what credd left out of a record is there as
 * null. Written like a secret, since records of new credentials hold one. */
int output_json(const Context *context, const char *member, json_t *value);

/* The same on one line, for what comes without end. */
int output_json_line(const Context *context, const char *member, const json_t *value);

/* 0 if all that was written is written. */
int output_flush(void);

/* The record that output_json() makes of one of credd's. Pure. */
json_t *output_record(const json_t *record);

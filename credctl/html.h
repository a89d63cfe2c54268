/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes HTML. What stands in the source goes out as it is, all else escaped: there is no way to
 * write a text of others that leaves its markup alive. Errors of the stream are its owner's to ask
 * for. */
#pragma once

#include <stdint.h>
#include <stdio.h>

/* Markup. Only a string literal compiles. */
#define html_write(out, literal) html_write_literal(out, "" literal)
void html_write_literal(FILE *out, const char *literal);

/* Text for an element or a quoted attribute, cleaned (credctl/text.h) and escaped. NULL: nothing. */
void html_text(FILE *out, const char *text);
/* The same, at most max characters of it; what is cut ends in an ellipsis. */
void html_text_cut(FILE *out, const char *text, size_t max);
/* As printf(), then as html_text(). */
void html_format(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void html_number(FILE *out, uint64_t number);
/* A share of 10000 as a percentage, "12.5%"; a point in every locale. */
void html_share(FILE *out, unsigned share);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What credctl says on stderr: one line each, cleaned as a whole (credctl/text.h), so that nobody
 * who adds a message has to remember it. */
#pragma once

#include <stdarg.h>

/* Longer lines end in "...". */
#define WORDS_LINE_MAX 8192

/* "credctl: " and the text. Returns outcome, so that a line can be said and returned at once. */
int words_fail(int outcome, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The text alone: no error. */
void words_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The text as it would be said, in buffer. */
void words_format(char buffer[static WORDS_LINE_MAX], const char *format, va_list values)
        __attribute__((format(printf, 2, 0)));

/* What follows "session" when there are n. */
#define WORDS_PLURAL(n) ((n) == 1 ? "" : "s")

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One function escapes, and all text goes through it. Quotes are escaped everywhere, so that text and
 * attribute need no functions of their own that somebody could mix up. */
#include "credctl/html.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "common/cleanup.h"
#include "credctl/text.h"

/* NULL: it goes out as it is. */
static const char *entity(char c)
{
        switch (c) {
        case '&':
                return "&amp;";
        case '<':
                return "&lt;";
        case '>':
                return "&gt;";
        case '"':
                return "&quot;";
        case '\'':
                return "&#39;";
        default:
                return NULL;
        }
}

/* Returns whether all of it went out. */
static bool escape(FILE *out, const char *clean, size_t max)
{
        for (size_t characters = 0; *clean; clean++) {
                const char *escaped = entity(*clean);
                bool begins = ((unsigned char)*clean & 0xc0) != 0x80;

                if (begins && characters++ == max)
                        return false;
                if (escaped)
                        fputs(escaped, out);
                else
                        putc(*clean, out);
        }
        return true;
}

void html_write_literal(FILE *out, const char *literal)
{
        fputs(literal, out);
}

void html_text_cut(FILE *out, const char *text, size_t max)
{
        AUTO_FREE char *clean = text ? strdup(text) : NULL;

        if (!clean)
                return;
        text_clean(clean, true);
        if (!escape(out, clean, max))
                fputs("…", out);
}

void html_text(FILE *out, const char *text)
{
        html_text_cut(out, text, SIZE_MAX);
}

void html_format(FILE *out, const char *format, ...)
{
        AUTO_FREE char *text = NULL;
        va_list values;
        int len;

        va_start(values, format);
        len = vasprintf(&text, format, values);
        va_end(values);
        if (len < 0)
                text = NULL; /* libc leaves it undefined */
        html_text(out, text);
}

void html_number(FILE *out, uint64_t number)
{
        fprintf(out, "%" PRIu64, number);
}

void html_share(FILE *out, unsigned share)
{
        fprintf(out, "%u", share / 100);
        if (share % 100)
                fprintf(out, ".%02u", share % 100);
        putc('%', out);
}

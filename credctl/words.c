/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One way out for every message. Nothing here allocates, so that running out of memory can be said.
 */
#include "credctl/words.h"

#include <langinfo.h>
#include <stdio.h>
#include <string.h>

#include "credctl/text.h"

void words_format(char buffer[static WORDS_LINE_MAX], const char *format, va_list values)
{
        static const char cut[] = "...";
        int len = vsnprintf(buffer, WORDS_LINE_MAX, format, values);

        if (len < 0)
                buffer[0] = '\0';
        if (len >= WORDS_LINE_MAX)
                memcpy(buffer + WORDS_LINE_MAX - sizeof cut, cut, sizeof cut);
        text_clean(buffer, strcmp(nl_langinfo(CODESET), "UTF-8") == 0);
}

int words_fail(int outcome, const char *format, ...)
{
        char line[WORDS_LINE_MAX];
        va_list values;

        va_start(values, format);
        words_format(line, format, values);
        va_end(values);
        fprintf(stderr, "credctl: %s\n", line);
        return outcome;
}

void words_note(const char *format, ...)
{
        char line[WORDS_LINE_MAX];
        va_list values;

        va_start(values, format);
        words_format(line, format, values);
        va_end(values);
        fprintf(stderr, "%s\n", line);
}

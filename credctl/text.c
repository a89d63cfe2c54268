/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What misleads is said in common/codepoint.c, where credd reads it, too: it takes no such text, but there
 * are names that others gave, and records of before. */
#include "credctl/text.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/codepoint.h"

void text_clean(char *text, bool unicode)
{
        char *to = text;

        for (const char *from = text; *from;) {
                uint32_t point = 0;
                size_t len = codepoint_read(from, &point);

                if (*from == '\n' || *from == '\t' || *from == '\r')
                        *to++ = ' ';
                else if (len == 0 || codepoint_misleads(point) || (point > 0x7f && !unicode))
                        *to++ = '?';
                else {
                        memmove(to, from, len);
                        to += len;
                }
                from += len ? len : 1;
        }
        *to = '\0';
}

bool text_is_utf8(const char *text)
{
        size_t len;

        for (uint32_t point; *text; text += len) {
                len = codepoint_read(text, &point);
                if (len == 0)
                        return false;
        }
        return true;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UTF-8 by hand rather than by mbrtowc(): the result must not depend on the locale's idea of what
 * is printable, and U+009B or U+202E are printable to some. Wide and combining characters are left
 * to the terminal. */
#include "credctl/text.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/cleanup.h"

/* Controls that xterm obeys in their two-byte form too (C1), bidirectional overrides and isolates,
 * zero widths, line separators, tags. Sorted. */
static const struct {
        uint32_t first, last;
} unsafe[] = {
        {0x0000, 0x001f}, {0x007f, 0x009f}, {0x00ad, 0x00ad},   {0x061c, 0x061c},
        {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},
        {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff},
};

/* Bytes of the character that begins here, 0 if none does. Stops at the final NUL by itself, as
 * that is no continuation byte. */
static size_t decode(const unsigned char *at, uint32_t *ret_point)
{
        static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        size_t len = at[0] < 0x80   ? 1
                     : at[0] < 0xc0 ? 0
                     : at[0] < 0xe0 ? 2
                     : at[0] < 0xf0 ? 3
                     : at[0] < 0xf8 ? 4
                                    : 0;
        uint32_t point = len == 1 ? at[0] : at[0] & (0x7fU >> len);

        if (len == 0)
                return 0;
        for (size_t i = 1; i < len; i++) {
                if ((at[i] & 0xc0) != 0x80)
                        return 0;
                point = point << 6 | (at[i] & 0x3f);
        }
        if (point < least[len] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
                return 0;
        *ret_point = point;
        return len;
}

static bool is_unsafe(uint32_t point)
{
        for (size_t i = 0; i < ELEMENTSOF(unsafe); i++)
                if (point >= unsafe[i].first && point <= unsafe[i].last)
                        return true;
        return false;
}

void text_clean(char *text, bool unicode)
{
        char *to = text;

        for (const char *from = text; *from;) {
                uint32_t point = 0;
                size_t len = decode((const unsigned char *)from, &point);

                if (*from == '\n' || *from == '\t' || *from == '\r')
                        *to++ = ' ';
                else if (len == 0 || is_unsafe(point) || (point > 0x7f && !unicode))
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
                len = decode((const unsigned char *)text, &point);
                if (len == 0)
                        return false;
        }
        return true;
}

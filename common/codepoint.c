/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UTF-8 by hand rather than by mbrtowc(): the result must not depend on the locale's idea of what
 * is printable, and U+009B or U+202E are printable to some. Wide and combining characters are left
 * to the terminal. */
#include "common/codepoint.h"

#include "common/cleanup.h"

/* Sorted. Left out: the selectors that give a sign its colour, and fillers that look like the blanks that
 * they are. */
static const struct {
        uint32_t first, last;
} misleading[] = {
        {0x0000, 0x001f},   /* C0 */
        {0x007f, 0x009f},   /* DEL, and C1, which xterm obeys in this form too */
        {0x00ad, 0x00ad},   /* soft hyphen */
        {0x034f, 0x034f},   /* grapheme joiner */
        {0x061c, 0x061c},   /* Arabic letter mark */
        {0x180e, 0x180e},   /* Mongolian vowel separator */
        {0x200b, 0x200f},   /* zero widths, direction marks */
        {0x2028, 0x202e},   /* separators, embeddings and overrides */
        {0x2060, 0x206f},   /* word joiner, isolates, shaping */
        {0xfeff, 0xfeff},   /* byte order mark */
        {0xfff9, 0xfffb},   /* annotations */
        {0x1d173, 0x1d17a}, /* of musical notation */
        {0xe0000, 0xe0fff}, /* tags, selectors of rare forms */
};

size_t codepoint_read(const char *text, uint32_t *ret_point)
{
        static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        const unsigned char *at = (const unsigned char *)text;
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

bool codepoint_misleads(uint32_t point)
{
        for (size_t i = 0; i < ELEMENTSOF(misleading); i++)
                if (point >= misleading[i].first && point <= misleading[i].last)
                        return true;
        return false;
}

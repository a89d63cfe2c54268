/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UTF-8 without control characters, by the definition of RFC 3629.
 *
 * Invariant: reads no byte at or beyond text + len. Left out: what a terminal does with directions,
 * widths and combining marks. */
#include "pam_ephemeral/utf8.h"

#include <stdint.h>

static size_t length_by_lead(uint8_t lead)
{
        if (lead < 0x80)
                return 1;
        if (lead >> 5 == 0x06)
                return 2;
        if (lead >> 4 == 0x0e)
                return 3;
        if (lead >> 3 == 0x1e)
                return 4;
        return 0;
}

/* Length of the sequence at p, 0 if there is no valid one. */
static size_t decode(const uint8_t *p, size_t left, uint32_t *ret_rune)
{
        static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        size_t n = length_by_lead(p[0]);
        uint32_t rune;

        if (n == 0 || n > left)
                return 0;
        rune = n == 1 ? p[0] : p[0] & (0x7fu >> n);
        for (size_t i = 1; i < n; i++) {
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
                rune = rune << 6 | (p[i] & 0x3fu);
        }
        if (rune < least[n] || rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff))
                return 0;
        *ret_rune = rune;
        return n;
}

bool utf8_is_printable(const char *text, size_t len)
{
        const uint8_t *p = (const uint8_t *)text;

        for (size_t at = 0; at < len;) {
                uint32_t rune = 0;
                size_t n = decode(p + at, len - at, &rune);

                if (n == 0 || rune < 0x20 || (rune >= 0x7f && rune <= 0x9f))
                        return false;
                at += n;
        }
        return true;
}

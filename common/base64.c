/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One text a value: no white space, no other alphabet, no bits left over. */
#include "common/base64.h"

#include <errno.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static uint32_t byte_at(const uint8_t *bytes, size_t len, size_t i)
{
        return i < len ? bytes[i] : 0;
}

void base64_encode(const uint8_t *bytes, size_t len, char *ret_text)
{
        char *at = ret_text;

        for (size_t i = 0; i < len; i += 3) {
                uint32_t bits = byte_at(bytes, len, i) << 16 | byte_at(bytes, len, i + 1) << 8 |
                                byte_at(bytes, len, i + 2);

                for (unsigned shift = 18, n = 0; n < 4; shift -= 6, n++)
                        *at++ = i + n > len ? '=' : alphabet[bits >> shift & 63];
        }
        *at = '\0';
}

static int value_of(char letter)
{
        const char *at = letter ? strchr(alphabet, letter) : NULL;

        return at ? (int)(at - alphabet) : -1;
}

/* Four letters, the last padding of them '='. The number of bytes, or -EBADMSG. */
static int decode_four(const char *text, unsigned padding, uint8_t *ret_bytes)
{
        uint32_t bits = 0;

        for (unsigned n = 0; n < 4; n++) {
                int value = n < 4 - padding ? value_of(text[n]) : 0;

                if (value < 0)
                        return -EBADMSG;
                bits = bits << 6 | (uint32_t)value;
        }
        if (padding > 0 && (bits & (padding == 1 ? 0xffU : 0xffffU)) != 0)
                return -EBADMSG;
        for (unsigned n = 0; n < 3 - padding; n++)
                ret_bytes[n] = (uint8_t)(bits >> (16 - 8 * n));
        return (int)(3 - padding);
}

ptrdiff_t base64_decode(const char *text, size_t len, uint8_t *ret_bytes)
{
        uint8_t *at = ret_bytes;

        if (len % 4 != 0)
                return -EBADMSG;
        for (size_t i = 0; i < len; i += 4) {
                unsigned padding = 0;
                int n;

                if (i + 4 == len && text[len - 1] == '=')
                        padding = text[len - 2] == '=' ? 2 : 1;
                n = decode_four(text + i, padding, at);
                if (n < 0)
                        return n;
                at += n;
        }
        return at - ret_bytes;
}

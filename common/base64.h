/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes in JSON: base64 with padding (RFC 4648, 4), read strictly. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define BASE64_LEN(n) (((size_t)(n) + 2) / 3 * 4)

/* ret_text has room for BASE64_LEN(len) + 1. */
void base64_encode(const uint8_t *bytes, size_t len, char *ret_text);
/* ret_bytes has room for len / 4 * 3. The number of bytes; -EBADMSG: not what base64_encode() makes. */
ptrdiff_t base64_decode(const char *text, size_t len, uint8_t *ret_bytes);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Characters as numbers, out of UTF-8, and which of them may mislead whoever reads a list. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The character that begins at a text's byte; the final NUL is one. Returns its bytes, 0 if none does.
 * Reads no further than that NUL. */
size_t codepoint_read(const char *at, uint32_t *ret_point);

/* Controls that terminals obey (C0, DEL, C1), and what cannot be seen itself but changes what is: it
 * reverses the order, hides, joins or breaks a line. */
bool codepoint_misleads(uint32_t point);

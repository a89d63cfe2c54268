/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What text may cross the socket. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Valid UTF-8 (no overlong forms, no surrogates) without C0, DEL or C1 controls. Empty text is. */
bool utf8_is_printable(const char *text, size_t len);

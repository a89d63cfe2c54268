/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text that others wrote (reasons, names, hosts), made safe to show. Pure. */
#pragma once

#include <stdbool.h>

/* In place, never longer than before. White space becomes a blank; what is not UTF-8, controls a
 * terminal might obey, and invisible characters that reorder or hide text become "?". Without
 * unicode, so does everything beyond ASCII. */
void text_clean(char *text, bool unicode);

bool text_is_utf8(const char *text);

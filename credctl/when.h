/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moments, as people type and read them. Microseconds since 1970; "local" is the zone of the
 * process. */
#pragma once

#include <stdint.h>

#include "common/duration.h"

#define WHEN_TEXT_MAX (DURATION_TEXT_MAX + 8)

typedef enum WhenForm {
        WHEN_UTC,   /* 2026-11-22T20:17:00Z */
        WHEN_LOCAL, /* 2026-11-22 21:17:00 +01:00 */
        WHEN_WORD,  /* 2026-11-22T21:17:00+01:00: local, without a blank */
} WhenForm;

/* RFC 3339; YYYY-MM-DD[ HH:MM[:SS]] and each of the forms above; "now", "today" (its first moment);
 * "-7d" and "+2h", counted from now. Without a zone: local. -EINVAL: not a moment, before 1970, or
 * one that the local clock skips. Of two moments that the local clock shows alike, one is taken:
 * write the zone where that matters. */
int when_parse(const char *text, uint64_t now_usec, uint64_t *ret_usec);

/* Cut down to the second. Returns buffer; NULL: beyond the year 9999. */
const char *when_format(uint64_t usec, WhenForm form, char buffer[static WHEN_TEXT_MAX]);

/* "in 43min", "2h 5min ago", "now". Returns buffer. */
const char *when_relative(uint64_t usec, uint64_t now_usec, char buffer[static WHEN_TEXT_MAX]);

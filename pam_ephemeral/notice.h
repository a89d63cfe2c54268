/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a person and their programs are told about the end of the access. Pure, but for the zone of
 * the process (TZ). */
#pragma once

#include <stdint.h>

#define NOTICE_EXPIRES_MAX 24
#define NOTICE_END_MAX     160

/* RFC 3339 in UTC, to the second before. -ERANGE: past the year 9999, or cannot be written. */
int notice_expires(uint64_t deadline_real_usec, char ret_text[static NOTICE_EXPIRES_MAX]);

/* One sentence; with the date if the deadline is on another day than now. -ERANGE likewise. */
int notice_end(uint64_t deadline_real_usec, uint64_t left_usec, uint64_t now_real_usec,
               char ret_text[static NOTICE_END_MAX]);

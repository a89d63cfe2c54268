/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lengths of time as systemd writes them (systemd.time(7)): "90s", "15min", "15m", "1h 30min",
 * "2d". Units: us, ms, s, sec, second(s), m, min, minute(s), h, hr, hour(s), d, day(s), w, week(s).
 * A bare number is seconds. No fractions, no signs, no months or years (they have no one length).
 */
#pragma once

#include <stdint.h>

#define DURATION_TEXT_MAX 64

/* -EINVAL: not a duration; -ERANGE: longer than 100 years. Zero is a duration. */
int duration_parse(const char *text, uint64_t *ret_usec);

/* The two largest units that are not zero, of d, h, min, s, ms, us: "1h 30min", "45s", "230ms",
 * "0s". Cut down, never rounded up. Returns buffer. */
const char *duration_format(uint64_t usec, char buffer[static DURATION_TEXT_MAX]);

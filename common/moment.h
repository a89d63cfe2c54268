/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A moment of the wall clock as text for machines: RFC 3339, UTC, whole seconds. libc alone. */
#pragma once

#include <stdint.h>

#define MOMENT_TEXT_MAX 32

/* "2026-03-01T14:30:00Z". Returns buffer. */
const char *moment_format_utc(uint64_t real_usec, char buffer[static MOMENT_TEXT_MAX]);

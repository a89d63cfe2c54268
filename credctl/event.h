/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One event of a credential's life as a line for people. */
#pragma once

#include <jansson.h>

#define EVENT_TEXT_MAX 1024

/* Its name, and then its fields in words, cut to the buffer. Moments are local. What the heading of
 * the credential or its receipt says is left out; a field that is not known is shown as name=value.
 * Pure but for the time zone. Returns buffer. */
const char *event_words(const json_t *event, char buffer[static EVENT_TEXT_MAX]);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes that are erased when they go, compared in constant time, and wrapped in a struct so that no
 * "%s" takes them by accident. libc alone: the PAM module links this too. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Longest secret anybody may type; PAM_MAX_RESP_SIZE of linux-pam is the same. */
#define SECRET_MAX 512

typedef struct Secret {
        size_t len;
        char text[SECRET_MAX + 1]; /* NUL-terminated */
} Secret;

/* Copies. -E2BIG: longer than SECRET_MAX. */
int secret_set(Secret *secret, const char *text, size_t len);
void secret_done(Secret *secret);

/* Erases memory in a way the compiler must keep. */
void secret_erase(void *bytes, size_t len);

/* Time depends on len alone. */
bool secret_equal(const void *a, const void *b, size_t len);

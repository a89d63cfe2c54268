/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A secret of bounded length that lives in its struct and never on the heap, so that one erasure
 * reaches all of it. Invariants: text[len] is NUL, and no byte of an earlier, longer secret stays
 * behind it. Left out: locking pages against swap, which a guest in sshd's process may not afford.
 */
#include "common/secret.h"

#include <errno.h>
#include <string.h>

int secret_set(Secret *secret, const char *text, size_t len)
{
        if (len > SECRET_MAX)
                return -E2BIG;

        /* memmove: callers trim a secret by setting it from a part of itself. */
        if (len > 0)
                memmove(secret->text, text, len);
        secret_erase(secret->text + len, sizeof(secret->text) - len);
        secret->len = len;
        return 0;
}

void secret_done(Secret *secret)
{
        secret_erase(secret, sizeof(*secret));
}

void secret_erase(void *bytes, size_t len)
{
        if (len > 0)
                explicit_bzero(bytes, len);
}

bool secret_equal(const void *a, const void *b, size_t len)
{
        const volatile unsigned char *x = a, *y = b;
        /* volatile: a compiler that could prove the sum non-zero would be free to leave the loop.
         */
        volatile unsigned char difference = 0;

        for (size_t i = 0; i < len; i++)
                difference = (unsigned char)(difference | (x[i] ^ y[i]));
        return difference == 0;
}

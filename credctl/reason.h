/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why logins come to nothing, as credd names it. Pure. */
#pragma once

typedef struct Reason {
        const char *word;
        const char *means, *advice; /* a sentence each */
} Reason;

/* NULL: this credctl does not know it. */
const Reason *reason_find(const char *word);

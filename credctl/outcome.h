/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the exit status says. All of credctl returns: 0; a negative errno, which is unexpected and
 * has not been said yet; or one of these above 0, after one line on stderr has said why. */
#pragma once

typedef enum Outcome {
        OUTCOME_DONE = 0,
        OUTCOME_FAILED = 1,
        OUTCOME_USAGE = 2,
        OUTCOME_UNREACHABLE = 3, /* nothing was asked, so nothing was changed */
        OUTCOME_UNKNOWN = 4,     /* asked, and no answer that says whether it was done */
        OUTCOME_FOUND = 5,
        OUTCOME_REFUSED = 6,
} Outcome;

/* The one of two that an exit status for both must show. */
int outcome_worse(int a, int b);

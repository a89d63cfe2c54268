/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of several outcomes is the worst: the one that asks the most of whoever reads it. That is
 * not the order of the numbers, which are fixed by the manual. */
#include "credctl/outcome.h"

static int rank(int outcome)
{
        switch ((Outcome)outcome) {
        case OUTCOME_DONE:
                return 0;
        case OUTCOME_FOUND:
                return 1;
        case OUTCOME_FAILED:
                return 2;
        case OUTCOME_USAGE:
                return 3;
        case OUTCOME_REFUSED:
                return 4;
        case OUTCOME_UNREACHABLE:
                return 5;
        case OUTCOME_UNKNOWN:
                return 6;
        }
        return 7; /* a negative errno */
}

int outcome_worse(int a, int b)
{
        return rank(b) > rank(a) ? b : a;
}

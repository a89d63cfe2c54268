/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A table of a fixed size. A line counts from the first try for one window and is free then.
 * Invariant: when no line is free, what has none is at its limit: a table that is flooded refuses, and
 * does not forget. */
#include "credd/limiter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOURCE_MAX 256 /* longer ones are refused at the door */

typedef struct Line {
        uid_t uid;
        char source[SOURCE_MAX];
        uint64_t began_usec;
        unsigned tries; /* 0: free */
} Line;

struct Limiter {
        unsigned tries;
        uint64_t window_usec;
        Line lines[LIMITER_LINES];
};

int limiter_new(unsigned tries, uint64_t window_usec, Limiter **ret_limiter)
{
        Limiter *limiter = calloc(1, sizeof(*limiter));

        if (!limiter)
                return -ENOMEM;
        limiter->tries = tries;
        limiter->window_usec = window_usec;
        *ret_limiter = limiter;
        return 0;
}

Limiter *limiter_free(Limiter *limiter)
{
        free(limiter);
        return NULL;
}

static bool is_free(const Limiter *limiter, const Line *line, uint64_t now_usec)
{
        return line->tries == 0 || now_usec - line->began_usec >= limiter->window_usec;
}

/* The line of the two, else one that is free, else NULL. */
static const Line *find(const Limiter *limiter, uid_t uid, const char *source, uint64_t now_usec)
{
        const Line *room = NULL;

        for (size_t i = 0; i < LIMITER_LINES; i++) {
                const Line *line = &limiter->lines[i];

                if (is_free(limiter, line, now_usec))
                        room = room ?: line;
                else if (line->uid == uid && strcmp(line->source, source) == 0)
                        return line;
        }
        return room;
}

bool limiter_allows(const Limiter *limiter, uid_t uid, const char *source, uint64_t now_usec)
{
        const Line *line = find(limiter, uid, source ?: "", now_usec);

        return line && (is_free(limiter, line, now_usec) || line->tries < limiter->tries);
}

void limiter_count(Limiter *limiter, uid_t uid, const char *source, uint64_t now_usec)
{
        const Line *found = find(limiter, uid, source ?: "", now_usec);
        Line *line = found ? &limiter->lines[found - limiter->lines] : NULL;

        if (!line)
                return;
        if (is_free(limiter, line, now_usec)) {
                *line = (Line){.uid = uid, .began_usec = now_usec};
                (void)snprintf(line->source, sizeof(line->source), "%s", source ?: "");
        }
        line->tries++;
}

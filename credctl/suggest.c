/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Optimal string alignment over three rows. A name is near if at most two edits away and if most of
 * it was right: of "ls", nothing is two edits away from meaning. */
#include "credctl/suggest.h"

#include <stdint.h>
#include <string.h>

#define NAME_MAX_LEN 31
#define EDITS_MAX    2

static size_t least(size_t a, size_t b)
{
        return a < b ? a : b;
}

size_t suggest_distance(const char *a, const char *b)
{
        size_t rows[3][NAME_MAX_LEN + 1];
        size_t *before = rows[0], *above = rows[1], *row = rows[2];
        size_t a_len = strlen(a), b_len = strlen(b);

        if (a_len > NAME_MAX_LEN || b_len > NAME_MAX_LEN)
                return SIZE_MAX;
        for (size_t j = 0; j <= b_len; j++)
                above[j] = j;
        for (size_t i = 1; i <= a_len; i++) {
                size_t *spare = before;

                row[0] = i;
                for (size_t j = 1; j <= b_len; j++) {
                        row[j] = above[j - 1] + (a[i - 1] != b[j - 1]);
                        row[j] = least(row[j], least(above[j], row[j - 1]) + 1);
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                                row[j] = least(row[j], before[j - 2] + 1);
                }
                before = above;
                above = row;
                row = spare;
        }
        return above[b_len];
}

void suggest_offer(Suggestion *suggestion, const char *name)
{
        size_t distance = suggest_distance(suggestion->typed, name);

        if (distance > EDITS_MAX || distance * 2 >= strlen(name))
                return;
        if (suggestion->best && distance >= suggestion->distance)
                return;
        suggestion->best = name;
        suggestion->distance = distance;
}

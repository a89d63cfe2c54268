/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* forge [TOKEN] - prints a well-formed token that credd has not issued: one with the id of TOKEN and
 * another secret, or without TOKEN one with a random id. Links nothing, so it brings its own copy of
 * what it needs. */
#include "common/secret.c" /* NOLINT(bugprone-suspicious-include) */
#include "common/token.c"  /* NOLINT(bugprone-suspicious-include) */

#include <stdio.h>
#include <sys/random.h>

int main(int argc, char **argv)
{
        uint8_t random[TOKEN_RANDOM_LEN];
        char text[TOKEN_TEXT_LEN + 1];
        Token forged, model;

        if (argc > 2 || getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
                return 2;
        token_from_random(random, &forged);
        if (argc == 2) {
                if (token_parse(argv[1], strlen(argv[1]), &model) < 0) {
                        (void)fputs("forge: that is no token\n", stderr);
                        return 2;
                }
                memcpy(forged.id, model.id, sizeof(forged.id));
        }
        token_format(&forged, text);
        return puts(text) < 0;
}

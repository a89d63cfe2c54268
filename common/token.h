/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text form of a token:
 *
 *      eph_ + 8 characters id + 26 characters secret (130 bits) + 2 check characters
 *
 * in Crockford's base32, lower case. Reading is case-blind, takes "i" and "l" for 1 and "o" for 0,
 * and ignores hyphens and outer white space. The check characters are those that make the 36
 * characters after the prefix, read as one number in base 32, congruent to 1 modulo the prime 1021
 * (as the pure systems of ISO/IEC 7064 do), and of two such pairs the lesser: every single wrong
 * character and every swap of two is found (the order of 32 modulo 1021 is 68, longer than the
 * text). They are no secret and no security; they keep a mistyped token, or a password, inside the
 * process it was typed into. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOKEN_ID_LEN     8
#define TOKEN_SECRET_LEN 26
#define TOKEN_CHECK_LEN  2
#define TOKEN_TEXT_LEN   (4 + TOKEN_ID_LEN + TOKEN_SECRET_LEN + TOKEN_CHECK_LEN)

/* One byte of randomness a character of id and secret; 256 is a multiple of 32, so none is
 * favoured. */
#define TOKEN_RANDOM_LEN (TOKEN_ID_LEN + TOKEN_SECRET_LEN)

typedef struct Token {
        char id[TOKEN_ID_LEN + 1];         /* public, canonical */
        char secret[TOKEN_SECRET_LEN + 1]; /* secret, canonical */
} Token;

/* -EINVAL: not the text of a token; *ret_token is then untouched. */
int token_parse(const char *text, size_t len, Token *ret_token);
void token_from_random(const uint8_t random[static TOKEN_RANDOM_LEN], Token *ret_token);
void token_format(const Token *token, char ret_text[static TOKEN_TEXT_LEN + 1]);
void token_done(Token *token);

/* An id as credctl shows it: 8 canonical characters. */
bool token_id_valid(const char *text);

/* The text form of a code, for people who type it at a console:
 *
 *      xxxx-xxxx-xxxx
 *
 * 4 characters handle, 7 secret (35 bits), 1 check character, in the same alphabet, read as kindly. But
 * the two hyphens must stand at their places: twelve letters and digits alone are somebody's
 * password, which must not leave the process it was typed into. The check character makes the sum of
 * all twelve, each times a power of its own of a generator of GF(32), zero: every single wrong
 * character and every swap of two is found. */
#define CODE_HANDLE_LEN 4
#define CODE_SECRET_LEN 7
#define CODE_TEXT_LEN   (CODE_HANDLE_LEN + CODE_SECRET_LEN + 1 + 2)

typedef struct Code {
        char handle[CODE_HANDLE_LEN + 1]; /* public, canonical */
        char secret[CODE_SECRET_LEN + 1]; /* secret, canonical */
} Code;

/* -EINVAL: not the text of a code; *ret_code is then untouched. */
int code_parse(const char *text, size_t len, Code *ret_code);
/* The beginnings of an id and a secret that were drawn as a token's. */
void code_from_token(const Token *token, Code *ret_code);
void code_format(const Code *code, char ret_text[static CODE_TEXT_LEN + 1]);
void code_done(Code *code);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of a token, read and written; pure. A token has exactly one canonical text, and a Token
 * holds canonical characters only: whatever was typed, equal tokens are equal bytes.
 * Left out: whether a token is good, which credd alone knows, and the short codes for consoles. */
#include "common/token.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/secret.h"

#define MODULUS    1021U
#define PREFIX     "eph_"
#define PREFIX_LEN (sizeof(PREFIX) - 1)
#define SECRET_AT  (PREFIX_LEN + TOKEN_ID_LEN)
#define CHECK_AT   (SECRET_AT + TOKEN_SECRET_LEN)

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

_Static_assert(sizeof(alphabet) - 1 == 32, "a random byte is cut to five bits");
_Static_assert(CHECK_AT + TOKEN_CHECK_LEN == TOKEN_TEXT_LEN, "the parts make the whole");

typedef struct Canonical {
        char text[TOKEN_TEXT_LEN];
} Canonical;

static void canonical_done(Canonical *canonical)
{
        secret_erase(canonical, sizeof(*canonical));
}

/* ASCII whatever the locale of the process we are a guest in. */
static char to_lower(char c)
{
        if (c >= 'A' && c <= 'Z')
                return (char)(c - 'A' + 'a');
        return c;
}

static bool is_space(char c)
{
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int digit_value(char c)
{
        const char *at = memchr(alphabet, c, sizeof(alphabet) - 1);

        return at ? (int)(at - alphabet) : -EINVAL;
}

/* What c stands for as the nth character of a token; NUL: nothing. */
static char canonical_at(size_t n, char c)
{
        c = to_lower(c);
        if (c == 'i' || c == 'l')
                c = '1';
        if (c == 'o')
                c = '0';
        if (n < PREFIX_LEN ? c != PREFIX[n] : digit_value(c) < 0)
                return '\0';
        return c;
}

/* Horner's rule: digits appended to a number that leaves this remainder. */
static unsigned append_digits(unsigned remainder, const char *digits, size_t len)
{
        for (size_t i = 0; i < len; i++) {
                int value = digit_value(digits[i]);

                assert(value >= 0);
                remainder = (remainder * 32 + (unsigned)value) % MODULUS;
        }
        return remainder;
}

static void check_digits(const Token *token, char ret_check[static TOKEN_CHECK_LEN])
{
        unsigned remainder = append_digits(0, token->id, TOKEN_ID_LEN);
        unsigned check;

        remainder = append_digits(remainder, token->secret, TOKEN_SECRET_LEN);
        check = (MODULUS + 1 - remainder * 32 * 32 % MODULUS) % MODULUS;
        ret_check[0] = alphabet[check / 32];
        ret_check[1] = alphabet[check % 32];
}

static void trim(const char **text, size_t *len)
{
        while (*len > 0 && is_space((*text)[*len - 1]))
                (*len)--;
        while (*len > 0 && is_space(**text)) {
                (*text)++;
                (*len)--;
        }
}

static int canonicalise(const char *text, size_t len, Canonical *ret_canonical)
{
        CLEANUP(canonical_done) Canonical canonical = {};
        size_t n = 0;

        trim(&text, &len);
        for (size_t i = 0; i < len; i++) {
                if (text[i] == '-')
                        continue;
                if (n == TOKEN_TEXT_LEN)
                        return -EINVAL;
                canonical.text[n] = canonical_at(n, text[i]);
                if (canonical.text[n] == '\0')
                        return -EINVAL;
                n++;
        }
        if (n != TOKEN_TEXT_LEN)
                return -EINVAL;

        *ret_canonical = canonical;
        return 0;
}

int token_parse(const char *text, size_t len, Token *ret_token)
{
        CLEANUP(canonical_done) Canonical canonical = {};
        CLEANUP(token_done) Token token = {};
        char check[TOKEN_CHECK_LEN];
        int r;

        r = canonicalise(text, len, &canonical);
        if (r < 0)
                return r;

        memcpy(token.id, canonical.text + PREFIX_LEN, TOKEN_ID_LEN);
        memcpy(token.secret, canonical.text + SECRET_AT, TOKEN_SECRET_LEN);
        check_digits(&token, check);
        if (memcmp(check, canonical.text + CHECK_AT, TOKEN_CHECK_LEN) != 0)
                return -EINVAL;

        *ret_token = token;
        return 0;
}

void token_from_random(const uint8_t random[static TOKEN_RANDOM_LEN], Token *ret_token)
{
        *ret_token = (Token){};
        for (size_t i = 0; i < TOKEN_ID_LEN; i++)
                ret_token->id[i] = alphabet[random[i] % 32];
        for (size_t i = 0; i < TOKEN_SECRET_LEN; i++)
                ret_token->secret[i] = alphabet[random[TOKEN_ID_LEN + i] % 32];
}

void token_format(const Token *token, char ret_text[static TOKEN_TEXT_LEN + 1])
{
        char *at = ret_text;

        at = mempcpy(at, PREFIX, PREFIX_LEN);
        at = mempcpy(at, token->id, TOKEN_ID_LEN);
        at = mempcpy(at, token->secret, TOKEN_SECRET_LEN);
        check_digits(token, at);
        at[TOKEN_CHECK_LEN] = '\0';
}

void token_done(Token *token)
{
        secret_erase(token, sizeof(*token));
}

bool token_id_valid(const char *text)
{
        for (size_t i = 0; i < TOKEN_ID_LEN; i++)
                if (digit_value(text[i]) < 0)
                        return false;
        return text[TOKEN_ID_LEN] == '\0';
}

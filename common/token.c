/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of a token, read and written; pure. A token has exactly one canonical text, and a Token
 * holds canonical characters only: whatever was typed, equal tokens are equal bytes. The same goes for
 * codes. Left out: whether a token or a code is good, which credd alone knows. */
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

static char fold(char c)
{
        c = to_lower(c);
        if (c == 'i' || c == 'l')
                return '1';
        return c == 'o' ? '0' : c;
}

/* What c stands for as the nth character of a token; NUL: nothing. */
static char canonical_at(size_t n, char c)
{
        c = fold(c);
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

/* --- codes --- */

#define CODE_DIGITS (CODE_HANDLE_LEN + CODE_SECRET_LEN + 1)
#define CODE_GROUP  4

_Static_assert(CODE_DIGITS == 3 * CODE_GROUP, "three groups, so two hyphens");

typedef struct CodeDigits {
        char text[CODE_DIGITS];
} CodeDigits;

static void code_digits_done(CodeDigits *digits)
{
        secret_erase(digits, sizeof(*digits));
}

/* Horner's rule in GF(32), modulo x^5 + x^2 + 1: a sum of the digits, each times a power of x. */
static unsigned code_sum(const char *digits, size_t n)
{
        unsigned sum = 0;

        for (size_t i = 0; i < n; i++) {
                sum = (sum ^ (unsigned)digit_value(digits[i])) << 1;
                if ((sum & 32U) != 0)
                        sum ^= 37U;
        }
        return sum;
}

static int code_canonicalise(const char *text, size_t len, CodeDigits *ret_digits)
{
        CLEANUP(code_digits_done) CodeDigits digits = {};
        size_t n = 0;

        trim(&text, &len);
        if (len != CODE_TEXT_LEN)
                return -EINVAL;
        for (size_t i = 0; i < len; i++) {
                bool hyphen = i % (CODE_GROUP + 1) == CODE_GROUP;

                if (hyphen ? text[i] != '-' : digit_value(fold(text[i])) < 0)
                        return -EINVAL;
                if (!hyphen)
                        digits.text[n++] = fold(text[i]);
        }
        *ret_digits = digits;
        return 0;
}

int code_parse(const char *text, size_t len, Code *ret_code)
{
        CLEANUP(code_digits_done) CodeDigits digits = {};
        int r;

        r = code_canonicalise(text, len, &digits);
        if (r < 0)
                return r;
        if (code_sum(digits.text, CODE_DIGITS) != 0)
                return -EINVAL;
        *ret_code = (Code){};
        memcpy(ret_code->handle, digits.text, CODE_HANDLE_LEN);
        memcpy(ret_code->secret, digits.text + CODE_HANDLE_LEN, CODE_SECRET_LEN);
        return 0;
}

void code_from_token(const Token *token, Code *ret_code)
{
        *ret_code = (Code){};
        memcpy(ret_code->handle, token->id, CODE_HANDLE_LEN);
        memcpy(ret_code->secret, token->secret, CODE_SECRET_LEN);
}

void code_format(const Code *code, char ret_text[static CODE_TEXT_LEN + 1])
{
        CLEANUP(code_digits_done) CodeDigits digits = {};
        char *at = ret_text;

        memcpy(digits.text, code->handle, CODE_HANDLE_LEN);
        memcpy(digits.text + CODE_HANDLE_LEN, code->secret, CODE_SECRET_LEN);
        digits.text[CODE_DIGITS - 1] = alphabet[code_sum(digits.text, CODE_DIGITS - 1)];
        for (size_t i = 0; i < CODE_DIGITS; i += CODE_GROUP) {
                at = mempcpy(at, digits.text + i, CODE_GROUP);
                *at++ = '-';
        }
        at[-1] = '\0';
}

void code_done(Code *code)
{
        secret_erase(code, sizeof(*code));
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The texts of tokens and codes. The input is what somebody typed, and also the randomness of a token to
 * be made. What is read as one is written as its canonical text, which this file finds a second time, by
 * hand; what was made is read back; and no text with one character changed is taken. */
#include "tests/fuzz/fuzz.h"

#include <errno.h>

#include "common/token.h"
#include "pam_ephemeral/prompt.h"

#define DIGITS "0123456789abcdefghjkmnpqrstvwxyz"

static bool is_blank(char c)
{
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static char canonical(char c)
{
        if (c >= 'A' && c <= 'Z')
                c = (char)(c + 32);
        if (c == 'i' || c == 'l')
                return '1';
        return c == 'o' ? '0' : c;
}

/* As typed, but for what reading ignores; at most size - 1 characters. */
static size_t clean(const char *text, size_t len, bool hyphens, char *ret, size_t size)
{
        size_t n = 0;

        while (len > 0 && is_blank(text[len - 1]))
                len--;
        while (len > 0 && is_blank(*text)) {
                text++;
                len--;
        }
        for (size_t i = 0; i < len && n < size - 1; i++)
                if (hyphens || text[i] != '-')
                        ret[n++] = canonical(text[i]);
        ret[n] = '\0';
        return n;
}

static void check_token_text(const char *text, Token *token)
{
        char again[TOKEN_TEXT_LEN + 1];
        Token other;

        must(token_id_valid(token->id));
        must(strspn(token->secret, DIGITS) == TOKEN_SECRET_LEN);
        token_format(token, again);
        must(strcmp(again, text) == 0);
        must(token_parse(again, TOKEN_TEXT_LEN, &other) == 0);
        must(memcmp(&other, token, sizeof(other)) == 0);
        token_done(token);
        must(token->id[0] == '\0' && token->secret[0] == '\0');
}

/* at: which character is changed, and into which of the other 31. */
static void check_no_slip(const char *right, size_t from, uint8_t at, uint8_t into)
{
        char text[TOKEN_TEXT_LEN + 1];
        size_t len = strlen(right), place = from + at % (len - from);
        const char *digit;
        Token token;
        Code code;

        memcpy(text, right, len + 1);
        digit = text[place] == '-' ? NULL : strchr(DIGITS, text[place]);
        text[place] = digit ? DIGITS[((size_t)(digit - DIGITS) + 1 + into % 31) % 32] : 'u';
        must(token_parse(text, len, &token) == -EINVAL);
        must(code_parse(text, len, &code) == -EINVAL);
}

static void try_typed(const char *text, size_t len, uint8_t at, uint8_t into)
{
        char typed[TOKEN_TEXT_LEN + 2], code_text[CODE_TEXT_LEN + 1];
        Token token, before;
        Code code;
        Secret secret = {.len = 0};
        bool is_token, is_code;

        memset(&token, 0x5a, sizeof(token));
        before = token;
        is_token = token_parse(text, len, &token) == 0;
        is_code = code_parse(text, len, &code) == 0;
        must(!is_token || !is_code);
        must(prompt_is_token(text, len, false, &secret) == is_token);
        must(prompt_is_token(text, len, true, &secret) == (is_token || is_code));
        if (!is_token)
                must(memcmp(&token, &before, sizeof(token)) == 0);
        if (is_token) {
                must(clean(text, len, false, typed, sizeof(typed)) == TOKEN_TEXT_LEN);
                must(strcmp(secret.text, typed) == 0 && secret.len == TOKEN_TEXT_LEN);
                check_token_text(typed, &token);
                check_no_slip(typed, strlen("eph_"), at, into);
        }
        if (is_code) {
                must(clean(text, len, true, typed, sizeof(typed)) == CODE_TEXT_LEN);
                code_format(&code, code_text);
                must(strcmp(code_text, typed) == 0);
                must(strcmp(secret.text, typed) == 0 && secret.len == CODE_TEXT_LEN);
                check_no_slip(typed, 0, at, into);
        }
}

static void try_made(const uint8_t *data, size_t size)
{
        uint8_t random[TOKEN_RANDOM_LEN] = {0};
        char text[TOKEN_TEXT_LEN + 1], code_text[CODE_TEXT_LEN + 1];
        Token token, again;
        Code code, code_again;

        if (size > 0)
                memcpy(random, data, size < sizeof(random) ? size : sizeof(random));
        token_from_random(random, &token);
        token_format(&token, text);
        must(token_parse(text, strlen(text), &again) == 0);
        must(memcmp(&token, &again, sizeof(token)) == 0);
        try_typed(text, strlen(text), random[0], random[1]);
        code_from_token(&token, &code);
        code_format(&code, code_text);
        must(code_parse(code_text, strlen(code_text), &code_again) == 0);
        must(memcmp(&code, &code_again, sizeof(code)) == 0);
        try_typed(code_text, strlen(code_text), random[0], random[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        AUTO_FREE char *text = malloc(size + 1);

        must(text);
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        try_typed(text, size, (uint8_t)size, size > 0 ? data[size / 2] : 0);
        try_made(data, size);
        return 0;
}

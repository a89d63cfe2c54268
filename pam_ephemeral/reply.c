/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads a reply: jsmn cuts the text into tokens, and a cursor walks text and tokens side by side.
 *
 * jsmn alone is no judge: even when strict it takes {"a" 1}, {"a":1,}, {} {}, 12x. So the cursor
 * demands each brace, colon and comma itself, each number by its grammar, and the end of the text
 * right behind the last brace. The shape is two levels deep and no more, hence no recursion.
 *
 * Invariants: *ret_reply changes on success only; a member given twice, one of the wrong type and
 * a missing one are all -EBADMSG; the fixed number of tokens bounds memory and time. credd is
 * trusted to be right, not to be whole: this may be half an upgrade or another program's socket.
 *
 * Left out: what the values mean for a login (phase.c). */
#include "pam_ephemeral/reply.h"

#include <errno.h>
#include <string.h>

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#include "common/cleanup.h"
#include "common/secret.h"
#include "pam_ephemeral/utf8.h"

#define TOKENS_MAX 48

typedef struct Cursor {
        const char *text;
        int len;
        int at; /* next character */
        const jsmntok_t *tokens;
        int count;
        int next; /* next token */
} Cursor;

typedef enum FieldKind {
        FIELD_WORD,
        FIELD_USEC,
} FieldKind;

typedef struct Field {
        const char *name;
        FieldKind kind;
        size_t offset; /* in Reply */
        size_t max;    /* longest word */
        uint64_t least;
} Field;

enum { LOGIN, CREDENTIAL, DEADLINE, CEILING, LEFT, BACKSTOP };

static const Field fields[] = {
        [LOGIN] = {"login", FIELD_WORD, offsetof(Reply, login), REPLY_LOGIN_MAX, 0},
        [CREDENTIAL] = {"credential", FIELD_WORD, offsetof(Reply, credential), REPLY_CREDENTIAL_MAX,
                        0},
        [DEADLINE] = {"deadline", FIELD_USEC, offsetof(Reply, deadline_real_usec), 0, 0},
        [CEILING] = {"ceiling", FIELD_USEC, offsetof(Reply, ceiling_real_usec), 0, 0},
        [LEFT] = {"left_usec", FIELD_USEC, offsetof(Reply, left_usec), 0, 0},
        [BACKSTOP] = {"backstop_usec", FIELD_USEC, offsetof(Reply, backstop_usec), 0, 1},
};

/* What each verb must return, a bit for each field. */
static const unsigned wanted[LOGIN_VERB_MAX] = {
        [LOGIN_VERB_AUTHENTICATE] = 1u << LOGIN | 1u << CREDENTIAL | 1u << LEFT,
        [LOGIN_VERB_CHECK_ACCOUNT] = 1u << CREDENTIAL,
        [LOGIN_VERB_OPEN_SESSION] =
                1u << CREDENTIAL | 1u << DEADLINE | 1u << CEILING | 1u << LEFT | 1u << BACKSTOP,
};

typedef struct Reading {
        Reply reply;
        unsigned seen; /* bits of fields */
        bool has_parameters;
        bool has_error;
        bool has_continues;
} Reading;

typedef int (*OnMember)(Cursor *c, const char *name, size_t len, Reading *reading);

/* Control characters were refused before, so the blank is the only white space. */
static void skip_blanks(Cursor *c)
{
        while (c->at < c->len && c->text[c->at] == ' ')
                c->at++;
}

static int expect(Cursor *c, char wanted_char)
{
        skip_blanks(c);
        if (c->at >= c->len || c->text[c->at] != wanted_char)
                return -EBADMSG;
        c->at++;
        return 0;
}

/* The next token if it is of the type and begins where the text stands. */
static const jsmntok_t *take_token(Cursor *c, jsmntype_t type)
{
        const jsmntok_t *token = &c->tokens[c->next];

        skip_blanks(c);
        if (c->next >= c->count || token->type != type || token->start != c->at)
                return NULL;
        c->next++;
        return token;
}

static int take_string(Cursor *c, const char **ret_text, size_t *ret_len)
{
        const jsmntok_t *token;

        if (expect(c, '"') < 0)
                return -EBADMSG;
        /* jsmn counts a string from behind its quote, so a blank there is the string's own. */
        token = c->next < c->count ? &c->tokens[c->next] : NULL;
        if (!token || token->type != JSMN_STRING || token->start != c->at)
                return -EBADMSG;
        c->next++;
        c->at = token->end + 1;
        *ret_text = c->text + token->start;
        *ret_len = (size_t)(token->end - token->start);
        return 0;
}

static int take_primitive(Cursor *c, const char **ret_text, size_t *ret_len)
{
        const jsmntok_t *token = take_token(c, JSMN_PRIMITIVE);

        if (!token)
                return -EBADMSG;
        c->at = token->end;
        *ret_text = c->text + token->start;
        *ret_len = (size_t)(token->end - token->start);
        return 0;
}

static bool equals(const char *text, size_t len, const char *constant)
{
        return strlen(constant) == len && memcmp(text, constant, len) == 0;
}

static size_t digits(const char *text, size_t len)
{
        size_t n = 0;

        while (n < len && text[n] >= '0' && text[n] <= '9')
                n++;
        return n;
}

/* The grammar of RFC 8259: -? int frac? exp? */
static bool is_number(const char *text, size_t len)
{
        size_t at = len > 0 && text[0] == '-' ? 1 : 0;
        size_t n = digits(text + at, len - at);

        if (n == 0 || (n > 1 && text[at] == '0'))
                return false;
        at += n;
        if (at < len && text[at] == '.') {
                n = digits(text + at + 1, len - at - 1);
                if (n == 0)
                        return false;
                at += 1 + n;
        }
        if (at < len && (text[at] == 'e' || text[at] == 'E')) {
                at++;
                if (at < len && (text[at] == '+' || text[at] == '-'))
                        at++;
                n = digits(text + at, len - at);
                if (n == 0)
                        return false;
                at += n;
        }
        return at == len;
}

static int skip_value(Cursor *c)
{
        const char *text = NULL;
        size_t len = 0;

        if (take_string(c, &text, &len) == 0)
                return 0;
        if (take_primitive(c, &text, &len) < 0)
                return -EBADMSG;
        if (equals(text, len, "true") || equals(text, len, "false") || equals(text, len, "null"))
                return 0;
        return is_number(text, len) ? 0 : -EBADMSG;
}

static int take_usec(Cursor *c, uint64_t least, uint64_t *ret_usec)
{
        const char *text = NULL;
        size_t len = 0;
        uint64_t usec = 0;

        if (take_primitive(c, &text, &len) < 0)
                return -EBADMSG;
        if (digits(text, len) != len || !is_number(text, len))
                return -EBADMSG;
        for (size_t i = 0; i < len; i++) {
                usec = usec * 10 + (uint64_t)(text[i] - '0');
                if (usec > INT64_MAX / 10 && i + 1 < len)
                        return -EBADMSG;
        }
        if (usec > INT64_MAX || usec < least)
                return -EBADMSG;
        *ret_usec = usec;
        return 0;
}

bool reply_word_valid(const char *text, size_t len, size_t max)
{
        if (len == 0 || len > max)
                return false;
        for (size_t i = 0; i < len; i++) {
                char ch = text[i];

                if (!((ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') ||
                      (ch >= 'A' && ch <= 'Z') || (ch != '\0' && strchr("-_+/=", ch))))
                        return false;
        }
        return true;
}

static int take_word(Cursor *c, size_t max, char *ret_word)
{
        const char *text = NULL;
        size_t len = 0;

        if (take_string(c, &text, &len) < 0 || !reply_word_valid(text, len, max))
                return -EBADMSG;
        memcpy(ret_word, text, len);
        ret_word[len] = '\0';
        return 0;
}

/* Walks "{" name ":" value "," ... "}"; on_member takes the value. */
static int each_member(Cursor *c, OnMember on_member, Reading *reading)
{
        const jsmntok_t *object = take_token(c, JSMN_OBJECT);

        if (!object || expect(c, '{') < 0)
                return -EBADMSG;
        for (int i = 0; i < object->size; i++) {
                const char *name = NULL;
                size_t len = 0;

                if (i > 0 && expect(c, ',') < 0)
                        return -EBADMSG;
                if (take_string(c, &name, &len) < 0 || expect(c, ':') < 0)
                        return -EBADMSG;
                if (on_member(c, name, len, reading) < 0)
                        return -EBADMSG;
        }
        return expect(c, '}');
}

static int on_parameter(Cursor *c, const char *name, size_t len, Reading *reading)
{
        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                const Field *field = &fields[i];
                char *at = (char *)&reading->reply + field->offset;

                if (!equals(name, len, field->name))
                        continue;
                if (reading->seen & 1u << i)
                        return -EBADMSG;
                reading->seen |= 1u << i;
                if (field->kind == FIELD_WORD)
                        return take_word(c, field->max, at);
                return take_usec(c, field->least, (uint64_t *)(void *)at);
        }
        return skip_value(c);
}

static ReplyError error_of_name(const char *name, size_t len)
{
        if (equals(name, len, "io.credd.Login.Refused"))
                return REPLY_REFUSED;
        if (equals(name, len, "io.credd.Login.Unavailable"))
                return REPLY_UNAVAILABLE;
        return REPLY_OTHER;
}

static int on_top(Cursor *c, const char *name, size_t len, Reading *reading)
{
        const char *text = NULL;
        size_t text_len = 0;

        if (equals(name, len, "parameters") && !reading->has_parameters) {
                reading->has_parameters = true;
                return each_member(c, on_parameter, reading);
        }
        if (equals(name, len, "error") && !reading->has_error) {
                reading->has_error = true;
                if (take_string(c, &text, &text_len) < 0)
                        return -EBADMSG;
                reading->reply.error = error_of_name(text, text_len);
                return 0;
        }
        /* One call, one reply: more to come is no answer. */
        if (equals(name, len, "continues") && !reading->has_continues) {
                reading->has_continues = true;
                if (take_primitive(c, &text, &text_len) < 0)
                        return -EBADMSG;
                return equals(text, text_len, "false") ? 0 : -EBADMSG;
        }
        return -EBADMSG;
}

static void reading_done(Reading *reading)
{
        secret_erase(reading, sizeof(*reading));
}

int reply_parse(const char *text, size_t len, LoginVerb verb, Reply *ret_reply)
{
        CLEANUP(reading_done) Reading reading = {.reply.error = REPLY_REFUSED};
        jsmntok_t tokens[TOKENS_MAX];
        jsmn_parser parser;
        Cursor c = {.text = text, .len = (int)len, .tokens = tokens};

        if (len > REPLY_MAX || !utf8_is_printable(text, len))
                return -EBADMSG;
        jsmn_init(&parser);
        c.count = jsmn_parse(&parser, text, len, tokens, TOKENS_MAX);
        if (c.count <= 0)
                return -EBADMSG;
        if (each_member(&c, on_top, &reading) < 0)
                return -EBADMSG;
        skip_blanks(&c);
        if (c.at != c.len || c.next != c.count)
                return -EBADMSG;
        if (!reading.has_error) {
                if ((reading.seen & wanted[verb]) != wanted[verb])
                        return -EBADMSG;
                reading.reply.error = REPLY_NONE;
        }
        *ret_reply = reading.reply;
        return 0;
}

void reply_done(Reply *reply)
{
        secret_erase(reply, sizeof(*reply));
}

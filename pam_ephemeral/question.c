/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes one varlink call in JSON.
 *
 * Invariants: never past the buffer; every foreign text is checked before it is quoted, so the only
 * characters that can need an escape are the quote and the backslash; on failure the buffer is
 * erased. User and host names come from whoever knocks: this is the gate they pass.
 *
 * Left out: other varlink calls, and reading (reply.c). */
#include "pam_ephemeral/question.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/secret.h"
#include "pam_ephemeral/utf8.h"

static const struct {
        const char *method;
        const char *lead; /* of what proves it */
} verbs[LOGIN_VERB_MAX] = {
        [LOGIN_VERB_AUTHENTICATE] = {"Authenticate", ",\"token\":"},
        [LOGIN_VERB_CHECK_ACCOUNT] = {"CheckAccount", ",\"login\":"},
        [LOGIN_VERB_OPEN_SESSION] = {"OpenSession", ",\"login\":"},
};

static int put(QuestionText *out, const char *bytes, size_t len)
{
        if (len >= sizeof(out->text) - out->len)
                return -E2BIG;
        memcpy(out->text + out->len, bytes, len);
        out->len += len;
        out->text[out->len] = '\0';
        return 0;
}

static int put_quoted(QuestionText *out, const char *value)
{
        size_t len = value ? strlen(value) : 0;
        int r;

        if (len == 0 || !utf8_is_printable(value, len))
                return -EINVAL;
        r = put(out, "\"", 1);
        for (size_t i = 0; r == 0 && i < len; i++) {
                if (value[i] == '"' || value[i] == '\\')
                        r = put(out, "\\", 1);
                if (r == 0)
                        r = put(out, value + i, 1);
        }
        return r < 0 ? r : put(out, "\"", 1);
}

/* Our own constant, then a foreign text. */
static int put_member(QuestionText *out, const char *lead, const char *value)
{
        int r = put(out, lead, strlen(lead));

        return r < 0 ? r : put_quoted(out, value);
}

static int put_optional(QuestionText *out, const char *lead, const char *value)
{
        return value && *value ? put_member(out, lead, value) : 0;
}

static int put_head(QuestionText *out, const Question *question)
{
        char head[96];
        int n = snprintf(head, sizeof(head),
                         "{\"method\":\"io.credd.Login.%s\",\"parameters\":{\"uid\":%ju",
                         verbs[question->verb].method, (uintmax_t)question->uid);

        return n < 0 || (size_t)n >= sizeof(head) ? -E2BIG : put(out, head, (size_t)n);
}

/* Somebody who has no token asks nothing of Authenticate. */
static int put_proof(QuestionText *out, const Question *question)
{
        const char *lead = verbs[question->verb].lead;
        int r;

        if (question->proof || question->verb == LOGIN_VERB_AUTHENTICATE)
                return put_member(out, lead, question->proof);
        r = put(out, lead, strlen(lead));
        return r < 0 ? r : put(out, "null", strlen("null"));
}

static int put_all(QuestionText *out, const Question *question)
{
        int r;

        if ((unsigned)question->verb >= LOGIN_VERB_MAX || question->uid == (uid_t)-1)
                return -EINVAL;
        r = put_head(out, question);
        if (r == 0)
                r = put_member(out, ",\"user\":", question->user);
        if (r == 0)
                r = put_member(out, ",\"service\":", question->service);
        if (r == 0)
                r = put_optional(out, ",\"tty\":", question->tty);
        if (r == 0)
                r = put_optional(out, ",\"rhost\":", question->rhost);
        if (r < 0)
                return r;
        r = put_proof(out, question);
        return r < 0 ? r : put(out, "}}", 2);
}

int question_format(const Question *question, QuestionText *ret_text)
{
        int r;

        ret_text->len = 0;
        r = put_all(ret_text, question);
        if (r < 0)
                question_text_done(ret_text);
        return r;
}

void question_text_done(QuestionText *text)
{
        secret_erase(text, sizeof(*text));
}

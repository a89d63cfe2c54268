/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A call to io.credd.Login as text. Pure. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Room for the longest name, host and nonce, each with every character escaped. */
#define QUESTION_MAX 4096

typedef enum LoginVerb {
        LOGIN_VERB_AUTHENTICATE,
        LOGIN_VERB_CHECK_ACCOUNT,
        LOGIN_VERB_OPEN_SESSION,
        LOGIN_VERB_MAX,
} LoginVerb;

typedef struct Question {
        LoginVerb verb;
        const char *user;
        uid_t uid;
        const char *service;
        const char *tty;   /* NULL or empty: left out */
        const char *rhost; /* likewise */
        /* The token to Authenticate, the login's nonce otherwise; NULL: there was no token. */
        const char *proof;
} Question;

/* Holds a secret: erase it with question_text_done(). */
typedef struct QuestionText {
        size_t len; /* without the NUL */
        char text[QUESTION_MAX];
} QuestionText;

/* -EINVAL: a text is missing, is no UTF-8 or has control characters; -E2BIG. *ret_text is then
 * empty, so that nothing half made can be sent. */
int question_format(const Question *question, QuestionText *ret_text);
void question_text_done(QuestionText *text);

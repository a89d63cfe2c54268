/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What credd answers on io.credd.Login. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pam_ephemeral/question.h"

#define REPLY_MAX            4096 /* longest message that is read */
#define REPLY_LOGIN_MAX      128
#define REPLY_CREDENTIAL_MAX 32

typedef enum ReplyError {
        REPLY_REFUSED, /* first: a variable that nobody set is a denial */
        REPLY_UNAVAILABLE,
        REPLY_OTHER, /* an error of varlink itself, or one from the future */
        REPLY_NONE,  /* the call succeeded */
} ReplyError;

/* Of the members only those that the verb returns are set. Holds a secret: reply_done() erases it.
 */
typedef struct Reply {
        ReplyError error;
        char login[REPLY_LOGIN_MAX + 1];
        char credential[REPLY_CREDENTIAL_MAX + 1];
        uint64_t deadline_real_usec;
        uint64_t ceiling_real_usec;
        uint64_t left_usec;
        uint64_t backstop_usec; /* at least 1 */
} Reply;

/* -EBADMSG: not a reply to this verb, down to the last comma. *ret_reply is then untouched. Members
 * that this version does not know are passed over if they are plain values. */
int reply_parse(const char *text, size_t len, LoginVerb verb, Reply *ret_reply);
void reply_done(Reply *reply);

/* A login's nonce, or a credential's id, as far as their characters tell: 1 to max letters, digits
 * and "-_+/=". Nothing that a shell, JSON or the environment could take for something else. */
bool reply_word_valid(const char *text, size_t len, size_t max);

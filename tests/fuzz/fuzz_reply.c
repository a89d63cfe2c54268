/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the module believes of an answer. The first byte is the verb, the rest the text. jansson, with
 * which credd writes, is the second reader: what the module takes, jansson takes too, and reads the same
 * out of it. What the module refuses leaves the caller's reply as it was. */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <jansson.h>

#include "pam_ephemeral/reply.h"

static void check_word(const json_t *parameters, const char *name, const char *word, size_t max)
{
        const char *is = json_string_value(json_object_get(parameters, name));

        must(is && strcmp(is, word) == 0);
        must(reply_word_valid(word, strlen(word), max));
}

static void check_usec(const json_t *parameters, const char *name, uint64_t usec)
{
        const json_t *is = json_object_get(parameters, name);

        must(json_is_integer(is) && json_integer_value(is) >= 0);
        must((uint64_t)json_integer_value(is) == usec);
}

static void check_success(const json_t *root, LoginVerb verb, const Reply *reply)
{
        const json_t *parameters = json_object_get(root, "parameters");

        must(!json_object_get(root, "error"));
        check_word(parameters, "credential", reply->credential, REPLY_CREDENTIAL_MAX);
        if (verb == LOGIN_VERB_CHECK_ACCOUNT)
                return;
        check_usec(parameters, "left_usec", reply->left_usec);
        if (verb == LOGIN_VERB_AUTHENTICATE) {
                check_word(parameters, "login", reply->login, REPLY_LOGIN_MAX);
                return;
        }
        check_usec(parameters, "deadline", reply->deadline_real_usec);
        check_usec(parameters, "ceiling", reply->ceiling_real_usec);
        check_usec(parameters, "backstop_usec", reply->backstop_usec);
        must(reply->backstop_usec >= 1);
}

static void check_taken(const char *text, size_t len, LoginVerb verb, const Reply *reply)
{
        json_auto_t *root = NULL;
        json_error_t error;
        const char *name;

        must(len <= REPLY_MAX);
        root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
        /* A number that has no place in memory, and a member that the module does not know and that is
         * there twice, it passes over unread. */
        if (!root && (json_error_code(&error) == json_error_duplicate_key ||
                      json_error_code(&error) == json_error_numeric_overflow))
                return;
        must(json_is_object(root));
        must(!json_is_true(json_object_get(root, "continues")));
        if (reply->error == REPLY_NONE) {
                check_success(root, verb, reply);
                return;
        }
        name = json_string_value(json_object_get(root, "error"));
        must(name);
        must((strcmp(name, "io.credd.Login.Unavailable") == 0) ==
             (reply->error == REPLY_UNAVAILABLE));
}

#define UNTOUCHED 0x5a

static void check_untouched(const Reply *reply)
{
        const uint8_t *bytes = (const uint8_t *)reply;

        for (size_t i = 0; i < sizeof(*reply); i++)
                must(bytes[i] == UNTOUCHED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        FuzzInput input = {data, size};
        LoginVerb verb = (LoginVerb)(fuzz_byte(&input) % LOGIN_VERB_MAX);
        AUTO_FREE char *text = malloc(input.left + 1);
        Reply reply;
        int r;

        must(text);
        if (input.left > 0)
                memcpy(text, input.at, input.left);
        text[input.left] = '\0';
        memset(&reply, UNTOUCHED, sizeof(reply));
        r = reply_parse(text, input.left, verb, &reply);
        must(r == 0 || r == -EBADMSG);
        if (r < 0)
                check_untouched(&reply);
        else
                check_taken(text, input.left, verb, &reply);
        reply_done(&reply);
        must(reply.error == REPLY_REFUSED);
        return 0;
}

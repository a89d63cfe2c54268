/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Obtains what was typed, from PAM_AUTHTOK or by asking once with the echo off.
 *
 * Invariants: a person is asked at most once; with use_first_pass never, with try_first_pass only
 * if no earlier module asked: had it asked and got no token, then that was a password, and a second
 * question would be one too many. A token is never left in PAM_AUTHTOK, be it good or refused, so
 * no later module sees, checks or logs it. A password is left there and nowhere else: pam_unix
 * behind us takes it with try_first_pass. Our own copies are erased on every way out.
 *
 * Left out: whether the token is any good. */
#include "pam_ephemeral/prompt.h"

#include <errno.h>
#include <security/pam_ext.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/token.h"

static void answer_done(char **answer)
{
        if (*answer)
                secret_erase(*answer, strlen(*answer));
        free(*answer);
}

static bool is_code(const char *text, size_t len, Secret *ret_token)
{
        CLEANUP(code_done) Code code = {.handle = ""};

        if (code_parse(text, len, &code) < 0)
                return false;
        code_format(&code, ret_token->text);
        ret_token->len = CODE_TEXT_LEN;
        return true;
}

bool prompt_is_token(const char *text, size_t len, bool codes, Secret *ret_token)
{
        CLEANUP(token_done) Token token = {.id = ""};

        if (token_parse(text, len, &token) < 0)
                return codes && is_code(text, len, ret_token);
        token_format(&token, ret_token->text);
        ret_token->len = TOKEN_TEXT_LEN;
        return true;
}

static int take_first_pass(pam_handle_t *pamh, const char *typed, bool codes, Secret *ret_token)
{
        if (!prompt_is_token(typed, strlen(typed), codes, ret_token))
                return PROMPT_NO_TOKEN;
        return pam_set_item(pamh, PAM_AUTHTOK, NULL) == PAM_SUCCESS ? 0 : -EIO;
}

static int ask(pam_handle_t *pamh, const char *question, bool codes, Secret *ret_token)
{
        CLEANUP(answer_done) char *answer = NULL;
        bool is_token;

        if (pam_prompt(pamh, PAM_PROMPT_ECHO_OFF, &answer, "%s", question) != PAM_SUCCESS ||
            !answer)
                return -EIO;
        is_token = prompt_is_token(answer, strlen(answer), codes, ret_token);
        /* libpam makes a copy, and erases that when it is replaced. */
        if (pam_set_item(pamh, PAM_AUTHTOK, is_token ? NULL : answer) != PAM_SUCCESS)
                return -EIO;
        return is_token ? 0 : PROMPT_NO_TOKEN;
}

int prompt_for_token(pam_handle_t *pamh, const Options *options, bool codes, Secret *ret_token)
{
        const void *typed = NULL;

        if (options->first_pass == FIRST_PASS_ASK)
                return ask(pamh, options->prompt, codes, ret_token);
        if (pam_get_item(pamh, PAM_AUTHTOK, &typed) != PAM_SUCCESS)
                return -EIO;
        if (typed)
                return take_first_pass(pamh, typed, codes, ret_token);
        if (options->first_pass == FIRST_PASS_USE)
                return PROMPT_NO_TOKEN;
        return ask(pamh, options->prompt, codes, ret_token);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one question to the person who logs in. */
#pragma once

#include <security/pam_modules.h>

#include "common/secret.h"
#include "pam_ephemeral/options.h"

#define PROMPT_NO_TOKEN 1

/* codes: one is as good as a token. 0: *ret_token is the canonical text of a token, and PAM_AUTHTOK holds nothing any more.
 * PROMPT_NO_TOKEN: something else was typed, or nothing was to be had without asking; what was
 * typed is in PAM_AUTHTOK for the next module, and nowhere else. Negative: the conversation failed.
 */
int prompt_for_token(pam_handle_t *pamh, const Options *options, bool codes, Secret *ret_token);

/* Whether text is a token, or with codes a code; *ret_token is then its canonical form. Pure. */
bool prompt_is_token(const char *text, size_t len, bool codes, Secret *ret_token);

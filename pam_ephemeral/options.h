/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words behind pam_ephemeral.so in a PAM line. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define OPTIONS_SOCKET       "/run/credd/io.credd.Login"
#define OPTIONS_PROMPT       "Password or token: "
#define OPTIONS_SERVICES     "sshd,login"
#define OPTIONS_MIN_UID      1000
#define OPTIONS_TIMEOUT_USEC UINT64_C(5000000)
/* sshd gives a whole login no longer than this by default. */
#define OPTIONS_TIMEOUT_MAX_USEC UINT64_C(120000000)

typedef enum FirstPass {
        FIRST_PASS_ASK, /* always ask */
        FIRST_PASS_TRY, /* what an earlier module asked for; ask if none did */
        FIRST_PASS_USE, /* what an earlier module asked for, never ask */
} FirstPass;

/* Texts point into argv, which libpam keeps for the length of a call, or are constants. */
typedef struct Options {
        const char *socket;
        const char *prompt;
        const char *services;      /* names, a comma between two */
        const char *require_group; /* without the @; NULL: nobody needs a credential */
        uint64_t timeout_usec;
        uid_t min_uid;
        FirstPass first_pass;
        bool debug;
        const char *wrong; /* the first argument that was not understood, or NULL */
} Options;

/* Fills all of *ret_options in any case: what was understood, and defaults for the rest, because
 * whether a line concerns a login at all must not hang on a misspelt word beside it. The later of
 * two equal options counts. -EINVAL: there is a wrong argument. */
int options_from_argv(int argc, const char *const *argv, Options *ret_options);

/* Without regard to case, as libpam lowers service names. */
bool options_serve(const Options *options, const char *service);

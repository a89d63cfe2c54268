/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is wrong with a service's PAM stacks, for logins with tokens. Pure. */
#pragma once

#include "credctl/doctor-stack.h"

typedef enum Level {
        LEVEL_OK,
        LEVEL_NOTE,
        LEVEL_WARNING,
        LEVEL_ERROR,
        LEVEL_MAX,
} Level;

/* mend may be NULL. Texts are the caller's only for the call. */
typedef void (*JudgeFound)(void *userdata, Level level, const char *finding, const char *mend);

/* The stacks of a service that logs people in: auth, account and session, by kind. */
void judge_service(const char *service, const PamStack stacks[static PAM_KIND_MAX],
                   JudgeFound found, void *userdata);

/* Whether the module has something to do for the service in this line. */
bool judge_line_serves(const PamLine *line, const char *service);

/* The first word of one of our lines that the module does not know; NULL: none. Values are not
 * looked at. */
const char *judge_wrong_option(const PamLine *line);

#define JUDGE_MODULE "pam_ephemeral"

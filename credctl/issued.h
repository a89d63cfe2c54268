/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Showing a credential that has just been made, with its token, once. In verb_issue.c. */
#pragma once

#include <jansson.h>

#include "credctl/context.h"

/* reply: what credd answered, {"credential":...,"token":...}. Who reads standard output may have gone:
 * SIGPIPE must be ignored. An error names the credential. */
int issued_print(const Context *context, const json_t *reply);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands of credctl role. A new one is a function here and a row in verb_role.c. */
#pragma once

#include "credctl/arguments.h"
#include "credctl/context.h"

/* operand: what follows the command's name; NULL if it takes none. */
int role_check_run(const Context *context, const Arguments *arguments, const char *operand);

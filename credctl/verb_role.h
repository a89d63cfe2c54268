/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands of credctl role. A new one is a function here and a row in verb_role.c. */
#pragma once

#include "credctl/arguments.h"
#include "credctl/context.h"

/* Said of an error of credd: there is no such role. With the name that was probably meant. */
int role_say_unknown(const Context *context, const char *role);

/* operand: what follows the command's name; NULL if it takes none. */
int role_list_run(const Context *context, const Arguments *arguments, const char *operand);
int role_show_run(const Context *context, const Arguments *arguments, const char *operand);
int role_enable_run(const Context *context, const Arguments *arguments, const char *operand);
int role_disable_run(const Context *context, const Arguments *arguments, const char *operand);
int role_check_run(const Context *context, const Arguments *arguments, const char *operand);

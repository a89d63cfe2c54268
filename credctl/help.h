/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Usage and help, made of the table of verbs. On stdout. */
#pragma once

struct Verb;

void help_overview(void);
void help_verb(const struct Verb *verb);
/* OUTCOME_USAGE, after naming the verb that was probably meant. */
int help_unknown_verb(const char *typed);

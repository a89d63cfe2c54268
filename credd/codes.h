/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A code that was typed at a console: whether it is right, and what a wrong one leads to. */
#pragma once

#include "credd/manager.h"

/* So many wrong tries lock a code. */
#define CODES_TRIES 5

typedef struct CodeTry {
        Credential credential; /* num 0: it names none */
        bool open;             /* it can still be guessed at */
        int64_t tries;         /* wrong ones before */
        Refusal refusal;
} CodeTry;

/* Reads only. */
int codes_check(Manager *manager, const Code *code, const LoginFacts *facts, CodeTry *ret_try);
void code_try_done(CodeTry *try);

/* Within a batch: writes the refusal, counts a wrong secret, and locks at the last one. Whatever the
 * reason is, something is written, so that the answer to each waits for a commit alike. */
int codes_refuse(Manager *manager, const CodeTry *try, const LoginFacts *facts);

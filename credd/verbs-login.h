/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by the handlers of io.credd.Login: verbs-login.c and verbs-open.c. */
#pragma once

#include "credd/policy.h"
#include "credd/store.h"
#include "credd/verbs.h"

typedef struct LoginQuestion {
        LoginFacts facts;
        const char *secret; /* token or login; NULL: there was no token */
} LoginQuestion;

/* kind: 's' if the secret must be there, 'S' if not. 0; 1: answered already. */
int login_question_read(const Request *request, const char *secret_name, char kind,
                        LoginQuestion *ret, Answer *answer);
/* Answers "Refused"; why is for the journal. num: of the credential, 0: of none. */
int login_refuse(const Request *request, int64_t num, const LoginFacts *facts, Refusal why,
                 Answer *answer);
/* What is left until the limit, or 0. */
uint64_t login_left_usec(uint64_t limit_usec, uint64_t now_usec);

/* One use is spent, and the login is on record with a nonce and the process that asked. method: see
 * event_login_accepted(). *ret_login borrows the texts of facts. */
int login_accept(const Request *request, const Credential *credential, const LoginFacts *facts,
                 const char *method, Login *ret_login);
/* The login that was named, if it is still to be claimed and its credential still lets it.
 * Negative: error; else *ret_refusal says. The credential is read only if the nonce was right. */
int login_check(Manager *manager, const LoginQuestion *question, Login *ret_login,
                Credential *ret_credential, Refusal *ret_refusal);

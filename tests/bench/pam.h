/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One login through libpam, as a program that logs people in makes it: pam_start, pam_authenticate, pam_acct_mgmt,
 * pam_end. No fork, no session: those cost the same whoever checked the secret. */
#pragma once

#include <security/pam_appl.h>
#include <stdbool.h>

#include "tests/bench/bench.h"

#define PAM_SERVICE_NAME "sshd" /* of each stack, in a folder of its own */

typedef struct Answer {
        const char *user, *secret;
} Answer;

static inline int pam_answer(int count, const struct pam_message **messages,
                             struct pam_response **ret, void *data)
{
        struct pam_response *responses = calloc((size_t)count, sizeof(*responses));
        const Answer *answer = data;

        if (!responses)
                return PAM_BUF_ERR;
        for (int i = 0; i < count; i++)
                if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF ||
                    messages[i]->msg_style == PAM_PROMPT_ECHO_ON)
                        responses[i].resp = strdup(answer->secret);
        *ret = responses;
        return PAM_SUCCESS;
}

/* A wait after a refusal is there to be long; what is measured is what comes before it. */
static inline void pam_no_delay(int status, unsigned usec, void *data)
{
        (void)status;
        (void)usec;
        (void)data;
}

static inline pam_handle_t *pam_begin(const char *folder, const struct pam_conv *conversation,
                                      const char *user)
{
        pam_handle_t *pamh = NULL;

        if (pam_start_confdir(PAM_SERVICE_NAME, user, conversation, folder, &pamh) != PAM_SUCCESS)
                bench_die("pam_start failed in %s", folder);
        return pamh;
}

/* Whether the person came in. */
static inline bool pam_login(const char *folder, const Answer *answer)
{
        struct pam_conv conversation = {pam_answer, (void *)answer};
        pam_handle_t *pamh = pam_begin(folder, &conversation, answer->user);
        void (*no_delay)(int, unsigned, void *) = pam_no_delay;
        int r;

        (void)pam_set_item(pamh, PAM_FAIL_DELAY, (const void *)no_delay);
        (void)pam_set_item(pamh, PAM_TTY, "ssh");
        (void)pam_set_item(pamh, PAM_RHOST, "192.0.2.7");
        r = pam_authenticate(pamh, 0);
        if (r == PAM_SUCCESS)
                r = pam_acct_mgmt(pamh, 0);
        (void)pam_end(pamh, r);
        return r == PAM_SUCCESS;
}

/* --- secrets: a file of lines "user secret" --- */

typedef struct Answers {
        char *text;
        Answer *list;
        size_t n;
} Answers;

static inline void answers_read(const char *path, Answers *ret)
{
        Answers answers = {0};
        size_t size = 0;
        FILE *file = fopen(path, "re");
        char *line, *rest = NULL;

        if (!file || getdelim(&answers.text, &size, '\0', file) <= 0)
                bench_die("%s: no secrets there", path);
        (void)fclose(file);
        for (line = strtok_r(answers.text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
                char *space = strchr(line, ' ');

                if (!space)
                        bench_die("%s: a line without a user", path);
                *space = '\0';
                answers.list = realloc(answers.list, (answers.n + 1) * sizeof(Answer));
                if (!answers.list)
                        bench_die("out of memory");
                answers.list[answers.n++] = (Answer){line, space + 1};
        }
        *ret = answers;
}

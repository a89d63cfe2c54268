/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pamtime FOLDER USER N - logs in N times to sshd through libpam, authentication and account, by the stack in
 * FOLDER and with the token that it reads from standard input. Prints for each the microseconds it took; exit
 * status 1: one was refused. */
#include <security/pam_appl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int converse(int n, const struct pam_message **messages, struct pam_response **ret,
                    void *userdata)
{
        *ret = calloc((size_t)n, sizeof(**ret));
        if (!*ret)
                return PAM_BUF_ERR;
        for (int i = 0; i < n; i++)
                if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF)
                        (*ret)[i].resp = strdup(userdata);
        return PAM_SUCCESS;
}

static int64_t now_usec(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int log_in(const char *folder, const char *user, char *token)
{
        const struct pam_conv conversation = {converse, token};
        pam_handle_t *handle = NULL;
        int r;

        r = pam_start_confdir("sshd", user, &conversation, folder, &handle);
        if (r == PAM_SUCCESS)
                r = pam_authenticate(handle, 0);
        if (r == PAM_SUCCESS)
                r = pam_acct_mgmt(handle, 0);
        if (handle)
                (void)pam_end(handle, r);
        return r;
}

int main(int argc, char *argv[])
{
        char token[128] = "";

        if (argc != 4 || !fgets(token, sizeof(token), stdin))
                return 2;
        token[strcspn(token, "\n")] = '\0';
        for (int i = 0; i < atoi(argv[3]); i++) {
                int64_t before = now_usec();
                int r = log_in(argv[1], argv[2], token);

                if (r != PAM_SUCCESS) {
                        fprintf(stderr, "pamtime: login %d: %d\n", i, r);
                        return 1;
                }
                printf("%lld\n", (long long)(now_usec() - before));
        }
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The login of a drill: a PAM application like login(1), without a terminal and without a person.
 * `credd-drill USER` reads a token from standard input, opens a session of the service "login" with
 * it, leaves one process of the user in it, and waits to be ended. It says on standard output how far
 * it came, one word a line: "authenticated", "opened".
 *
 * It is root's to run, from a system service: pam_systemd makes no session inside another one. It
 * decides nothing; who gives it a token that is not good gets no further than who types it. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "common/cleanup.h"
#include "common/secret.h"

#define SERVICE "login"

/* The token is given once: a second question is another module's, and gets nothing. */
typedef struct Talk {
        Secret token;
        bool given;
} Talk;

static void talk_done(Talk *talk)
{
        secret_done(&talk->token);
}

static char *answer(Talk *talk, const struct pam_message *message)
{
        if (message->msg_style != PAM_PROMPT_ECHO_OFF || talk->given)
                return message->msg_style == PAM_PROMPT_ECHO_OFF ? strdup("") : NULL;
        talk->given = true;
        return strdup(talk->token.text);
}

static int converse(int n, const struct pam_message **messages, struct pam_response **ret,
                    void *userdata)
{
        struct pam_response *responses;

        if (n <= 0 || n > PAM_MAX_NUM_MSG)
                return PAM_CONV_ERR;
        responses = calloc((size_t)n, sizeof(*responses));
        if (!responses)
                return PAM_BUF_ERR;
        for (int i = 0; i < n; i++)
                responses[i].resp = answer(userdata, messages[i]);
        *ret = responses;
        return PAM_SUCCESS;
}

static int read_token(Secret *ret)
{
        char line[SECRET_MAX + 2];
        int r = -EINVAL;

        if (fgets(line, sizeof(line), stdin))
                r = secret_set(ret, line, strcspn(line, "\n"));
        secret_erase(line, sizeof(line));
        return r;
}

static void say(const char *word)
{
        (void)puts(word);
        (void)fflush(stdout);
}

static int fail(pam_handle_t *handle, const char *doing, int error)
{
        (void)fprintf(stderr, "%s: %s\n", doing, pam_strerror(handle, error));
        return EXIT_FAILURE;
}

/* What a login leaves in its session: a process of the user. Ends with its parent too, so that a drill
 * that fails leaves nobody. */
static pid_t start_canary(const struct passwd *user)
{
        pid_t pid = fork();

        if (pid != 0)
                return pid;
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (initgroups(user->pw_name, user->pw_gid) < 0 || setgid(user->pw_gid) < 0 ||
            setuid(user->pw_uid) < 0)
                _exit(EXIT_FAILURE);
        for (;;)
                (void)pause();
}

static int wait_for_the_end(const struct passwd *user)
{
        pid_t canary = start_canary(user);

        if (canary < 0) {
                (void)fprintf(stderr, "fork: %s\n", strerror(errno));
                return EXIT_FAILURE;
        }
        say("opened");
        /* The end comes as a signal. If the canary goes first, it is on its way. */
        (void)waitpid(canary, NULL, 0);
        for (;;)
                (void)pause();
}

static int log_in(pam_handle_t *handle, const struct passwd *user)
{
        int r;

        r = pam_authenticate(handle, 0);
        if (r != PAM_SUCCESS)
                return fail(handle, "pam_authenticate", r);
        say("authenticated");
        r = pam_acct_mgmt(handle, 0);
        if (r != PAM_SUCCESS)
                return fail(handle, "pam_acct_mgmt", r);
        r = pam_setcred(handle, PAM_ESTABLISH_CRED);
        if (r != PAM_SUCCESS)
                return fail(handle, "pam_setcred", r);
        r = pam_open_session(handle, 0);
        if (r != PAM_SUCCESS)
                return fail(handle, "pam_open_session", r);
        return wait_for_the_end(user);
}

int main(int argc, char *argv[])
{
        CLEANUP(talk_done) Talk talk = {0};
        struct pam_conv conversation = {converse, &talk};
        const struct passwd *entry = argc == 2 ? getpwnam(argv[1]) : NULL;
        pam_handle_t *handle = NULL;
        struct passwd user;
        int r;

        (void)prctl(PR_SET_DUMPABLE, 0);
        if (!entry || entry->pw_uid == 0) {
                (void)fputs("usage: credd-drill USER, the token on standard input\n", stderr);
                return 2;
        }
        /* What getpwnam() gave is anybody's as soon as a module looks somebody up. */
        user = (struct passwd){
                .pw_name = argv[1], .pw_uid = entry->pw_uid, .pw_gid = entry->pw_gid};
        if (read_token(&talk.token) < 0) {
                (void)fputs("no token on standard input\n", stderr);
                return EXIT_FAILURE;
        }
        r = pam_start(SERVICE, user.pw_name, &conversation, &handle);
        if (r != PAM_SUCCESS)
                return fail(handle, "pam_start", r);
        r = log_in(handle, &user);
        (void)pam_end(handle, PAM_ABORT);
        return r;
}

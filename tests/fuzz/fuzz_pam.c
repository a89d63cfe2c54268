/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The module inside a real libpam, with a conversation and a credd by plan. The input is lines:
 *
 *      the words behind pam_ephemeral.so in the stack
 *      a letter for the service (s sshd, l login), one for the user (d, m and r are there, e makes NSS
 *      fail), p if an earlier module has asked already, and the remote host
 *      what is typed; "!": the conversation fails; "?": it answers nothing
 *      CREDD_LOGIN as it stands in the environment before; empty: it does not
 *      what credd answers, one line a connection: + a message, - the same cut off, else nobody is there
 *
 * Authentication, account and session are gone through, whatever comes of each. Nobody is let in but by
 * an answer that says so; what is no token is never sent; no log line has what was typed. */
#include "tests/fuzz/fuzz.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <security/pam_appl.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stdarg.h>
#include <sys/socket.h>

#include "common/varlink.h"
#include "pam_ephemeral/options.h"
#include "pam_ephemeral/prompt.h"
#include "pam_ephemeral/reply.h"
#include "tests/fuzz/folder.h"

#define CALLS_MAX 8
#define WORDS_MAX 12

typedef struct Line {
        char *text;
        size_t len;
} Line;

typedef struct Call {
        int fd;           /* credd's end; -1: nobody was there */
        const Line *plan; /* what it answers */
} Call;

typedef struct Scene {
        Line options, scene, typed, planted, replies[CALLS_MAX];
        size_t n_replies;
        char words_text[256], *words[WORDS_MAX];
        int n_words;
        Options read; /* what the words mean */
        const char *service, *user, *rhost;
        bool codes;
        pam_handle_t *pamh;
        Call calls[CALLS_MAX];
        size_t n_calls;
        unsigned asked;
        bool has_authtok; /* when the account was looked at */
        char authtok[PAM_MAX_RESP_SIZE + 1];
} Scene;

/* The functions below stand before those of libc and libpam, and have no other way to it. */
static Scene *scene;

/* --- the world --- */

int audit_open(void);

int getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t size,
               struct passwd **ret)
{
        (void)size;
        *ret = NULL;
        if (strcmp(name, "erika") == 0)
                return EIO;
        if (strcmp(name, "deploy") != 0 && strcmp(name, "maria") != 0 && strcmp(name, "root") != 0)
                return 0;
        buffer[0] = '\0';
        *entry = (struct passwd){.pw_name = buffer, .pw_uid = name[0] == 'r' ? 0 : 1001};
        entry->pw_gid = entry->pw_uid;
        *ret = entry;
        return 0;
}

int getgrnam_r(const char *name, struct group *entry, char *buffer, size_t size, struct group **ret)
{
        static char maria[] = "maria", *members[] = {maria, NULL};

        (void)buffer;
        (void)size;
        *ret = NULL;
        if (strcmp(name, "staff") != 0)
                return 0;
        *entry = (struct group){.gr_gid = 2001, .gr_mem = members};
        *ret = entry;
        return 0;
}

int getgrouplist(const char *user, gid_t group, gid_t *groups, int *count)
{
        (void)user;
        groups[0] = group;
        *count = 1;
        return 1;
}

/* libpam tells the kernel of each login, which is not meant for its record and keeps us waiting: as if the
 * kernel had none. */
int audit_open(void)
{
        errno = EPROTONOSUPPORT;
        return -1;
}

/* credd's end of a pair of sockets has said all it will say before the module is connected. */
int connect(int fd, const struct sockaddr *address, socklen_t len)
{
        Call *call = &scene->calls[scene->n_calls];
        int ends[2];

        (void)address;
        (void)len;
        must(scene->n_calls < CALLS_MAX);
        *call = (Call){.fd = -1};
        if (scene->n_calls < scene->n_replies)
                call->plan = &scene->replies[scene->n_calls];
        scene->n_calls++;
        if (!call->plan || call->plan->len == 0 || !strchr("+-", call->plan->text[0])) {
                errno = ECONNREFUSED;
                return -1;
        }
        must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
        must(send(ends[0], call->plan->text + 1, call->plan->len - (call->plan->text[0] == '-'),
                  MSG_NOSIGNAL) >= 0);
        must(shutdown(ends[0], SHUT_WR) == 0);
        must(dup3(ends[1], fd, O_CLOEXEC) == fd);
        (void)close(ends[1]);
        call->fd = ends[0];
        return 0;
}

/* A character that none of the texts of the module has, and that is no part of what root wrote. */
static bool is_marked(void)
{
        return strchr(scene->typed.text, '~') && !strchr(scene->options.text, '~') &&
               !strchr(scene->scene.text, '~');
}

void pam_syslog(const pam_handle_t *pamh, int priority, const char *format, ...)
{
        char text[1024];
        va_list ap;

        (void)pamh;
        (void)priority;
        va_start(ap, format);
        (void)vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        must(!is_marked() || !strchr(text, '~'));
        must(!strstr(text, "eph_") || strstr(scene->options.text, "eph_"));
}

/* --- the host program --- */

static void on_probe(void)
{
        const void *authtok = NULL;

        must(pam_get_item(scene->pamh, PAM_AUTHTOK, &authtok) == PAM_SUCCESS);
        scene->has_authtok = authtok != NULL;
        (void)snprintf(scene->authtok, sizeof(scene->authtok), "%s",
                       authtok ? (const char *)authtok : "");
}

static int on_question(struct pam_response *response)
{
        scene->asked++;
        if (strcmp(scene->typed.text, "!") == 0)
                return PAM_CONV_ERR;
        if (strcmp(scene->typed.text, "?") == 0)
                return PAM_SUCCESS;
        response->resp = strdup(scene->typed.text);
        must(response->resp);
        return PAM_SUCCESS;
}

/* libpam takes whoever speaks here for a module, so a line of pam_echo in the stack is a look behind
 * the scene, or a hand there. */
static int on_message(int count, const struct pam_message **messages,
                      struct pam_response **ret_responses, void *data)
{
        struct pam_response *response = calloc(1, sizeof(*response));
        const char *text = messages[0]->msg;
        int r = PAM_SUCCESS;

        (void)data;
        must(response && count == 1);
        if (messages[0]->msg_style == PAM_PROMPT_ECHO_OFF)
                r = on_question(response);
        else if (strncmp(text, "probe", 5) == 0)
                on_probe();
        else if (strncmp(text, "plant", 5) == 0)
                must(pam_set_item(scene->pamh, PAM_AUTHTOK, scene->typed.text) == PAM_SUCCESS);
        else
                must(strncmp(text, "Access ends at ", 15) == 0);
        if (r != PAM_SUCCESS)
                free(response);
        *ret_responses = r == PAM_SUCCESS ? response : NULL;
        return r;
}

static void on_delay(int status, unsigned usec, void *data)
{
        (void)status;
        (void)usec;
        (void)data;
}

/* The module that was built beside us, held so that libpam's unloading does not lose it. */
static const char *module_path(void)
{
        static char path[4096];
        ssize_t n;

        if (path[0])
                return path;
        n = readlink("/proc/self/exe", path, sizeof(path) - 64);
        must(n > 0);
        path[n] = '\0';
        for (int i = 0; i < 3; i++)
                *strrchr(path, '/') = '\0';
        (void)strcat(path, "/pam_ephemeral/pam_ephemeral.so");
        if (!dlopen(path, RTLD_NOW | RTLD_NODELETE))
                (void)fprintf(stderr, "%s\n", dlerror());
        must(dlopen(path, RTLD_NOW | RTLD_NOLOAD));
        return path;
}

/* libpam does not return what a module wants ignored; pam_deny says it, with a code of its own. */
#define ACCOUNT_IGNORED PAM_AUTH_ERR

static void write_stack(void)
{
        bool planted = scene->scene.len > 2 && scene->scene.text[2] == 'p';
        char path[64];
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s/%s", fuzz_folder(), scene->service);
        f = fopen(path, "we");
        must(f);
        must(fprintf(f,
                     "%s"
                     "auth [success=done default=die] %s %s\n"
                     "account optional pam_echo.so probe\n"
                     "account [success=done ignore=ignore default=die] %s %s\n"
                     "account required pam_deny.so\n"
                     "session [success=done default=die] %s %s\n",
                     planted ? "auth optional pam_echo.so plant\n" : "", module_path(),
                     scene->options.text, module_path(), scene->options.text, module_path(),
                     scene->options.text) > 0);
        must(fclose(f) == 0);
}

static void start(void)
{
        const struct pam_conv conversation = {.conv = on_message};
        void (*delay)(int, unsigned, void *) = on_delay;
        const void *item;
        AUTO_FREE char *variable = NULL;

        write_stack();
        must(pam_start_confdir(scene->service, scene->user, &conversation, fuzz_folder(),
                               &scene->pamh) == PAM_SUCCESS);
        memcpy(&item, &delay, sizeof(item));
        must(pam_set_item(scene->pamh, PAM_FAIL_DELAY, item) == PAM_SUCCESS);
        must(pam_set_item(scene->pamh, PAM_TTY, "ssh") == PAM_SUCCESS);
        must(pam_set_item(scene->pamh, PAM_RHOST, scene->rhost) == PAM_SUCCESS);
        must(asprintf(&variable, "CREDD_LOGIN=%s", scene->planted.text) > 0);
        if (scene->planted.len > 0)
                must(pam_putenv(scene->pamh, variable) == PAM_SUCCESS);
}

/* --- the input --- */

/* Words as libpam takes them, so that this file and the module read the same. */
static void read_options(void)
{
        char *rest = scene->words_text, *word;

        for (char *c = scene->options.text; *c; c++)
                if (*c < ' ' || strchr("\t\r[]#\\\"'", *c))
                        *c = '_';
        (void)snprintf(scene->words_text, sizeof(scene->words_text), "%s", scene->options.text);
        scene->options.text[strlen(scene->words_text)] = '\0';
        while (scene->n_words < WORDS_MAX && (word = strtok_r(rest, " ", &rest)))
                scene->words[scene->n_words++] = word;
        if (scene->n_words == WORDS_MAX) /* what follows is not read */
                scene->options.text[scene->words[WORDS_MAX - 1] - scene->words_text] = '\0';
        if (scene->n_words == WORDS_MAX)
                scene->n_words--;
        (void)options_from_argv(scene->n_words, (const char *const *)scene->words, &scene->read);
}

static const char *user_of(char letter)
{
        switch (letter) {
        case 'r':
                return "root";
        case 'm':
                return "maria";
        case 'e':
                return "erika";
        case 'd':
                return "deploy";
        default:
                return "nobody~there";
        }
}

static void read_scene(void)
{
        const char *text = scene->scene.text;
        size_t len = scene->scene.len;

        scene->service = len > 0 && text[0] == 's'   ? "sshd"
                         : len > 0 && text[0] == 'l' ? "login"
                                                     : "cron";
        scene->user = user_of(len > 1 ? text[1] : 'd');
        scene->rhost = len > 3 ? text + 3 : "";
        scene->codes = strcmp(scene->service, "login") == 0 && *scene->rhost == '\0';
        if (strlen(scene->typed.text) >= PAM_MAX_RESP_SIZE)
                scene->typed.text[PAM_MAX_RESP_SIZE - 1] = '\0';
}

static void take_line(FuzzInput *input, Line *line)
{
        if (fuzz_text(input, '\n', &line->text, &line->len))
                return;
        line->text = calloc(1, 1);
        must(line->text);
}

static void read_input(FuzzInput *input)
{
        take_line(input, &scene->options);
        take_line(input, &scene->scene);
        take_line(input, &scene->typed);
        take_line(input, &scene->planted);
        while (scene->n_replies < CALLS_MAX && input->left > 0)
                take_line(input, &scene->replies[scene->n_replies++]);
        read_options();
        read_scene();
}

static void forget_input(void)
{
        free(scene->options.text);
        free(scene->scene.text);
        free(scene->typed.text);
        free(scene->planted.text);
        for (size_t i = 0; i < scene->n_replies; i++)
                free(scene->replies[i].text);
        for (size_t i = 0; i < scene->n_calls; i++)
                if (scene->calls[i].fd >= 0)
                        (void)close(scene->calls[i].fd);
}

/* --- what must hold --- */

static bool is_known(void)
{
        return strcmp(scene->user, "deploy") == 0 || strcmp(scene->user, "maria") == 0 ||
               strcmp(scene->user, "root") == 0;
}

static bool is_aside(void)
{
        uid_t uid = strcmp(scene->user, "root") == 0 ? 0 : 1001;

        return !options_serve(&scene->read, scene->service) ||
               (is_known() && uid < scene->read.min_uid);
}

static bool is_fault(void)
{
        return !is_aside() && (scene->read.wrong || strcmp(scene->user, "erika") == 0);
}

/* Whether the answer to this call says yes to that verb. */
static bool says_yes(const Call *call, LoginVerb verb)
{
        Reply reply;
        size_t len;

        if (call->fd < 0 || !call->plan)
                return false;
        /* The line has its NUL, which '-' does not send; one within ends the message sooner. */
        len = strlen(call->plan->text + 1);
        if (call->plan->text[0] == '-' && len + 1 == call->plan->len)
                return false;
        return reply_parse(call->plan->text + 1, len, verb, &reply) == 0 &&
               reply.error == REPLY_NONE;
}

/* What was sent, if anybody was there to read it. */
static void check_sent(const Call *call, const char *method, const char *name, const char *token)
{
        CLEANUP(varlink_call_done) VarlinkCall sent = {0};
        char text[8192];
        const char *proof;
        ssize_t n;

        if (call->fd < 0)
                return;
        n = recv(call->fd, text, sizeof(text), MSG_DONTWAIT);
        must(n > 1 && (size_t)n < sizeof(text) && text[n - 1] == '\0');
        must(varlink_call_decode(text, (size_t)n - 1, &sent) == 0);
        must(strcmp(sent.method, method) == 0);
        must(strcmp(json_string_value(json_object_get(sent.parameters, "user")), scene->user) == 0);
        must(json_integer_value(json_object_get(sent.parameters, "uid")) ==
             (strcmp(scene->user, "root") == 0 ? 0 : 1001));
        proof = json_string_value(json_object_get(sent.parameters, name));
        must(!token || (proof && strcmp(proof, token) == 0));
        must(token || !is_marked() || !strchr(text, '~'));
}

static void check_authtok(int result, bool is_token)
{
        bool planted = scene->scene.len > 2 && scene->scene.text[2] == 'p';

        if (result == PAM_SUCCESS)
                must(!scene->has_authtok);
        if (result == PAM_CRED_INSUFFICIENT && scene->asked > 0)
                must(scene->has_authtok && strcmp(scene->authtok, scene->typed.text) == 0);
        if (is_token && !is_aside() && !is_fault() && (scene->asked > 0 || planted) &&
            (scene->asked > 0 || scene->read.first_pass != FIRST_PASS_ASK))
                must(!scene->has_authtok);
}

/* Returns what authentication must have come to. */
static int expected_auth(bool is_token)
{
        bool planted = scene->scene.len > 2 && scene->scene.text[2] == 'p';
        bool first = scene->read.first_pass != FIRST_PASS_ASK && planted;

        if (is_aside())
                return PAM_CRED_INSUFFICIENT;
        if (is_fault())
                return PAM_SYSTEM_ERR;
        if (!first && scene->read.first_pass == FIRST_PASS_USE)
                return PAM_CRED_INSUFFICIENT;
        if (!first && (strcmp(scene->typed.text, "!") == 0 || strcmp(scene->typed.text, "?") == 0))
                return PAM_SYSTEM_ERR;
        if (!is_token)
                return PAM_CRED_INSUFFICIENT;
        if (!is_known())
                return PAM_AUTH_ERR;
        return PAM_SUCCESS; /* if credd says so */
}

static void authenticate(void)
{
        Secret token = {.len = 0};
        bool is_token =
                prompt_is_token(scene->typed.text, strlen(scene->typed.text), scene->codes, &token);
        int want = expected_auth(is_token), is = pam_authenticate(scene->pamh, 0);

        if (want != PAM_SUCCESS) {
                must(is == want && scene->n_calls == 0);
                return;
        }
        /* What the host program gave may be nothing that can be sent. */
        if (scene->n_calls == 0) {
                must(is == PAM_SYSTEM_ERR);
                return;
        }
        must(scene->n_calls == 1);
        check_sent(&scene->calls[0], "io.credd.Login.Authenticate", "token", token.text);
        must((is == PAM_SUCCESS) == says_yes(&scene->calls[0], LOGIN_VERB_AUTHENTICATE));
        must(is == PAM_SUCCESS || is == PAM_AUTH_ERR || is == PAM_AUTHINFO_UNAVAIL);
        must(is != PAM_SUCCESS || pam_getenv(scene->pamh, "CREDD_LOGIN"));
}

static void account(int authenticated, bool is_token)
{
        size_t before = scene->n_calls;
        int is = pam_acct_mgmt(scene->pamh, 0);
        const Call *last = &scene->calls[scene->n_calls > 0 ? scene->n_calls - 1 : 0];

        check_authtok(authenticated, is_token);
        must(scene->n_calls - before <= 1);
        if (is_aside())
                must(is == ACCOUNT_IGNORED && scene->n_calls == before);
        else if (is_fault())
                must(is == PAM_SYSTEM_ERR && scene->n_calls == before);
        else if (is == PAM_SUCCESS)
                must(scene->n_calls == before ? authenticated == PAM_SUCCESS
                                              : says_yes(last, LOGIN_VERB_CHECK_ACCOUNT));
        else
                must(is == PAM_ACCT_EXPIRED || is == PAM_PERM_DENIED ||
                     is == PAM_AUTHINFO_UNAVAIL || is == ACCOUNT_IGNORED || is == PAM_SYSTEM_ERR);
        if (scene->n_calls > before)
                check_sent(last, "io.credd.Login.CheckAccount", "login", NULL);
        /* Who must come with a credential and did not is not ignored but by credd's word. */
        if (is == ACCOUNT_IGNORED && !is_aside() && strcmp(scene->user, "maria") == 0 &&
            scene->read.require_group)
                must(says_yes(last, LOGIN_VERB_CHECK_ACCOUNT));
}

static void session(int authenticated)
{
        bool nonce = pam_getenv(scene->pamh, "CREDD_LOGIN") != NULL;
        size_t before = scene->n_calls;
        int is = pam_open_session(scene->pamh, 0);
        const Call *last = &scene->calls[scene->n_calls > 0 ? scene->n_calls - 1 : 0];

        must(scene->n_calls - before <= 2);
        if (is_aside()) {
                must(is == PAM_SUCCESS && scene->n_calls == before);
                return;
        }
        if (is_fault()) {
                must(is == PAM_SYSTEM_ERR && scene->n_calls == before);
                return;
        }
        must(!pam_getenv(scene->pamh, "CREDD_LOGIN"));
        must(is == PAM_SUCCESS || is == PAM_SESSION_ERR || is == PAM_SYSTEM_ERR);
        if (is == PAM_SUCCESS && scene->n_calls > before) {
                must(says_yes(last, LOGIN_VERB_OPEN_SESSION));
                must(pam_getenv(scene->pamh, "CREDD_CREDENTIAL"));
                must(pam_getenv(scene->pamh, "CREDD_EXPIRES"));
        }
        if (is == PAM_SUCCESS && scene->n_calls == before)
                must(!nonce && authenticated != PAM_SUCCESS);
        if (scene->n_calls > before)
                check_sent(last, "io.credd.Login.OpenSession", "login", NULL);
}

/* These two know nothing of a login, so they are asked without libpam, which remembers what a stack came
 * to before. */
static void check_stateless(void)
{
        void *module = dlopen(module_path(), RTLD_NOW | RTLD_NOLOAD);
        int (*setcred)(pam_handle_t *, int, int, const char **);
        int (*close_session)(pam_handle_t *, int, int, const char **);

        must(module);
        *(void **)&setcred = dlsym(module, "pam_sm_setcred");
        *(void **)&close_session = dlsym(module, "pam_sm_close_session");
        must(setcred && setcred(scene->pamh, PAM_ESTABLISH_CRED, 0, NULL) == PAM_SUCCESS);
        must(close_session && close_session(scene->pamh, 0, 0, NULL) == PAM_SUCCESS);
        (void)dlclose(module);
}

static int lowest_free_fd(void)
{
        int fd = dup(STDERR_FILENO);

        must(fd >= 0);
        (void)close(fd);
        return fd;
}

/* Before libFuzzer looks what it has to cover. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
        (void)argc;
        (void)argv;
        (void)module_path();
        (void)fuzz_folder();
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        FuzzInput input = {data, size};
        Scene now = {0};
        Secret token = {.len = 0};
        bool is_token;
        int authenticated, fd;

        fd = lowest_free_fd();
        scene = &now;
        read_input(&input);
        start();
        is_token =
                prompt_is_token(scene->typed.text, strlen(scene->typed.text), scene->codes, &token);
        authenticate();
        authenticated = scene->n_calls > 0 && says_yes(&scene->calls[0], LOGIN_VERB_AUTHENTICATE)
                                ? PAM_SUCCESS
                                : PAM_AUTH_ERR;
        account(authenticated, is_token);
        session(authenticated);
        check_stateless();
        must(pam_end(scene->pamh, PAM_SUCCESS) == PAM_SUCCESS);
        forget_input();
        must(lowest_free_fd() == fd);
        scene = NULL;
        return 0;
}

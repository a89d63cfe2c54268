/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stage for the module: a real libpam that reads stacks from a folder of ours, a conversation
 * that notes what it is asked, and a fake credd in a child that answers by plan and notes what it
 * is sent. A header, not a library, because each test program here is one source file.
 *
 * Two ways to see what only modules may see. Within the conversation libpam still takes the caller
 * for a module, so a line "pam_echo.so probe" in a stack lets on_message() read PAM_AUTHTOK and
 * pam_systemd's data at that very place; "pam_echo.so plant" lets it put a PAM_AUTHTOK there, as an
 * earlier module would. Two functions below stand before those of
 * libpam and libc: pam_syslog(), so each log line is seen, and clock_gettime(), so time can pass
 * without anybody waiting. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <jansson.h>
#include <pwd.h>
#include <security/pam_appl.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/token.h"
#include "tests/pam/fake.h"

#define PASSWORD "correct horse"
#define NOBODY   "no.such-user_77"

typedef struct Stage {
        char folder[32];
        Fake credd;
        char user[64], group[64], other[64], other_group[64];
        uid_t uid;
        char token[TOKEN_TEXT_LEN + 1];
        pam_handle_t *pamh;
        /* the conversation */
        const char *answer;   /* NULL: the conversation fails */
        bool null_answer;     /* it succeeds with nothing */
        uint64_t thinks_usec; /* so long the person takes, in whole seconds */
        unsigned asked;
        char question[128];
        unsigned told;
        char text[256];
        /* what stood there when a probe line was reached */
        unsigned probes;
        bool has_authtok;
        char authtok[1024];
        char backstop[32];
        /* the delay libpam was to make, instead of making it */
        unsigned delay_usec;
} Stage;

/* --- log and clock --- */

static struct {
        unsigned errors;
        size_t len;
        char text[16384];
} stage_log;

static inline void stage_note_log(int priority, const char *fmt, va_list args)
{
        int n;

        stage_log.errors += priority <= LOG_ERR;
        n = vsnprintf(stage_log.text + stage_log.len, sizeof(stage_log.text) - stage_log.len - 1,
                      fmt, args);
        if (n < 0 || stage_log.len + (size_t)n + 2 > sizeof(stage_log.text))
                abort();
        stage_log.len += (size_t)n;
        stage_log.text[stage_log.len++] = '\n';
        stage_log.text[stage_log.len] = '\0';
}

static uint64_t stage_ahead_usec; /* of the real CLOCK_MONOTONIC, in whole seconds */

#ifndef STAGE_SHIM /* tests/fault/shim.c has both */
void pam_syslog(const pam_handle_t *pamh, int priority, const char *fmt, ...)
{
        va_list args;

        (void)pamh;
        va_start(args, fmt);
        stage_note_log(priority, fmt, args);
        va_end(args);
}

int clock_gettime(clockid_t clock, struct timespec *ret_now)
{
        long r = syscall(SYS_clock_gettime, clock, ret_now);

        if (r == 0 && clock == CLOCK_MONOTONIC)
                ret_now->tv_sec += (time_t)(stage_ahead_usec / USEC_PER_SEC);
        return (int)r;
}
#endif

/* --- the conversation --- */

static inline void on_probe(Stage *stage)
{
        const void *authtok = NULL, *backstop = NULL;

        stage->probes++;
        assert_int_equal(pam_get_item(stage->pamh, PAM_AUTHTOK, &authtok), PAM_SUCCESS);
        stage->has_authtok = authtok != NULL;
        (void)snprintf(stage->authtok, sizeof(stage->authtok), "%s",
                       authtok ? (const char *)authtok : "");
        if (pam_get_data(stage->pamh, "systemd.runtime_max_sec", &backstop) != PAM_SUCCESS)
                backstop = NULL;
        (void)snprintf(stage->backstop, sizeof(stage->backstop), "%s",
                       backstop ? (const char *)backstop : "");
}

static inline void on_text(Stage *stage, const char *text)
{
        if (strncmp(text, "probe", 5) == 0) {
                on_probe(stage);
        } else if (strncmp(text, "plant", 5) == 0) {
                assert_int_equal(pam_set_item(stage->pamh, PAM_AUTHTOK, stage->answer),
                                 PAM_SUCCESS);
        } else {
                stage->told++;
                (void)snprintf(stage->text, sizeof(stage->text), "%s", text);
        }
}

static inline int on_message(int count, const struct pam_message **messages,
                             struct pam_response **ret_responses, void *data)
{
        struct pam_response *responses = calloc((size_t)count, sizeof(*responses));
        Stage *stage = data;

        if (!responses)
                return PAM_BUF_ERR;
        *ret_responses = responses;
        for (int i = 0; i < count; i++) {
                if (messages[i]->msg_style == PAM_TEXT_INFO) {
                        on_text(stage, messages[i]->msg);
                        continue;
                }
                assert_int_equal(messages[i]->msg_style, PAM_PROMPT_ECHO_OFF);
                stage->asked++;
                stage_ahead_usec += stage->thinks_usec;
                (void)snprintf(stage->question, sizeof(stage->question), "%s", messages[i]->msg);
                if (!stage->answer && !stage->null_answer) {
                        free(responses);
                        *ret_responses = NULL;
                        return PAM_CONV_ERR;
                }
                if (!stage->null_answer)
                        responses[i].resp = strdup(stage->answer);
        }
        return PAM_SUCCESS;
}

static inline void on_delay(int status, unsigned usec, void *data)
{
        (void)status;
        ((Stage *)data)->delay_usec = usec;
}

/* --- stacks and handles --- */

/* Another credd, with a clean record and a clean log. */
static inline void stage_credd(Stage *stage, Plan plan)
{
        fake_start(&stage->credd, plan);
        memset(&stage_log, 0, sizeof(stage_log));
}

/* Each % in lines becomes the module and its socket. */
static inline void stage_stack(const Stage *stage, const char *service, const char *lines)
{
        char path[128];
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s/%s", stage->folder, service);
        f = fopen(path, "we");
        assert_non_null(f);
        for (const char *p = lines; *p; p++) {
                if (*p == '%')
                        assert_true(fprintf(f, "%s socket=%s", getenv("MODULE"),
                                            stage->credd.socket) > 0);
                else
                        assert_int_equal(fputc(*p, f), *p);
        }
        assert_int_equal(fclose(f), 0);
}

static inline void stage_end(Stage *stage)
{
        if (stage->pamh)
                assert_int_equal(pam_end(stage->pamh, PAM_SUCCESS), PAM_SUCCESS);
        stage->pamh = NULL;
}

/* A new handle, as a new login has one. */
static inline void stage_start(Stage *stage, const char *service, const char *user)
{
        struct pam_conv conversation = {.conv = on_message, .appdata_ptr = stage};
        void (*delay)(int, unsigned, void *) = on_delay;
        const void *item = NULL;

        stage_end(stage);
        stage->asked = stage->told = stage->probes = stage->delay_usec = 0;
        stage->text[0] = stage->question[0] = stage->authtok[0] = stage->backstop[0] = '\0';
        stage->has_authtok = false;
        assert_int_equal(
                pam_start_confdir(service, user, &conversation, stage->folder, &stage->pamh),
                PAM_SUCCESS);
        memcpy(&item, &delay, sizeof(item)); /* libpam wants the function as a data pointer */
        assert_int_equal(pam_set_item(stage->pamh, PAM_FAIL_DELAY, item), PAM_SUCCESS);
        assert_int_equal(pam_set_item(stage->pamh, PAM_TTY, "ssh"), PAM_SUCCESS);
        assert_int_equal(pam_set_item(stage->pamh, PAM_RHOST, "192.0.2.7"), PAM_SUCCESS);
}

/* Writes the stack and starts a login of the usual user through it. */
static inline void stage_login(Stage *stage, const char *lines, const char *answer)
{
        stage_stack(stage, "sshd", lines);
        stage->answer = answer;
        stage->null_answer = false;
        stage_start(stage, "sshd", stage->user);
}

static inline const char *stage_env(const Stage *stage, const char *name)
{
        return pam_getenv(stage->pamh, name);
}

/* --- what was sent --- */

static inline void assert_sent(Stage *stage, unsigned calls)
{
        fake_settle(&stage->credd);
        assert_int_equal(stage->credd.record->connections, calls);
        assert_int_equal(stage->credd.record->calls, calls);
}

/* The n-th call is of the method and proves itself with member = proof, null if that is NULL; all else
 * is in it too. */
static inline void assert_call(const Stage *stage, unsigned n, const char *user, const char *method,
                               const char *member, const char *proof)
{
        json_t *root = json_loads(stage->credd.record->text[n], JSON_REJECT_DUPLICATES, NULL);
        const char *name, *who, *service, *tty, *rhost, *given = NULL;
        json_t *value = NULL;
        int uid = -1;

        assert_non_null(root);
        assert_int_equal(json_unpack_ex(root, NULL, JSON_STRICT,
                                        "{s:s,s:{s:s,s:i,s:s,s:s,s:s,s:o}}", "method", &name,
                                        "parameters", "user", &who, "uid", &uid, "service",
                                        &service, "tty", &tty, "rhost", &rhost, member, &value),
                         0);
        given = json_string_value(value);
        assert_string_equal(name, method);
        assert_string_equal(who, user);
        assert_string_equal(service, "sshd");
        assert_string_equal(tty, "ssh");
        assert_string_equal(rhost, "192.0.2.7");
        if (proof)
                assert_string_equal(given, proof);
        else
                assert_true(json_is_null(value));
        if (strcmp(user, stage->user) == 0)
                assert_int_equal(uid, stage->uid);
        json_decref(root);
}

static inline void assert_not_logged(const char *secret)
{
        if (strstr(stage_log.text, secret))
                fail_msg("in the log: %s", stage_log.text);
}

static inline unsigned count_descriptors(void)
{
        DIR *folder = opendir("/proc/self/fd");
        unsigned n = 0;

        assert_non_null(folder);
        while (readdir(folder))
                n++;
        (void)closedir(folder);
        return n;
}

/* --- set up and take down --- */

/* Two accounts that every machine has. Which ones does not matter: nobody really logs in. */
static inline void stage_people(Stage *stage)
{
        struct passwd *entry;
        struct group *group;

        entry = getpwuid(0);
        assert_non_null(entry);
        (void)snprintf(stage->other, sizeof(stage->other), "%s", entry->pw_name);
        group = getgrgid(entry->pw_gid);
        assert_non_null(group);
        (void)snprintf(stage->other_group, sizeof(stage->other_group), "%s", group->gr_name);
        setpwent();
        do
                entry = getpwent();
        while (entry && (entry->pw_uid == 0 || entry->pw_gid == 0));
        assert_non_null(entry);
        (void)snprintf(stage->user, sizeof(stage->user), "%s", entry->pw_name);
        stage->uid = entry->pw_uid;
        group = getgrgid(entry->pw_gid);
        assert_non_null(group);
        (void)snprintf(stage->group, sizeof(stage->group), "%s", group->gr_name);
        endpwent();
        assert_null(getpwnam(NOBODY));
}

static inline int stage_setup(void **state)
{
        Stage *stage = calloc(1, sizeof(*stage));
        uint8_t random[TOKEN_RANDOM_LEN];
        Token token;

        assert_non_null(stage);
        stage_ahead_usec = 0;
        if (!getenv("MODULE") || access(getenv("MODULE"), R_OK) < 0)
                fail_msg("MODULE=/absolute/path/of/pam_ephemeral.so is not set or cannot be read");
        (void)snprintf(stage->folder, sizeof(stage->folder), "/tmp/pam-stage-XXXXXX");
        assert_non_null(mkdtemp(stage->folder));
        fake_init(&stage->credd, stage->folder);
        for (size_t i = 0; i < sizeof(random); i++)
                random[i] = (uint8_t)(7 * i + 3);
        token_from_random(random, &token);
        token_format(&token, stage->token);
        stage_people(stage);
        /* libpam reads "other" for every handle. */
        stage_stack(stage, "other",
                    "auth required pam_deny.so\naccount required pam_deny.so\n"
                    "session required pam_deny.so\npassword required pam_deny.so\n");
        *state = stage;
        return 0;
}

static inline int stage_teardown(void **state)
{
        static const char *const files[] = {"other", "sshd", "login", "su"};
        Stage *stage = *state;
        char path[128];

        fake_done(&stage->credd);
        if (stage->pamh)
                (void)pam_end(stage->pamh, PAM_SUCCESS);
        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                (void)snprintf(path, sizeof(path), "%s/%s", stage->folder, files[i]);
                (void)unlink(path);
        }
        assert_int_equal(rmdir(stage->folder), 0);
        free(stage);
        return 0;
}

#define STAGE_TEST(f) cmocka_unit_test_setup_teardown(f, stage_setup, stage_teardown)

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl drill: does the end really work on this host? A canary of kind "drill" goes the whole way,
 * through credd, PAM and logind, and its receipt is the answer. From a shell the drill is started as
 * credd-drill.service, because a process inside a session gets no session of its own; in that service
 * (--here) it does the steps. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/client.h"
#include "common/duration.h"
#include "credctl/connection.h"
#include "credctl/outcome.h"
#include "credctl/output.h"
#include "credctl/receipt.h"
#include "credctl/record.h"
#include "credctl/verb.h"
#include "credctl/words.h"

#define TTL_USEC     (5 * USEC_PER_SEC)
#define OPEN_USEC    (30 * USEC_PER_SEC)
#define RECEIPT_USEC (60 * USEC_PER_SEC)
#define POLL_USEC    (100 * USEC_PER_MSEC)
#define UID_MIN      1000 /* below, the module stands aside */

const Option verb_drill_options[] = {
        {"user", "USER", NULL, OPTION_TEXT, "who the canary logs in as; must have nothing running"},
        {"ttl", "D", NULL, OPTION_DURATION, "how long its session lasts, 5s by default"},
        {"here", NULL, NULL, OPTION_FLAG, "in this process, which must be in no session"},
        {.name = NULL},
};

typedef struct Drill {
        const Context *context;
        const char *user;
        uint64_t ttl_usec, started_mono_usec;
        json_t *steps;
        char *id; /* NULL: not issued yet */
        pid_t login;
        int from_login; /* what it says */
} Drill;

static void drill_done(Drill *drill)
{
        if (drill->login > 0) {
                (void)kill(drill->login, SIGKILL);
                (void)waitpid(drill->login, NULL, 0);
        }
        if (drill->from_login >= 0)
                (void)close(drill->from_login);
        json_decref(drill->steps);
        free(drill->id);
}

/* One line a step, as it is done: "+0.034s  session opened". */
__attribute__((format(printf, 2, 3))) static void step(Drill *drill, const char *format, ...)
{
        uint64_t at = client_now_usec() - drill->started_mono_usec;
        char text[WORDS_LINE_MAX];
        va_list values;

        va_start(values, format);
        words_format(text, format, values);
        va_end(values);
        (void)json_array_append_new(
                drill->steps, json_pack("{s:s, s:I}", "step", text, "after_usec", (json_int_t)at));
        if (drill->context->form == OUTPUT_JSON || drill->context->quiet)
                return;
        output_line(drill->context, STYLE_PLAIN, "+%" PRIu64 ".%03" PRIu64 "s  %s",
                    at / USEC_PER_SEC, at % USEC_PER_SEC / USEC_PER_MSEC, text);
        (void)output_flush();
}

/* --- from a shell --- */

static int run_as_service(const Context *context, const char *user, uint64_t ttl_usec)
{
        char ttl[DURATION_TEXT_MAX];
        const char *const command[] = {"systemd-run",
                                       "--quiet",
                                       "--collect",
                                       "--wait",
                                       "--pipe",
                                       "--unit=credd-drill",
                                       "--description=Drill of the way from token to receipt",
                                       "--property=LimitCORE=0",
                                       "--property=Environment=TERM=dumb",
                                       "credctl",
                                       "drill",
                                       "--here",
                                       "--user",
                                       user,
                                       "--ttl",
                                       ttl,
                                       context->form == OUTPUT_JSON ? "--json"
                                       : context->quiet             ? "--quiet"
                                                                    : NULL,
                                       NULL};

        (void)duration_format(ttl_usec, ttl);
        (void)execvp(command[0], (char *const *)command);
        return words_fail(OUTCOME_FAILED, "cannot start systemd-run: %s", strerror(errno));
}

/* --- the user --- */

static bool is_process_of(int proc_fd, const char *name, uid_t uid)
{
        struct stat st;

        return *name >= '1' && *name <= '9' && fstatat(proc_fd, name, &st, 0) == 0 &&
               st.st_uid == uid;
}

static int count_processes(uid_t uid, unsigned *ret)
{
        DIR *proc = opendir("/proc");
        const struct dirent *entry;
        unsigned n = 0;

        if (!proc)
                return -errno;
        while ((entry = readdir(proc)))
                n += is_process_of(dirfd(proc), entry->d_name, uid);
        (void)closedir(proc);
        *ret = n;
        return 0;
}

static bool lingers(const char *user)
{
        char path[256];

        (void)snprintf(path, sizeof(path), "/var/lib/systemd/linger/%s", user);
        return access(path, F_OK) == 0;
}

/* The end of the canary may end all that this user has: nobody else must stand there. A session always
 * has a process of its user, the user's manager if no other. */
static int check_user(const char *user, const struct passwd *entry)
{
        unsigned processes = 0;
        int r;

        if (!entry)
                return words_fail(OUTCOME_FAILED, "no user %s on this host", user);
        if (entry->pw_uid < UID_MIN)
                return words_fail(OUTCOME_REFUSED,
                                  "%s is a system user (uid %u), whom tokens do not let in; take a "
                                  "user made for drills",
                                  user, entry->pw_uid);
        if (lingers(user))
                return words_fail(OUTCOME_REFUSED,
                                  "%s lingers: its services would be in the way of the proof; take "
                                  "a user made for drills, or loginctl disable-linger %s",
                                  user, user);
        r = count_processes(entry->pw_uid, &processes);
        if (r < 0)
                return r;
        if (processes > 0)
                return words_fail(OUTCOME_REFUSED,
                                  "%s has %u process%s, and so perhaps a session: a drill wants a "
                                  "user who has nothing running",
                                  user, processes, processes == 1 ? "" : "es");
        return 0;
}

/* --- the steps --- */

static int issue(Drill *drill, uid_t uid, json_t **ret_reply)
{
        json_auto_t *parameters =
                json_pack("{s:s, s:I, s:I, s:s, s:[s], s:[s], s:s}", "user", drill->user, "uid",
                          (json_int_t)uid, "ttl_usec", (json_int_t)drill->ttl_usec, "kind", "drill",
                          "services", "login", "sources", "local", "reason", "drill");
        json_t *credential;
        int r;

        if (!parameters)
                return -ENOMEM;
        r = connection_change(drill->context, "Issue", parameters, ret_reply);
        if (r == 0)
                r = record_member(*ret_reply, "credential", JSON_OBJECT, &credential);
        if (r != 0)
                return r;
        drill->id = strdup(record_text_or(credential, "id", ""));
        if (!drill->id)
                return -ENOMEM;
        step(drill, "issued: credential %s for %s", drill->id, drill->user);
        return 0;
}

/* The token goes through a pipe: never in argv, where others see it. */
static int hand_over(int fd, const char *token)
{
        size_t len = strlen(token);

        if (write(fd, token, len) != (ssize_t)len || write(fd, "\n", 1) != 1)
                return -EIO;
        return 0;
}

static int start_login(Drill *drill, const char *token)
{
        AUTO_CLOSE int in_read = -1, in_write = -1, out_write = -1;
        const char *const command[] = {CREDD_LIBEXECDIR "/credd-drill", drill->user, NULL};
        posix_spawn_file_actions_t actions;
        int in[2], out[2], r;

        if (pipe2(in, O_CLOEXEC) < 0)
                return -errno;
        in_read = in[0];
        in_write = in[1];
        if (pipe2(out, O_CLOEXEC) < 0)
                return -errno;
        drill->from_login = out[0];
        out_write = out[1];
        (void)posix_spawn_file_actions_init(&actions);
        (void)posix_spawn_file_actions_adddup2(&actions, in_read, STDIN_FILENO);
        (void)posix_spawn_file_actions_adddup2(&actions, out_write, STDOUT_FILENO);
        r = posix_spawn(&drill->login, command[0], &actions, NULL, (char *const *)command, environ);
        (void)posix_spawn_file_actions_destroy(&actions);
        if (r != 0)
                return words_fail(OUTCOME_FAILED, "cannot start %s: %s", command[0], strerror(r));
        return hand_over(in_write, token);
}

/* A word that the login says when it is that far. */
static int await(Drill *drill, const char *word, uint64_t deadline_mono_usec)
{
        struct pollfd from = {.fd = drill->from_login, .events = POLLIN};
        char line[64] = "";
        size_t n = 0;

        while (n < sizeof(line) - 1 && (n == 0 || line[n - 1] != '\n')) {
                uint64_t now = client_now_usec();

                if (now >= deadline_mono_usec ||
                    poll(&from, 1, (int)((deadline_mono_usec - now) / USEC_PER_MSEC) + 1) <= 0)
                        return words_fail(OUTCOME_FAILED, "the login is not %s after %" PRIu64 "s",
                                          word, (uint64_t)(OPEN_USEC / USEC_PER_SEC));
                if (read(from.fd, line + n, 1) != 1)
                        return words_fail(OUTCOME_FAILED,
                                          "the login went away before it was %s; see journalctl "
                                          "-t credd, and credctl explain %s",
                                          word, drill->id);
                n++;
        }
        line[n - 1] = '\0';
        return strcmp(line, word) == 0 ? 0 : -EBADMSG;
}

static int log_in(Drill *drill, const char *token)
{
        uint64_t deadline = client_deadline_usec(OPEN_USEC);
        int r;

        r = start_login(drill, token);
        if (r == 0)
                r = await(drill, "authenticated", deadline);
        if (r != 0)
                return r;
        step(drill, "authenticated through PAM, service login");
        r = await(drill, "opened", deadline);
        if (r == 0)
                step(drill, "session opened, process %d leads it", drill->login);
        return r;
}

static int show(Drill *drill, json_t **ret_credential)
{
        json_auto_t *parameters = json_pack("{s:s}", "id", drill->id), *reply = NULL;
        json_t *credential;
        int r;

        if (!parameters)
                return -ENOMEM;
        r = connection_read(drill->context, "Show", parameters, &reply);
        if (r == 0)
                r = record_member(reply, "credential", JSON_OBJECT, &credential);
        if (r == 0)
                *ret_credential = json_incref(credential);
        return r;
}

static int await_receipt(Drill *drill, json_t **ret_credential)
{
        const struct timespec pause = {.tv_nsec = (long)(POLL_USEC * 1000)};
        uint64_t deadline = client_deadline_usec(drill->ttl_usec + RECEIPT_USEC);

        for (;;) {
                json_auto_t *credential = NULL;
                int r = show(drill, &credential);

                if (r != 0)
                        return r;
                if (receipt_of(credential)) {
                        *ret_credential = json_incref(credential);
                        return 0;
                }
                if (client_now_usec() >= deadline)
                        return words_fail(OUTCOME_FAILED,
                                          "credential %s has no receipt: its end is not proved; "
                                          "see credctl show %s",
                                          drill->id, drill->id);
                (void)nanosleep(&pause, NULL);
        }
}

/* The login itself is the witness beside the receipt: it must have been ended by a signal. */
static int check_login_gone(Drill *drill)
{
        int status = 0;

        if (waitpid(drill->login, &status, WNOHANG) != drill->login)
                return words_fail(OUTCOME_FAILED,
                                  "the process of the session is still there, whatever the "
                                  "receipt says: pid %d",
                                  drill->login);
        drill->login = 0;
        if (!WIFSIGNALED(status))
                return words_fail(OUTCOME_FAILED, "the session ended by itself, not by credd");
        step(drill, "session gone, ended by signal %d", WTERMSIG(status));
        return 0;
}

static int judge(Drill *drill, const json_t *credential)
{
        const json_t *receipt = receipt_of(credential);
        char verdict[RECORD_TEXT_MAX], late[DURATION_TEXT_MAX];
        int r;

        r = check_login_gone(drill);
        if (r != 0)
                return r;
        step(drill, "receipt: %s, %s after the deadline", receipt_verdict(receipt, verdict),
             duration_format(record_number_or(receipt, "late_usec", 0), late));
        if (receipt_confirmed(receipt))
                return 0;
        return words_fail(OUTCOME_FAILED,
                          "the drill's end is not confirmed: %s; see credctl show %s", verdict,
                          drill->id);
}

static void take_back(Drill *drill)
{
        json_auto_t *parameters =
                json_pack("{s:s, s:s}", "id", drill->id, "reason", "the drill failed");
        json_auto_t *reply = NULL;
        const Call call = {.method = "Revoke",
                           .changes = true,
                           .parameters = parameters,
                           .tolerated = "Final"};

        if (parameters)
                (void)connection_call(drill->context, &call, &reply);
}

static int go_the_way(Drill *drill, uid_t uid)
{
        json_auto_t *issued = NULL, *credential = NULL;
        int r;

        r = issue(drill, uid, &issued);
        if (r != 0)
                return r;
        r = log_in(drill, record_text_or(issued, "token", ""));
        if (r == 0)
                r = await_receipt(drill, &credential);
        if (r == 0)
                r = judge(drill, credential);
        else
                take_back(drill);
        if (drill->context->form != OUTPUT_JSON)
                return r;
        if (!credential && show(drill, &credential) != 0)
                return r;
        (void)json_object_set(credential, "steps", drill->steps);
        return outcome_worse(output_json(drill->context, "drill", credential), r);
}

int verb_drill_run(const Context *context, const Arguments *arguments)
{
        const char *user = arguments_text(arguments, "user");
        CLEANUP(drill_done)
        Drill drill = {.context = context,
                       .user = user,
                       .ttl_usec = arguments_number(arguments, "ttl", TTL_USEC),
                       .started_mono_usec = client_now_usec(),
                       .steps = json_array(),
                       .from_login = -1};
        const struct passwd *entry = getpwnam(user);
        int r;

        if (geteuid() != 0)
                return words_fail(OUTCOME_FAILED, "a drill opens a session as another user: run it "
                                                  "as root, for example with sudo");
        r = check_user(user, entry);
        if (r != 0)
                return r;
        if (!arguments_flag(arguments, "here"))
                return run_as_service(context, user, drill.ttl_usec);
        (void)signal(SIGPIPE, SIG_IGN);
        return go_the_way(&drill, entry->pw_uid);
}

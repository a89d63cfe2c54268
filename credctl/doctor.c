/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Findings, and the ways to them that several checks take: a question to credd, a program. */
#include "credctl/doctor.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <time.h>

#include "credctl/connection.h"
#include "credctl/words.h"

#define PROGRAM_LIMIT_USEC (10 * USEC_PER_SEC)
#define OUTPUT_MAX         65536

extern char **environ;

static const char *const levels[LEVEL_MAX] = {
        [LEVEL_OK] = "ok",
        [LEVEL_NOTE] = "note",
        [LEVEL_WARNING] = "warning",
        [LEVEL_ERROR] = "error",
};

void doctor_done(Doctor *doctor)
{
        if (doctor->bus)
                bus_free(doctor->bus);
        json_decref(doctor->findings);
        json_decref(doctor->status);
        free(doctor->authorized_keys_files);
}

static void keep(Doctor *doctor, Level level, const char *mend, const char *text)
{
        json_t *one = json_pack("{s:s, s:s, s:s, s:s?}", "check", doctor->check, "level",
                                levels[level], "finding", text, "mend", mend);

        if (json_array_append_new(doctor->findings, one) < 0)
                doctor->error = -ENOMEM;
        if (level > doctor->worst)
                doctor->worst = level;
}

void doctor_find(Doctor *doctor, Level level, const char *mend, const char *format, ...)
{
        char text[WORDS_LINE_MAX];
        va_list values;

        va_start(values, format);
        words_format(text, format, values);
        va_end(values);
        keep(doctor, level, mend, text);
}

void doctor_fine(Doctor *doctor, const char *format, ...)
{
        char text[WORDS_LINE_MAX];
        va_list values;

        if (json_array_size(doctor->findings) > doctor->n_before)
                return;
        va_start(values, format);
        words_format(text, format, values);
        va_end(values);
        keep(doctor, LEVEL_OK, NULL, text);
}

void doctor_unseen(Doctor *doctor, const char *what, const char *why)
{
        doctor_find(doctor, LEVEL_NOTE, doctor->root ? NULL : "run this as root to see it",
                    "not looked at: %s (%s)", what, why);
}

bool doctor_ask(const Doctor *doctor, const char *method, json_t *parameters, json_t **ret_reply)
{
        const Call call = {
                .method = method, .parameters = parameters, .all_tolerated = true, .silent = true};

        return connection_call(doctor->context, &call, ret_reply) == 0 && *ret_reply;
}

/* --- programs --- */

static uint64_t now_usec(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / 1000;
}

/* Up to the end of its output, or to the limit. */
static int read_output(int fd, uint64_t deadline_usec, char *text)
{
        size_t len = 0;

        for (;;) {
                uint64_t now = now_usec();
                struct pollfd poller = {.fd = fd, .events = POLLIN};
                ssize_t n;

                if (now >= deadline_usec)
                        return -ETIMEDOUT;
                if (poll(&poller, 1, (int)((deadline_usec - now) / USEC_PER_MSEC) + 1) <= 0)
                        continue;
                n = read(fd, text + len, OUTPUT_MAX - 1 - len);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : 0;
                len += (size_t)n;
        }
}

static int start(const char *const *command, int output, pid_t *ret_pid)
{
        posix_spawn_file_actions_t actions;
        int r;

        (void)posix_spawn_file_actions_init(&actions);
        (void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        (void)posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
        (void)posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
        r = posix_spawn(ret_pid, command[0], &actions, NULL, (char *const *)command, environ);
        (void)posix_spawn_file_actions_destroy(&actions);
        return -r;
}

int doctor_program(const char *const *command, char **ret_output)
{
        AUTO_FREE char *text = calloc(1, OUTPUT_MAX);
        AUTO_CLOSE int output = -1;
        int ends[2], status = 0, r;
        pid_t pid;

        if (!text)
                return -ENOMEM;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        output = ends[0];
        r = start(command, ends[1], &pid);
        (void)close(ends[1]);
        if (r < 0)
                return r;
        r = read_output(output, now_usec() + PROGRAM_LIMIT_USEC, text);
        if (r < 0)
                (void)kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (r < 0)
                return r;
        *ret_output = take_ptr(text);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -EIO;
}

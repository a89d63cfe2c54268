/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl backup: credd may write nowhere but into its own folder, so it hands the copy over, and this
 * puts it where the caller may write. A file that is there when this returns 0 is whole, on the disk, and
 * was read again; in any other case there is none. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base64.h"
#include "common/cleanup.h"
#include "credctl/connection.h"
#include "credctl/outcome.h"
#include "credctl/output.h"
#include "credctl/record.h"
#include "credctl/verb.h"
#include "credctl/words.h"

typedef struct Target {
        const char *path;
        int fd;
        uint64_t written, size;
} Target;

static int say_cannot(const Target *target, int error)
{
        return words_fail(OUTCOME_FAILED, "cannot write %s: %s", target->path, strerror(error));
}

static int write_all(Target *target, const uint8_t *bytes, size_t len)
{
        while (len > 0) {
                ssize_t n = write(target->fd, bytes, len);

                if (n < 0 && errno != EINTR)
                        return say_cannot(target, errno);
                if (n > 0) {
                        bytes += n;
                        len -= (size_t)n;
                        target->written += (uint64_t)n;
                }
        }
        return 0;
}

/* What would end this process waits (see hold_signals()), so that no half of a file is left. */
static bool is_interrupted(void)
{
        sigset_t pending;

        return sigpending(&pending) == 0 &&
               (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1 ||
                sigismember(&pending, SIGHUP) == 1);
}

static void hold_signals(void)
{
        sigset_t set;

        (void)sigemptyset(&set);
        (void)sigaddset(&set, SIGINT);
        (void)sigaddset(&set, SIGTERM);
        (void)sigaddset(&set, SIGHUP);
        (void)sigprocmask(SIG_BLOCK, &set, NULL);
}

static int on_reply(void *userdata, const json_t *reply)
{
        Target *target = userdata;
        const char *text = record_text(reply, "data");
        AUTO_FREE uint8_t *bytes = NULL;
        ptrdiff_t n;

        if (is_interrupted())
                return words_fail(OUTCOME_FAILED, "interrupted; no backup was made");
        if (!text || !record_number(reply, "size", &target->size))
                return -EBADMSG;
        bytes = malloc(strlen(text) + 1);
        if (!bytes)
                return -ENOMEM;
        n = base64_decode(text, strlen(text), bytes);
        return n < 0 ? -EBADMSG : write_all(target, bytes, (size_t)n);
}

/* The name must last as well. */
static int flush_folder(const Target *target)
{
        AUTO_FREE char *copy = strdup(target->path);
        AUTO_CLOSE int fd = -1;

        if (!copy)
                return -ENOMEM;
        fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 || fsync(fd) < 0 ? say_cannot(target, errno) : 0;
}

static void run_check(const char *option)
{
        int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
        sigset_t none;

        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        if (fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0)
                (void)execl(CREDD_PROGRAM, "credd", option, (char *)NULL);
        words_note("cannot run " CREDD_PROGRAM ", which reads the backup: %s", strerror(errno));
        _exit(EXIT_FAILURE);
}

/* Reads what is on the disk now, by the program that would restore it. */
static int check(const Target *target)
{
        AUTO_FREE char *option = NULL;
        int status = 0;
        pid_t pid;

        if (asprintf(&option, "--check-backup=%s", target->path) < 0)
                return -ENOMEM;
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                run_check(option);
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        if (status != 0)
                return words_fail(OUTCOME_FAILED, "the copy is not sound; no backup was made");
        return 0;
}

static int fill(const Context *context, Target *target)
{
        int r;

        r = connection_stream(context, "Backup", on_reply, target);
        if (r == 0 && target->written != target->size)
                r = -EBADMSG;
        if (r == 0 && fsync(target->fd) < 0)
                r = say_cannot(target, errno);
        if (r == 0)
                r = flush_folder(target);
        if (r == 0)
                r = check(target);
        if (r == 0 && is_interrupted())
                r = words_fail(OUTCOME_FAILED, "interrupted; no backup was made");
        return r;
}

static int print(const Context *context, const Target *target)
{
        if (context->form == OUTPUT_JSON) {
                json_auto_t *result = json_pack("{s:s, s:I}", "file", target->path, "size",
                                                (json_int_t)target->size);

                return result ? output_json(context, "backup", result) : -ENOMEM;
        }
        if (!context->quiet)
                output_line(context, STYLE_GOOD,
                            "%s: %" PRIu64 " KiB, whole and sound. The key is not in it.",
                            target->path, target->size / 1024);
        return 0;
}

/* Never over a file that is there, nor through a symbolic link. */
int verb_backup_run(const Context *context, const Arguments *arguments)
{
        AUTO_CLOSE int fd = -1;
        Target target = {.path = arguments->operands[0]};
        int r;

        hold_signals();
        fd = open(target.path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return words_fail(OUTCOME_FAILED, "cannot make %s: %s", target.path,
                                  strerror(errno));
        target.fd = fd;
        r = fill(context, &target);
        if (r != 0)
                (void)unlink(target.path);
        return r == 0 ? print(context, &target) : r;
}

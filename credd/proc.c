/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes, read from /proc, and the cgroup tree. The kernel is trusted; every name in what it
 * prints (comm, cgroup) may have been chosen by somebody hostile.
 *
 * Invariants: a process is pid *and* start ticks; all that is read of one process is read through
 * one descriptor of its /proc directory, which never turns into another process that got the same
 * pid. "Gone" is said only where the kernel said so: a failure to look is an error.
 *
 * Left out: whose turn it is to be killed and for how long to try; that is the reaper's. */
#include "credd/proc.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/sysmacros.h>

#include "common/cleanup.h"
#include "credd/cgroup.h"
#include "credd/file.h"

/* stat is one line of numbers; of status only the head is wanted: Uid stands in its first ten
 * lines, before the list of groups, which may be long. */
#define STAT_MAX    4096
#define PID_DIGITS  10
#define READ_ROUNDS 4
/* A line for each v1 hierarchy may stand before ours, each as long as a path may be. */
#define CGROUP_FILE_MAX (64 * 1024)

/* ENOENT: it was gone before we opened; ESRCH: it went while we read. */
static int gone_is_esrch(int r)
{
        return r == -ENOENT ? -ESRCH : r;
}

static int open_process(pid_t pid)
{
        char path[sizeof("/proc/") + PID_DIGITS];
        int fd;

        if (pid <= 0)
                return -ESRCH;
        (void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
        fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? gone_is_esrch(-errno) : fd;
}

static void copy_comm(char ret[static PROC_COMM_MAX], const char *from, const char *end)
{
        size_t n = 0;

        for (; from < end && n < PROC_COMM_MAX - 1; from++)
                ret[n++] = *from >= 0x20 && *from < 0x7f ? *from : '?';
        ret[n] = 0;
}

/* Of proc(5), by their numbers there. */
typedef struct StatFields {
        char state;           /* 3 */
        long ppid;            /* 4 */
        unsigned tty;         /* 7 */
        long threads;         /* 20 */
        uint64_t start_ticks; /* 22 */
} StatFields;

/* -EBADMSG: there is none, or it is too large to be one of the kernel's. */
static int read_digits(const char **at, uint64_t *ret)
{
        uint64_t value = 0;
        const char *from = *at;

        for (; **at >= '0' && **at <= '9'; ++*at) {
                if (value > (UINT64_MAX - 9) / 10)
                        return -EBADMSG;
                value = value * 10 + (uint64_t)(**at - '0');
        }
        *ret = value;
        return *at > from ? 0 : -EBADMSG;
}

/* By hand, because sscanf() takes twenty times as long, twice in each login. From field 3 on, each a number with a
 * space behind it. */
static int read_stat_fields(const char *at, StatFields *ret)
{
        StatFields fields = {.state = *at};

        if (fields.state < 'A' || fields.state > 'z' || at[1] != ' ')
                return -EBADMSG;
        at += 2;
        for (unsigned number = 4; number <= 22; number++) {
                bool negative = *at == '-';
                uint64_t value;

                at += negative;
                if (read_digits(&at, &value) < 0 || (*at != ' ' && *at != '\n'))
                        return -EBADMSG;
                if (number == 4)
                        fields.ppid = negative ? -1 : (long)value;
                else if (number == 7)
                        fields.tty = negative ? 0 : (unsigned)value;
                else if (number == 20)
                        fields.threads = (long)value;
                else if (number == 22)
                        fields.start_ticks = value;
                at++;
        }
        *ret = fields;
        return 0;
}

/* comm is whatever the process calls itself, ')' and digits included: the last ')' is the kernel's.
 */
static int parse_stat(const char *line, ProcInfo *ret_info)
{
        const char *open = strchr(line, '('), *close = strrchr(line, ')');
        ProcInfo info = {0};
        StatFields fields;

        if (!open || !close || close < open)
                return -EBADMSG;
        if (close[1] != ' ' || read_stat_fields(close + 2, &fields) < 0)
                return -EBADMSG;
        info.ppid = (pid_t)fields.ppid;
        info.start_ticks = fields.start_ticks;
        /* The kernel's encoding: minor in bits 0 to 7 and 20 to 31, major in 8 to 19. */
        info.tty = makedev(fields.tty >> 8 & 0xfff,
                           (fields.tty & 0xff) | (fields.tty >> 12 & 0xfff00));
        /* A process whose first thread ended shows as a zombie while its other threads run on. */
        info.dead = strchr("ZXx", fields.state) && fields.threads <= 1;
        copy_comm(info.comm, open + 1, close);
        *ret_info = info;
        return 0;
}

/* The kernel escapes a newline in Name, so no process can write a line of its own into status. */
static int parse_status_uid(const char *status, uid_t *ret_uid)
{
        const char *line = strstr(status, "\nUid:");
        unsigned uid;

        if (!line || sscanf(line, "\nUid: %u", &uid) != 1)
                return -EBADMSG;
        *ret_uid = uid;
        return 0;
}

static int read_stat(int dir_fd, pid_t pid, ProcInfo *ret_info)
{
        char buffer[STAT_MAX];
        int r = gone_is_esrch(file_read_head(dir_fd, "stat", buffer, sizeof(buffer)));

        if (r < 0)
                return r;
        r = parse_stat(buffer, ret_info);
        if (r < 0)
                return r;
        ret_info->pid = pid;
        return 0;
}

int proc_read(pid_t pid, ProcInfo *ret_info)
{
        AUTO_CLOSE int dir_fd = open_process(pid);
        char buffer[STAT_MAX];
        ProcInfo info;
        int r;

        if (dir_fd < 0)
                return dir_fd;
        r = read_stat(dir_fd, pid, &info);
        if (r < 0)
                return r;
        r = gone_is_esrch(file_read_head(dir_fd, "status", buffer, sizeof(buffer)));
        if (r < 0)
                return r;
        r = parse_status_uid(buffer, &info.uid);
        if (r < 0)
                return r;
        *ret_info = info;
        return 0;
}

int proc_read_stat(pid_t pid, ProcInfo *ret_info)
{
        char path[sizeof("/proc//stat") + PID_DIGITS], buffer[STAT_MAX];
        ProcInfo info;
        int r;

        if (pid <= 0)
                return -ESRCH;
        (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        r = gone_is_esrch(file_read_head(AT_FDCWD, path, buffer, sizeof(buffer)));
        if (r == 0)
                r = parse_stat(buffer, &info);
        if (r < 0)
                return r;
        info.pid = pid;
        info.uid = (uid_t)-1;
        *ret_info = info;
        return 0;
}

int proc_alive(pid_t pid, uint64_t start_ticks)
{
        AUTO_CLOSE int dir_fd = open_process(pid);
        ProcInfo info;
        int r = dir_fd < 0 ? dir_fd : read_stat(dir_fd, pid, &info);

        /* /proc hides processes when it is mounted so, and all when it is not mounted. The kernel's
         * own word then decides; a stranger in that pid means "look again". */
        if (r == -ESRCH)
                return pid > 0 && (kill(pid, 0) == 0 || errno != ESRCH);
        if (r < 0)
                return 1;
        return info.start_ticks == start_ticks && !info.dead;
}

/* --- all of them --- */

static pid_t parse_pid(const char *text)
{
        pid_t pid = 0;

        if (*text < '1' || *text > '9' || strlen(text) > PID_DIGITS)
                return 0;
        for (; *text; text++)
                if (!isdigit((unsigned char)*text) || __builtin_mul_overflow(pid, 10, &pid) ||
                    __builtin_add_overflow(pid, *text - '0', &pid))
                        return 0;
        return pid;
}

static int table_append(ProcTable *table, size_t *allocated, const ProcInfo *info)
{
        if (table->n == *allocated) {
                size_t want = *allocated ? *allocated * 2 : 256;
                ProcInfo *list = reallocarray(table->list, want, sizeof(*list));

                if (!list)
                        return -ENOMEM;
                table->list = list;
                *allocated = want;
        }
        table->list[table->n++] = *info;
        return 0;
}

static int by_pid(const void *a, const void *b)
{
        const ProcInfo *x = a, *y = b;

        return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Adds what is not there yet; known is how many of the table, sorted, were there before. 1: some process
 * went while it was read: it may have left a child behind the place where the reading was. */
static int table_fill(DIR *dir, ProcTable *table, size_t known, size_t *allocated)
{
        int vanished = 0;

        for (;;) {
                struct dirent *entry = (errno = 0, readdir(dir));
                ProcInfo info = {0};
                int r;

                if (!entry)
                        return errno ? -errno : vanished;
                info.pid = parse_pid(entry->d_name);
                if (info.pid == 0 ||
                    (known > 0 && bsearch(&info, table->list, known, sizeof(info), by_pid)))
                        continue;
                r = proc_read(info.pid, &info);
                if (r == 0)
                        r = table_append(table, allocated, &info);
                if (r < 0 && r != -ESRCH)
                        return r;
                vanished |= r == -ESRCH;
        }
}

/* Again for what came meanwhile, until nothing went while it was read; a machine where that never
 * happens is read so many times. */
static int table_fill_all(DIR *dir, ProcTable *table)
{
        size_t allocated = 0;
        int r = 1;

        for (unsigned round = 0; round < READ_ROUNDS && r > 0; round++) {
                size_t known = table->n;

                rewinddir(dir);
                r = table_fill(dir, table, known, &allocated);
                if (table->n > 0)
                        qsort(table->list, table->n, sizeof(*table->list), by_pid);
        }
        return r < 0 ? r : 0;
}

int proc_table_read(ProcTable *ret_table)
{
        CLEANUP(proc_table_done) ProcTable table = {0};
        DIR *dir = opendir("/proc");
        int r;

        if (!dir)
                return -errno;
        r = table_fill_all(dir, &table);
        (void)closedir(dir);
        if (r < 0)
                return r;
        *ret_table = table;
        table = (ProcTable){0};
        return 0;
}

void proc_table_done(ProcTable *table)
{
        free(table->list);
        *table = (ProcTable){0};
}

/* --- where it stands --- */

int proc_cgroup(pid_t pid, char **ret_path)
{
        AUTO_CLOSE int dir_fd = open_process(pid);
        AUTO_FREE char *buffer = NULL;
        char *line, *path;
        int r;

        if (dir_fd < 0)
                return dir_fd;
        buffer = malloc(CGROUP_FILE_MAX);
        if (!buffer)
                return -ENOMEM;
        r = gone_is_esrch(file_read_head(dir_fd, "cgroup", buffer, CGROUP_FILE_MAX));
        if (r < 0)
                return r;
        /* No cgroup can have a newline in its name, so the line is the kernel's. */
        line = strncmp(buffer, "0::", 3) == 0 ? buffer : strstr(buffer, "\n0::");
        if (!line)
                return -ENODATA;
        path = line + strspn(line, "\n0:");
        path[strcspn(path, "\n")] = 0;
        r = cgroup_check_path(path);
        if (r < 0)
                return r;
        path = strdup(path);
        if (!path)
                return -ENOMEM;
        *ret_path = path;
        return 0;
}

/* --- one of them, and no other --- */

/* The pidfd comes first and the check after it: if the pid is still held by the one meant, then the
 * pidfd, which is older than the check, can be nobody else's. */
int proc_pidfd(pid_t pid, uint64_t start_ticks)
{
        AUTO_CLOSE int fd = -1;

        if (pid <= 0)
                return -ESRCH;
        fd = pidfd_open(pid, 0);
        if (fd < 0) {
                int r = -errno;

                return proc_alive(pid, start_ticks) ? r : -ESRCH;
        }
        return proc_alive(pid, start_ticks) ? take_fd(&fd) : -ESRCH;
}

int proc_kill(pid_t pid, uint64_t start_ticks)
{
        return proc_kill_with(pid, start_ticks, (int[]){SIGKILL, 0});
}

int proc_kill_with(pid_t pid, uint64_t start_ticks, const int *signals)
{
        AUTO_CLOSE int fd = -1;

        if (pid <= 1 || pid == getpid())
                return -EINVAL;
        fd = proc_pidfd(pid, start_ticks);
        if (fd == -ESRCH)
                return 0;
        if (fd < 0)
                return fd;
        for (; *signals > 0; signals++)
                if (pidfd_send_signal(fd, *signals, NULL, 0) < 0)
                        return errno == ESRCH ? 0 : -errno;
        return 0;
}

uint64_t proc_ticks_of_boot_usec(uint64_t boot_usec)
{
        uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);

        return boot_usec / USEC_PER_SEC * hz + boot_usec % USEC_PER_SEC * hz / USEC_PER_SEC;
}

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
#include <fts.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>

#include "common/cleanup.h"

/* stat is one line of numbers; of status only the head is wanted: Uid stands in its first ten
 * lines, before the list of groups, which may be long. */
#define STAT_MAX   4096
#define PID_DIGITS 10
/* A line for each v1 hierarchy may stand before ours, each as long as a path may be. */
#define CGROUP_FILE_MAX (64 * 1024)
#define CGROUP_ROOT     "/sys/fs/cgroup"

/* Reads at most size - 1 bytes and terminates them. A file that is longer is cut. */
static int read_head(int dir_fd, const char *name, char *buffer, size_t size)
{
        AUTO_CLOSE int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        size_t n = 0;

        if (fd < 0)
                return -errno;
        while (n < size - 1) {
                ssize_t got = read(fd, buffer + n, size - 1 - n);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -errno;
                if (got == 0)
                        break;
                n += (size_t)got;
        }
        buffer[n] = 0;
        return 0;
}

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

/* comm is whatever the process calls itself, ')' and digits included: the last ')' is the kernel's.
 */
static int parse_stat(const char *line, ProcInfo *ret_info)
{
        const char *open = strchr(line, '('), *close = strrchr(line, ')');
        ProcInfo info = {0};
        long threads;
        char state;

        if (!open || !close || close < open)
                return -EBADMSG;
        /* Fields 3, 4, 20 and 22 of proc(5). */
        if (sscanf(close + 1,
                   " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d"
                   " %ld %*d %" SCNu64,
                   &state, &info.ppid, &threads, &info.start_ticks) != 4)
                return -EBADMSG;
        /* A process whose first thread ended shows as a zombie while its other threads run on. */
        info.dead = strchr("ZXx", state) && threads <= 1;
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
        int r = gone_is_esrch(read_head(dir_fd, "stat", buffer, sizeof(buffer)));

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
        r = gone_is_esrch(read_head(dir_fd, "status", buffer, sizeof(buffer)));
        if (r < 0)
                return r;
        r = parse_status_uid(buffer, &info.uid);
        if (r < 0)
                return r;
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

/* --- all of them
 * ----------------------------------------------------------------------------------- */

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

static int table_fill(DIR *dir, ProcTable *table)
{
        size_t allocated = 0;

        for (;;) {
                struct dirent *entry = (errno = 0, readdir(dir));
                ProcInfo info;
                pid_t pid;
                int r;

                if (!entry)
                        return -errno;
                pid = parse_pid(entry->d_name);
                if (pid == 0)
                        continue;
                r = proc_read(pid, &info);
                if (r == -ESRCH)
                        continue;
                if (r < 0)
                        return r;
                r = table_append(table, &allocated, &info);
                if (r < 0)
                        return r;
        }
}

int proc_table_read(ProcTable *ret_table)
{
        CLEANUP(proc_table_done) ProcTable table = {0};
        DIR *dir = opendir("/proc");
        int r;

        if (!dir)
                return -errno;
        r = table_fill(dir, &table);
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

/* --- cgroups
 * --------------------------------------------------------------------------------------- */

/* A process outside our cgroup namespace is shown with "..": that path names something else here.
 */
static int check_cgroup_path(const char *path)
{
        const char *p = path;

        if (*path != '/')
                return -EINVAL;
        while ((p = strstr(p, "/.."))) {
                p += 3;
                if (*p == '/' || *p == 0)
                        return -EINVAL;
        }
        return 0;
}

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
        r = gone_is_esrch(read_head(dir_fd, "cgroup", buffer, CGROUP_FILE_MAX));
        if (r < 0)
                return r;
        /* No cgroup can have a newline in its name, so the line is the kernel's. */
        line = strncmp(buffer, "0::", 3) == 0 ? buffer : strstr(buffer, "\n0::");
        if (!line)
                return -ENODATA;
        path = line + strspn(line, "\n0:");
        path[strcspn(path, "\n")] = 0;
        r = check_cgroup_path(path);
        if (r < 0)
                return r;
        path = strdup(path);
        if (!path)
                return -ENOMEM;
        *ret_path = path;
        return 0;
}

static int cgroup_directory(const char *path, char **ret_directory)
{
        bool unified = access(CGROUP_ROOT "/cgroup.controllers", F_OK) == 0;
        int r = check_cgroup_path(path);

        if (r < 0)
                return r;
        r = asprintf(ret_directory, "%s%s", unified ? CGROUP_ROOT : CGROUP_ROOT "/unified", path);
        return r < 0 ? -ENOMEM : 0;
}

/* A cgroup that is removed while its file is open reads as ENODEV. */
static int gone_is_enoent(int r)
{
        return r == -ENODEV ? -ENOENT : r;
}

int cgroup_populated(const char *path)
{
        AUTO_FREE char *directory = NULL;
        AUTO_CLOSE int fd = -1;
        char events[256];
        int r = cgroup_directory(path, &directory);

        if (r < 0)
                return r;
        fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (strcmp(path, "/") == 0)
                return 1; /* the root has no cgroup.events, and is never empty */
        r = gone_is_enoent(read_head(fd, "cgroup.events", events, sizeof(events)));
        if (r < 0)
                return r;
        return strstr(events, "populated 0") ? 0 : 1;
}

/* -ENOENT: that cgroup went away. The members of a threaded cgroup cannot be read there, and are
 * listed in the domain above it: below a readable one they are no loss. */
static int add_members(const char *directory, bool top, pid_t **list, size_t *n)
{
        AUTO_FREE char *path = NULL;
        pid_t pid;
        FILE *f;
        int r = 0;

        if (asprintf(&path, "%s/cgroup.procs", directory) < 0)
                return -ENOMEM;
        f = fopen(path, "re");
        if (!f)
                return -errno;
        while (r == 0 && (errno = 0, fscanf(f, "%d", &pid)) == 1) {
                pid_t *grown = reallocarray(*list, *n + 1, sizeof(pid));

                if (!grown) {
                        r = -ENOMEM;
                        break;
                }
                *list = grown;
                if (pid > 0) /* 0: it lives outside our pid namespace */
                        grown[(*n)++] = pid;
        }
        if (r == 0 && ferror(f))
                r = errno == EOPNOTSUPP && !top ? 0 : gone_is_enoent(-errno);
        (void)fclose(f);
        return r;
}

int cgroup_pids(const char *path, pid_t **ret_pids, size_t *ret_n)
{
        AUTO_FREE char *directory = NULL;
        AUTO_FREE pid_t *list = NULL;
        size_t n = 0;
        FTSENT *entry;
        FTS *fts;
        int r = cgroup_directory(path, &directory);

        if (r < 0)
                return r;
        fts = fts_open((char *[]){directory, NULL}, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
        if (!fts)
                return -errno;
        while (r == 0 && (errno = 0, entry = fts_read(fts))) {
                bool top = entry->fts_level == FTS_ROOTLEVEL;

                if (entry->fts_info == FTS_D)
                        r = add_members(entry->fts_accpath, top, &list, &n);
                else if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR ||
                         entry->fts_info == FTS_NS)
                        r = gone_is_enoent(-entry->fts_errno);
                if (r == -ENOENT && !top)
                        r = 0;
        }
        if (r == 0)
                r = -errno;
        (void)fts_close(fts);
        if (r < 0)
                return r;
        *ret_pids = take_ptr(list);
        *ret_n = n;
        return 0;
}

/* --- the treekill set
 * ------------------------------------------------------------------------------ */

typedef struct Tree {
        size_t *taken; /* a queue: what stands before next has had its children added */
        size_t n, next;
        bool *seen;
} Tree;

static void tree_done(Tree *tree)
{
        free(tree->taken);
        free(tree->seen);
}

/* Each process is taken at most once, so even a table that shows a cycle comes to its end. */
static void tree_take(Tree *tree, const ProcTable *table, size_t index)
{
        pid_t pid = table->list[index].pid;

        if (tree->seen[index] || pid <= 1 || pid == getpid())
                return;
        tree->seen[index] = true;
        tree->taken[tree->n++] = index;
}

/* A child is never older than its parent. Where the table says so, the pid of a dead parent was
 * given out again between two reads, and the two are strangers. */
static void tree_take_descendants(Tree *tree, const ProcTable *table)
{
        for (; tree->next < tree->n; tree->next++) {
                const ProcInfo *parent = &table->list[tree->taken[tree->next]];

                for (size_t i = 0; i < table->n; i++)
                        if (table->list[i].ppid == parent->pid &&
                            table->list[i].start_ticks >= parent->start_ticks)
                                tree_take(tree, table, i);
        }
}

static bool pid_in(pid_t pid, const pid_t *list, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (list[i] == pid)
                        return true;
        return false;
}

int proc_tree(const ProcTable *table, pid_t leader, uint64_t leader_ticks, uid_t uid,
              const pid_t *in_cgroup, size_t n_in_cgroup, size_t **ret_indexes, size_t *ret_n)
{
        CLEANUP(tree_done) Tree tree = {0};
        size_t n = 0;

        /* From these everything would descend. */
        if (leader <= 1 || leader == getpid())
                return -EINVAL;
        tree.taken = calloc(table->n + 1, sizeof(*tree.taken));
        tree.seen = calloc(table->n + 1, sizeof(*tree.seen));
        if (!tree.taken || !tree.seen)
                return -ENOMEM;
        for (size_t i = 0; i < table->n; i++)
                if (table->list[i].pid == leader && table->list[i].start_ticks == leader_ticks)
                        tree_take(&tree, table, i);
        tree_take_descendants(&tree, table);
        /* Orphans are the leader's no more, but stand where it stood. That cgroup may be sshd's:
         * what root runs in it are other people's logins, even for a session of root. */
        for (size_t i = 0; uid != 0 && i < table->n; i++) {
                const ProcInfo *p = &table->list[i];

                if (p->uid == uid && p->start_ticks >= leader_ticks &&
                    pid_in(p->pid, in_cgroup, n_in_cgroup))
                        tree_take(&tree, table, i);
        }
        for (size_t i = 0; i < tree.n; i++)
                if (!table->list[tree.taken[i]].dead)
                        tree.taken[n++] = tree.taken[i];
        *ret_indexes = take_ptr(tree.taken);
        *ret_n = n;
        return 0;
}

/* --- one of them, and no other
 * --------------------------------------------------------------------- */

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

int proc_kill(pid_t pid, uint64_t start_ticks, int signal)
{
        AUTO_CLOSE int fd = -1;

        if (pid <= 1 || pid == getpid())
                return -EINVAL;
        fd = proc_pidfd(pid, start_ticks);
        if (fd == -ESRCH)
                return 0;
        if (fd < 0)
                return fd;
        if (pidfd_send_signal(fd, signal, NULL, 0) < 0 && errno != ESRCH)
                return -errno;
        return 0;
}

uint64_t proc_ticks_of_boot_usec(uint64_t boot_usec)
{
        uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);

        return boot_usec / USEC_PER_SEC * hz + boot_usec % USEC_PER_SEC * hz / USEC_PER_SEC;
}

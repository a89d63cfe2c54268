/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Servers as child processes, in mounts of their own, that end with this program whatever ends it. */
#include "tests/bench/rig.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"

#define BACKLOG       4096 /* as packaging/systemd/credd-login.socket has it */
#define ECHO_BYTES    200
#define READY_MSEC    60000
#define FOLDERS_MAX   16
#define LISTEN_FDS_AT 3

/* What must go when the program ends, atexit() has no other way to know. */
static struct {
        char paths[FOLDERS_MAX][RIG_PATH_MAX];
        size_t n;
        pid_t owner;
} folders;

void die(const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        (void)vfprintf(stderr, format, arguments);
        va_end(arguments);
        (void)fputc('\n', stderr);
        exit(1);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
        (void)st;
        (void)kind;
        (void)at;
        return remove(path);
}

static void remove_folders(void)
{
        for (size_t i = 0; getpid() == folders.owner && i < folders.n; i++)
                (void)nftw(folders.paths[i], remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *rig_folder(const char *name, char ret_path[static RIG_PATH_MAX])
{
        const char *parent = getenv("BENCH_DIR") ?: "/var/tmp";

        if (folders.n == FOLDERS_MAX ||
            snprintf(ret_path, RIG_PATH_MAX, "%s/credd-%s-XXXXXX", parent, name) >= RIG_PATH_MAX ||
            !mkdtemp(ret_path))
                die("cannot make a folder in %s: %s", parent, strerror(errno));
        (void)snprintf(folders.paths[folders.n++], RIG_PATH_MAX, "%s", ret_path);
        return ret_path;
}

/* --- servers --- */

static int listen_at(const char *path, int type)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

        if (strlen(path) >= sizeof(address.sun_path))
                die("%s is too long for a socket", path);
        memcpy(address.sun_path, path, strlen(path) + 1);
        (void)unlink(path);
        if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
            (type == SOCK_STREAM && listen(fd, BACKLOG) < 0))
                die("cannot listen at %s: %s", path, strerror(errno));
        return fd;
}

/* In the child: it does not outlive this program. */
static pid_t fork_server(void)
{
        pid_t parent = getpid(), pid = fork();

        if (pid < 0)
                die("cannot fork: %s", strerror(errno));
        if (pid == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent))
                _exit(1);
        return pid;
}

static void drain(int fd)
{
        static char entry[65536];

        for (;;)
                (void)recv(fd, entry, sizeof(entry), 0);
}

void rig_init(void)
{
        int fd;

        folders.owner = getpid();
        if (geteuid() != 0)
                die("this wants root: the Login socket is root's");
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("tmpfs", "/run", "tmpfs", MS_NOSUID, NULL) < 0 ||
            mkdir("/run/systemd", 0755) < 0 || mkdir("/run/systemd/journal", 0755) < 0)
                die("cannot have mounts of our own: %s", strerror(errno));
        if (atexit(remove_folders) != 0)
                die("cannot promise to clean up");
        fd = listen_at("/run/systemd/journal/socket", SOCK_DGRAM);
        if (fork_server() == 0)
                drain(fd);
        (void)close(fd);
}

static void set_number(const char *name, long number)
{
        char text[24];

        (void)snprintf(text, sizeof(text), "%ld", number);
        (void)setenv(name, text, 1);
}

/* As systemd would: the two sockets from 3 on, and where to say READY=1. */
static void exec_credd(const char *program, const char *folder, const int fds[static 2])
{
        char config[RIG_PATH_MAX + 8], state[RIG_PATH_MAX + 8], options[2][RIG_PATH_MAX + 24];
        char notify[RIG_PATH_MAX + 8];

        (void)snprintf(config, sizeof(config), "%s/conf", folder);
        (void)snprintf(state, sizeof(state), "%s", folder);
        (void)snprintf(notify, sizeof(notify), "%s/notify", folder);
        (void)snprintf(options[0], sizeof(options[0]), "--config=%s", config);
        (void)snprintf(options[1], sizeof(options[1]), "--state=%s", state);
        for (int i = 0; i < 2; i++)
                if (dup2(fds[i], LISTEN_FDS_AT + i) < 0)
                        _exit(1);
        set_number("LISTEN_PID", getpid());
        set_number("LISTEN_FDS", 2);
        (void)setenv("LISTEN_FDNAMES", "credd-login:credd-admin", 1);
        (void)setenv("NOTIFY_SOCKET", notify, 1);
        (void)setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/run/nobody", 1);
        (void)execl(program, program, options[0], options[1], (char *)NULL);
        _exit(1);
}

/* No login of a measurement opens a session, and none is to be looked for meanwhile. */
static void write_config(const char *folder)
{
        char path[RIG_PATH_MAX + 8];
        FILE *file;

        (void)snprintf(path, sizeof(path), "%s/conf", folder);
        file = fopen(path, "we");
        if (!file || fputs("[Credd]\nBindTimeout=1h\n", file) < 0 || fclose(file) != 0)
                die("cannot write %s", path);
}

static void wait_ready(int fd, Server *server)
{
        struct pollfd said = {.fd = fd, .events = POLLIN};
        char text[256] = "";

        while (!strstr(text, "READY=1")) {
                ssize_t n;

                if (poll(&said, 1, READY_MSEC) != 1)
                        die("credd does not get ready");
                n = recv(fd, text, sizeof(text) - 1, 0);
                text[n > 0 ? n : 0] = '\0';
                if (waitpid(server->pid, NULL, WNOHANG) != 0)
                        die("credd ended at its start");
        }
}

Server credd_start(const char *program, const char *folder)
{
        char notify[RIG_PATH_MAX + 8];
        Server server = {0};
        double begun;
        int fds[2], notified;

        (void)snprintf(server.socket, sizeof(server.socket), "%s/login", folder);
        (void)snprintf(server.admin, sizeof(server.admin), "%s/admin", folder);
        (void)snprintf(notify, sizeof(notify), "%s/notify", folder);
        write_config(folder);
        fds[0] = fcntl(listen_at(server.socket, SOCK_STREAM), F_DUPFD_CLOEXEC, 10);
        fds[1] = fcntl(listen_at(server.admin, SOCK_STREAM), F_DUPFD_CLOEXEC, 10);
        notified = listen_at(notify, SOCK_DGRAM);
        begun = now_usec();
        server.pid = fork_server();
        if (server.pid == 0)
                exec_credd(program, folder, fds);
        (void)close(fds[0]);
        (void)close(fds[1]);
        wait_ready(notified, &server);
        server.ready_msec = (now_usec() - begun) / 1000;
        (void)close(notified);
        return server;
}

/* One of a connection's two turns. */
static void echo_one(int epoll, int listening, const struct epoll_event *event)
{
        static const char answer[ECHO_BYTES] = "{\"parameters\":{\"login\":\"";
        struct epoll_event wanted = {.events = EPOLLIN | EPOLLET};
        char question[1024];
        int fd;

        if (event->data.fd != listening) {
                if (recv(event->data.fd, question, sizeof(question), MSG_DONTWAIT) > 0)
                        (void)send(event->data.fd, answer, sizeof(answer), MSG_NOSIGNAL);
                (void)close(event->data.fd);
                return;
        }
        while ((fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                wanted.data.fd = fd;
                (void)epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &wanted);
        }
}

static void echo_loop(int listening)
{
        struct epoll_event events[64] = {{.events = EPOLLIN, .data.fd = listening}};
        int epoll = epoll_create1(0);

        (void)fcntl(listening, F_SETFL, O_NONBLOCK);
        (void)epoll_ctl(epoll, EPOLL_CTL_ADD, listening, &events[0]);
        for (;;) {
                int n = epoll_wait(epoll, events, 64, -1);

                for (int i = 0; i < n; i++)
                        echo_one(epoll, listening, &events[i]);
        }
}

Server echo_start(const char *folder)
{
        Server server = {0};
        int fd;

        (void)snprintf(server.socket, sizeof(server.socket), "%s/echo", folder);
        fd = listen_at(server.socket, SOCK_STREAM);
        server.pid = fork_server();
        if (server.pid == 0)
                echo_loop(fd);
        (void)close(fd);
        return server;
}

void server_stop(Server *server)
{
        if (server->pid <= 0)
                return;
        (void)kill(server->pid, SIGTERM);
        (void)waitpid(server->pid, NULL, 0);
        server->pid = 0;
}

/* --- figures --- */

double now_usec(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static uint64_t status_kib(pid_t pid, const char *name)
{
        char path[64], line[256];
        uint64_t kib = 0;
        FILE *file;

        (void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
        file = fopen(path, "re");
        while (file && fgets(line, sizeof(line), file))
                if (strncmp(line, name, strlen(name)) == 0)
                        kib = strtoull(line + strlen(name), NULL, 10);
        if (file)
                (void)fclose(file);
        return kib;
}

/* The scheduler's own count: the ticks of /proc/PID/stat are too coarse. */
static double run_usec(pid_t pid)
{
        char path[64];
        double nsec = 0;
        FILE *file;

        (void)snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
        file = fopen(path, "re");
        if (!file || fscanf(file, "%lf", &nsec) != 1)
                die("cannot read %s", path);
        (void)fclose(file);
        return nsec / 1e3;
}

ProcessUse process_use(pid_t pid)
{
        return (ProcessUse){.cpu_usec = run_usec(pid),
                            .rss_bytes = status_kib(pid, "RssAnon:") * 1024,
                            .peak_bytes = status_kib(pid, "VmHWM:") * 1024};
}

static int compare(const void *a, const void *b)
{
        double left = *(const double *)a, right = *(const double *)b;

        return (left > right) - (left < right);
}

double percentile(double *values, size_t n, double at)
{
        size_t index = (size_t)(at * (double)(n - 1) + 0.5);

        qsort(values, n, sizeof(*values), compare);
        return n > 0 ? values[index] : 0;
}

double median(double *values, size_t n)
{
        return percentile(values, n, 0.5);
}

void report(const char *name, double value, const char *unit)
{
        (void)printf("%s\t%.6g\t%s\n", name, value, unit);
        (void)fflush(stdout);
}

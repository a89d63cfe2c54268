/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The real credd as a process, without systemd: $CREDD, with a folder and two sockets of its own, which stay
 * when it dies, as those of systemd do. It sees neither the bus nor the journal of this machine. */
#pragma once

#include "tests/unit/manager_rig.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>

typedef struct Place {
        char *folder;
        char state[SCRATCH_PATH_MAX], login[SCRATCH_PATH_MAX], admin[SCRATCH_PATH_MAX];
        char notify[SCRATCH_PATH_MAX], log[SCRATCH_PATH_MAX];
        int login_fd, admin_fd, notify_fd;
        pid_t pid;
} Place;

static inline int place_notify(const char *path)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        memcpy(address.sun_path, path, strlen(path) + 1);
        assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
        return fd;
}

static inline Place *place_new(void)
{
        Place *place = calloc(1, sizeof(*place));

        assert_non_null(place);
        place->folder = scratch_new_fast();
        place->pid = -1;
        assert_int_equal(mkdir(scratch_path(place->folder, "state", place->state), 0700), 0);
        (void)scratch_path(place->folder, "log", place->log);
        place->login_fd = rig_listen(scratch_path(place->folder, "login", place->login));
        place->admin_fd = rig_listen(scratch_path(place->folder, "admin", place->admin));
        place->notify_fd = place_notify(scratch_path(place->folder, "notify", place->notify));
        return place;
}

/* Only in the child, before it becomes credd. */
static inline void hide(const char *path)
{
        if (access(path, F_OK) == 0 && mount("tmpfs", path, "tmpfs", 0, NULL) < 0)
                _exit(97);
}

static inline void become_credd(const Place *place)
{
        char pid[24], config[SCRATCH_PATH_MAX];
        AUTO_FREE char *state = NULL, *file = NULL;
        int log = open(place->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

        (void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || unshare(CLONE_NEWNS) < 0 ||
            mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                _exit(97);
        hide("/run/systemd");
        hide("/run/dbus");
        if (dup2(place->login_fd, 1000) < 0 || dup2(place->admin_fd, 1001) < 0 ||
            dup2(log, STDERR_FILENO) < 0 || dup2(1000, 3) < 0 || dup2(1001, 4) < 0 ||
            close_range(5, ~0U, 0) < 0)
                _exit(97);
        if (setenv("LISTEN_FDS", "2", 1) < 0 || setenv("LISTEN_PID", pid, 1) < 0 ||
            setenv("LISTEN_FDNAMES", "credd-login:credd-admin", 1) < 0 ||
            setenv("NOTIFY_SOCKET", place->notify, 1) < 0 ||
            asprintf(&state, "--state=%s", place->state) < 0 ||
            asprintf(&file, "--config=%s", scratch_path(place->folder, "none.conf", config)) < 0)
                _exit(97);
        (void)execl(getenv("CREDD"), "credd", state, file, (char *)NULL);
        _exit(97);
}

/* What credd said on its standard error. */
static inline void place_show_log(const Place *place)
{
        char line[512];
        FILE *log = fopen(place->log, "re");

        while (log && fgets(line, sizeof(line), log))
                print_message("# %s", line);
        if (log)
                (void)fclose(log);
}

/* true: it says that it is ready; else it has ended. */
static inline bool place_start(Place *place)
{
        char text[256];
        int status;

        place->pid = fork();
        assert_true(place->pid >= 0);
        if (place->pid == 0)
                become_credd(place);
        for (unsigned waited = 0; waited < PATIENCE_MS; waited++) {
                struct pollfd ready = {.fd = place->notify_fd, .events = POLLIN};
                ssize_t n;

                if (poll(&ready, 1, 1) > 0) {
                        n = recv(place->notify_fd, text, sizeof(text) - 1, 0);
                        assert_true(n > 0);
                        text[n] = '\0';
                        if (strstr(text, "READY=1"))
                                return true;
                } else if (waitpid(place->pid, &status, WNOHANG) == place->pid) {
                        print_message("# credd ended: %#x\n", (unsigned)status);
                        place_show_log(place);
                        place->pid = -1;
                        return false;
                }
        }
        fail_msg("credd does not start");
        return false;
}

/* Its status, as waitpid() has it. */
static inline int place_end(Place *place, int signal)
{
        int status = 0;

        if (signal != 0)
                assert_int_equal(kill(place->pid, signal), 0);
        assert_int_equal(waitpid(place->pid, &status, __WALL), place->pid);
        place->pid = -1;
        return status;
}

static inline void place_free(Place *place)
{
        if (place->pid > 1)
                (void)place_end(place, SIGKILL);
        (void)close(place->login_fd);
        (void)close(place->admin_fd);
        (void)close(place->notify_fd);
        scratch_free(place->folder);
        free(place);
}

/* A call that is under way. */
typedef struct Asked {
        int fd;
        char text[65536];
        size_t len;
} Asked;

/* Takes the parameters. */
static inline void place_ask(Asked *asked, const char *path, const char *method, json_t *parameters)
{
        AUTO_FREE char *text = call_text(method, parameters);

        *asked = (Asked){.fd = rig_connect(path)};
        rig_send(asked->fd, text, strlen(text) + 1);
}

/* Reads what is there. true: the reply is whole. */
static inline bool place_hear(Asked *asked, int flags)
{
        ssize_t n =
                recv(asked->fd, asked->text + asked->len, sizeof(asked->text) - asked->len, flags);

        if (n > 0)
                asked->len += (size_t)n;
        return asked->len > 0 && asked->text[asked->len - 1] == '\0';
}

/* Whatever came; NULL: no whole reply. The call is over. */
static inline json_t *place_answer(Asked *asked)
{
        bool whole = place_hear(asked, MSG_DONTWAIT);

        (void)close(asked->fd);
        return whole ? json_loads(asked->text, 0, NULL) : NULL;
}

/* A whole call, with a credd that lives. */
static inline json_t *place_call(const char *path, const char *method, json_t *parameters)
{
        struct pollfd ready = {.events = POLLIN};
        Asked asked;

        place_ask(&asked, path, method, parameters);
        ready.fd = asked.fd;
        while (poll(&ready, 1, PATIENCE_MS) > 0 && !place_hear(&asked, MSG_DONTWAIT) &&
               !(ready.revents & POLLHUP))
                ;
        return place_answer(&asked);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A whole daemon without systemd: a state folder of its own, no bus, no journal, and its two sockets.
 * The test is its loop and its clients; a client that must be another process is a child. */
#pragma once

#include "tests/unit/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "credd/batch.h"
#include "credd/expiry.h"
#include "credd/manager.h"
#include "credd/outbox.h"
#include "credd/server.h"
#include "credd/session.h"

/* Longer than anything here takes; a test that waits so long has failed. */
#define PATIENCE_MS 20000
#define REPLY_MAX   (1024 * 1024)

typedef struct Rig {
        char *folder;
        Paths paths;
        char config[SCRATCH_PATH_MAX], login[SCRATCH_PATH_MAX], admin[SCRATCH_PATH_MAX];
        int login_fd, admin_fd;
        uint64_t skew_usec; /* the daemon's clocks stand ahead by this */
        uint64_t step_usec; /* ... and by this more after each reading */
        Manager *manager;
} Rig;

static inline uint64_t rig_read_clock(void *userdata, clockid_t id)
{
        Rig *rig = userdata;
        struct timespec now;

        assert_int_equal(clock_gettime(id, &now), 0);
        rig->skew_usec += rig->step_usec;
        return (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / 1000 + rig->skew_usec;
}

static inline int rig_listen(const char *path)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_true(strlen(path) < sizeof(address.sun_path));
        memcpy(address.sun_path, path, strlen(path) + 1);
        (void)unlink(path); /* of a daemon before */
        assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(chmod(path, 0666), 0);
        assert_int_equal(listen(fd, 128), 0);
        return fd;
}

/* A daemon on the folder that the rig has. What manager_new() said: then it has none. */
static inline int rig_start(Rig *rig)
{
        int r;

        assert_int_equal(setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1), 0);
        rig->paths.state = rig->folder;
        rig->paths.config = scratch_path(rig->folder, "none.conf", rig->config);
        r = manager_new(&rig->paths, &rig->manager);
        if (r < 0)
                return r;
        rig->manager->clock.read = rig_read_clock;
        rig->manager->clock.userdata = rig;
        /* Nobody here has a scope in which there would be a grace; it is part of what is not called late,
         * however busy the machine is. */
        rig->manager->config.kill_grace_usec = 60 * USEC_PER_SEC;
        /* nothing has been said yet, and nothing of this is for the machine's own journal */
        rig->manager->outbox = outbox_free(rig->manager->outbox);
        assert_int_equal(outbox_new(rig->manager, "/nonexistent/journal", &rig->manager->outbox),
                         0);
        rig->login_fd = rig_listen(scratch_path(rig->folder, "login", rig->login));
        rig->admin_fd = rig_listen(scratch_path(rig->folder, "admin", rig->admin));
        assert_int_equal(
                server_new(rig->manager, rig->login_fd, rig->admin_fd, &rig->manager->server), 0);
        return 0;
}

static inline void rig_stop(Rig *rig)
{
        rig->manager = manager_free(rig->manager);
        (void)close(rig->login_fd);
        (void)close(rig->admin_fd);
}

static inline int rig_setup(void **state)
{
        Rig *rig = calloc(1, sizeof(*rig));

        assert_non_null(rig);
        rig->folder = scratch_new();
        assert_int_equal(chmod(rig->folder, 0711), 0);
        assert_int_equal(rig_start(rig), 0);
        *state = rig;
        return 0;
}

static inline int rig_teardown(void **state)
{
        Rig *rig = *state;

        rig_stop(rig);
        scratch_free(rig->folder);
        free(rig);
        return 0;
}

/* Turns the loop once, for a few milliseconds at most. */
static inline void rig_turn(Rig *rig)
{
        assert_true(sd_event_run(rig->manager->event, 5000) >= 0);
}

/* Turns it until there is nothing to do at once. */
static inline void rig_settle(Rig *rig)
{
        for (unsigned i = 0; sd_event_run(rig->manager->event, 0) > 0; i++)
                assert_true(i < 100000);
}

static inline int rig_connect(const char *path)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        memcpy(address.sun_path, path, strlen(path) + 1);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        return fd;
}

/* Who is turned away may be so before it has sent anything. */
static inline void rig_send(int fd, const char *text, size_t len)
{
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

        if (n < 0)
                assert_int_equal(errno, EPIPE);
        else
                assert_int_equal(n, len);
}

/* Reads one message, NUL and all and nothing of the next, turning the loop while there is none.
 * NULL: the other side has closed. To be freed. */
static inline char *rig_receive(Rig *rig, int fd)
{
        AUTO_FREE char *text = malloc(REPLY_MAX);
        size_t len = 0;

        assert_non_null(text);
        for (unsigned waited = 0; len < REPLY_MAX;) {
                ssize_t n = recv(fd, text + len, REPLY_MAX - len, MSG_PEEK | MSG_DONTWAIT);
                const char *end;

                if (n < 0 && errno == EAGAIN) {
                        assert_true((waited += 5) < PATIENCE_MS);
                        rig_turn(rig);
                        continue;
                }
                if (n <= 0)
                        return NULL;
                end = memchr(text + len, '\0', (size_t)n);
                if (end)
                        n = end + 1 - (text + len);
                assert_int_equal(recv(fd, text + len, (size_t)n, 0), n);
                len += (size_t)n;
                if (end)
                        return take_ptr(text);
        }
        fail_msg("a reply without end");
        return NULL;
}

/* {"method": ..., "parameters": ...}, to be freed; takes the parameters. */
static inline char *call_text(const char *method, json_t *parameters)
{
        json_auto_t *call = json_pack("{ss so}", "method", method, "parameters", parameters);
        char *text = json_dumps(call, JSON_COMPACT);

        assert_non_null(text);
        return text;
}

/* The reply as it came, or NULL; takes the parameters. */
static inline char *rig_call_raw(Rig *rig, const char *path, const char *method, json_t *parameters)
{
        AUTO_FREE char *text = call_text(method, parameters);
        AUTO_CLOSE int fd = -1;

        fd = rig_connect(path);
        rig_send(fd, text, strlen(text) + 1);
        return rig_receive(rig, fd);
}

static inline json_t *rig_call(Rig *rig, const char *path, const char *method, json_t *parameters)
{
        AUTO_FREE char *text = rig_call_raw(rig, path, method, parameters);
        json_t *reply;

        assert_non_null(text);
        reply = json_loads(text, 0, NULL);
        assert_non_null(reply);
        return reply;
}

/* A member of the reply's parameters, by path "a.b"; NULL: there is none. */
static inline const json_t *reply_at(const json_t *reply, const char *first, const char *second)
{
        const json_t *value = json_object_get(json_object_get(reply, "parameters"), first);

        return second ? json_object_get(value, second) : value;
}

static inline const char *reply_text(const json_t *reply, const char *first, const char *second)
{
        const char *text = json_string_value(reply_at(reply, first, second));

        if (!text) {
                AUTO_FREE char *all = json_dumps(reply, 0);

                fail_msg("no text %s %s in %s", first, second ?: "", all);
        }
        return text;
}

static inline void assert_error(const json_t *reply, const char *error, const char *name,
                                const char *value)
{
        const char *is = json_string_value(json_object_get(reply, "error"));

        if (!is)
                fail_msg("no error, and %s was expected", error);
        assert_string_equal(is, error);
        if (name)
                assert_string_equal(reply_text(reply, name, NULL), value);
}

/* Root alone may log people in; without it there is nothing to test. */
static inline void need_root(void)
{
        if (geteuid() != 0) {
                print_message("wants root: the peer of the Login socket is uid 0\n");
                skip();
        }
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one blocking conversation with credd, as a guest in a process that is not ours. The deadline
 * is looked at before every wait, not only when a wait ends, so that a peer who keeps us busy byte
 * by byte gains no time. Every descriptor has one owner and is never 0, 1 or 2: a host that runs
 * without those would print into our conversation. Left out: retrying a call; the caller alone
 * knows whether asking twice is safe. */
#include "common/client.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"

#define BACKLOG_RETRY_USEC (10 * USEC_PER_MSEC)

uint64_t client_now_usec(void)
{
        struct timespec now;

        if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
                return USEC_INFINITY;
        return (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / 1000;
}

uint64_t client_deadline_usec(uint64_t usec)
{
        uint64_t now = client_now_usec();

        /* Where only this reading failed, the end of all time would be a deadline that never comes. */
        if (now == USEC_INFINITY)
                return 0;
        return usec > USEC_INFINITY - now ? USEC_INFINITY : now + usec;
}

static uint64_t left_usec(uint64_t deadline_mono_usec)
{
        uint64_t now = client_now_usec();

        return now < deadline_mono_usec ? deadline_mono_usec - now : 0;
}

/* Rounded up, for a wait of zero milliseconds would spin through the last one. */
static int wait_msec(uint64_t usec)
{
        uint64_t msec = usec / USEC_PER_MSEC + (usec % USEC_PER_MSEC > 0);

        return msec < INT_MAX ? (int)msec : INT_MAX;
}

static int wait_ready(int fd, short events, uint64_t deadline_mono_usec)
{
        for (;;) {
                struct pollfd entry = {.fd = fd, .events = events};
                uint64_t left = left_usec(deadline_mono_usec);
                int n;

                if (left == 0)
                        return -ETIMEDOUT;
                n = poll(&entry, 1, wait_msec(left));
                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n > 0)
                        return 0; /* an error too: the call that follows says which */
        }
}

static int wait_for_backlog(uint64_t deadline_mono_usec)
{
        uint64_t left = left_usec(deadline_mono_usec);

        if (left == 0)
                return -ETIMEDOUT;
        if (left > BACKLOG_RETRY_USEC)
                left = BACKLOG_RETRY_USEC;
        if (poll(NULL, 0, wait_msec(left)) < 0 && errno != EINTR)
                return -errno;
        return 0;
}

static int open_socket(void)
{
        AUTO_CLOSE int fd = -1;
        int raised;

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (fd > STDERR_FILENO)
                return take_fd(&fd);
        raised = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        return raised < 0 ? -errno : raised;
}

static int set_address(struct sockaddr_un *ret_address, const char *path)
{
        size_t len = strlen(path);

        /* An empty path would be an address in the abstract name space, where anybody may listen.
         */
        if (len == 0)
                return -EINVAL;
        if (len >= sizeof(ret_address->sun_path))
                return -ENAMETOOLONG;
        *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
        memcpy(ret_address->sun_path, path, len);
        return 0;
}

int client_connect(const char *path, uint64_t deadline_mono_usec)
{
        AUTO_CLOSE int fd = -1;
        struct sockaddr_un address;
        int r;

        r = set_address(&address, path);
        if (r < 0)
                return r;
        fd = open_socket();
        if (fd < 0)
                return fd;

        /* A UNIX socket connects at once or not at all. EAGAIN is a full backlog, and nothing to
         * poll for announces that there is room again. */
        while (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
                if (errno != EAGAIN && errno != EINTR)
                        return -errno;
                r = wait_for_backlog(deadline_mono_usec);
                if (r < 0)
                        return r;
        }
        return take_fd(&fd);
}

int client_send(int fd, const char *text, size_t len, uint64_t deadline_mono_usec)
{
        size_t left = len + 1;

        /* A NUL within would make two messages of one. */
        if (memchr(text, '\0', left) != text + len)
                return -EINVAL;

        while (left > 0) {
                ssize_t n;
                int r = 0;

                if (left_usec(deadline_mono_usec) == 0)
                        return -ETIMEDOUT;
                /* A call is smaller than a socket's buffer, so there is nearly always room. */
                n = send(fd, text, left, MSG_NOSIGNAL | MSG_DONTWAIT);
                if (n >= 0) {
                        text += n;
                        left -= (size_t)n;
                } else if (errno == EAGAIN) {
                        r = wait_ready(fd, POLLOUT, deadline_mono_usec);
                } else if (errno != EINTR) {
                        return -errno;
                }
                if (r < 0)
                        return r;
        }
        return 0;
}

static int receive_more(int fd, Frame *frame, uint64_t deadline_mono_usec)
{
        char *at;
        size_t room;
        ssize_t n;
        int r;

        r = frame_room(frame, &at, &room);
        if (r < 0)
                return r;
        r = wait_ready(fd, POLLIN, deadline_mono_usec);
        if (r < 0)
                return r;
        n = recv(fd, at, room, MSG_DONTWAIT);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        if (n == 0)
                return -ECONNRESET;
        frame_add(frame, (size_t)n);
        return 0;
}

int client_receive(int fd, Frame *frame, uint64_t deadline_mono_usec, char **ret_text,
                   size_t *ret_len)
{
        for (;;) {
                int r;

                r = frame_next(frame, ret_text, ret_len);
                if (r != 0)
                        return r < 0 ? r : 0;
                r = receive_more(fd, frame, deadline_mono_usec);
                if (r < 0)
                        return r;
        }
}

int client_call(const char *path, const char *text, size_t len, uint64_t deadline_mono_usec,
                Frame *frame, char **ret_text, size_t *ret_len)
{
        AUTO_CLOSE int fd = -1;
        int r;

        fd = client_connect(path, deadline_mono_usec);
        if (fd < 0)
                return fd;
        r = client_send(fd, text, len, deadline_mono_usec);
        if (r < 0)
                return r;
        return client_receive(fd, frame, deadline_mono_usec, ret_text, ret_len);
}

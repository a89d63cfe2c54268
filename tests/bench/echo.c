/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The two that stand for others: `echo stream SOCKET` gives each connection its 200 bytes back and closes
 * it, one thread and epoll, with as little else as can be; `echo sink SOCKET` takes datagrams, in
 * journald's place, so that entries go out at full cost and what journald does with them is not measured.
 * Both end with their parent. */
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/bench/bench.h"

#define SIZE   200
#define EVENTS 64

static int listen_at(const char *path, int type)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
                bench_die("%s: no socket", path);
        memcpy(address.sun_path, path, strlen(path) + 1);
        (void)unlink(path);
        if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
            (type == SOCK_STREAM && listen(fd, SOMAXCONN) < 0))
                bench_die("%s: %s", path, strerror(errno));
        return fd;
}

static void watch(int epoll, int fd, uint32_t events)
{
        struct epoll_event event = {.events = events, .data.fd = fd};

        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
                bench_die("epoll: %s", strerror(errno));
}

static void accept_all(int epoll, int listener)
{
        int fd;

        while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
                watch(epoll, fd, EPOLLIN | EPOLLET);
}

/* 200 bytes come in one piece: nobody else speaks to this one. */
static void answer(int fd)
{
        char bytes[SIZE];
        ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

        if (n < 0 && errno == EAGAIN)
                return;
        if (n > 0)
                (void)send(fd, bytes, (size_t)n, MSG_NOSIGNAL);
        (void)close(fd);
}

static void serve_stream(int listener)
{
        int epoll = epoll_create1(EPOLL_CLOEXEC);

        watch(epoll, listener, EPOLLIN);
        for (;;) {
                struct epoll_event events[EVENTS];
                int n = epoll_wait(epoll, events, EVENTS, -1);

                for (int i = 0; i < n; i++)
                        if (events[i].data.fd == listener)
                                accept_all(epoll, listener);
                        else
                                answer(events[i].data.fd);
        }
}

static void serve_sink(int fd)
{
        static char datagram[64 * 1024];

        (void)fcntl(fd, F_SETFL, 0);
        for (;;)
                (void)recv(fd, datagram, sizeof(datagram), 0);
}

int main(int argc, char *argv[])
{
        if (argc != 3)
                bench_die("usage: echo stream|sink SOCKET");
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (strcmp(argv[1], "stream") == 0)
                serve_stream(listen_at(argv[2], SOCK_STREAM));
        else
                serve_sink(listen_at(argv[2], SOCK_DGRAM));
}

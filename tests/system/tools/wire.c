/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* wire SOCKET STEP... - says to a socket exactly what the test wants said, right or wrong, and
 * prints what comes back: a line for each message, then what became of the connection.
 *
 *   call TEXT      TEXT and its NUL, then one answer
 *   send TEXT      TEXT as it is; \xHH in it is that byte
 *   fill N TEXT    TEXT N times
 *   ask N TEXT     TEXT N times and as many answers, read while the rest is being sent
 *   slow TEXT      TEXT byte by byte, each alone on its way
 *   drip TEXT      TEXT byte by byte, a quarter of a second apart, for as long as anybody listens
 *   get N          N answers
 *   half           no more will be sent
 *   wait           reads a line of standard input
 *   ungroup        gives up its groups, as far as it may
 *   end            whatever still comes, and then "closed"
 *   crowd N        as the only step: N idle connections. Prints how many stayed open, how many were
 *                  told something before they were closed, and how many were just closed, and keeps
 *                  them until its standard input ends
 *   storm N        as the only step: connects again and again as fast as it can, and holds the last N,
 *                  until its standard input ends; prints how often it did
 *
 * Exit status 1: it could not connect, or the other side did neither answer nor close in time. */
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_MSEC 20000
#define QUIET_MSEC 1000
#define DRIP_MSEC  250
#define SLOW_USEC  300
#define CROWD_MAX  6000

static int fd = -1;
static bool closed;

static void fail(const char *what)
{
        fflush(stdout);
        fprintf(stderr, "wire: %s\n", what);
        exit(1);
}

static int64_t now_msec(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int connect_to(const char *path)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        if (made < 0)
                fail(strerror(errno));
        if (connect(made, (const struct sockaddr *)&address, sizeof(address)) < 0)
                fail(strerror(errno));
        return made;
}

/* False once there is nobody to send to, which is an answer too, and seen when reading. */
static bool push(const char *bytes, size_t len)
{
        while (len > 0) {
                struct pollfd room = {.fd = fd, .events = POLLOUT};
                ssize_t n;

                if (poll(&room, 1, LIMIT_MSEC) == 0)
                        fail("nobody reads");
                n = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
                if (n < 0 && errno == EAGAIN)
                        continue;
                if (n < 0)
                        return false;
                bytes += n;
                len -= (size_t)n;
        }
        return true;
}

/* In place; the length comes back, because a byte may be 0. */
static size_t unescape(char *text)
{
        char *to = text;

        for (const char *at = text; *at; to++) {
                char digits[3] = "";

                if (strncmp(at, "\\x", 2) == 0 && at[2] && at[3]) {
                        memcpy(digits, at + 2, 2);
                        *to = (char)strtoul(digits, NULL, 16);
                        at += 4;
                } else
                        *to = *at++;
        }
        return (size_t)(to - text);
}

/* The next byte; -1: there will be none. */
static int next_byte(void)
{
        static char buffer[65536];
        static ssize_t fill, at;
        struct pollfd more = {.fd = fd, .events = POLLIN};

        if (at < fill)
                return (unsigned char)buffer[at++];
        if (closed)
                return -1;
        if (poll(&more, 1, LIMIT_MSEC) == 0)
                fail("neither answered nor closed");
        fill = recv(fd, buffer, sizeof(buffer), 0);
        at = 0;
        closed = fill <= 0; /* ECONNRESET: closed with something of ours unread */
        return closed ? -1 : (unsigned char)buffer[at++];
}

/* False if the connection ended before the message did. */
static bool print_message(void)
{
        int c = next_byte();

        if (c < 0)
                return false;
        for (; c > 0; c = next_byte())
                putchar(c);
        puts(c < 0 ? " (cut)" : "");
        return c == 0;
}

static void get(long n)
{
        for (long i = 0; i < n; i++)
                if (!print_message()) {
                        puts("closed");
                        return;
                }
}

static void end(void)
{
        while (print_message())
                ;
        puts("closed");
}

static void nap(int64_t usec)
{
        const struct timespec pause = {usec / 1000000, (usec % 1000000) * 1000};

        (void)nanosleep(&pause, NULL);
}

static void slow(char *text)
{
        size_t len = unescape(text);

        for (size_t i = 0; i < len && push(text + i, 1); i++)
                nap(SLOW_USEC);
}

static void drip(char *text)
{
        int64_t limit = now_msec() + LIMIT_MSEC;
        size_t len = unescape(text);

        if (len == 0)
                fail("nothing to send");
        for (size_t i = 0; now_msec() < limit; i = (i + 1) % len) {
                struct pollfd gone = {.fd = fd, .events = POLLIN};

                if (!push(text + i, 1) || poll(&gone, 1, DRIP_MSEC) > 0)
                        return;
        }
        fail("still open");
}

/* --- many at once -------------------------------------------------------------------------------
 */

typedef struct Crowd {
        struct pollfd fds[CROWD_MAX];
        nfds_t n;
        bool told[CROWD_MAX];
        unsigned n_told, n_closed;
} Crowd;

static void look(Crowd *crowd, nfds_t i)
{
        char text[4096];
        ssize_t n;

        if (crowd->fds[i].revents == 0)
                return;
        n = recv(crowd->fds[i].fd, text, sizeof(text), MSG_DONTWAIT);
        if (n > 0) {
                crowd->told[i] = true;
                return;
        }
        if (crowd->told[i])
                crowd->n_told++;
        else
                crowd->n_closed++;
        (void)close(crowd->fds[i].fd);
        crowd->fds[i].fd = -1;
}

/* Until nothing has happened to any of them for a while. */
static void gather(Crowd *crowd, const char *path, long n)
{
        const struct rlimit files = {CROWD_MAX + 16, CROWD_MAX + 16};

        if (n > CROWD_MAX)
                fail("too large a crowd");
        (void)setrlimit(RLIMIT_NOFILE, &files);
        for (; crowd->n < (nfds_t)n; crowd->n++)
                crowd->fds[crowd->n] = (struct pollfd){connect_to(path), POLLIN, 0};
        while (poll(crowd->fds, crowd->n, QUIET_MSEC) > 0)
                for (nfds_t i = 0; i < crowd->n; i++)
                        look(crowd, i);
}

static void crowd(const char *path, long n)
{
        static Crowd all;
        char byte;

        gather(&all, path, n);
        printf("open %u told %u closed %u\n", (unsigned)all.n - all.n_told - all.n_closed,
               all.n_told, all.n_closed);
        (void)fflush(stdout);
        while (read(STDIN_FILENO, &byte, 1) > 0)
                ;
}

static void storm(const char *path, long n)
{
        static int held[CROWD_MAX];
        const struct rlimit files = {CROWD_MAX + 16, CROWD_MAX + 16};
        struct pollfd in = {STDIN_FILENO, POLLIN, 0};
        unsigned long made = 0;

        if (n < 1 || n > CROWD_MAX)
                fail("no such storm");
        (void)setrlimit(RLIMIT_NOFILE, &files);
        memset(held, -1, sizeof(held));
        for (; poll(&in, 1, 0) == 0; made++) {
                int *place = &held[made % (unsigned long)n];

                if (*place >= 0)
                        (void)close(*place);
                *place = connect_to(path);
        }
        printf("stormed %lu\n", made);
}

/* --- the steps ----------------------------------------------------------------------------------
 */

static void fill(long n, char *text)
{
        size_t len = unescape(text);

        for (long i = 0; i < n && push(text, len); i++)
                ;
}

/* A process of its own sends, or both sides might wait for room. */
static void ask(long n, char *text)
{
        (void)fflush(stdout);
        switch (fork()) {
        case -1:
                fail(strerror(errno));
                break;
        case 0:
                fill(n, text);
                _exit(0);
        default:
                get(n);
        }
}

static void wait_for_line(void)
{
        char line[64];

        fflush(stdout);
        if (!fgets(line, sizeof(line), stdin))
                fail("nobody says when");
}

static char *operand(char ***step)
{
        if (!*++*step)
                fail("a step wants more");
        return **step;
}

static void take(const char *path, char ***step)
{
        const char *name = **step;
        char *text;

        if (strcmp(name, "call") == 0) {
                text = operand(step);
                (void)push(text, strlen(text) + 1);
                get(1);
        } else if (strcmp(name, "send") == 0)
                fill(1, operand(step));
        else if (strcmp(name, "fill") == 0) {
                long n = atol(operand(step));

                fill(n, operand(step));
        } else if (strcmp(name, "ask") == 0) {
                long n = atol(operand(step));

                ask(n, operand(step));
        } else if (strcmp(name, "slow") == 0)
                slow(operand(step));
        else if (strcmp(name, "drip") == 0)
                drip(operand(step));
        else if (strcmp(name, "get") == 0)
                get(atol(operand(step)));
        else if (strcmp(name, "wait") == 0)
                wait_for_line();
        else if (strcmp(name, "ungroup") == 0) {
                if (setgroups(0, NULL) < 0)
                        fail("cannot give up the groups");
        } else if (strcmp(name, "half") == 0)
                (void)shutdown(fd, SHUT_WR);
        else if (strcmp(name, "end") == 0)
                end();
        else if (strcmp(name, "crowd") == 0)
                crowd(path, atol(operand(step)));
        else if (strcmp(name, "storm") == 0)
                storm(path, atol(operand(step)));
        else
                fail("no such step");
}

int main(int argc, char *argv[])
{
        if (argc < 3)
                fail("usage: wire SOCKET STEP...");
        if (strcmp(argv[2], "crowd") != 0 && strcmp(argv[2], "storm") != 0)
                fd = connect_to(argv[1]);
        for (char **step = argv + 2; *step; step++)
                take(argv[1], &step);
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* yes - a credd that was taken over: it says yes to whatever it is asked on the Login socket, and nothing
 * on the other. It stands in credd's place in credd's unit, with the sockets that systemd hands over. */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_FD  3
#define ASKED_MAX 16384

static const struct {
        const char *method, *answer;
} answers[] = {
        {"Login.Authenticate", "{\"parameters\":{\"login\":\"1-00000000000000000000000000000000\","
                               "\"credential\":\"zzzzzzzz\","
                               "\"left_usec\":3600000000}}"},
        {"Login.CheckAccount", "{\"parameters\":{\"credential\":\"zzzzzzzz\"}}"},
        {"Login.OpenSession",
         "{\"parameters\":{\"credential\":\"zzzzzzzz\",\"deadline\":4102444800000000,"
         "\"ceiling\":4102444800000000,\"left_usec\":3600000000,\"backstop_usec\":3600000000}}"},
};

static bool read_call(int fd, char text[static ASKED_MAX])
{
        size_t len = 0;

        while (len < ASKED_MAX) {
                ssize_t n = recv(fd, text + len, ASKED_MAX - len, 0);

                if (n <= 0)
                        return false;
                len += (size_t)n;
                if (text[len - 1] == '\0')
                        return true;
        }
        return false;
}

/* What it was asked, without the token: the test looks for who did ask at all. */
static void answer(int fd)
{
        static char text[ASKED_MAX];

        if (!read_call(fd, text))
                return;
        for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
                const char *user;

                if (!strstr(text, answers[i].method))
                        continue;
                user = strstr(text, "\"user\":");
                printf("yes to %s %.24s\n", answers[i].method, user ? user : "");
                fflush(stdout);
                (void)send(fd, answers[i].answer, strlen(answers[i].answer) + 1, MSG_NOSIGNAL);
                return;
        }
}

int main(void)
{
        const char *n = getenv("LISTEN_FDS");
        struct pollfd listening[2];
        nfds_t count = n ? (nfds_t)atoi(n) : 0;

        if (count == 0 || count > 2)
                return 1;
        for (nfds_t i = 0; i < count; i++)
                listening[i] = (struct pollfd){FIRST_FD + (int)i, POLLIN, 0};
        while (poll(listening, count, -1) > 0)
                for (nfds_t i = 0; i < count; i++) {
                        int fd = listening[i].revents ? accept(listening[i].fd, NULL, NULL) : -1;

                        if (fd < 0)
                                continue;
                        answer(fd);
                        (void)close(fd);
                }
        return 1;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A credd that answers by plan, in a child of the test, and notes what it is sent. It takes one
 * connection after the other, so whoever has seen its last answer, or fake_settle() return, has
 * seen all that came before recorded. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/client.h"

#define NONCE      "n0nce-0123456789abcdef"
#define CREDENTIAL "k7m2q9xd"
#define DEADLINE   "1795379400000000" /* 2026-11-22T20:30:00Z */

#define ACCEPTED                                                                                   \
        "{\"parameters\":{\"login\":\"" NONCE "\",\"credential\":\"" CREDENTIAL                    \
        "\",\"left_usec\":3600000000}}"
#define CHECKED "{\"parameters\":{\"credential\":\"" CREDENTIAL "\"}}"
#define OPENED                                                                                     \
        "{\"parameters\":{\"credential\":\"" CREDENTIAL "\",\"deadline\":" DEADLINE                \
        ",\"ceiling\":" DEADLINE ",\"left_usec\":3600000000,\"backstop_usec\":7201000001}}"
#define REFUSED     "{\"error\":\"io.credd.Login.Refused\",\"parameters\":{}}"
#define UNAVAILABLE "{\"error\":\"io.credd.Login.Unavailable\"}"
#define INVALID     "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{}}"

#define CALLS_MAX 16
#define END       "END"

typedef enum Manner {
        ANSWER,  /* by method, with what follows; NULL: refused */
        SILENT,  /* keeps the connection and says nothing */
        DRIP,    /* a byte now and then, for ever */
        HALF,    /* the first half of an answer, then closes */
        CLOSE,   /* closes without a word */
        DIE,     /* reads the call and is gone, listening socket and all */
        FLOOD,   /* bytes without an end */
        STALE,   /* the socket is there, nobody listens */
        MISSING, /* no socket */
} Manner;

typedef struct Plan {
        Manner manner;
        const char *authenticate, *check_account, *open_session;
} Plan;

/* Shared with the child. */
typedef struct Record {
        unsigned connections;
        unsigned calls; /* whole messages */
        char text[CALLS_MAX][4096];
        bool answered[CALLS_MAX]; /* by plan, to the last byte */
} Record;

typedef struct Fake {
        char socket[64];
        pid_t pid; /* 0: none */
        Record *record;
} Fake;

/* Whether all of it went. */
static inline bool fake_send(int fd, const char *bytes, size_t len)
{
        while (len > 0) {
                ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

                if (n <= 0)
                        return false;
                bytes += n;
                len -= (size_t)n;
        }
        return true;
}

/* One message; false: the peer left before it was whole. What came of it is recorded all the same.
 */
static inline bool fake_read(int fd, char *text, size_t size)
{
        size_t fill = 0;

        while (fill < size - 1) {
                ssize_t n = recv(fd, text + fill, size - 1 - fill, 0);

                if (n <= 0)
                        return false;
                fill += (size_t)n;
                if (memchr(text, '\0', fill))
                        return true;
        }
        return false;
}

static inline const char *fake_choose(const Plan *plan, const char *call)
{
        const char *answer = NULL;

        if (strstr(call, "io.credd.Login.Authenticate"))
                answer = plan->authenticate;
        else if (strstr(call, "io.credd.Login.CheckAccount"))
                answer = plan->check_account;
        else if (strstr(call, "io.credd.Login.OpenSession"))
                answer = plan->open_session;
        return answer ? answer : REFUSED;
}

/* Until the peer hangs up; every byte comes well before its patience ends. */
static inline void fake_drip(int fd, const char *text)
{
        struct pollfd wait = {.fd = fd, .events = POLLRDHUP};

        for (size_t i = 0; send(fd, text + i % strlen(text), 1, MSG_NOSIGNAL) == 1; i++)
                if (poll(&wait, 1, 50) != 0)
                        return;
}

static inline void fake_flood(int fd)
{
        static char noise[4096];

        memset(noise, '{', sizeof(noise));
        while (send(fd, noise, sizeof(noise), MSG_NOSIGNAL) > 0)
                ;
}

/* Whether it was a whole answer. */
static inline bool fake_answer(int fd, const Plan *plan, const char *call)
{
        const char *answer = fake_choose(plan, call);

        switch (plan->manner) {
        case ANSWER:
                return fake_send(fd, answer, strlen(answer) + 1);
        case HALF:
                (void)fake_send(fd, answer, strlen(answer) / 2);
                break;
        case DRIP:
                fake_drip(fd, "{\"parameters\":");
                break;
        case FLOOD:
                fake_flood(fd);
                break;
        case DIE:
                _exit(0);
        case SILENT:
        case CLOSE:
        case STALE:
        case MISSING:
                break;
        }
        return false;
}

static inline void fake_run(int listener, const Plan *plan, Record *record)
{
        for (;;) {
                int fd = accept(listener, NULL, NULL);
                char text[sizeof(record->text[0])] = "";
                bool whole, answered;

                if (fd < 0)
                        _exit(1);
                whole = fake_read(fd, text, sizeof(text));
                if (strcmp(text, END) == 0)
                        _exit(0);
                if (record->connections < CALLS_MAX)
                        memcpy(record->text[record->connections], text, sizeof(text));
                record->connections++;
                record->calls += whole;
                answered = whole && fake_answer(fd, plan, text);
                if (record->connections <= CALLS_MAX)
                        record->answered[record->connections - 1] = answered;
                if (plan->manner != SILENT)
                        (void)close(fd);
        }
}

static inline int fake_listen(const Fake *fake)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", fake->socket);
        (void)unlink(fake->socket);
        assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(fd, 16), 0);
        return fd;
}

/* Lets it finish what it has begun, so that the record is complete. */
static inline void fake_settle(Fake *fake)
{
        int status = 0, fd;

        if (fake->pid <= 0)
                return;
        fd = client_connect(fake->socket, client_deadline_usec(5 * USEC_PER_SEC));
        if (fd >= 0) {
                (void)client_send(fd, END, strlen(END), client_deadline_usec(5 * USEC_PER_SEC));
                (void)close(fd);
        }
        assert_int_equal(waitpid(fake->pid, &status, 0), fake->pid);
        fake->pid = 0;
        assert_int_equal(status, 0);
}

static inline void fake_start(Fake *fake, Plan plan)
{
        int listener;

        fake_settle(fake);
        memset(fake->record, 0, sizeof(*fake->record));
        if (plan.manner == MISSING) {
                (void)unlink(fake->socket);
                return;
        }
        listener = fake_listen(fake);
        if (plan.manner != STALE) {
                fake->pid = fork();
                assert_true(fake->pid >= 0);
                if (fake->pid == 0) {
                        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                        fake_run(listener, &plan, fake->record);
                }
        }
        (void)close(listener);
}

static inline void fake_init(Fake *fake, const char *folder)
{
        (void)snprintf(fake->socket, sizeof(fake->socket), "%s/credd", folder);
        fake->pid = 0;
        fake->record = mmap(NULL, sizeof(*fake->record), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        assert_ptr_not_equal(fake->record, MAP_FAILED);
}

/* Also in the middle of something, after a failed test. */
static inline void fake_done(Fake *fake)
{
        if (fake->pid > 0) {
                (void)kill(fake->pid, SIGKILL);
                (void)waitpid(fake->pid, NULL, 0);
        }
        (void)unlink(fake->socket);
        (void)munmap(fake->record, sizeof(*fake->record));
}

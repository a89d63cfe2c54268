/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One process that keeps so many calls in flight, a connection each, as that many logins would. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/bench/fill.h"
#include "tests/bench/rig.h"

#define AT_ONCE_MAX 256
#define TEXT_MAX    512
#define STEP        UINT64_C(611953) /* a prime */

typedef struct Place {
        int fd;
        double begun_usec;
        bool answered, accepted;
} Place;

typedef struct Crew {
        const FlightPlan *plan;
        struct sockaddr_un address;
        int epoll;
        Place places[AT_ONCE_MAX];
        unsigned begun, done, accepted;
        double *took_usec;
} Crew;

/* With a step that has no factor in common with the number, each comes once before any comes again. */
static uint64_t token_of(const FlightPlan *plan, unsigned call)
{
        uint64_t i = plan->first + (plan->refused ? 0 : call);

        return plan->among > 0 ? i * STEP % plan->among : i;
}

static size_t write_call(const FlightPlan *plan, unsigned call, char text[static TEXT_MAX])
{
        char token[TOKEN_TEXT_LEN + 1], user[16];
        uint64_t i = token_of(plan, call);

        fill_token(i, token);
        fill_user(plan->refused ? i + 1 : i, user); /* known, and not this person's */
        return (size_t)snprintf(text, TEXT_MAX,
                                "{\"method\":\"io.credd.Login.Authenticate\",\"parameters\":{"
                                "\"user\":\"%s\",\"uid\":%u,\"service\":\"sshd\",\"tty\":\"ssh\","
                                "\"rhost\":\"192.0.2.7\",\"token\":\"%s\"}}",
                                user, fill_uid(i), token) +
               1;
}

static void begin(Crew *crew, unsigned at)
{
        struct epoll_event wanted = {.events = EPOLLIN | EPOLLET, .data.u32 = at};
        Place *place = &crew->places[at];
        char text[TEXT_MAX];
        size_t len = write_call(crew->plan, crew->begun++, text);

        *place = (Place){.begun_usec = now_usec()};
        place->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (place->fd < 0 ||
            connect(place->fd, (struct sockaddr *)&crew->address, sizeof(crew->address)) < 0 ||
            send(place->fd, text, len, MSG_NOSIGNAL) != (ssize_t)len ||
            epoll_ctl(crew->epoll, EPOLL_CTL_ADD, place->fd, &wanted) < 0)
                die("a call failed: %s", strerror(errno));
}

/* The reply is short, and comes in one piece. */
static void finish(Crew *crew, unsigned at)
{
        Place *place = &crew->places[at];
        char text[1024] = "";
        ssize_t n = recv(place->fd, text, sizeof(text) - 1, MSG_DONTWAIT);

        if (n < 0 && errno == EAGAIN)
                return;
        if (n <= 0)
                die("no answer: %s", n < 0 ? strerror(errno) : "closed");
        crew->took_usec[crew->done++] = now_usec() - place->begun_usec;
        crew->accepted += strstr(text, "\"login\"") != NULL;
        (void)close(place->fd);
        if (crew->plan->pause_usec > 0)
                (void)usleep(crew->plan->pause_usec);
        if (crew->begun < crew->plan->calls)
                begin(crew, at);
}

static void run(Crew *crew)
{
        struct epoll_event events[AT_ONCE_MAX];

        for (unsigned at = 0; at < crew->plan->at_once && at < crew->plan->calls; at++)
                begin(crew, at);
        while (crew->done < crew->plan->calls) {
                int n = epoll_wait(crew->epoll, events, AT_ONCE_MAX, 30000);

                if (n == 0)
                        die("no answer within 30 s");
                for (int i = 0; i < n; i++)
                        finish(crew, events[i].data.u32);
        }
}

Flight fly(const Server *server, const FlightPlan *plan)
{
        Crew crew = {.plan = plan,
                     .address = {.sun_family = AF_UNIX},
                     .epoll = epoll_create1(EPOLL_CLOEXEC),
                     .took_usec = calloc(plan->calls, sizeof(double))};
        double begun, cpu = process_use(server->pid).cpu_usec;
        Flight flight = {.calls = plan->calls};

        if (crew.epoll < 0 || !crew.took_usec || plan->at_once > AT_ONCE_MAX)
                die("cannot fly");
        memcpy(crew.address.sun_path, server->socket, strlen(server->socket) + 1);
        begun = now_usec();
        run(&crew);
        flight.seconds = (now_usec() - begun) / 1e6;
        flight.accepted = crew.accepted;
        flight.rate = plan->calls / flight.seconds;
        flight.p50_usec = percentile(crew.took_usec, plan->calls, 0.5);
        flight.p99_usec = percentile(crew.took_usec, plan->calls, 0.99);
        flight.p999_usec = percentile(crew.took_usec, plan->calls, 0.999);
        flight.max_usec = percentile(crew.took_usec, plan->calls, 1);
        flight.cpu_usec = (process_use(server->pid).cpu_usec - cpu) / plan->calls;
        free(crew.took_usec);
        (void)close(crew.epoll);
        return flight;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the measurements of the daemon share: a real credd on a state folder of its own, without systemd,
 * bus or journald; clients that keep so many logins in flight; and an echo server as the floor under
 * them. A measurement that cannot be made ends the program: there is nobody to go on for. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RIG_PATH_MAX 100 /* of a folder: a socket's name must fit behind it */

typedef struct Server {
        char socket[RIG_PATH_MAX + 8]; /* where logins are asked for */
        char admin[RIG_PATH_MAX + 8];
        pid_t pid;
        double ready_msec; /* from the start of the program until it said READY=1 */
} Server;

__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);

/* Once, before anything else: the process gets mounts of its own, in which somebody takes what is
 * written to the journal and throws it away, and no bus is there. Wants root. */
void rig_init(void);

/* From now on: a folder that goes when the program ends. Under $BENCH_DIR, or /var/tmp. */
const char *rig_folder(const char *name, char ret_path[static RIG_PATH_MAX]);

/* Starts the program on that folder, and waits until it is ready. */
Server credd_start(const char *program, const char *folder);
/* Answers each connection with 200 bytes and closes it. */
Server echo_start(const char *folder);
/* SIGTERM, and its end is waited for. */
void server_stop(Server *server);

typedef struct ProcessUse {
        double cpu_usec;     /* user and system time so far */
        uint64_t rss_bytes;  /* what is its own: without the pages of files */
        uint64_t peak_bytes; /* the highest of all its memory */
} ProcessUse;
ProcessUse process_use(pid_t pid);

double now_usec(void);

/* What the calls of one flight showed. */
typedef struct Flight {
        unsigned calls, accepted;
        double seconds, rate;                           /* calls a second */
        double p50_usec, p99_usec, p999_usec, max_usec; /* of a call, connect to last byte */
        double cpu_usec;                                /* of the server, a call */
} Flight;

/* Calls, so many at once until so many are done; call i asks for token first + i (fill.h), or if
 * "refused" offers wrong secrets. pause_usec between two calls of one place: 0 for none. */
typedef struct FlightPlan {
        unsigned at_once, calls;
        uint64_t first;
        uint64_t among; /* tokens are taken from so many, in no order; 0: in theirs */
        bool refused;
        unsigned pause_usec;
} FlightPlan;
Flight fly(const Server *server, const FlightPlan *plan);

double median(double *values, size_t n);
/* 0 <= at <= 1 of values, which are sorted here. */
double percentile(double *values, size_t n, double at);
void report(const char *name, double value, const char *unit);

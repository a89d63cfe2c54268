/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns everything there is one of; builds it in order and takes it down in reverse. */
#pragma once

#include <sys/types.h>
#include <systemd/sd-event.h>

#include "credd/config.h"
#include "credd/events.h"
#include "credd/limiter.h"
#include "credd/role.h"

typedef struct Batch Batch;
typedef struct Outbox Outbox;
typedef struct Pace Pace;
typedef struct Logind Logind;
typedef struct Sessions Sessions;
typedef struct Expiry Expiry;
typedef struct Outcasts Outcasts;
typedef struct ClockWatch ClockWatch;
typedef struct Refusals Refusals;
typedef struct Notices Notices;
typedef struct Server Server;
typedef struct AuditHead AuditHead;
typedef struct Subscribers Subscribers;
typedef struct Prune Prune;
typedef struct Upkeep Upkeep;
typedef struct Backup Backup;

/* Order of the loop: kills before logins, then the one commit, for which many logins wait together, and
 * what follows from it; last of all the Admin socket, where anybody could keep the loop busy. */
enum {
        PRIORITY_KILL = -20,
        PRIORITY_LOGIN = -10,
        PRIORITY_LOGIND = -5,
        PRIORITY_COMMIT = -4,
        PRIORITY_EXPIRY = -3,
        PRIORITY_JOURNAL = -2,
        PRIORITY_SETTLE = -1, /* looking for what a session left: no kill waits for it */
        PRIORITY_ADMIN = 0,
        PRIORITY_IDLE = 10, /* pruning, copying: when nobody wants anything */
};

typedef struct Counters {
        uint64_t logins_asked, logins_accepted, logins_refused;
        uint64_t refused_by[REFUSAL_MAX];
} Counters;

typedef struct Paths {
        const char *state, *config;
} Paths;

typedef struct Manager {
        Paths paths;
        sd_event *event;
        Clock clock;
        Config config;
        Roles *roles;         /* never NULL once built; all of it changes at a reload */
        char *config_refused; /* the mistakes of the last load; NULL: there was none */
        gid_t admin_gid;      /* of credd-admin; (gid_t)-1: there is no such group */
        Store *store;
        Events events;
        Outbox *outbox;
        Batch *batch;
        Refusals *refusals;
        Limiter *limiter; /* of wrong codes */
        Pace *pace;
        Notices *notices;
        Logind *logind;
        Sessions *sessions;
        Outcasts *outcasts;
        Expiry *expiry;
        ClockWatch *clock_watch;
        AuditHead *audit_head;
        Subscribers *subscribers;
        Prune *prune;
        Upkeep *upkeep;
        Backup *backup; /* NULL: none is being made */
        Server *server;
        sd_event_source *sigterm, *sigint, *sighup, *health;
        StoreTrouble trouble; /* what has been said of the store */
        uint64_t started_real_usec, started_boot_usec;
        char logind_problem[200]; /* why logind's last answer was no; "": it was not */
        int logind_error;         /* the same as a number; 0 */
        bool logind_obeyed; /* it has ended a session since the start, and polkit has not said no since */
        Counters counters;
        Tally tally, tally_open; /* open: of the request under way, which may be undone */
        bool failed;             /* the store's truth is unknown: nothing more is read or written */
} Manager;

int manager_new(const Paths *paths, Manager **ret_manager);
/* With other clocks than the machine's and in another boot: for tests. The timers stay the kernel's. */
int manager_new_in(const Paths *paths, const Clock *clock, const char *boot_id,
                   Manager **ret_manager);
Manager *manager_free(Manager *manager);
DEFINE_CLEANUP(Manager, manager_free)

/* Takes the sockets that systemd handed over, says that it is ready, and serves. */
int manager_run(Manager *manager);

/* The store failed in a way that leaves the truth unknown: the process ends, and the next start
 * reads what is true. Never returns to serving. */
void manager_fail(Manager *manager, int error, const char *doing);

/* The first second: logind is about to be heard. */
bool manager_is_starting(const Manager *manager);
/* What logind answered to a kill: status tells of it, and the journal when it is news. error 0: all is well again. */
void manager_note_logind(Manager *manager, int error, const char *text);
/* logind is there and answers, whatever it says: that it was not is no problem any more. That it refuses stays one. */
void manager_hear_logind(Manager *manager);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by logind.c (the bus, and what logind announces), logind-queries.c (what its sessions are) and
 * logind-calls.c (what it is asked). */
#pragma once

#include <sys/queue.h>
#include <systemd/sd-bus.h>

#include "common/cleanup.h"
#include "credd/logind.h"

#define BUS_NAME          "org.freedesktop.DBus"
#define CALL_TIMEOUT_USEC USEC_PER_SEC
/* For what logind is asked about its sessions. No kill waits for the answer, and giving up asks for all of
 * them again: in a storm of logins, when each answer takes long, a short patience would feed the storm. */
#define LIST_TIMEOUT_USEC (10 * USEC_PER_SEC)
#define LOGIND_NAME       "org.freedesktop.login1"
#define LOGIND_PATH       "/org/freedesktop/login1"
#define LOGIND_MANAGER    LOGIND_NAME ".Manager"
#define LOGIND_SESSION    LOGIND_NAME ".Session"

/* The bus lets a connection wait for 128 replies (max_replies_per_connection of dbus-daemon(1)) and
 * refuses the next call, so what exceeds these waits its turn here. Three of them, because a question
 * must not stand behind orders, each of which logind asks polkit about. */
#define ORDERS_MAX    24
#define QUESTIONS_MAX 40
#define QUERIES_MAX   40

typedef struct Request {
        const char *name, *path, *interface, *member;
        sd_bus_message_handler_t on_reply;
        void *userdata;
        uint64_t timeout_usec;
} Request;

/* A session whose properties have been asked for. */
typedef struct Query {
        TAILQ_ENTRY(Query) all;
        Logind *logind;
        sd_bus_slot *slot; /* NULL: it waits its turn */
        char *id, *path;
} Query;

/* One call of ours under way. */
struct LogindCall {
        TAILQ_ENTRY(LogindCall) all;
        Logind *logind;           /* NULL: done was called, or logind is gone */
        bool question;            /* or an order */
        sd_bus_message *waiting;  /* it waits its turn */
        sd_bus_slot *slot;        /* it was sent */
        sd_event_source *failing; /* enabled: it will not be */
        LogindDone done;
        void *userdata;
};

struct Logind {
        sd_event *event;
        LogindHandlers handlers;
        void *userdata;
        sd_bus *bus;
        char *owner;          /* logind's unique name, NULL: not on the bus, or not known yet */
        sd_bus_slot *listing; /* GetNameOwner, then ListSessions */
        bool listed;          /* ListSessions was answered by this owner */
        bool connected; /* and so were all queries that followed: what on_connected said last */
        TAILQ_HEAD(, Query) queries; /* the oldest first */
        TAILQ_HEAD(, LogindCall) calls;
        sd_event_source *retry;
        uint64_t retry_usec;
};

/* Without starting logind. */
int logind_send_request(Logind *logind, const Request *request, sd_bus_slot **ret_slot,
                        const char *types, ...);
/* logind-queries.c. Sent by logind_send_queries(), as many as may be under way; negative: it could not be. */
int logind_add_query(Logind *logind, const char *id, const char *path);
int logind_send_queries(Logind *logind);
/* id NULL: all of them. */
void logind_drop_queries(Logind *logind, const char *id);
/* logind.c: nothing is known any more, look for it again; is everything known now? */
void logind_lose(Logind *logind);
void logind_check_listed(Logind *logind);
/* 0, or the error of a reply as LogindDone has it. */
int logind_reply_error(sd_bus_message *m);
/* The answer of Properties.GetAll for a session; strings are in the message. */
int logind_read_properties(sd_bus_message *m, LogindSession *session);
/* The bus is gone: each call under way or waiting ends with -ENOTCONN, from the loop. */
void logind_fail_calls(Logind *logind);
/* Nothing will call done any more. */
void logind_detach_calls(Logind *logind);

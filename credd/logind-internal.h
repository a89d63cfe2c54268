/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by logind.c (the bus, and what logind announces) and logind-calls.c (what it is asked). */
#pragma once

#include <stdarg.h>
#include <systemd/sd-bus.h>

#include "common/cleanup.h"
#include "credd/logind.h"

#define BUS_NAME          "org.freedesktop.DBus"
#define CALL_TIMEOUT_USEC USEC_PER_SEC
#define LOGIND_NAME       "org.freedesktop.login1"
#define LOGIND_PATH       "/org/freedesktop/login1"
#define LOGIND_MANAGER    LOGIND_NAME ".Manager"
#define LOGIND_SESSION    LOGIND_NAME ".Session"

typedef struct Request {
        const char *name, *path, *interface, *member;
        sd_bus_message_handler_t on_reply;
        void *userdata;
} Request;

/* A session whose properties have been asked for. */
typedef struct Query {
        Logind *logind;
        sd_bus_slot *slot;
        char *id;
        struct Query *next;
} Query;

/* One call of ours under way. */
struct LogindCall {
        Logind *logind; /* NULL: done was called, or logind is gone */
        sd_bus_slot *slot;
        sd_event_source *failing; /* instead of slot: it could not be sent */
        LogindDone done;
        void *userdata;
        LogindCall *next;
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
        Query *queries;
        LogindCall *calls;
        sd_event_source *retry;
        uint64_t retry_usec;
};

/* Without starting logind, and with a timeout of one second. */
int logind_send_requestv(Logind *logind, const Request *request, sd_bus_slot **ret_slot,
                         const char *types, va_list ap);
int logind_send_request(Logind *logind, const Request *request, sd_bus_slot **ret_slot,
                        const char *types, ...);
/* 0, or the error of a reply as LogindDone has it. */
int logind_reply_error(sd_bus_message *m);
/* The answer of Properties.GetAll for a session; strings are in the message. */
int logind_read_properties(sd_bus_message *m, LogindSession *session);
/* The bus is gone: each call under way ends with -ENOTCONN, from the loop. */
void logind_fail_calls(Logind *logind);
/* Nothing will call done any more. */
void logind_detach_calls(Logind *logind);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking logind what each session is that it has named: so many at a time, the oldest first. */
#include "credd/logind-internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PROPERTIES "org.freedesktop.DBus.Properties"

static Query *query_free(Query *query)
{
        TAILQ_REMOVE(&query->logind->queries, query, all);
        sd_bus_slot_unref(query->slot);
        free(query->id);
        free(query->path);
        free(query);
        return NULL;
}

/* id NULL: all of them. */
void logind_drop_queries(Logind *logind, const char *id)
{
        Query *query = TAILQ_FIRST(&logind->queries), *next;

        for (; query; query = next) {
                next = TAILQ_NEXT(query, all);
                if (!id || strcmp(query->id, id) == 0)
                        query_free(query);
        }
}

static int on_properties(sd_bus_message *m, void *userdata, sd_bus_error *unused);

/* Negative: it could not be sent. */
int logind_send_queries(Logind *logind)
{
        unsigned left = QUERIES_MAX;
        Query *query;
        int r = 0;

        TAILQ_FOREACH (query, &logind->queries, all) {
                const Request request = {LOGIND_NAME,   query->path, PROPERTIES,       "GetAll",
                                         on_properties, query,       LIST_TIMEOUT_USEC};

                if (left-- == 0 || r < 0)
                        break;
                if (!query->slot)
                        r = logind_send_request(logind, &request, &query->slot, "s",
                                                LOGIND_SESSION);
        }
        return r;
}

/* 1: it is announced; 0: it has vanished meanwhile. */
static int announce(Query *query, sd_bus_message *m)
{
        LogindSession session = {.id = query->id,
                                 .uid = (uid_t)-1,
                                 .created_boot_usec = UINT64_MAX,
                                 .scope = "",
                                 .class = "",
                                 .service = ""};
        int r = logind_reply_error(m);

        if (r == -ENXIO || sd_bus_message_is_method_error(m, BUS_NAME ".Error.UnknownObject") > 0)
                return 0;
        if (r == 0)
                r = logind_read_properties(m, &session);
        if (r < 0)
                return r;
        query->logind->handlers.on_session(query->logind->userdata, &session);
        return 1;
}

static int on_properties(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
        Query *query = userdata;
        Logind *logind = query->logind;
        int r = announce(query, m);

        (void)unused;
        query_free(query);
        if (r >= 0)
                r = logind_send_queries(logind);
        if (r < 0)
                logind_lose(logind);
        else
                logind_check_listed(logind);
        return 0;
}

/* Sent by logind_send_queries(). */
int logind_add_query(Logind *logind, const char *id, const char *path)
{
        Query *query = calloc(1, sizeof(*query));

        if (!query)
                return -ENOMEM;
        logind_drop_queries(logind, id);
        query->logind = logind;
        TAILQ_INSERT_TAIL(&logind->queries, query, all);
        query->id = strdup(id);
        query->path = strdup(path);
        if (query->id && query->path)
                return 0;
        query_free(query);
        return -ENOMEM;
}

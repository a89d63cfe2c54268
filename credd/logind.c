/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client of systemd-logind that survives the bus, logind, and both at once.
 *
 * It is in one of three states: no bus (waiting to connect, or connecting); a bus, but not all of
 * logind's sessions known; connected. In the first two either the retry timer is armed or a call
 * with a timeout is under way whose every bad end arms it, so there is no state that nothing leads
 * out of.
 *
 * Whom we trust: the bus daemon, for the names of senders, and logind, for what it answers. Not the
 * other peers: anyone may send us a signal of any name, and sd-bus lets those through to a match on
 * a well-known sender; so each signal's sender is compared here. Sessions are believed from GetAll
 * alone.
 *
 * logind is never activated over the bus: PID 1 starts it, and where it is masked or cut off (257,
 * after dbus was restarted) activation would only cost each call its whole second.
 *
 * Left out: what follows from any of it. A removed session is a hint; the reaper looks for itself.
 */
#include "credd/logind.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <systemd/sd-bus.h>

#include "common/cleanup.h"

#define SYSTEM_BUS     "unix:path=/run/dbus/system_bus_socket"
#define BUS_NAME       "org.freedesktop.DBus"
#define BUS_PATH       "/org/freedesktop/DBus"
#define BUS_LOCAL_NAME "org.freedesktop.DBus.Local"
#define BUS_LOCAL_PATH "/org/freedesktop/DBus/Local"
#define PROPERTIES     "org.freedesktop.DBus.Properties"
#define LOGIND_NAME    "org.freedesktop.login1"
#define LOGIND_PATH    "/org/freedesktop/login1"
#define LOGIND_MANAGER LOGIND_NAME ".Manager"
#define LOGIND_SESSION LOGIND_NAME ".Session"

#define CALL_TIMEOUT_USEC USEC_PER_SEC
#define RETRY_MIN_USEC    (100 * USEC_PER_MSEC)
#define RETRY_MAX_USEC    (5 * USEC_PER_SEC)
#define RETRY_ACCURACY    USEC_PER_MSEC

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

DEFINE_CLEANUP(Logind, logind_free)
DEFINE_CLEANUP(LogindCall, logind_call_free)

/* Who sent it, as the bus daemon says; a peer cannot choose it. */
static bool is_from(sd_bus_message *m, const char *name)
{
        const char *sender = sd_bus_message_get_sender(m);

        return sender && name && strcmp(sender, name) == 0;
}

static int send_requestv(Logind *logind, const Request *request, sd_bus_slot **ret_slot,
                         const char *types, va_list ap)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r = sd_bus_message_new_method_call(logind->bus, &m, request->name, request->path,
                                               request->interface, request->member);

        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, 0);
        if (r >= 0)
                r = sd_bus_message_appendv(m, types, ap);
        if (r >= 0)
                r = sd_bus_call_async(logind->bus, ret_slot, m, request->on_reply,
                                      request->userdata, CALL_TIMEOUT_USEC);
        return r < 0 ? r : 0;
}

static int send_request(Logind *logind, const Request *request, sd_bus_slot **ret_slot,
                        const char *types, ...)
{
        va_list ap;
        int r;

        va_start(ap, types);
        r = send_requestv(logind, request, ret_slot, types, ap);
        va_end(ap);
        return r;
}

/* By name: sd-bus's own table calls it ENXIO, too, when logind is not there, and nothing but logind
 * may say of a session that it does not exist. */
static int reply_error(sd_bus_message *m)
{
        static const struct {
                const char *name;
                int error;
        } table[] = {
                {LOGIND_NAME ".NoSuchSession", -ENXIO},
                {LOGIND_NAME ".NoSuchUser", -ENXIO},
                {"org.freedesktop.systemd1.NoSuchUnit", -ENOENT},
                {BUS_NAME ".Error.AccessDenied", -EACCES},
                {BUS_NAME ".Error.InteractiveAuthorizationRequired", -EACCES},
                {BUS_NAME ".Error.NoReply", -ETIMEDOUT},
                {BUS_NAME ".Error.Timeout", -ETIMEDOUT},
                {BUS_NAME ".Error.TimedOut", -ETIMEDOUT},
                {BUS_NAME ".Error.ServiceUnknown", -ENOTCONN},
                {BUS_NAME ".Error.NameHasNoOwner", -ENOTCONN},
                {BUS_NAME ".Error.Disconnected", -ENOTCONN},
        };
        const sd_bus_error *e = sd_bus_message_get_error(m);
        int r;

        if (!e)
                return 0;
        if (sd_bus_is_open(sd_bus_message_get_bus(m)) <= 0)
                return -ENOTCONN; /* what is under way then ends in a NoReply of sd-bus's own */
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (strcmp(e->name, table[i].name) == 0)
                        return table[i].error;
        r = sd_bus_error_get_errno(e);
        return r <= 0 || r == ENXIO ? -EIO : -r;
}

/* --- the way there
 * ----------------------------------------------------------------------------------- */

static Query *query_free(Query *query)
{
        sd_bus_slot_unref(query->slot);
        free(query->id);
        free(query);
        return NULL;
}

DEFINE_CLEANUP(Query, query_free)

/* id NULL: all of them. */
static void drop_queries(Logind *logind, const char *id)
{
        Query **at = &logind->queries;

        while (*at) {
                Query *query = *at;

                if (id && strcmp(query->id, id) != 0) {
                        at = &query->next;
                        continue;
                }
                *at = query->next;
                query_free(query);
        }
}

static void set_connected(Logind *logind, bool connected)
{
        if (logind->connected == connected)
                return;
        logind->connected = connected;
        logind->handlers.on_connected(logind->userdata, connected);
}

static void arm_retry(Logind *logind, uint64_t usec)
{
        (void)sd_event_source_set_time_relative(logind->retry, usec);
        (void)sd_event_source_set_enabled(logind->retry, SD_EVENT_ONESHOT);
}

static void retry_later(Logind *logind)
{
        arm_retry(logind, logind->retry_usec);
        logind->retry_usec *= 2;
        if (logind->retry_usec > RETRY_MAX_USEC)
                logind->retry_usec = RETRY_MAX_USEC;
}

/* Whatever was on the way from logind counts no more. */
static void forget_listing(Logind *logind)
{
        logind->listing = sd_bus_slot_unref(logind->listing);
        logind->listed = false;
        drop_queries(logind, NULL);
}

static void lose_logind(Logind *logind)
{
        forget_listing(logind);
        retry_later(logind);
        set_connected(logind, false);
}

static void check_listed(Logind *logind)
{
        if (!logind->listed || logind->queries)
                return;
        logind->retry_usec = RETRY_MIN_USEC;
        set_connected(logind, true);
}

static int read_property(sd_bus_message *m, const char *name, LogindSession *session)
{
        uint32_t number;
        int r;

        if (strcmp(name, "Scope") == 0)
                return sd_bus_message_read(m, "v", "s", &session->scope);
        if (strcmp(name, "Class") == 0)
                return sd_bus_message_read(m, "v", "s", &session->class);
        if (strcmp(name, "Service") == 0)
                return sd_bus_message_read(m, "v", "s", &session->service);
        if (strcmp(name, "Leader") == 0) {
                r = sd_bus_message_read(m, "v", "u", &number);
                if (r >= 0)
                        session->leader = (pid_t)number;
                return r;
        }
        if (strcmp(name, "User") == 0) {
                r = sd_bus_message_read(m, "v", "(uo)", &number, NULL);
                if (r >= 0)
                        session->uid = number;
                return r;
        }
        return sd_bus_message_skip(m, "v");
}

static int read_properties(sd_bus_message *m, LogindSession *session)
{
        int r = sd_bus_message_enter_container(m, 'a', "{sv}");

        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                const char *name;

                r = sd_bus_message_read(m, "s", &name);
                if (r >= 0)
                        r = read_property(m, name, session);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r;
}

static void unlink_query(Query *query)
{
        Query **at = &query->logind->queries;

        while (*at != query)
                at = &(*at)->next;
        *at = query->next;
}

static int on_properties(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
        CLEANUP(query_freep) Query *query = userdata;
        Logind *logind = query->logind;
        LogindSession session = {
                .id = query->id, .uid = (uid_t)-1, .scope = "", .class = "", .service = ""};
        bool vanished = sd_bus_message_is_method_error(m, BUS_NAME ".Error.UnknownObject") > 0;
        int r = reply_error(m);

        (void)unused;
        unlink_query(query);
        vanished = vanished || r == -ENXIO;
        if (r == 0)
                r = read_properties(m, &session);
        if (r < 0 && !vanished) {
                lose_logind(logind);
                return 0;
        }
        if (!vanished)
                logind->handlers.on_session(logind->userdata, &session);
        check_listed(logind);
        return 0;
}

static int query_session(Logind *logind, const char *id, const char *path)
{
        Query *query = calloc(1, sizeof(*query));
        const Request request = {LOGIND_NAME, path, PROPERTIES, "GetAll", on_properties, query};
        int r = -ENOMEM;

        if (!query)
                return -ENOMEM;
        drop_queries(logind, id);
        query->logind = logind;
        query->id = strdup(id);
        if (query->id)
                r = send_request(logind, &request, &query->slot, "s", LOGIND_SESSION);
        if (r < 0) {
                query_free(query);
                return r;
        }
        query->next = logind->queries;
        logind->queries = query;
        return 0;
}

static int on_sessions(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
        Logind *logind = userdata;
        const char *id, *path;
        int r = reply_error(m);

        (void)unused;
        logind->listing = sd_bus_slot_unref(logind->listing);
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "(susso)");
        while (r >= 0 && (r = sd_bus_message_read(m, "(susso)", &id, NULL, NULL, NULL, &path)) > 0)
                r = query_session(logind, id, path);
        if (r < 0) {
                lose_logind(logind);
                return 0;
        }
        logind->listed = true;
        check_listed(logind);
        return 0;
}

/* Takes the new owner's word from here on. */
static void list_sessions(Logind *logind, const char *owner)
{
        const Request request = {LOGIND_NAME,    LOGIND_PATH, LOGIND_MANAGER,
                                 "ListSessions", on_sessions, logind};

        forget_listing(logind);
        (void)sd_event_source_set_enabled(logind->retry, SD_EVENT_OFF);
        free(logind->owner);
        logind->owner = strdup(owner);
        if (!logind->owner || send_request(logind, &request, &logind->listing, "") < 0)
                lose_logind(logind);
}

static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
        Logind *logind = userdata;
        const char *owner;

        (void)unused;
        logind->listing = sd_bus_slot_unref(logind->listing);
        if (reply_error(m) == 0 && sd_bus_message_read(m, "s", &owner) > 0)
                list_sessions(logind, owner);
        else
                lose_logind(logind);
        return 0;
}

static void find_logind(Logind *logind)
{
        const Request request = {BUS_NAME, BUS_PATH, BUS_NAME, "GetNameOwner", on_owner, logind};

        forget_listing(logind);
        (void)sd_event_source_set_enabled(logind->retry, SD_EVENT_OFF);
        if (send_request(logind, &request, &logind->listing, "s", LOGIND_NAME) < 0)
                lose_logind(logind);
}

/* --- signals
 * ----------------------------------------------------------------------------------------- */

/* Announced while logind is being looked for: the list, asked for after this, will hold it. */
static int on_session_new(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
        Logind *logind = userdata;
        const char *id, *path;

        (void)unused;
        if (is_from(m, logind->owner) && sd_bus_message_read(m, "so", &id, &path) > 0 &&
            query_session(logind, id, path) < 0)
                lose_logind(logind);
        return 0;
}

static int on_session_removed(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
        Logind *logind = userdata;
        const char *id;

        (void)unused;
        if (!is_from(m, logind->owner) || sd_bus_message_read(m, "so", &id, NULL) <= 0)
                return 0;
        drop_queries(logind, id);
        logind->handlers.on_removed(logind->userdata, id);
        check_listed(logind);
        return 0;
}

static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
        Logind *logind = userdata;
        const char *name, *owner;

        (void)unused;
        if (!is_from(m, BUS_NAME) || sd_bus_message_read(m, "sss", &name, NULL, &owner) <= 0 ||
            strcmp(name, LOGIND_NAME) != 0)
                return 0;
        free(logind->owner);
        logind->owner = NULL;
        if (!*owner) {
                lose_logind(logind);
                return 0;
        }
        set_connected(logind, false);
        list_sessions(logind, owner);
        return 0;
}

static int on_bus_ready(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
        (void)unused;
        if (is_from(m, BUS_LOCAL_NAME))
                find_logind(userdata);
        return 0;
}

static void drop_bus(Logind *logind);

static int on_bus_gone(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
        Logind *logind = userdata;

        (void)unused;
        if (!is_from(m, BUS_LOCAL_NAME))
                return 0;
        drop_bus(logind);
        lose_logind(logind);
        return 0;
}

/* --- the bus
 * ----------------------------------------------------------------------------------------- */

static int add_matches(Logind *logind, sd_bus *bus)
{
        const struct {
                const char *sender, *path, *interface, *member;
                sd_bus_message_handler_t handler;
        } matches[] = {
                {BUS_LOCAL_NAME, BUS_LOCAL_PATH, BUS_LOCAL_NAME, "Connected", on_bus_ready},
                {BUS_LOCAL_NAME, BUS_LOCAL_PATH, BUS_LOCAL_NAME, "Disconnected", on_bus_gone},
                {LOGIND_NAME, LOGIND_PATH, LOGIND_MANAGER, "SessionNew", on_session_new},
                {LOGIND_NAME, LOGIND_PATH, LOGIND_MANAGER, "SessionRemoved", on_session_removed},
        };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(matches) && r >= 0; i++)
                r = sd_bus_match_signal_async(bus, NULL, matches[i].sender, matches[i].path,
                                              matches[i].interface, matches[i].member,
                                              matches[i].handler, NULL, logind);
        if (r >= 0)
                r = sd_bus_add_match_async(bus, NULL,
                                           "type='signal',sender='" BUS_NAME
                                           "',member='NameOwnerChanged',arg0='" LOGIND_NAME "'",
                                           on_owner_changed, NULL, logind);
        return r;
}

/* The environment is PID 1's and trusted; secure_getenv() costs nothing. */
static int open_bus(Logind *logind)
{
        CLEANUP(sd_bus_close_unrefp) sd_bus *bus = NULL;
        const char *address = secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");
        int r = sd_bus_new(&bus);

        if (r >= 0)
                r = sd_bus_set_address(bus, address ? address : SYSTEM_BUS);
        if (r >= 0)
                r = sd_bus_set_bus_client(bus, 1);
        if (r >= 0)
                r = sd_bus_set_connected_signal(bus, 1);
        if (r >= 0)
                r = sd_bus_set_close_on_exit(bus, 0); /* closing so would wait for a slow bus */
        if (r >= 0)
                r = sd_bus_set_method_call_timeout(bus, CALL_TIMEOUT_USEC); /* for the matches */
        if (r >= 0)
                r = sd_bus_attach_event(bus, logind->event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r >= 0)
                r = add_matches(logind, bus);
        if (r < 0)
                return r;
        logind->bus = take_ptr(bus);
        return 0;
}

/* A bus that does not get ready in this time is tried anew. */
static void connect_bus(Logind *logind)
{
        if (open_bus(logind) < 0)
                retry_later(logind);
        else
                arm_retry(logind, RETRY_MAX_USEC);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
        Logind *logind = userdata;

        (void)source;
        (void)usec;
        if (logind->bus && sd_bus_is_ready(logind->bus) > 0) {
                find_logind(logind);
                return 0;
        }
        drop_bus(logind);
        connect_bus(logind);
        return 0;
}

/* --- calls
 * ------------------------------------------------------------------------------------------- */

/* Nothing will call done any more. */
static void detach_call(LogindCall *call)
{
        LogindCall **at;

        if (!call->logind)
                return;
        for (at = &call->logind->calls; *at != call; at = &(*at)->next)
                ;
        *at = call->next;
        call->slot = sd_bus_slot_unref(call->slot);
        call->failing = sd_event_source_disable_unref(call->failing);
        call->logind = NULL;
}

LogindCall *logind_call_free(LogindCall *call)
{
        if (call)
                detach_call(call);
        free(call);
        return NULL;
}

/* call may be freed in done. */
static void finish_call(LogindCall *call, int error, const char *text)
{
        detach_call(call);
        call->done(call->userdata, error, text);
}

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
        const sd_bus_error *e = sd_bus_message_get_error(m);

        (void)unused;
        finish_call(userdata, reply_error(m), e && e->message ? e->message : "");
        return 0;
}

static int on_failing(sd_event_source *source, void *userdata)
{
        (void)source;
        finish_call(userdata, -ENOTCONN, "not connected to the system bus");
        return 0;
}

/* From the loop, because nobody expects to be called back while calling. */
static int fail_from_loop(LogindCall *call)
{
        call->slot = sd_bus_slot_unref(call->slot);
        return call->failing
                       ? 0
                       : sd_event_add_defer(call->logind->event, &call->failing, on_failing, call);
}

typedef struct Then {
        LogindDone done;
        void *userdata;
        LogindCall **ret_call;
} Then;

static int call_manager(Logind *logind, const char *member, Then then, const char *types, ...)
{
        CLEANUP(logind_call_freep) LogindCall *call = calloc(1, sizeof(*call));
        const Request request = {LOGIND_NAME, LOGIND_PATH, LOGIND_MANAGER, member, on_reply, call};
        int r = -ENOTCONN;
        va_list ap;

        if (!call)
                return -ENOMEM;
        call->done = then.done;
        call->userdata = then.userdata;
        call->logind = logind;
        call->next = logind->calls;
        logind->calls = call;
        va_start(ap, types);
        if (logind->bus && sd_bus_is_ready(logind->bus) > 0)
                r = send_requestv(logind, &request, &call->slot, types, ap);
        va_end(ap);
        if (r < 0)
                r = fail_from_loop(call);
        if (r < 0)
                return r;
        *then.ret_call = take_ptr(call);
        return 0;
}

/* logind takes these for the caller's own session. */
static bool id_is_valid(const char *id)
{
        return *id && strcmp(id, "self") != 0 && strcmp(id, "auto") != 0;
}

int logind_terminate_session(Logind *logind, const char *id, LogindDone done, void *userdata,
                             LogindCall **ret_call)
{
        if (!id_is_valid(id))
                return -EINVAL;
        return call_manager(logind, "TerminateSession", (Then){done, userdata, ret_call}, "s", id);
}

int logind_kill_session(Logind *logind, const char *id, LogindDone done, void *userdata,
                        LogindCall **ret_call)
{
        if (!id_is_valid(id))
                return -EINVAL;
        return call_manager(logind, "KillSession", (Then){done, userdata, ret_call}, "ssi", id,
                            "all", (int32_t)SIGKILL);
}

int logind_terminate_user(Logind *logind, uid_t uid, LogindDone done, void *userdata,
                          LogindCall **ret_call)
{
        return call_manager(logind, "TerminateUser", (Then){done, userdata, ret_call}, "u",
                            (uint32_t)uid);
}

int logind_kill_user(Logind *logind, uid_t uid, LogindDone done, void *userdata,
                     LogindCall **ret_call)
{
        return call_manager(logind, "KillUser", (Then){done, userdata, ret_call}, "ui",
                            (uint32_t)uid, (int32_t)SIGKILL);
}

int logind_ask_session(Logind *logind, const char *id, LogindDone done, void *userdata,
                       LogindCall **ret_call)
{
        if (!id_is_valid(id))
                return -EINVAL;
        return call_manager(logind, "GetSession", (Then){done, userdata, ret_call}, "s", id);
}

/* --- the whole
 * --------------------------------------------------------------------------------------- */

static void drop_bus(Logind *logind)
{
        forget_listing(logind);
        for (LogindCall *call = logind->calls; call; call = call->next)
                (void)fail_from_loop(call);
        free(logind->owner);
        logind->owner = NULL;
        logind->bus = sd_bus_close_unref(logind->bus);
}

int logind_new(sd_event *event, const LogindHandlers *handlers, void *userdata, Logind **ret_logind)
{
        CLEANUP(logind_freep) Logind *logind = calloc(1, sizeof(*logind));
        int r;

        if (!logind)
                return -ENOMEM;
        logind->event = sd_event_ref(event);
        logind->handlers = *handlers;
        logind->userdata = userdata;
        logind->retry_usec = RETRY_MIN_USEC;
        r = sd_event_add_time_relative(event, &logind->retry, CLOCK_MONOTONIC, 0, RETRY_ACCURACY,
                                       on_retry, logind);
        if (r < 0)
                return r;
        connect_bus(logind);
        *ret_logind = take_ptr(logind);
        return 0;
}

Logind *logind_free(Logind *logind)
{
        if (!logind)
                return NULL;
        while (logind->calls)
                detach_call(logind->calls);
        forget_listing(logind);
        sd_bus_close_unref(logind->bus);
        sd_event_source_disable_unref(logind->retry);
        sd_event_unref(logind->event);
        free(logind->owner);
        free(logind);
        return NULL;
}

bool logind_connected(const Logind *logind)
{
        return logind->connected;
}

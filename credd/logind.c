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
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "credd/logind-internal.h"
#include "credd/manager.h"

#define SYSTEM_BUS     "unix:path=/run/dbus/system_bus_socket"
#define BUS_PATH       "/org/freedesktop/DBus"
#define BUS_LOCAL_NAME "org.freedesktop.DBus.Local"
#define BUS_LOCAL_PATH "/org/freedesktop/DBus/Local"

#define RETRY_MIN_USEC (100 * USEC_PER_MSEC)
#define RETRY_MAX_USEC (5 * USEC_PER_SEC)
#define RETRY_ACCURACY USEC_PER_MSEC

DEFINE_CLEANUP(Logind, logind_free)

/* Who sent it, as the bus daemon says; a peer cannot choose it. */
static bool is_from(sd_bus_message *m, const char *name)
{
        const char *sender = sd_bus_message_get_sender(m);

        return sender && name && strcmp(sender, name) == 0;
}

static void drop_bus(Logind *logind);

/* --- the way there --- */

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
        logind_drop_queries(logind, NULL);
}

void logind_lose(Logind *logind)
{
        forget_listing(logind);
        retry_later(logind);
        set_connected(logind, false);
}

void logind_check_listed(Logind *logind)
{
        if (!logind->listed || !TAILQ_EMPTY(&logind->queries))
                return;
        logind->retry_usec = RETRY_MIN_USEC;
        set_connected(logind, true);
}

static int on_sessions(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
        Logind *logind = userdata;
        const char *id, *path;
        int r = logind_reply_error(m);

        (void)unused;
        logind->listing = sd_bus_slot_unref(logind->listing);
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "(susso)");
        while (r >= 0 && (r = sd_bus_message_read(m, "(susso)", &id, NULL, NULL, NULL, &path)) > 0)
                r = logind_add_query(logind, id, path);
        if (r >= 0)
                r = logind_send_queries(logind);
        if (r < 0) {
                logind_lose(logind);
                return 0;
        }
        logind->listed = true;
        logind_check_listed(logind);
        return 0;
}

/* Takes the new owner's word from here on. */
static void list_sessions(Logind *logind, const char *owner)
{
        const Request request = {LOGIND_NAME, LOGIND_PATH, LOGIND_MANAGER,   "ListSessions",
                                 on_sessions, logind,      LIST_TIMEOUT_USEC};

        forget_listing(logind);
        (void)sd_event_source_set_enabled(logind->retry, SD_EVENT_OFF);
        free(logind->owner);
        logind->owner = strdup(owner);
        if (!logind->owner || logind_send_request(logind, &request, &logind->listing, "") < 0)
                logind_lose(logind);
}

static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
        Logind *logind = userdata;
        const char *owner;

        (void)unused;
        logind->listing = sd_bus_slot_unref(logind->listing);
        if (logind_reply_error(m) == 0 && sd_bus_message_read(m, "s", &owner) > 0)
                list_sessions(logind, owner);
        else
                logind_lose(logind);
        return 0;
}

static void find_logind(Logind *logind)
{
        const Request request = {BUS_NAME, BUS_PATH, BUS_NAME,         "GetNameOwner",
                                 on_owner, logind,   CALL_TIMEOUT_USEC};

        forget_listing(logind);
        (void)sd_event_source_set_enabled(logind->retry, SD_EVENT_OFF);
        if (logind_send_request(logind, &request, &logind->listing, "s", LOGIND_NAME) < 0)
                logind_lose(logind);
}

/* --- signals --- */

/* Announced while logind is being looked for: the list, asked for after this, will hold it. */
static int on_session_new(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
        Logind *logind = userdata;
        const char *id, *path;

        (void)unused;
        if (is_from(m, logind->owner) && sd_bus_message_read(m, "so", &id, &path) > 0 &&
            (logind_add_query(logind, id, path) < 0 || logind_send_queries(logind) < 0))
                logind_lose(logind);
        return 0;
}

static int on_session_removed(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
        Logind *logind = userdata;
        const char *id;

        (void)unused;
        if (!is_from(m, logind->owner) || sd_bus_message_read(m, "so", &id, NULL) <= 0)
                return 0;
        logind_drop_queries(logind, id);
        logind->handlers.on_removed(logind->userdata, id);
        if (logind_send_queries(logind) < 0)
                logind_lose(logind);
        else
                logind_check_listed(logind);
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
                logind_lose(logind);
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

static int on_bus_gone(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
        Logind *logind = userdata;

        (void)unused;
        if (!is_from(m, BUS_LOCAL_NAME))
                return 0;
        drop_bus(logind);
        logind_lose(logind);
        return 0;
}

/* --- the bus --- */

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
                r = sd_bus_negotiate_fds(bus, 0); /* any peer could send some, and fill us */
        if (r >= 0)
                r = sd_bus_set_close_on_exit(bus, 0); /* closing so would wait for a slow bus */
        if (r >= 0)
                r = sd_bus_set_method_call_timeout(bus, CALL_TIMEOUT_USEC); /* for the matches */
        if (r >= 0)
                r = sd_bus_attach_event(bus, logind->event, PRIORITY_LOGIND);
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

static void drop_bus(Logind *logind)
{
        forget_listing(logind);
        logind_fail_calls(logind);
        free(logind->owner);
        logind->owner = NULL;
        logind->bus = sd_bus_close_unref(logind->bus);
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

/* --- the whole --- */

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
        TAILQ_INIT(&logind->queries);
        TAILQ_INIT(&logind->calls);
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
        logind_detach_calls(logind);
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

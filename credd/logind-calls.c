/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages to logind and its answers. Invariant of a call: done is called exactly once and from the loop, whatever becomes
 * of the bus, unless the call was freed before. */
#include "credd/logind-internal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

DEFINE_CLEANUP(LogindCall, logind_call_free)

int logind_send_requestv(Logind *logind, const Request *request, sd_bus_slot **ret_slot,
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

int logind_send_request(Logind *logind, const Request *request, sd_bus_slot **ret_slot,
                        const char *types, ...)
{
        va_list ap;
        int r;

        va_start(ap, types);
        r = logind_send_requestv(logind, request, ret_slot, types, ap);
        va_end(ap);
        return r;
}

/* By name: sd-bus's own table calls it ENXIO, too, when logind is not there, and nothing but logind
 * may say of a session that it does not exist. */
int logind_reply_error(sd_bus_message *m)
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

static uint64_t now_usec(clockid_t id)
{
        struct timespec now;

        return clock_gettime(id, &now) < 0
                       ? 0
                       : (uint64_t)now.tv_sec * UINT64_C(1000000) + (uint64_t)now.tv_nsec / 1000;
}

/* logind keeps the moment on a clock that stands still while the machine sleeps. */
static uint64_t boot_of_monotonic(uint64_t moment_usec)
{
        uint64_t monotonic = now_usec(CLOCK_MONOTONIC), boot = now_usec(CLOCK_BOOTTIME);

        return moment_usec == 0 || moment_usec > monotonic ? UINT64_MAX
                                                           : boot - (monotonic - moment_usec);
}

static int read_property(sd_bus_message *m, const char *name, LogindSession *session)
{
        uint32_t number;
        uint64_t moment;
        int r;

        if (strcmp(name, "Scope") == 0)
                return sd_bus_message_read(m, "v", "s", &session->scope);
        if (strcmp(name, "Class") == 0)
                return sd_bus_message_read(m, "v", "s", &session->class);
        if (strcmp(name, "Service") == 0)
                return sd_bus_message_read(m, "v", "s", &session->service);
        if (strcmp(name, "TimestampMonotonic") == 0) {
                r = sd_bus_message_read(m, "v", "t", &moment);
                if (r >= 0)
                        session->created_boot_usec = boot_of_monotonic(moment);
                return r;
        }
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

int logind_read_properties(sd_bus_message *m, LogindSession *session)
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
        finish_call(userdata, logind_reply_error(m), e && e->message ? e->message : "");
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
                r = logind_send_requestv(logind, &request, &call->slot, types, ap);
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

void logind_fail_calls(Logind *logind)
{
        for (LogindCall *call = logind->calls; call; call = call->next)
                (void)fail_from_loop(call);
}

void logind_detach_calls(Logind *logind)
{
        while (logind->calls)
                detach_call(logind->calls);
}

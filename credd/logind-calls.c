/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages to logind and its answers. Invariant of a call: done is called exactly once and from the loop, whatever becomes
 * of the bus, unless the call was freed before. */
#include "credd/logind-internal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

DEFINE_CLEANUP(LogindCall, logind_call_free)

static int compose(Logind *logind, const Request *request, const char *types, va_list ap,
                   sd_bus_message **ret_m)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r = sd_bus_message_new_method_call(logind->bus, &m, request->name, request->path,
                                               request->interface, request->member);

        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, 0);
        if (r >= 0)
                r = sd_bus_message_appendv(m, types, ap);
        if (r < 0)
                return r;
        *ret_m = take_ptr(m);
        return 0;
}

int logind_send_request(Logind *logind, const Request *request, sd_bus_slot **ret_slot,
                        const char *types, ...)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        va_list ap;
        int r;

        va_start(ap, types);
        r = compose(logind, request, types, ap, &m);
        va_end(ap);
        if (r == 0)
                r = sd_bus_call_async(logind->bus, ret_slot, m, request->on_reply,
                                      request->userdata, request->timeout_usec);
        return r < 0 ? r : 0;
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
        if (!call->logind)
                return;
        TAILQ_REMOVE(&call->logind->calls, call, all);
        call->waiting = sd_bus_message_unref(call->waiting);
        call->slot = sd_bus_slot_unref(call->slot);
        call->failing = sd_event_source_disable_unref(call->failing);
        call->logind = NULL;
}

static void send_waiting(Logind *logind, bool questions);

LogindCall *logind_call_free(LogindCall *call)
{
        Logind *logind;

        if (!call)
                return NULL;
        logind = call->logind;
        detach_call(call);
        if (logind)
                send_waiting(logind, call->question);
        free(call);
        return NULL;
}

static int on_failing(sd_event_source *source, void *userdata)
{
        LogindCall *call = userdata;

        (void)source;
        detach_call(call);
        call->done(call->userdata, -ENOTCONN, "not connected to the system bus");
        return 0;
}

/* From the loop, because nobody expects to be called back while calling. */
static void fail_from_loop(LogindCall *call)
{
        call->waiting = sd_bus_message_unref(call->waiting);
        call->slot = sd_bus_slot_unref(call->slot);
        (void)sd_event_source_set_enabled(call->failing, SD_EVENT_ONESHOT);
}

/* Whoever stands behind a question that got no answer in its second would wait for nothing. */
static void fail_waiting_questions(Logind *logind)
{
        LogindCall *call;

        TAILQ_FOREACH (call, &logind->calls, all)
                if (call->question && call->waiting)
                        fail_from_loop(call);
}

/* call may be freed in done. */
static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
        LogindCall *call = userdata;
        Logind *logind = call->logind;
        const sd_bus_error *e = sd_bus_message_get_error(m);
        bool question = call->question;
        int r = logind_reply_error(m);

        (void)unused;
        detach_call(call);
        if (question && r == -ETIMEDOUT)
                fail_waiting_questions(logind);
        send_waiting(logind, question);
        call->done(call->userdata, r, e && e->message ? e->message : "");
        return 0;
}

static void send_call(LogindCall *call)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = take_ptr(call->waiting);

        if (sd_bus_call_async(call->logind->bus, &call->slot, m, on_reply, call,
                              CALL_TIMEOUT_USEC) < 0)
                fail_from_loop(call);
}

/* Its second begins when it is sent. */
static void send_waiting(Logind *logind, bool questions)
{
        unsigned left = questions ? QUESTIONS_MAX : ORDERS_MAX;
        LogindCall *call;

        TAILQ_FOREACH (call, &logind->calls, all) {
                if (call->question != questions || (!call->waiting && !call->slot))
                        continue;
                if (left-- == 0)
                        return;
                if (call->waiting)
                        send_call(call);
        }
}

typedef struct Then {
        LogindDone done;
        void *userdata;
        LogindCall **ret_call;
} Then;

static LogindCall *call_new(Logind *logind, bool question, Then then)
{
        LogindCall *call = calloc(1, sizeof(*call));

        if (!call || sd_event_add_defer(logind->event, &call->failing, on_failing, call) < 0) {
                free(call);
                return NULL;
        }
        (void)sd_event_source_set_enabled(call->failing, SD_EVENT_OFF);
        call->done = then.done;
        call->userdata = then.userdata;
        call->question = question;
        call->logind = logind;
        TAILQ_INSERT_TAIL(&logind->calls, call, all);
        return call;
}

static int call_manager(Logind *logind, const char *member, Then then, const char *types, ...)
{
        const Request request = {.name = LOGIND_NAME,
                                 .path = LOGIND_PATH,
                                 .interface = LOGIND_MANAGER,
                                 .member = member};
        bool question = strcmp(member, "GetSession") == 0;
        CLEANUP(logind_call_freep) LogindCall *call = call_new(logind, question, then);
        va_list ap;

        if (!call)
                return -ENOMEM;
        va_start(ap, types);
        if (!logind->bus || sd_bus_is_ready(logind->bus) <= 0 ||
            compose(logind, &request, types, ap, &call->waiting) < 0)
                fail_from_loop(call);
        va_end(ap);
        send_waiting(logind, question);
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
        LogindCall *call;

        TAILQ_FOREACH (call, &logind->calls, all)
                (void)fail_from_loop(call);
}

void logind_detach_calls(Logind *logind)
{
        while (!TAILQ_EMPTY(&logind->calls))
                detach_call(TAILQ_FIRST(&logind->calls));
}

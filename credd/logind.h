/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* systemd-logind over the system bus (org.freedesktop.login1(5)): only logind*.c know sd-bus. Every
 * call is asynchronous, with a timeout of one second where an end waits for it; the loop never
 * waits for the bus. The bus and logind may go away and come back: then everything live is announced again. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

typedef struct Logind Logind;
typedef struct LogindCall LogindCall;

/* Valid during the callback only. */
typedef struct LogindSession {
        const char *id;
        uid_t uid;
        pid_t leader;
        uint64_t
                created_boot_usec; /* not earlier than it was, if the machine slept; UINT64_MAX: unknown */
        const char *scope;         /* unit name, "session-3.scope"; "" if it has none */
        const char *class;         /* "user", "user-early", "manager", "greeter", ... */
        const char *service;
} LogindSession;

typedef struct LogindHandlers {
        /* Announced: SessionNew, and each live session after a (re)connect. May repeat. */
        void (*on_session)(void *userdata, const LogindSession *session);
        void (*on_removed)(void *userdata, const char *id);
        /* true: all live sessions have been announced, so what was not is not there. false: follows
         * a true only; signals may be missed from here on. */
        void (*on_connected)(void *userdata, bool connected);
} LogindHandlers;

/* error: 0 done; -ENXIO NoSuchSession (or NoSuchUser): logind alone says that; -ENOENT NoSuchUnit:
 * the session's scope is not loaded, which does not mean that its processes are gone; -EACCES
 * refused by polkit; -ETIMEDOUT; -ENOTCONN no bus or no logind; else the negative errno of the bus
 * error. text: for the journal, as the bus said it, "" for success; valid during the callback. */
typedef void (*LogindDone)(void *userdata, int error, const char *text);

/* Starts connecting, and goes on trying (with backoff up to 5 s); never fails because of the bus.
 */
int logind_new(sd_event *event, const LogindHandlers *handlers, void *userdata,
               Logind **ret_logind);
Logind *logind_free(Logind *logind);

/* logind answered, and has announced everything. */
bool logind_connected(const Logind *logind);

/* Each calls done exactly once, never before it returned, unless the call is cancelled. *ret_call
 * is owned by the caller, may be freed in done, and may be freed to cancel. Freeing the Logind
 * cancels what is left, and must not be done in a callback. logind is never activated by a call.
 * -EINVAL: an id that would mean the caller's own session ("", "self", "auto"). */
int logind_terminate_session(Logind *logind, const char *id, LogindDone done, void *userdata,
                             LogindCall **ret_call);
/* SIGKILL to all processes of the session. */
int logind_kill_session(Logind *logind, const char *id, LogindDone done, void *userdata,
                        LogindCall **ret_call);
int logind_terminate_user(Logind *logind, uid_t uid, LogindDone done, void *userdata,
                          LogindCall **ret_call);
/* SIGKILL to all processes of the user's slice. */
int logind_kill_user(Logind *logind, uid_t uid, LogindDone done, void *userdata,
                     LogindCall **ret_call);
/* Is there such a session? 0 yes, -ENXIO no (GetSession). */
int logind_ask_session(Logind *logind, const char *id, LogindDone done, void *userdata,
                       LogindCall **ret_call);
LogindCall *logind_call_free(LogindCall *call);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes one call of the module into libc or libpam fail: which function, which call of it, once or
 * from then on, and how. Linked into a test program, whose symbols come before those of the
 * libraries. Only calls that come from the module's own code are counted and fail; libpam's and
 * libc's own go through untouched, but for shim_starve(). Not for threads. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Every import of the module that can fail. Where a compiler has two names for one (snprintf and its
 * fortified form), they are one here. */
#define SHIM_FUNCTIONS(X)                                                                          \
        X(asprintf)                                                                                \
        X(calloc)                                                                                  \
        X(clock_gettime)                                                                           \
        X(close)                                                                                   \
        X(connect)                                                                                 \
        X(fcntl)                                                                                   \
        X(getgrnam_r)                                                                              \
        X(getgrouplist)                                                                            \
        X(getpwnam_r)                                                                              \
        X(gmtime_r)                                                                                \
        X(localtime_r)                                                                             \
        X(malloc)                                                                                  \
        X(pam_fail_delay)                                                                          \
        X(pam_get_data)                                                                            \
        X(pam_get_item)                                                                            \
        X(pam_get_user)                                                                            \
        X(pam_prompt)                                                                              \
        X(pam_putenv)                                                                              \
        X(pam_set_data)                                                                            \
        X(pam_set_item)                                                                            \
        X(poll)                                                                                    \
        X(recv)                                                                                    \
        X(send)                                                                                    \
        X(snprintf)                                                                                \
        X(socket)                                                                                  \
        X(strftime)

#define SHIM_ENUM(name) SHIM_##name,
typedef enum ShimFunction { SHIM_FUNCTIONS(SHIM_ENUM) SHIM_MAX } ShimFunction;

/* As an error of send and recv: one byte goes through, and no failure is told. */
#define SHIM_SHORT (-1)

/* What stands in a buffer after a function that was to fill it has failed: nobody may use that. */
#define SHIM_POISON '\x1a'

typedef struct ShimFault {
        ShimFunction function;
        unsigned nth; /* from 1; 0: none fails, calls are counted */
        bool ever;    /* that one and all that follow */
        int error; /* an errno, or a PAM code for pam_*; 0: the function did nothing and says so */
} ShimFault;

/* pam_syslog() ends up here; set by the test. */
extern void (*shim_on_log)(int priority, const char *format, va_list args);

/* Loads the module to stay, so that the place of its code is known. */
void shim_init(const char *module);
void shim_done(void);

void shim_arm(ShimFault fault);
void shim_disarm(void);

/* Every allocation of the process is counted; the nth fails, and those that follow if ever. */
void shim_starve(unsigned nth, bool ever);

/* Of the last arming. */
bool shim_did_fail(void);
unsigned shim_calls(ShimFunction function);

/* What the module allocated, or was given to free, since shim_arm(), and nobody has freed. */
size_t shim_unfreed(void);

const char *shim_name(ShimFunction function);

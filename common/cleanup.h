/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ownership by scope: a local that owns something says so where it is declared and is released on
 * every way out; what leaves the function leaves it by take_ptr() or take_fd(). */
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(f) __attribute__((cleanup(f)))
#define AUTO_FREE  CLEANUP(cleanup_free)
#define AUTO_CLOSE CLEANUP(cleanup_close)

#define ELEMENTSOF(a) (sizeof(a) / sizeof((a)[0]))

#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC  UINT64_C(1000000)
#define USEC_INFINITY UINT64_MAX

static inline void cleanup_free(void *p)
{
        free(*(void **)p);
}

static inline void cleanup_close(const int *fd)
{
        if (*fd >= 0)
                (void)close(*fd);
}

#define take_ptr(p)                                                                                \
        __extension__({                                                                            \
                __auto_type taken_ = (p);                                                          \
                (p) = NULL;                                                                        \
                taken_;                                                                            \
        })

static inline int take_fd(int *fd)
{
        int taken = *fd;

        *fd = -1;
        return taken;
}

/* For X_free(X *) -> X *: defines X_freep, the form that CLEANUP() wants. */
#define DEFINE_CLEANUP(type, free_function)                                                        \
        static inline void free_function##p(type **p)                                              \
        {                                                                                          \
                if (*p)                                                                            \
                        free_function(*p);                                                         \
        }

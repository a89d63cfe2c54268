/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the programs of `make bench` share. Each prints its measures to stdout, one a line:
 *
 *     NAME <tab> VALUE <tab> UNIT
 *
 * and nothing else; tests/bench/bench runs them in turns, round after round, and joins them. What
 * cannot be measured here is said on stderr in one line, with exit status 77; any other failure is
 * one line on stderr and exit status 1. A header, because each program is one source file. */
#pragma once

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"

#define BENCH_CANNOT 77

#define bench_die(...)                                                                             \
        do {                                                                                       \
                (void)fprintf(stderr, __VA_ARGS__);                                                \
                (void)fputc('\n', stderr);                                                         \
                exit(EXIT_FAILURE);                                                                \
        } while (0)

#define bench_cannot(...)                                                                          \
        do {                                                                                       \
                (void)fprintf(stderr, __VA_ARGS__);                                                \
                (void)fputc('\n', stderr);                                                         \
                exit(BENCH_CANNOT);                                                                \
        } while (0)

static inline double bench_usec(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static inline void bench_emit(const char *name, const char *what, double value, const char *unit)
{
        (void)printf("%s.%s\t%.3f\t%s\n", name, what, value, unit);
        (void)fflush(stdout);
}

static inline int bench_compare(const void *a, const void *b)
{
        double x = *(const double *)a, y = *(const double *)b;

        return (x > y) - (x < y);
}

/* Sorts the values. part 0.5: the median. */
static inline double bench_percentile(double *values, size_t n, double part)
{
        qsort(values, n, sizeof(*values), bench_compare);
        return n == 0 ? 0 : values[(size_t)((double)(n - 1) * part + 0.5)];
}

/* p50, p99 and the maximum, of which a p99 tells nothing. */
static inline void bench_emit_times(const char *name, double *usec, size_t n)
{
        bench_emit(name, "p50", bench_percentile(usec, n, 0.5), "us");
        bench_emit(name, "p99", bench_percentile(usec, n, 0.99), "us");
        bench_emit(name, "max", bench_percentile(usec, n, 1), "us");
}

static inline uint64_t bench_number(const char *text)
{
        char *end;
        unsigned long long n;

        errno = 0;
        n = strtoull(text, &end, 10);
        if (errno != 0 || end == text || *end)
                bench_die("'%s' is no number", text);
        return n;
}

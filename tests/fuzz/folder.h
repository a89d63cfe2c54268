/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A folder in memory for the files of one input. */
#pragma once

#include <ftw.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

static inline int fuzz_remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
        (void)st;
        (void)kind;
        (void)at;
        return remove(path);
}

static inline char *fuzz_folder_path(void)
{
        static char path[32];

        return path;
}

static inline void fuzz_folder_gone(void)
{
        (void)nftw(fuzz_folder_path(), fuzz_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* The same one for each input: who writes to it writes all of it. It goes with the process, unless that
 * crashes. */
static inline const char *fuzz_folder(void)
{
        char *path = fuzz_folder_path();
        struct stat st;

        if (*path)
                return path;
        (void)snprintf(path, 32, "%s/credd-fuzz-XXXXXX",
                       stat("/dev/shm", &st) == 0 ? "/dev/shm" : "/tmp");
        must(mkdtemp(path));
        (void)atexit(fuzz_folder_gone);
        return path;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shares are counted in advance. With a limit that is too low for the least of them, the kernel has the last
 * word: it gives the lowest number that is free, so that number tells how many are taken. */
#include "credd/files.h"

#include <fcntl.h>
#include <sys/resource.h>

#include "common/cleanup.h"

#define FILES 16384 /* LimitNOFILE= of the unit */
/* The store, the bus, the journal, the loop: about twenty. */
#define FILES_OWN 32
/* Four at a time are the most that is taken by what must not fail. */
#define FILES_SPARE  16
#define PLACES_LEAST 4

static unsigned limit(void)
{
        struct rlimit files;

        return getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur > FILES
                       ? FILES
                       : (unsigned)files.rlim_cur;
}

static unsigned at_least(unsigned places)
{
        return places < PLACES_LEAST ? PLACES_LEAST : places;
}

unsigned files_to_share(void)
{
        unsigned files = limit(), own = FILES_OWN + FILES_SPARE;

        return files > own ? files - own : 0;
}

unsigned files_for_connections(unsigned places)
{
        return at_least(places * limit() / FILES);
}

/* Connections, all together, get less than the fourth quarter. */
unsigned files_for_sessions(void)
{
        return at_least(files_to_share() / 4 * 3);
}

bool files_left(int fd)
{
        AUTO_CLOSE int lowest = -1;

        lowest = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        return lowest >= 0 && (unsigned)lowest + FILES_SPARE < limit();
}

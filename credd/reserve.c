/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file of allocated blocks. 4 MiB hold the write-ahead log that a few thousand ends need. */
#include "credd/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "common/cleanup.h"

#define NAME "reserve"
#define SIZE (4 * 1024 * 1024)
/* A commit writes a few pages; many that fall due at once some hundreds. */
#define NEEDED (1024 * 1024)

static bool has_less_than(int dir_fd, uint64_t size)
{
        struct statvfs st;

        return fstatvfs(dir_fd, &st) == 0 && (uint64_t)st.f_bavail * st.f_frsize < size;
}

bool reserve_needed(int dir_fd)
{
        return has_less_than(dir_fd, NEEDED);
}

static bool is_whole(int dir_fd)
{
        struct stat st;

        return fstatat(dir_fd, NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size == SIZE &&
               (uint64_t)st.st_blocks * 512 >= SIZE;
}

/* It must not take the room that it was given up for. */
int reserve_make(int dir_fd)
{
        AUTO_CLOSE int fd = -1;
        int r;

        if (is_whole(dir_fd))
                return 0;
        if (has_less_than(dir_fd, SIZE + NEEDED))
                return -ENOSPC;
        fd = openat(dir_fd, NAME, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return -errno;
        r = -posix_fallocate(fd, 0, SIZE);
        if (r < 0)
                (void)unlinkat(dir_fd, NAME, 0);
        return r;
}

void reserve_release(int dir_fd)
{
        if (unlinkat(dir_fd, NAME, 0) == 0)
                (void)fsync(dir_fd);
}

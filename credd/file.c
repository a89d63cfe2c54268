/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "credd/file.h"

#include <errno.h>
#include <fcntl.h>

#include "common/cleanup.h"

int file_read_head(int dir_fd, const char *name, char *buffer, size_t size)
{
        AUTO_CLOSE int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        size_t n = 0;

        if (fd < 0)
                return -errno;
        while (n < size - 1) {
                ssize_t got = read(fd, buffer + n, size - 1 - n);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -errno;
                if (got == 0)
                        break;
                n += (size_t)got;
        }
        buffer[n] = 0;
        return 0;
}

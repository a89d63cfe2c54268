/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the kernel's small files. */
#pragma once

#include <stddef.h>

/* Reads at most size - 1 bytes and terminates them. A file that is longer is cut. */
int file_read_head(int dir_fd, const char *name, char *buffer, size_t size);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What SQLite does by itself on the same file system: the floor under every durable answer. */
#pragma once

#include <stddef.h>

typedef struct Raw Raw;

/* One table, WAL, synchronous=FULL, one connection: a log that has grown once and is written over. */
Raw *raw_open(const char *folder);
/* So many transactions that change so many rows; rows a second. */
double raw_commit(Raw *raw, size_t commits, size_t rows);
Raw *raw_close(Raw *raw);

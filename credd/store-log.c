/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The log of the store, as upkeep.c sees it: lengths in pages, and the room on the disk. */
#include <errno.h>
#include <sys/statvfs.h>

#include "credd/store-internal.h"

/* SQLite's format: a header, and before each page one of its own. */
#define LOG_HEADER   32
#define FRAME_HEADER 24
#define PAGE         4096
/* An end of a session may have to wait for the flush of one. */
#define SLICE (128 * 1024)
/* Laying out is for speed: it does not take the last of a small disk. */
#define ROOM_FACTOR 8

int store_log_frames(const Store *store)
{
        return db_log_frames(store->db);
}

int store_log_write_back(Store *store)
{
        return db_log_write_back(store->db);
}

int store_log_lay_out(Store *store, int frames)
{
        int64_t size = LOG_HEADER + (int64_t)frames * (FRAME_HEADER + PAGE);
        struct statvfs st;

        if (fstatvfs(store->dir_fd, &st) < 0)
                return -errno;
        if (store->full || (uint64_t)st.f_bavail * st.f_frsize < ROOM_FACTOR * (uint64_t)size)
                return -ENOSPC;
        return db_log_lay_out(store->db, size, SLICE);
}

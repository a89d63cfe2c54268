/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store as a file for elsewhere. It is made in the one folder that credd may write to, under a name
 * that goes as soon as the copy is whole; the key is a file of its own and no part of it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "credd/reserve.h"
#include "credd/store-internal.h"

/* What the store may need for itself meanwhile: its log, and ends. */
#define PAGE  UINT64_C(4096)
#define SPARE ((uint64_t)16 * 1024 * 1024)

/* SQLite opens by path alone. */
static int copy_path(const Store *store, char **ret_path)
{
        return asprintf(ret_path, "%s/" STORE_COPY_NAME, store->dir) < 0 ? -ENOMEM : 0;
}

static uint64_t size_of(const Store *store, const char *name)
{
        struct stat st;

        return fstatat(store->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? (uint64_t)st.st_size
                                                                           : 0;
}

int store_copy_room(Store *store, uint64_t *ret_size, uint64_t *ret_room)
{
        struct statvfs st;

        if (fstatvfs(store->dir_fd, &st) < 0)
                return -errno;
        *ret_size = size_of(store, "credd.db") + (uint64_t)store_log_frames(store) * PAGE;
        *ret_room = (uint64_t)st.f_bavail * st.f_frsize;
        return *ret_room < *ret_size + SPARE ? -ENOSPC : 0;
}

void store_copy_remove(Store *store)
{
        (void)unlinkat(store->dir_fd, STORE_COPY_NAME, 0);
        (void)unlinkat(store->dir_fd, STORE_COPY_NAME "-journal", 0);
        (void)unlinkat(store->dir_fd, STORE_COPY_NAME "-wal", 0);
}

int store_copy_new(Store *store, struct DbCopy **ret_copy)
{
        AUTO_FREE char *path = NULL;
        int r;

        store_copy_remove(store);
        r = copy_path(store, &path);
        return r < 0 ? r : db_copy_new(store->db, path, ret_copy);
}

int store_copy_open(Store *store)
{
        int fd = openat(store->dir_fd, STORE_COPY_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        int r = fd < 0 ? -errno : fd;

        store_copy_remove(store);
        return r;
}

int store_copy_step(Store *store, struct DbCopy *copy, int pages)
{
        /* Others fill the disk as well, and ends come before copies. */
        return reserve_needed(store->dir_fd) ? -ENOSPC : db_copy_step(copy, pages);
}

int store_check_file(const char *path, char *ret_what, size_t size)
{
        CLEANUP(db_closep) Db *db = NULL;
        Store store = {0};
        int64_t seq = 0;
        int r;

        r = db_open_file(path, &store_schema, ret_what, size, &db);
        if (r != 0)
                return r < 0 ? r : 0;
        store.db = db;
        r = store_check_chain(&store, &seq);
        if (r == -EBADMSG)
                (void)snprintf(ret_what, size,
                               "event %" PRId64 " does not follow from the one before it", seq);
        return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether the store can be relied on: that there is room, that nothing in it was found damaged, that its
 * files are the ones that were opened. None of these stops what ends; each stops what begins. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "credd/reserve.h"
#include "credd/store-internal.h"

#define FULL_RETRY_USEC (5 * USEC_PER_SEC)

static const char *const file_names[STORE_FILES] = {"credd.db", "credd.db-wal"};

bool store_has_file(const Store *store, const char *name, off_t size)
{
        struct stat st;

        if (fstatat(store->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno != ENOENT;
        return !S_ISREG(st.st_mode) || st.st_size >= size;
}

/* A key or a log, and no database, or an empty one, is a store that somebody took away, unless its first
 * start did not come to its end. */
int store_begin_anew(Store *store)
{
        AUTO_CLOSE int fd = -1;

        if ((store_has_file(store, "key", 0) || store_has_file(store, "credd.db-wal", 1)) &&
            !store_has_file(store, STORE_FIRST_START, 0))
                return -ENOENT;
        fd = openat(store->dir_fd, STORE_FIRST_START, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                    0600);
        return fd < 0 || fsync(store->dir_fd) < 0 ? -errno : 0;
}

/* The reserve is given up at the start of a daemon that finds no room, and made again when there is. */
void store_look_for_room(Store *store)
{
        bool needed = reserve_needed(store->dir_fd);

        if (needed && !store->db)
                reserve_release(store->dir_fd);
        store->full = needed || reserve_make(store->dir_fd) == -ENOSPC;
        store->full_try_usec = clock_boot_usec(store->clock) + FULL_RETRY_USEC;
}

bool store_full(Store *store)
{
        if (clock_boot_usec(store->clock) >= store->full_try_usec)
                store_look_for_room(store);
        return store->full;
}

int store_note_files(Store *store)
{
        for (unsigned i = 0; i < STORE_FILES; i++) {
                struct stat st;

                if (fstatat(store->dir_fd, file_names[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
                        return -errno;
                store->files[i] = (StoreFile){st.st_dev, st.st_ino};
        }
        return 0;
}

/* SQLite would go on with what it has open, and what was answered would be nowhere at the next start. */
void store_look_for_files(Store *store)
{
        bool gone = false;

        for (unsigned i = 0; i < STORE_FILES; i++) {
                struct stat st;

                if (store->files[i].number == 0)
                        continue; /* it is being opened */
                gone = gone ||
                       fstatat(store->dir_fd, file_names[i], &st, AT_SYMLINK_NOFOLLOW) < 0 ||
                       st.st_dev != store->files[i].device || st.st_ino != store->files[i].number;
        }
        store->gone = gone;
}

StoreTrouble store_trouble(const Store *store)
{
        if (store->gone)
                return STORE_GONE;
        return store->damaged || db_damaged(store->db) ? STORE_DAMAGED : STORE_SOUND;
}

void store_note_damage(Store *store)
{
        store->damaged = true;
}

int store_may_begin(Store *store)
{
        switch (store_trouble(store)) {
        case STORE_SOUND:
                return store_full(store) ? -ENOSPC : 0;
        case STORE_DAMAGED:
                return -EBADMSG;
        case STORE_GONE:
                return -ESTALE;
        }
        return -EIO;
}

const char *store_trouble_text(StoreTrouble trouble)
{
        switch (trouble) {
        case STORE_SOUND:
                return NULL;
        case STORE_DAMAGED:
                return "the store is damaged: no login and no issue; ends go on, as far as they "
                       "can be "
                       "written. Keep the file, and restore a backup: credd(8)";
        case STORE_GONE:
                return "the files of the store were removed or replaced while credd runs: nothing "
                       "is "
                       "accepted that would have to be kept. \"credctl backup\" saves what credd "
                       "still "
                       "has; then restore: credd(8)";
        }
        return NULL;
}

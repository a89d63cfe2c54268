/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Invariant: of each file, "disk" is what a machine would find after a power cut: what it held when it was
 * first opened here, and what a sync that succeeded has added. A sync that fails adds nothing, and what it
 * should have written is never written by a later one unless it is written anew, as with Linux. Left out:
 * the names in the folder, which are taken to be on the disk at once. */
#include "tests/fault/store/vfs-fault.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 16
#define BLOCK     ((size_t)512)
#define SIZE_MAX_ ((size_t)8 * 1024 * 1024)
#define NAME_MAX_ 256

/* What of a file is on the disk, and which of its blocks are not as they are there. */
typedef struct Disk {
        char path[NAME_MAX_];
        size_t len;
        uint8_t bytes[SIZE_MAX_];
        bool dirty[SIZE_MAX_ / BLOCK];
        size_t blocks; /* of dirty; those after it are clean */
} Disk;

/* Outlives the process that fails. */
typedef struct Disks {
        Disk disks[FILES_MAX];
        unsigned n;
} Disks;

typedef struct FaultFile {
        sqlite3_file base;
        Disk *disk;
        sqlite3_file *real; /* behind this struct */
} FaultFile;

/* SQLite has one default VFS a process, and so has this. */
static struct {
        sqlite3_vfs vfs, *real;
        Fault fault;
        bool armed;
        unsigned counts[CALL_MAX];
        Disks *disks; /* shared with who is forked */
} world;

static void must(bool held, const char *what)
{
        if (held)
                return;
        (void)fprintf(stderr, "vfs-fault: %s\n", what);
        _exit(99);
}

/* --- what is on the disk --- */

static void forget(Disk *disk)
{
        memset(disk->dirty, 0, disk->blocks * sizeof(*disk->dirty));
        disk->blocks = 0;
}

static void load(Disk *disk)
{
        int fd = open(disk->path, O_RDONLY | O_CLOEXEC);
        ssize_t n = 0;

        forget(disk);
        if (fd >= 0) {
                n = read(fd, disk->bytes, SIZE_MAX_);
                (void)close(fd);
        }
        must(n >= 0 && (size_t)n < SIZE_MAX_, "a file cannot be read, or is too large");
        disk->len = (size_t)n;
}

static Disk *find_disk(const char *path)
{
        for (unsigned i = 0; i < world.disks->n; i++)
                if (strcmp(world.disks->disks[i].path, path) == 0)
                        return &world.disks->disks[i];
        return NULL;
}

static Disk *disk_of(const char *path)
{
        Disk *disk = find_disk(path);

        if (disk)
                return disk;
        must(world.disks->n < FILES_MAX && strlen(path) < NAME_MAX_, "too many files");
        disk = &world.disks->disks[world.disks->n++];
        (void)snprintf(disk->path, sizeof(disk->path), "%s", path);
        load(disk);
        return disk;
}

static void soil(Disk *disk, size_t from, size_t to)
{
        must(to < SIZE_MAX_, "a file is too large");
        for (size_t i = from / BLOCK; i * BLOCK < to; i++)
                disk->dirty[i] = true;
        if ((to + BLOCK - 1) / BLOCK > disk->blocks)
                disk->blocks = (to + BLOCK - 1) / BLOCK;
}

/* Now it holds those blocks of the file that are dirty and wanted. */
static void settle(Disk *disk, bool (*wanted)(size_t block))
{
        int fd = open(disk->path, O_RDONLY | O_CLOEXEC);
        struct stat st = {0};
        size_t len;

        if (fd < 0)
                return;
        must(fstat(fd, &st) == 0 && (size_t)st.st_size < SIZE_MAX_, "a file is too large");
        len = (size_t)st.st_size;
        if (len > disk->len)
                memset(disk->bytes + disk->len, 0, len - disk->len);
        disk->len = len;
        for (size_t i = 0; i < disk->blocks && i * BLOCK < len; i++) {
                size_t at = i * BLOCK, n = at + BLOCK <= len ? BLOCK : len - at;

                if (disk->dirty[i] && wanted(i))
                        must(pread(fd, disk->bytes + at, n, (off_t)at) == (ssize_t)n, "pread");
        }
        (void)close(fd);
}

static bool every(size_t block)
{
        (void)block;
        return true;
}

/* Some, the same in each run. */
static bool some(size_t block)
{
        return (((uint32_t)block + world.fault.at) * UINT32_C(2654435761)) >> 31;
}

static void cut_power(bool torn)
{
        for (unsigned i = 0; i < world.disks->n; i++) {
                Disk *disk = &world.disks->disks[i];
                int fd;

                if (torn)
                        settle(disk, some);
                fd = open(disk->path, O_WRONLY | O_CLOEXEC);
                if (fd < 0)
                        continue;
                must(ftruncate(fd, 0) == 0 &&
                             write(fd, disk->bytes, disk->len) == (ssize_t)disk->len,
                     "cannot cut the power");
                (void)close(fd);
                forget(disk);
        }
}

void vfs_fault_cut_power(void)
{
        cut_power(false);
}

/* --- what happens --- */

static bool due(FaultCall call)
{
        unsigned count = ++world.counts[call], any = ++world.counts[CALL_ANY];
        unsigned n = world.fault.call == CALL_ANY ? any : count;

        if (!world.armed || world.fault.how == FAULT_NONE)
                return false;
        if (world.fault.call != call && world.fault.call != CALL_ANY)
                return false;
        return n == world.fault.at || (world.fault.for_good && n > world.fault.at);
}

/* FAULT_NONE: let it pass. */
static FaultHow next(FaultCall call)
{
        if (!due(call))
                return FAULT_NONE;
        if (world.fault.how == FAULT_POWER || world.fault.how == FAULT_TORN)
                cut_power(world.fault.how == FAULT_TORN);
        if (world.fault.how >= FAULT_KILL)
                _exit(0);
        return world.fault.how;
}

static FaultFile *mine(sqlite3_file *file)
{
        return (FaultFile *)(void *)file;
}

static int on_close(sqlite3_file *file)
{
        sqlite3_file *real = mine(file)->real;

        return real->pMethods ? real->pMethods->xClose(real) : SQLITE_OK;
}

static int on_read(sqlite3_file *file, void *bytes, int n, sqlite3_int64 at)
{
        sqlite3_file *real = mine(file)->real;
        FaultHow how = next(CALL_READ);
        int r;

        if (how == FAULT_EIO || how == FAULT_FULL)
                return SQLITE_IOERR_READ;
        r = real->pMethods->xRead(real, bytes, n, at);
        if (how == FAULT_SHORT) {
                memset((char *)bytes + n / 2, 0, (size_t)(n - n / 2));
                return SQLITE_IOERR_SHORT_READ;
        }
        return r;
}

static int on_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
        sqlite3_file *real = mine(file)->real;
        FaultHow how = next(CALL_WRITE);
        int r;

        if (how == FAULT_FULL)
                return SQLITE_FULL;
        if (how == FAULT_EIO)
                return SQLITE_IOERR_WRITE;
        if (how == FAULT_SHORT)
                n /= 2;
        r = real->pMethods->xWrite(real, bytes, n, at);
        soil(mine(file)->disk, (size_t)at, (size_t)(at + n));
        return how == FAULT_SHORT ? SQLITE_FULL : r;
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
        sqlite3_file *real = mine(file)->real;
        FaultHow how = next(CALL_TRUNCATE);

        return how == FAULT_NONE ? real->pMethods->xTruncate(real, size) : SQLITE_IOERR_TRUNCATE;
}

static int on_sync(sqlite3_file *file, int flags)
{
        sqlite3_file *real = mine(file)->real;
        FaultHow how = next(CALL_SYNC);

        if (how == FAULT_NONE)
                settle(mine(file)->disk, every);
        forget(mine(file)->disk);
        return how == FAULT_NONE ? real->pMethods->xSync(real, flags) : SQLITE_IOERR_FSYNC;
}

static int on_file_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
        sqlite3_file *real = mine(file)->real;

        return real->pMethods->xFileSize(real, ret_size);
}

static int on_lock(sqlite3_file *file, int lock)
{
        sqlite3_file *real = mine(file)->real;

        return real->pMethods->xLock(real, lock);
}

static int on_unlock(sqlite3_file *file, int lock)
{
        sqlite3_file *real = mine(file)->real;

        return real->pMethods->xUnlock(real, lock);
}

static int on_check_lock(sqlite3_file *file, int *ret)
{
        sqlite3_file *real = mine(file)->real;

        return real->pMethods->xCheckReservedLock(real, ret);
}

static int on_control(sqlite3_file *file, int op, void *argument)
{
        sqlite3_file *real = mine(file)->real;

        return real->pMethods->xFileControl(real, op, argument);
}

static int on_sector_size(sqlite3_file *file)
{
        sqlite3_file *real = mine(file)->real;

        return real->pMethods->xSectorSize(real);
}

static int on_characteristics(sqlite3_file *file)
{
        sqlite3_file *real = mine(file)->real;

        return real->pMethods->xDeviceCharacteristics(real);
}

/* No shared memory: an exclusive lock keeps the index of the log in the process, and anything else fails
 * here, which is a test of its own. */
static const sqlite3_io_methods methods = {
        .iVersion = 1,
        .xClose = on_close,
        .xRead = on_read,
        .xWrite = on_write,
        .xTruncate = on_truncate,
        .xSync = on_sync,
        .xFileSize = on_file_size,
        .xLock = on_lock,
        .xUnlock = on_unlock,
        .xCheckReservedLock = on_check_lock,
        .xFileControl = on_control,
        .xSectorSize = on_sector_size,
        .xDeviceCharacteristics = on_characteristics,
};

static int on_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
                   int *ret_flags)
{
        FaultFile *self = mine(file);
        int r;

        (void)vfs;
        memset(self, 0, sizeof(*self));
        self->real = (sqlite3_file *)(void *)(self + 1);
        if (next(CALL_OPEN) != FAULT_NONE)
                return SQLITE_CANTOPEN;
        if (path)
                self->disk = disk_of(path);
        r = world.real->xOpen(world.real, path, self->real, flags, ret_flags);
        if (r == SQLITE_OK)
                self->base.pMethods = &methods;
        return r;
}

static int on_delete(sqlite3_vfs *vfs, const char *path, int sync)
{
        Disk *disk = find_disk(path);
        int r;

        (void)vfs;
        if (next(CALL_DELETE) != FAULT_NONE)
                return SQLITE_IOERR_DELETE;
        r = world.real->xDelete(world.real, path, sync);
        if (r == SQLITE_OK && disk)
                load(disk);
        return r;
}

void vfs_fault_install(void)
{
        world.real = sqlite3_vfs_find(NULL);
        must(world.real != NULL, "no VFS");
        world.disks = mmap(NULL, sizeof(*world.disks), PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        must(world.disks != MAP_FAILED, "no memory");
        world.vfs = *world.real;
        world.vfs.zName = "fault";
        world.vfs.szOsFile = (int)sizeof(FaultFile) + world.real->szOsFile;
        world.vfs.pNext = NULL;
        world.vfs.xOpen = on_open;
        world.vfs.xDelete = on_delete;
        must(sqlite3_vfs_register(&world.vfs, 1) == SQLITE_OK, "the VFS is not taken");
}

void vfs_fault_remove(void)
{
        must(sqlite3_vfs_unregister(&world.vfs) == SQLITE_OK &&
                     sqlite3_vfs_register(world.real, 1) == SQLITE_OK,
             "the VFS stays");
}

void vfs_fault_new_disk(void)
{
        for (unsigned i = 0; i < world.disks->n; i++)
                forget(&world.disks->disks[i]);
        world.disks->n = 0;
}

void vfs_fault_arm(const Fault *fault)
{
        memset(world.counts, 0, sizeof(world.counts));
        world.fault = *fault;
        world.armed = true;
}

void vfs_fault_disarm(void)
{
        world.armed = false;
}

unsigned vfs_fault_count(FaultCall call)
{
        return world.counts[call];
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The unified cgroup tree, read only: who is in a cgroup, and whether anybody is. Names in it may have
 * been chosen by somebody hostile; the kernel's files are trusted. "Absent" is said only where the
 * kernel said so. */
#include "credd/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "credd/file.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

/* A process outside our cgroup namespace is shown with "..": that path names something else here.
 */
int cgroup_check_path(const char *path)
{
        const char *p = path;

        if (*path != '/')
                return -EINVAL;
        while ((p = strstr(p, "/.."))) {
                p += 3;
                if (*p == '/' || *p == 0)
                        return -EINVAL;
        }
        return 0;
}

static int cgroup_directory(const char *path, char **ret_directory)
{
        bool unified = access(CGROUP_ROOT "/cgroup.controllers", F_OK) == 0;
        int r = cgroup_check_path(path);

        if (r < 0)
                return r;
        r = asprintf(ret_directory, "%s%s", unified ? CGROUP_ROOT : CGROUP_ROOT "/unified", path);
        return r < 0 ? -ENOMEM : 0;
}

/* A cgroup that is removed while its file is open reads as ENODEV. */
static int gone_is_enoent(int r)
{
        return r == -ENODEV ? -ENOENT : r;
}

int cgroup_populated(const char *path)
{
        AUTO_FREE char *directory = NULL;
        AUTO_CLOSE int fd = -1;
        char events[256];
        int r = cgroup_directory(path, &directory);

        if (r < 0)
                return r;
        fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (strcmp(path, "/") == 0)
                return 1; /* the root has no cgroup.events, and is never empty */
        r = gone_is_enoent(file_read_head(fd, "cgroup.events", events, sizeof(events)));
        if (r < 0)
                return r;
        return strstr(events, "populated 0") ? 0 : 1;
}

/* -ENOENT: that cgroup went away. The members of a threaded cgroup cannot be read there, and are
 * listed in the domain above it: below a readable one they are no loss. */
static int add_members(const char *directory, bool top, pid_t **list, size_t *n)
{
        AUTO_FREE char *path = NULL;
        pid_t pid;
        FILE *f;
        int r = 0;

        if (asprintf(&path, "%s/cgroup.procs", directory) < 0)
                return -ENOMEM;
        f = fopen(path, "re");
        if (!f)
                return -errno;
        while (r == 0 && (errno = 0, fscanf(f, "%d", &pid)) == 1) {
                pid_t *grown = reallocarray(*list, *n + 1, sizeof(pid));

                if (!grown) {
                        r = -ENOMEM;
                        break;
                }
                *list = grown;
                if (pid > 0) /* 0: it lives outside our pid namespace */
                        grown[(*n)++] = pid;
        }
        if (r == 0 && ferror(f))
                r = errno == EOPNOTSUPP && !top ? 0 : gone_is_enoent(-errno);
        (void)fclose(f);
        return r;
}

int cgroup_pids(const char *path, pid_t **ret_pids, size_t *ret_n)
{
        AUTO_FREE char *directory = NULL;
        AUTO_FREE pid_t *list = NULL;
        size_t n = 0;
        FTSENT *entry;
        FTS *fts;
        int r = cgroup_directory(path, &directory);

        if (r < 0)
                return r;
        fts = fts_open((char *[]){directory, NULL}, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
        if (!fts)
                return -errno;
        while (r == 0 && (errno = 0, entry = fts_read(fts))) {
                bool top = entry->fts_level == FTS_ROOTLEVEL;

                if (entry->fts_info == FTS_D)
                        r = add_members(entry->fts_accpath, top, &list, &n);
                else if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR ||
                         entry->fts_info == FTS_NS)
                        r = gone_is_enoent(-entry->fts_errno);
                if (r == -ENOENT && !top)
                        r = 0;
        }
        if (r == 0)
                r = -errno;
        (void)fts_close(fts);
        if (r < 0)
                return r;
        *ret_pids = take_ptr(list);
        *ret_n = n;
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* People by number. The names of a list are looked up once, when it is read: the loop never waits for
 * NSS, and what a list means does not change until it is read again. Who is in a group is the
 * kernel's to say of each caller. */
#include "credd/principals.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>

#include "common/cleanup.h"
#include "credd/credential.h"

#define ENTRY_SIZE     ((size_t)16 * 1024)
#define ENTRY_SIZE_MAX ((size_t)16 * 1024 * 1024) /* a group with all its members */

static bool in_group(const Caller *caller, gid_t gid)
{
        /* SO_PEERGROUPS may lack the primary group */
        if (caller->gid == gid)
                return true;
        for (size_t i = 0; i < caller->n_groups; i++)
                if (caller->groups[i] == gid)
                        return true;
        return false;
}

bool principals_have(const Principals *principals, const Caller *caller)
{
        for (size_t i = 0; i < principals->n_uids; i++)
                if (principals->uids[i] == caller->uid)
                        return true;
        for (size_t i = 0; i < principals->n_gids; i++)
                if (in_group(caller, principals->gids[i]))
                        return true;
        return false;
}

void principals_done(Principals *principals)
{
        free(principals->uids);
        free(principals->gids);
        free(principals->text);
        *principals = (Principals){0};
}

/* NSS says in several ways that there is nobody of that name: getpwnam(3). */
static int lookup_result(int error, bool found)
{
        if (error == 0)
                return found ? 0 : -ENOENT;
        return error == ENOENT || error == ESRCH || error == EPERM ? -ENOENT : -error;
}

static int find_user(const char *name, uid_t *ret_uid)
{
        int r = -ERANGE;

        for (size_t size = ENTRY_SIZE; r == -ERANGE && size <= ENTRY_SIZE_MAX; size *= 4) {
                AUTO_FREE char *buffer = malloc(size);
                struct passwd entry, *found = NULL;

                if (!buffer)
                        return -ENOMEM;
                r = getpwnam_r(name, &entry, buffer, size, &found);
                r = lookup_result(r, found != NULL);
                if (r == 0)
                        *ret_uid = entry.pw_uid;
        }
        return r;
}

int principals_find_group(const char *name, gid_t *ret_gid)
{
        int r = -ERANGE;

        for (size_t size = ENTRY_SIZE; r == -ERANGE && size <= ENTRY_SIZE_MAX; size *= 4) {
                AUTO_FREE char *buffer = malloc(size);
                struct group entry, *found = NULL;

                if (!buffer)
                        return -ENOMEM;
                r = getgrnam_r(name, &entry, buffer, size, &found);
                r = lookup_result(r, found != NULL);
                if (r == 0)
                        *ret_gid = entry.gr_gid;
        }
        return r;
}

static int add_user(Principals *principals, const char *name)
{
        uid_t uid = UID_NONE, *uids;
        int r;

        r = find_user(name, &uid);
        if (r < 0)
                return r;
        uids = reallocarray(principals->uids, principals->n_uids + 1, sizeof(*uids));
        if (!uids)
                return -ENOMEM;
        uids[principals->n_uids++] = uid;
        principals->uids = uids;
        return 0;
}

static int add_group(Principals *principals, const char *name)
{
        gid_t gid = (gid_t)-1, *gids;
        int r;

        r = principals_find_group(name, &gid);
        if (r < 0)
                return r;
        gids = reallocarray(principals->gids, principals->n_gids + 1, sizeof(*gids));
        if (!gids)
                return -ENOMEM;
        gids[principals->n_gids++] = gid;
        principals->gids = gids;
        return 0;
}

int principals_add(Principals *principals, const char *word)
{
        const char *name = word + (*word == '@');

        if (!name_valid(name))
                return -EINVAL;
        return *word == '@' ? add_group(principals, name) : add_user(principals, name);
}

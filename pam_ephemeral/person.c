/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Name to uid and groups by NSS.
 *
 * Invariants: "nobody has that name" and "could not find out" are different answers; buffers are on
 * the heap and bounded; nothing is cached, since another module may change PAM_USER between two
 * calls. NSS is asked here and not in credd, whose one thread must not wait for the network. We
 * trust it as much as the program that lets us in does.
 *
 * Left out: netgroups, and time limits, which NSS has none of. */
#include "pam_ephemeral/person.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "common/cleanup.h"

#define NSS_BUFFER_MIN 1024u
#define NSS_BUFFER_MAX (1024u * 1024u)
#define GROUPS_MIN     64
#define GROUPS_MAX     65536 /* NGROUPS_MAX of Linux */

/* What some NSS modules answer for a name they do not have. */
static bool means_absent(int error)
{
        return error == ENOENT || error == ESRCH;
}

int person_lookup(const char *name, Person *ret_person)
{
        Person person = {.uid = (uid_t)-1, .gid = (gid_t)-1};

        if (strlen(name) > PERSON_NAME_MAX) {
                *ret_person = person;
                return 0;
        }
        for (size_t size = NSS_BUFFER_MIN; size <= NSS_BUFFER_MAX; size *= 2) {
                AUTO_FREE char *buffer = malloc(size);
                struct passwd entry, *found = NULL;
                int r;

                if (!buffer)
                        return -ENOMEM;
                r = getpwnam_r(name, &entry, buffer, size, &found);
                if (r == ERANGE)
                        continue;
                if (r != 0 && !means_absent(r))
                        return -r;
                if (r == 0 && found) {
                        person.known = true;
                        person.uid = entry.pw_uid;
                        person.gid = entry.pw_gid;
                        memcpy(person.name, name, strlen(name) + 1);
                }
                *ret_person = person;
                return 0;
        }
        return -E2BIG;
}

/* *ret_listed: the group's own list has the person. */
static int find_group(const char *group, const char *name, gid_t *ret_gid, bool *ret_listed)
{
        for (size_t size = NSS_BUFFER_MIN; size <= NSS_BUFFER_MAX; size *= 2) {
                AUTO_FREE char *buffer = malloc(size);
                struct group entry, *found = NULL;
                bool listed = false;
                int r;

                if (!buffer)
                        return -ENOMEM;
                r = getgrnam_r(group, &entry, buffer, size, &found);
                if (r == ERANGE)
                        continue;
                if (r != 0 && !means_absent(r))
                        return -r;
                if (r != 0 || !found)
                        return -ENOENT;
                for (char **member = entry.gr_mem; *member && !listed; member++)
                        listed = strcmp(*member, name) == 0;
                *ret_gid = entry.gr_gid;
                *ret_listed = listed;
                return 0;
        }
        return -E2BIG;
}

int person_in_group(const Person *person, const char *group)
{
        bool listed = true;
        gid_t gid = (gid_t)-1;
        int r;

        r = find_group(group, person->name, &gid, &listed);
        if (r < 0)
                return r;
        if (listed || person->gid == gid)
                return 1;
        for (int size = GROUPS_MIN; size <= GROUPS_MAX; size *= 4) {
                AUTO_FREE gid_t *groups = calloc((size_t)size, sizeof(*groups));
                int count = size;

                if (!groups)
                        return -ENOMEM;
                if (getgrouplist(person->name, person->gid, groups, &count) < 0)
                        continue;
                for (int i = 0; i < count; i++)
                        if (groups[i] == gid)
                                return 1;
                return 0;
        }
        return -E2BIG;
}

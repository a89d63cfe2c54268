/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who asks, and lists of people that a configuration names. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Who asks, as the kernel says. Starts as nobody. */
typedef struct Caller {
        uid_t uid;
        uid_t loginuid;      /* (uid_t)-1: not set, or not known */
        bool loginuid_known; /* it was read, strictly; false: refuse where it could take away */
        gid_t gid;
        const gid_t *groups; /* borrowed */
        size_t n_groups;
        bool admin;   /* root, or a member of credd-admin */
        bool auditor; /* of Auditors= in credd.conf */
} Caller;

/* A list of people: names resolved to numbers when it was read. */
typedef struct Principals {
        uid_t *uids;
        gid_t *gids;
        size_t n_uids, n_gids;
        char *text; /* as it was written, for display; NULL: it was not */
} Principals;

bool principals_have(const Principals *principals, const Caller *caller);
void principals_done(Principals *principals);

/* "carol" or "@sre". Asks NSS, which may ask a directory server: at load only. -EINVAL: no name;
 * -ENOENT: nobody is called so; any other: it could not be found out. */
int principals_add(Principals *principals, const char *word);

/* The gid of a group; codes as above. */
int principals_find_group(const char *name, gid_t *ret_gid);

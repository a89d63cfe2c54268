/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Roles: named sets of who may hand out what. They come from files (roles.c) and do not change once
 * they are loaded; whether one is switched off is in the store. Pure but for loading. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/cleanup.h"
#include "credd/config.h"

#define ROLE_NAME_MAX 32

/* Who asks, as the kernel says. Starts as nobody. */
typedef struct Caller {
        uid_t uid;
        uid_t loginuid; /* (uid_t)-1: none, or it could not be had */
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
        char *text; /* as it was written, for display */
} Principals;

bool principals_have(const Principals *principals, const Caller *caller);
void principals_done(Principals *principals);

typedef struct Role {
        char *name; /* of the file, without .conf */
        char *description;
        Principals issuers, requesters, approvers, revokers;
        char **users; /* names or shell patterns; NULL-terminated; never root's */
        json_t *services, *sources;
        uint64_t default_ttl_usec, max_ttl_usec, max_lifetime_usec;
        int64_t max_uses, max_sessions, approvals;
        uint64_t warn_usec[CONFIG_WARN_MAX];
        size_t n_warn;
        bool end_scope_user; /* EndScope=user */
        bool reason_required, holder_required, break_glass;
} Role;

bool role_allows_user(const Role *role, const char *user);
Role *role_free(Role *role);
DEFINE_CLEANUP(Role, role_free)

/* All roles of a folder. */
typedef struct Roles {
        Role **roles; /* by name */
        size_t n;
} Roles;

/* NULL: there is none of that name (or name is NULL). */
const Role *roles_find(const Roles *roles, const char *name);
Roles *roles_free(Roles *roles);
DEFINE_CLEANUP(Roles, roles_free)

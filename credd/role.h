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
#include "credd/ini.h"
#include "credd/principals.h"

#define ROLE_NAME_MAX 32
#define ROLES_MAX     256

typedef struct Role {
        char *name; /* of the file, without .conf */
        char *description;
        Principals issuers, requesters, approvers, revokers;
        char **users;               /* names or shell patterns; NULL-terminated; never root's */
        json_t *services, *sources; /* arrays of strings; no source: from anywhere */
        uint64_t default_ttl_usec, max_ttl_usec;
        uint64_t max_lifetime_usec; /* 0: not given; the host's is the limit, and no default */
        int64_t max_uses, max_sessions, approvals;
        uint64_t warn_usec[CONFIG_WARN_MAX];
        size_t n_warn;
        bool end_scope_user; /* EndScope=user */
        bool reason_required, holder_required, break_glass;
        char digest[INI_DIGEST]; /* of its file */
} Role;

bool role_allows_user(const Role *role, const char *user);
/* What is in effect, defaults filled in, as an object; NULL: out of memory. */
json_t *role_settings(const Role *role);
Role *role_free(Role *role);
DEFINE_CLEANUP(Role, role_free)

/* All roles of a folder. */
typedef struct Roles {
        Role **roles; /* by name */
        size_t n;
} Roles;

/* Reads each NAME.conf of the folder; hidden files and all others are not looked at. No folder: no
 * roles. host: the limits that a role has where its file says nothing; NULL: they are not known,
 * and nothing is measured by them. Mistakes as config_load() has them; -EINVAL: there was one, and
 * *ret_roles is untouched. Folder and files must be owner_uid's (root's, but in tests) and writable by
 * it alone, and no symbolic links. Asks NSS. */
int roles_load(const char *folder, uid_t owner_uid, const Config *host, FILE *mistakes,
               Roles **ret_roles);
/* Reads one file that may be anybody's and anywhere: what it would be in the folder. */
int role_load(const char *path, const Config *host, FILE *mistakes, Role **ret_role);

/* NULL: there is none of that name (or name is NULL). */
const Role *roles_find(const Roles *roles, const char *name);
Roles *roles_free(Roles *roles);
DEFINE_CLEANUP(Roles, roles_free)

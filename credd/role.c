/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Roles as values. */
#include "credd/role.h"

#include <fnmatch.h>
#include <string.h>

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

bool role_allows_user(const Role *role, const char *user)
{
        for (char **pattern = role->users; pattern && *pattern; pattern++)
                if (fnmatch(*pattern, user, 0) == 0)
                        return true;
        return false;
}

Role *role_free(Role *role)
{
        if (!role)
                return NULL;
        free(role->name);
        free(role->description);
        principals_done(&role->issuers);
        principals_done(&role->requesters);
        principals_done(&role->approvers);
        principals_done(&role->revokers);
        for (char **pattern = role->users; pattern && *pattern; pattern++)
                free(*pattern);
        free(role->users);
        json_decref(role->services);
        json_decref(role->sources);
        free(role);
        return NULL;
}

const Role *roles_find(const Roles *roles, const char *name)
{
        if (!roles || !name)
                return NULL;
        for (size_t i = 0; i < roles->n; i++)
                if (strcmp(roles->roles[i]->name, name) == 0)
                        return roles->roles[i];
        return NULL;
}

Roles *roles_free(Roles *roles)
{
        if (!roles)
                return NULL;
        for (size_t i = 0; i < roles->n; i++)
                role_free(roles->roles[i]);
        free(roles->roles);
        free(roles);
        return NULL;
}

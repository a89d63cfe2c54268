/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Roles as values; roles.c reads them from files. */
#include "credd/role.h"

#include <fnmatch.h>
#include <string.h>

bool role_allows_user(const Role *role, const char *user)
{
        if (strcmp(user, "root") == 0)
                return false;
        for (char **pattern = role->users; pattern && *pattern; pattern++)
                if (fnmatch(*pattern, user, 0) == 0)
                        return true;
        return false;
}

static json_t *list_of(char *const *texts)
{
        json_t *list = json_array();

        for (; list && texts && *texts; texts++)
                if (json_array_append_new(list, json_string(*texts)) < 0) {
                        json_decref(list);
                        return NULL;
                }
        return list;
}

static json_t *list_of_warnings(const Role *role)
{
        json_t *list = json_array();

        for (size_t i = 0; list && i < role->n_warn; i++)
                if (json_array_append_new(list, json_integer((json_int_t)role->warn_usec[i])) < 0) {
                        json_decref(list);
                        return NULL;
                }
        return list;
}

json_t *role_settings(const Role *role)
{
        return json_pack("{ss? ss? ss? ss? ss? sI so sO sO sI sI so sI sI ss so sb sb sb}",
                         "description", role->description, "issuers", role->issuers.text,
                         "requesters", role->requesters.text, "approvers", role->approvers.text,
                         "revokers", role->revokers.text, "approvals", (json_int_t)role->approvals,
                         "users", list_of(role->users), "services", role->services, "sources",
                         role->sources, "default_ttl_usec", (json_int_t)role->default_ttl_usec,
                         "max_ttl_usec", (json_int_t)role->max_ttl_usec, "max_lifetime_usec",
                         role->max_lifetime_usec ? json_integer((json_int_t)role->max_lifetime_usec)
                                                 : json_null(),
                         "max_uses", (json_int_t)role->max_uses, "max_sessions",
                         (json_int_t)role->max_sessions, "end_scope",
                         role->end_scope_user ? "user" : "session", "warn_usec",
                         list_of_warnings(role), "reason_required", role->reason_required,
                         "holder_required", role->holder_required, "break_glass",
                         role->break_glass);
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

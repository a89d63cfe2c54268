/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Roles as a whole: shown, switched off and on again. Off means at once: no login from the moment of the
 * answer on, and the live sessions are ended as at their deadline. Invariant: that a role is off and that
 * the end of its sessions is due are one transaction; a credd that dies between the two finds both. */
#include <errno.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "credd/describe.h"
#include "credd/refusals.h"
#include "credd/session.h"
#include "credd/verbs.h"

#define SHOWN_MAX 200
#define WHY_MAX   512

/* --- as they are shown --- */

static int answer_no_role(Answer *answer, const char *role)
{
        int r = answer_reason(answer, "io.credd.Admin.RoleNotFound", "role", role);

        return r < 0 ? r : 1;
}

static int add_off(Manager *manager, const char *name, json_t *shown)
{
        CLEANUP(role_off_done) RoleOff off = {0};
        int r = store_find_role_off(manager->store, name, &off);

        if (r <= 0)
                return r;
        return json_object_update_new(shown, json_pack("{so sI ss?}", "disabled_by",
                                                       describe_actor(&off.actor), "disabled_usec",
                                                       (json_int_t)off.at_real_usec,
                                                       "disabled_reason", off.reason)) < 0
                       ? -ENOMEM
                       : 0;
}

/* NULL: out of memory, or a store that cannot be read. */
static json_t *describe_role(Manager *manager, const char *name)
{
        const Role *role = roles_find(manager->roles, name);
        json_t *shown = json_pack("{ss ss? sb sb sn sn sn}", "name", name, "description",
                                  role ? role->description : NULL, "loaded", role != NULL,
                                  "enabled", !store_role_off(manager->store, name), "disabled_by",
                                  "disabled_usec", "disabled_reason");

        if (!shown || add_off(manager, name, shown) < 0) {
                json_decref(shown);
                return NULL;
        }
        return shown;
}

typedef struct RoleQuery {
        const Request *request;
        json_t *found;
        bool failed;
} RoleQuery;

static bool list_role(RoleQuery *query, const char *name)
{
        json_t *shown = describe_role(query->request->manager, name);

        query->failed = !shown || json_array_append_new(query->found, shown) < 0;
        return !query->failed;
}

static bool list_without_file(void *userdata, const RoleOff *off)
{
        RoleQuery *query = userdata;

        return roles_find(query->request->manager->roles, off->role) || list_role(query, off->role);
}

static bool may_see_role(const Request *request, const Role *role)
{
        const RightsFacts facts = {.names_role = true, .role = role, .user = UID_NONE};

        return rights_allow(RIGHT_SEE_ROLE, request->caller, &facts);
}

int verb_role_list(const Request *request, Answer *answer)
{
        Manager *manager = request->manager;
        json_auto_t *found = json_array();
        RoleQuery query = {.request = request, .found = found};
        int r;

        r = parameters_read(request->parameters, NULL, 0, answer);
        if (r != 0)
                return r < 0 ? r : 0;
        for (size_t i = 0; i < manager->roles->n && !query.failed; i++)
                if (may_see_role(request, manager->roles->roles[i]))
                        (void)list_role(&query, manager->roles->roles[i]->name);
        if (may_see_role(request, NULL) && !query.failed)
                r = store_each_role_off(manager->store, list_without_file, &query);
        if (r < 0 || query.failed)
                return r < 0 ? r : -ENOMEM;
        answer->parameters = json_pack("{sO}", "roles", found);
        return answer->parameters ? 0 : -ENOMEM;
}

/* It has a file, or is switched off, or has had credentials. 1; 0; negative. */
static int role_known(Manager *manager, const char *name)
{
        if (roles_find(manager->roles, name) || store_role_off(manager->store, name))
                return 1;
        return store_role_used(manager->store, name);
}

/* 0; 1: answered, one that is not the caller's to see exactly as one that is not there. */
static int find_role(const Request *request, const char *name, const Role **ret, Answer *answer)
{
        const Role *role = roles_find(request->manager->roles, name);
        int r;

        if (!may_see_role(request, role)) {
                refusals_add_action(request->manager->refusals, request->peer, request->method,
                                    "not theirs to see");
                return answer_no_role(answer, name);
        }
        r = role_known(request->manager, name);
        if (r < 0)
                return r;
        if (r == 0)
                return answer_no_role(answer, name);
        *ret = role;
        return 0;
}

/* What there is under it is for those who see each of them anyway. */
static int add_counts(const Request *request, const char *name, const Role *role, json_t *shown)
{
        Manager *manager = request->manager;
        const RightsFacts facts = {.names_role = true, .role = role, .user = UID_NONE};
        const SessionsOf of = {.role = name};
        uint64_t now = clock_line_usec(&manager->clock);
        int64_t unspent = 0;
        int r;

        if (!rights_allow(RIGHT_SEE, request->caller, &facts))
                return json_object_update_new(shown, json_pack("{sn sn}", "sessions", "unspent"));
        r = store_count_unspent(manager->store, name, now, &unspent);
        if (r < 0)
                return r;
        return json_object_update_new(
                       shown, json_pack("{sI sI}", "sessions",
                                        (json_int_t)sessions_count(manager->sessions, of, now),
                                        "unspent", (json_int_t)unspent)) < 0
                       ? -ENOMEM
                       : 0;
}

int verb_role_show(const Request *request, Answer *answer)
{
        const char *name = NULL;
        const Parameter parameters[] = {{"role", 's', &name}};
        const Role *role = NULL;
        json_t *shown;
        int r;

        r = parameters_read(request->parameters, parameters, ELEMENTSOF(parameters), answer);
        if (r == 0)
                r = find_role(request, name, &role, answer);
        if (r != 0)
                return r < 0 ? r : 0;
        shown = describe_role(request->manager, name);
        if (!shown)
                return -ENOMEM;
        answer->parameters = json_pack("{so so}", "role", shown, "settings",
                                       role ? role_settings(role) : json_null());
        return answer->parameters ? add_counts(request, name, role, answer->parameters) : -ENOMEM;
}

static int answer_with_role(const Request *request, const char *name, Answer *answer)
{
        json_t *shown = describe_role(request->manager, name);

        if (!shown)
                return -ENOMEM;
        if (!answer->parameters)
                answer->parameters = json_object();
        return json_object_set_new(answer->parameters, "role", shown) < 0 ? -ENOMEM : 0;
}

/* --- on --- */

int verb_role_enable(const Request *request, Answer *answer)
{
        Manager *manager = request->manager;
        const char *name = NULL, *reason = NULL;
        const Parameter parameters[] = {{"role", 's', &name}, {"reason", 'S', &reason}};
        int64_t unspent = 0;
        Actor actor;
        int r;

        r = parameters_read(request->parameters, parameters, ELEMENTSOF(parameters), answer);
        if (r == 0)
                r = check_reason(reason, answer);
        if (r != 0)
                return r < 0 ? r : 0;
        r = role_known(manager, name);
        if (r <= 0)
                return r < 0 ? r : answer_no_role(answer, name) < 0 ? -ENOMEM : 0;
        if (!store_role_off(manager->store, name))
                return answer_refused(answer, "io.credd.Admin.NothingToDo");
        peer_actor(request->peer, &actor);
        r = store_remove_role_off(manager->store, name);
        if (r == 0)
                r = store_count_unspent(manager->store, name, clock_line_usec(&manager->clock),
                                        &unspent);
        if (r == 0)
                r = event_role_enabled(&manager->events, name, &actor, reason, unspent);
        return r < 0 ? r : answer_with_role(request, name, answer);
}

/* --- off --- */

/* What stands under a role, and what switching it off comes to. */
typedef struct Under {
        Manager *manager;
        json_t *sessions, *unspent;
        unsigned sessions_count;
        int64_t unspent_count;
        bool failed;
} Under;

static void under_done(Under *under)
{
        json_decref(under->sessions);
        json_decref(under->unspent);
}

static bool take_session(void *userdata, const SessionRow *row)
{
        Under *under = userdata;

        if (json_array_append_new(under->sessions, describe_session(under->manager, row)) < 0)
                under->failed = true;
        return !under->failed && json_array_size(under->sessions) < SHOWN_MAX;
}

static bool take_credential(void *userdata, Credential *credential)
{
        Under *under = userdata;

        if (json_array_append_new(under->unspent,
                                  describe_credential(under->manager, credential, false)) < 0)
                under->failed = true;
        return !under->failed;
}

static int look_under(Manager *manager, const char *role, uint64_t now_usec, Under *ret)
{
        const SessionsOf of = {.role = role};
        int r;

        *ret = (Under){.manager = manager,
                       .sessions = json_array(),
                       .unspent = json_array(),
                       .sessions_count = sessions_count(manager->sessions, of, now_usec)};
        sessions_each_of(manager->sessions, of, now_usec, take_session, ret);
        r = store_each_unspent(manager->store, role, now_usec, SHOWN_MAX, take_credential, ret);
        if (r == 0)
                r = store_count_unspent(manager->store, role, now_usec, &ret->unspent_count);
        return r < 0 ? r : ret->failed ? -ENOMEM : 0;
}

static int answer_under(const Request *request, const char *role, const Under *under,
                        Answer *answer)
{
        answer->parameters =
                json_pack("{sO sI sO sI}", "sessions", under->sessions, "sessions_ending",
                          (json_int_t)under->sessions_count, "unspent", under->unspent,
                          "unspent_count", (json_int_t)under->unspent_count);
        return answer->parameters ? answer_with_role(request, role, answer) : -ENOMEM;
}

static const char *say_why(const RoleOff *off, char text[static WHY_MAX])
{
        (void)snprintf(text, WHY_MAX, "the role %s was switched off by %s%s%s", off->role,
                       off->actor.name[0] ? off->actor.name : "an administrator",
                       off->reason ? ": " : "", off->reason ?: "");
        return text;
}

static int switch_off(const Request *request, const char *role, const char *reason,
                      uint64_t now_usec, Answer *answer)
{
        Manager *manager = request->manager;
        CLEANUP(under_done) Under under = {0};
        const SessionsOf of = {.role = role};
        RoleOff off = {.role = (char *)role, /* both borrowed for the insertion */
                       .at_real_usec = clock_real_usec(&manager->clock),
                       .reason = (char *)reason};
        char text[WHY_MAX];
        int r;

        peer_actor(request->peer, &off.actor);
        r = look_under(manager, role, now_usec, &under);
        if (r == 0)
                r = store_add_role_off(manager->store, &off);
        if (r == 0)
                r = sessions_store_end(manager->sessions, of, now_usec, say_why(&off, text));
        if (r == 0)
                r = event_role_disabled(&manager->events, &off, under.sessions_count,
                                        under.unspent_count);
        if (r == 0)
                r = answer_under(request, role, &under, answer);
        if (r == 0)
                sessions_end(manager->sessions, of, now_usec, text);
        return r;
}

static int say_what_would_be(const Request *request, const char *role, uint64_t now_usec,
                             Answer *answer)
{
        CLEANUP(under_done) Under under = {0};
        int r = look_under(request->manager, role, now_usec, &under);

        return r < 0 ? r : answer_under(request, role, &under, answer);
}

int verb_role_disable(const Request *request, Answer *answer)
{
        Manager *manager = request->manager;
        const char *name = NULL, *reason = NULL;
        bool dry_run = false;
        const Parameter parameters[] = {
                {"role", 's', &name}, {"reason", 'S', &reason}, {"dry_run", 'B', &dry_run}};
        uint64_t now = clock_line_usec(&manager->clock);
        int r;

        r = parameters_read(request->parameters, parameters, ELEMENTSOF(parameters), answer);
        if (r == 0)
                r = check_reason(reason, answer);
        if (r != 0)
                return r < 0 ? r : 0;
        r = role_known(manager, name);
        if (r <= 0)
                return r < 0 ? r : answer_no_role(answer, name) < 0 ? -ENOMEM : 0;
        if (dry_run)
                return say_what_would_be(request, name, now, answer);
        if (store_role_off(manager->store, name))
                return answer_refused(answer, "io.credd.Admin.NothingToDo");
        return switch_off(request, name, reason, now, answer);
}

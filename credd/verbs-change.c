/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What changes a credential after its issue, and the host. Invariant: the store first, everything that
 * can fail; then the live sessions, whose timers cannot be rolled back. */
#include <errno.h>
#include <stdio.h>

#include "common/varlink.h"
#include "credd/describe.h"
#include "credd/expiry.h"
#include "credd/facts.h"
#include "credd/receipts.h"
#include "credd/session.h"
#include "credd/verbs.h"

#define REASON_MAX 200

int check_reason(const char *reason, Answer *answer)
{
        int r;

        if (!reason || text_valid(reason, REASON_MAX))
                return 0;
        r = answer_reason(answer, VARLINK_INVALID_PARAMETER, "parameter", "reason");
        return r < 0 ? r : 1;
}

int answer_final(Manager *manager, const Credential *credential, Answer *answer)
{
        answer->error = "io.credd.Admin.Final";
        answer->parameters =
                json_pack("{ss ss}", "id", credential->id, "state",
                          credential_state_to_string(describe_state(manager, credential)));
        return answer->parameters ? 0 : -ENOMEM;
}

static bool is_closed(Manager *manager, const Credential *credential)
{
        return credential_state_final(describe_state(manager, credential)) ||
               cause_ends_sessions(credential->cause);
}

/* --- Revoke --- */

static int revoke_credential(const Request *request, const Credential *credential,
                             const char *reason)
{
        Manager *manager = request->manager;
        Revocation revocation = {.at_real_usec = clock_real_usec(&manager->clock),
                                 .reason = (char *)reason /* borrowed for the insertion */};
        int r;

        peer_actor(request->peer, &revocation.actor);
        r = store_close_credential(manager->store, credential->num, CAUSE_REVOKED);
        if (r == 0)
                r = store_add_revocation(manager->store, credential->num, &revocation);
        if (r == 0)
                r = event_credential_revoked(&manager->events, credential, &revocation.actor,
                                             reason);
        if (r == 0)
                r = receipts_try(manager, credential->num);
        return r;
}

int verb_revoke(const Request *request, Answer *answer)
{
        Manager *manager = request->manager;
        AUTO_CREDENTIAL Credential credential = {0};
        const char *id = NULL, *reason = NULL;
        const Parameter parameters[] = {{"id", 's', &id}, {"reason", 'S', &reason}};
        SessionsOf of = {0};
        uint64_t now = clock_line_usec(&manager->clock);
        int r;

        r = parameters_read(request->parameters, parameters, ELEMENTSOF(parameters), answer);
        if (r == 0)
                r = check_reason(reason, answer);
        if (r == 0)
                r = find_allowed(request, RIGHT_REVOKE, id, &credential, answer);
        if (r != 0)
                return r < 0 ? r : 0;
        if (is_closed(manager, &credential))
                return answer_final(manager, &credential, answer);
        of.credential = credential.num;
        r = revoke_credential(request, &credential, reason);
        if (r == 0)
                r = sessions_store_end(manager->sessions, of, now, NULL);
        if (r == 0)
                r = answer_with_credential(manager, credential.num, NULL, answer);
        if (r < 0)
                return r;
        sessions_end(manager->sessions, of, now, NULL);
        expiry_changed(manager->expiry);
        return 0;
}

/* --- Extend --- */

typedef struct Extension {
        const char *id, *reason;
        uint64_t by_usec;
        uint64_t now_usec; /* one for all of it: see sessions_extend() */
} Extension;

static int read_extension(const Request *request, Extension *ret, Answer *answer)
{
        int64_t by = 0;
        const Parameter parameters[] = {
                {"id", 's', &ret->id}, {"by_usec", 'i', &by}, {"reason", 'S', &ret->reason}};
        int r;

        r = parameters_read(request->parameters, parameters, ELEMENTSOF(parameters), answer);
        if (r == 0)
                r = check_reason(ret->reason, answer);
        ret->by_usec = (uint64_t)by;
        ret->now_usec = clock_line_usec(&request->manager->clock);
        return r;
}

static bool describe_live(void *userdata, SessionRow *row)
{
        struct {
                Manager *manager;
                json_t *found;
        } *query = userdata;

        if (row->ended_usec == USEC_INFINITY)
                (void)json_array_append_new(query->found, describe_session(query->manager, row));
        return true;
}

static int answer_extended(Manager *manager, int64_t num, Answer *answer)
{
        json_auto_t *found = json_array();
        struct {
                Manager *manager;
                json_t *found;
        } query = {manager, found};
        int r;

        r = store_each_session(manager->store, SESSIONS_OF, num, 0, INT64_MAX, describe_live,
                               &query);
        if (r == 0)
                r = answer_with_credential(manager, num, NULL, answer);
        if (r == 0 && json_object_set(answer->parameters, "sessions", found) < 0)
                r = -ENOMEM;
        return r;
}

static int store_extension(const Request *request, const Credential *credential,
                           const Extension *extension, bool limit_open, uint64_t latest_usec)
{
        Manager *manager = request->manager;
        uint64_t by = extension->by_usec, limit = credential->login_limit_usec;
        uint64_t latest = limit_open && limit > latest_usec ? limit : latest_usec;
        Actor actor;
        int r = 0;

        peer_actor(request->peer, &actor);
        if (limit_open)
                r = store_extend(manager->store, credential->num, limit + by);
        if (r == 0)
                r = event_credential_extended(&manager->events, credential, &actor, by, latest + by,
                                              extension->reason);
        return r < 0 ? r
                     : sessions_store_extension(manager->sessions, credential->num,
                                                extension->now_usec, by);
}

static int extend(const Request *request, const Credential *credential, const Extension *extension,
                  Answer *answer)
{
        Manager *manager = request->manager;
        uint64_t latest = sessions_latest(manager->sessions, credential->num, extension->now_usec);
        bool limit_open = credential->cause == CAUSE_NONE &&
                          extension->now_usec < credential->login_limit_usec;
        const PolicyRules rules = facts_rules(manager, credential->role);
        char refusal[POLICY_TEXT_MAX];
        int r;

        if (policy_extend(&rules, credential, limit_open, latest, extension->by_usec, refusal) != 0)
                return answer_policy(request, refusal, answer);
        r = store_extension(request, credential, extension, limit_open, latest);
        if (r == 0)
                r = answer_extended(manager, credential->num, answer);
        if (r < 0)
                return r;
        sessions_extend(manager->sessions, credential->num, extension->now_usec,
                        extension->by_usec);
        expiry_changed(manager->expiry);
        return 0;
}

int verb_extend(const Request *request, Answer *answer)
{
        AUTO_CREDENTIAL Credential credential = {0};
        Extension extension = {0};
        int r;

        r = read_extension(request, &extension, answer);
        if (r == 0)
                r = find_allowed(request, RIGHT_EXTEND, extension.id, &credential, answer);
        if (r != 0)
                return r < 0 ? r : 0;
        if (is_closed(request->manager, &credential))
                return answer_final(request->manager, &credential, answer);
        return extend(request, &credential, &extension, answer);
}

/* --- Time, Return --- */

/* By the process that the kernel names and the scope it stands in, not by an environment variable that
 * anybody may set. 0; 1: answered already. */
static int own_session(const Request *request, const Session **ret, Answer *answer)
{
        int r;

        r = parameters_read(request->parameters, NULL, 0, answer);
        if (r != 0)
                return r;
        *ret = facts_own_session(request);
        if (*ret)
                return 0;
        r = answer_refused(answer, "io.credd.Admin.NotInSession");
        return r < 0 ? r : 1;
}

int verb_time(const Request *request, Answer *answer)
{
        Manager *manager = request->manager;
        const Session *session = NULL;
        json_t *shown;
        int r;

        r = own_session(request, &session, answer);
        if (r != 0)
                return r < 0 ? r : 0;
        r = answer_with_credential(manager, session->row.credential, NULL, answer);
        if (r < 0)
                return r;
        shown = describe_session(manager, &session->row);
        return json_object_set_new(answer->parameters, "session", shown) < 0 ? -ENOMEM : 0;
}

static int give_back(const Request *request, const Credential *credential, Answer *answer)
{
        static const char why[] = "it was given back";
        const SessionsOf of = {.credential = credential->num};
        Manager *manager = request->manager;
        uint64_t now = clock_line_usec(&manager->clock);
        Actor actor;
        int r;

        peer_actor(request->peer, &actor);
        r = store_close_credential(manager->store, credential->num, CAUSE_RETURNED);
        if (r == 0)
                r = event_credential_returned(&manager->events, credential, &actor);
        if (r == 0)
                r = sessions_store_end(manager->sessions, of, now, why);
        if (r == 0)
                r = answer_with_credential(manager, credential->num, NULL, answer);
        if (r < 0)
                return r;
        sessions_end(manager->sessions, of, now, why);
        expiry_changed(manager->expiry);
        return 0;
}

int verb_return(const Request *request, Answer *answer)
{
        Manager *manager = request->manager;
        AUTO_CREDENTIAL Credential credential = {0};
        const Session *session = NULL;
        int r;

        r = own_session(request, &session, answer);
        if (r != 0)
                return r < 0 ? r : 0;
        r = store_read_credential(manager->store, session->row.credential, &credential);
        if (r <= 0)
                return r < 0 ? r : -ENOENT;
        if (is_closed(manager, &credential))
                return answer_final(manager, &credential, answer);
        return give_back(request, &credential, answer);
}

/* --- Freeze, Thaw --- */

static int freeze(const Request *request, const char *reason, bool end_sessions)
{
        Manager *manager = request->manager;
        char why[REASON_MAX + USER_NAME_LEN_MAX + 64];
        Actor actor;
        int r;

        peer_actor(request->peer, &actor);
        (void)snprintf(why, sizeof(why), "the host was frozen by %s%s%s",
                       actor.name[0] ? actor.name : "an administrator", reason ? ": " : "",
                       reason ?: "");
        r = store_set_frozen(manager->store, why);
        return r < 0 ? r : event_host_frozen(&manager->events, &actor, reason, end_sessions);
}

int verb_freeze(const Request *request, Answer *answer)
{
        const SessionsOf all = {0};
        Manager *manager = request->manager;
        const char *reason = NULL;
        bool end_sessions = false;
        uint64_t now = clock_line_usec(&manager->clock);
        const Parameter parameters[] = {{"reason", 'S', &reason},
                                        {"end_sessions", 'B', &end_sessions}};
        int r;

        r = parameters_read(request->parameters, parameters, ELEMENTSOF(parameters), answer);
        if (r == 0)
                r = check_reason(reason, answer);
        if (r != 0)
                return r < 0 ? r : 0;
        if (store_frozen(manager->store) && !end_sessions)
                return answer_refused(answer, "io.credd.Admin.NothingToDo");
        r = freeze(request, reason, end_sessions);
        if (r == 0 && end_sessions)
                r = sessions_store_end(manager->sessions, all, now, store_frozen(manager->store));
        if (r < 0)
                return r;
        answer->parameters = json_pack("{si}", "sessions_ending",
                                       end_sessions ? (int)sessions_live(manager->sessions) : 0);
        if (!answer->parameters)
                return -ENOMEM;
        if (end_sessions)
                sessions_end(manager->sessions, all, now, store_frozen(manager->store));
        return 0;
}

int verb_thaw(const Request *request, Answer *answer)
{
        Manager *manager = request->manager;
        Actor actor;
        int r;

        r = parameters_read(request->parameters, NULL, 0, answer);
        if (r != 0)
                return r < 0 ? r : 0;
        if (!store_frozen(manager->store))
                return answer_refused(answer, "io.credd.Admin.NothingToDo");
        peer_actor(request->peer, &actor);
        r = store_set_frozen(manager->store, NULL);
        return r < 0 ? r : event_host_thawed(&manager->events, &actor);
}

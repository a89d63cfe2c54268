/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Facts are read anew in each call. Own is what this uid asked for or issued, or whose session the calling
 * process stands in; never what merely logs in the same account. */
#include "credd/facts.h"

#include <errno.h>

PolicyRules facts_rules(const Manager *manager, const char *role)
{
        return (PolicyRules){.config = &manager->config,
                             .role = roles_find(manager->roles, role),
                             .role_off = role && store_role_off(manager->store, role),
                             .host_full = sessions_full(manager->sessions)};
}

RightsFacts facts_of_role(const Request *request, const char *role)
{
        const PolicyRules rules = facts_rules(request->manager, role);

        return (RightsFacts){.names_role = role != NULL,
                             .role = rules.role,
                             .role_off = rules.role_off,
                             .user = UID_NONE};
}

/* The pid is the kernel's, but by now it may be another process's: so it is held when it is looked at. */
const Session *facts_own_session(const Request *request)
{
        const PeerIdentity *identity = peer_identity(request->peer);
        AUTO_CLOSE int pidfd = -1;
        const Session *session;
        uint64_t ticks;

        if (request->caller->uid != identity->uid)
                return NULL;
        session = sessions_find_process(request->manager->sessions, identity->pid, identity->uid);
        return session && peer_pidfd(request->peer, &pidfd, &ticks) == 0 ? session : NULL;
}

static int64_t own_session(const Request *request)
{
        const Session *session = facts_own_session(request);

        return session ? session->row.credential : 0;
}

static bool is_caller(const Request *request, uid_t uid)
{
        return uid != UID_NONE && uid == request->caller->uid;
}

void facts_of_credential(const Request *request, const Credential *credential, Facts *ret)
{
        RightsFacts *rights = &ret->rights;

        *rights = facts_of_role(request, credential->role);
        ret->askers[0] = (Party){credential->issuer.uid, credential->issuer.loginuid};
        rights->askers = ret->askers;
        rights->n_askers = 1;
        rights->user = credential->uid;
        rights->asked = is_caller(request, credential->issuer.uid);
        rights->own_session = own_session(request) == credential->num;
        rights->own = rights->asked || rights->own_session;
}

/* --- who approved it --- */

typedef struct Reading {
        Parties parties;
        bool failed;
} Reading;

static bool add_party(void *userdata, const Approval *approval)
{
        Reading *reading = userdata;
        Parties *parties = &reading->parties;
        Party *grown = reallocarray(parties->list, parties->n + 1, sizeof(*grown));

        reading->failed = !grown;
        if (!grown)
                return false;
        parties->list = grown;
        grown[parties->n++] = (Party){approval->actor.uid, approval->actor.loginuid};
        return true;
}

int facts_approvers(const Manager *manager, int64_t credential, Parties *ret)
{
        Reading reading = {0};
        int r;

        r = store_each_approval(manager->store, credential, add_party, &reading);
        if (r == 0 && reading.failed)
                r = -ENOMEM;
        if (r < 0) {
                parties_done(&reading.parties);
                return r;
        }
        *ret = reading.parties;
        return 0;
}

void parties_done(Parties *parties)
{
        free(parties->list);
        *parties = (Parties){0};
}

/* --- lists --- */

static bool sees_some(const Request *request)
{
        const Roles *roles = request->manager->roles;

        for (size_t i = 0; roles && i < roles->n; i++) {
                const RightsFacts facts = {.names_role = true, .role = roles->roles[i]};

                if (rights_allow(RIGHT_SEE, request->caller, &facts))
                        return true;
        }
        return false;
}

Sight sight_of(const Request *request)
{
        const RightsFacts nothing = {.user = UID_NONE};

        return (Sight){
                .request = request,
                .all = rights_allow(RIGHT_SEE_ALL, request->caller, &nothing),
                .some = sees_some(request),
                .own_session = own_session(request),
        };
}

bool sight_has(const Sight *sight, int64_t num, const char *role, uid_t issuer_uid)
{
        const Request *request = sight->request;
        const RightsFacts facts = {
                .names_role = role != NULL,
                .role = roles_find(request->manager->roles, role),
                .own = is_caller(request, issuer_uid) || sight->own_session == num,
                .user = UID_NONE,
        };

        return sight->all || rights_allow(RIGHT_SEE, request->caller, &facts);
}

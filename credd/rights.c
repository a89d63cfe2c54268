/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of rights. Invariants: what is not granted in so many words is refused; who may not see a
 * thing learns nothing of it, not even why; a loginuid grants nothing and only ever takes away. */
#include "credd/rights.h"

/* What the kernel says of a uid that has no number here (another user namespace): anybody, so nobody. */
#define OVERFLOW_UID ((uid_t)65534)

static const RightsVerdict granted = {.permission = PERMISSION_GRANTED};

static RightsVerdict refused(const char *journal, const char *asker)
{
        return (RightsVerdict){PERMISSION_REFUSED, journal, asker};
}

/* The asker does not learn it: that who had a part in it has none because the role went is for the journal. */
static RightsVerdict unseen(const RightsFacts *facts)
{
        const bool gone = facts->names_role && !facts->role;

        return (RightsVerdict){PERMISSION_UNSEEN,
                               gone ? "not theirs to see, and its role is gone"
                                    : "not theirs to see",
                               "there is no such thing"};
}

/* --- who --- */

static bool somebody(const Caller *caller)
{
        return caller->uid != UID_NONE && caller->uid != OVERFLOW_UID;
}

static bool admin(const Caller *caller)
{
        return somebody(caller) && caller->admin;
}

static bool overseer(const Caller *caller)
{
        return somebody(caller) && (caller->admin || caller->auditor);
}

static bool own(const Caller *caller, const RightsFacts *facts)
{
        return somebody(caller) && facts->own;
}

static bool among(const Caller *caller, const Principals *principals)
{
        return somebody(caller) && principals_have(principals, caller);
}

static bool issuer(const Caller *caller, const Role *role)
{
        return role && among(caller, &role->issuers);
}

static bool requester(const Caller *caller, const Role *role)
{
        return role && among(caller, &role->requesters);
}

static bool approver(const Caller *caller, const Role *role)
{
        return role && among(caller, &role->approvers);
}

static bool revoker(const Caller *caller, const Role *role)
{
        return role && among(caller, &role->revokers);
}

static bool sees(const Caller *caller, const RightsFacts *facts)
{
        return overseer(caller) || own(caller, facts) || issuer(caller, facts->role) ||
               approver(caller, facts->role) || revoker(caller, facts->role);
}

static bool has_part(const Caller *caller, const Role *role)
{
        return issuer(caller, role) || requester(caller, role) || approver(caller, role) ||
               revoker(caller, role);
}

static bool sees_role(const Caller *caller, const RightsFacts *facts)
{
        return overseer(caller) || has_part(caller, facts->role);
}

/* Two numbers each, the uid and who stands behind it: one in common makes them one person. */
static bool same_person(const Caller *caller, const Party *person)
{
        const uid_t here[] = {caller->uid, caller->loginuid};

        for (size_t i = 0; i < ELEMENTSOF(here); i++)
                if (here[i] != UID_NONE && (here[i] == person->uid || here[i] == person->loginuid))
                        return true;
        return false;
}

static bool one_of(const Caller *caller, const Party *persons, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (same_person(caller, &persons[i]))
                        return true;
        return false;
}

static bool is_user(const Caller *caller, const RightsFacts *facts)
{
        const Party user = {facts->user, UID_NONE};

        return same_person(caller, &user);
}

size_t rights_standing(const Role *role, const Party *approvers, size_t n)
{
        size_t standing = 0;

        if (role->approvers.n_gids > 0)
                return n;
        for (size_t i = 0; i < n; i++) {
                const Caller author = {.uid = approvers[i].uid, .gid = (gid_t)-1};

                standing += principals_have(&role->approvers, &author);
        }
        return standing;
}

/* --- what --- */

RightsVerdict rights_not_known(void)
{
        return refused("the loginuid cannot be read", "who is behind this process cannot be told");
}

static RightsVerdict admins_only(const Caller *caller)
{
        return admin(caller)
                       ? granted
                       : refused("not an administrator",
                                 "only root and members of the group credd-admin may do this");
}

/* A role that is gone or off stops everything new under it. */
static RightsVerdict role_stands(const RightsFacts *facts)
{
        if (!facts->names_role)
                return refused("it is under no role",
                               "it was issued, and under no role: there is nothing to decide or "
                               "to collect");
        if (!facts->role)
                return refused("its role is gone", "its role does not exist any more");
        if (facts->role_off)
                return refused("its role is switched off",
                               "its role is switched off: an administrator switches it on again "
                               "with credctl role enable");
        return granted;
}

static RightsVerdict may_issue(const Caller *caller, const RightsFacts *facts)
{
        RightsVerdict stands;

        if (!facts->names_role)
                return admin(caller) ? granted
                                     : refused("not an administrator",
                                               "only root and members of the group credd-admin may "
                                               "issue without a role: name one with --role");
        if (!facts->role || !sees_role(caller, facts))
                return unseen(facts);
        stands = role_stands(facts);
        if (stands.permission != PERMISSION_GRANTED || admin(caller) || issuer(caller, facts->role))
                return stands;
        if (requester(caller, facts->role))
                return refused("not an issuer of the role",
                               "you may ask for it: credctl request --role ROLE --user USER");
        return refused("not an issuer of the role", "you may not issue under this role");
}

static RightsVerdict may_request(const Caller *caller, const RightsFacts *facts)
{
        RightsVerdict stands;

        if (!facts->role || !sees_role(caller, facts))
                return unseen(facts);
        stands = role_stands(facts);
        if (stands.permission != PERMISSION_GRANTED || admin(caller) ||
            issuer(caller, facts->role) || requester(caller, facts->role))
                return stands;
        return refused("not a requester of the role", "you may not ask for this role");
}

/* Whoever decides is designated, is known down to who stands behind a sudo, and is nobody who gains. */
static RightsVerdict may_decide(const Caller *caller, const RightsFacts *facts)
{
        if (!sees(caller, facts))
                return unseen(facts);
        if (!facts->role)
                return role_stands(facts);
        if (!approver(caller, facts->role))
                return refused("not an approver of the role",
                               "only the approvers of its role may do this");
        if (!caller->loginuid_known)
                return rights_not_known();
        if (one_of(caller, facts->askers, facts->n_askers))
                return refused("the same person as the asker",
                               "it takes another person than the one who asked; sudo makes no "
                               "second person. credctl revoke withdraws a request");
        if (is_user(caller, facts))
                return refused("the same person as the user",
                               "it takes another person than the one whom it logs in");
        return granted;
}

static RightsVerdict may_approve(const Caller *caller, const RightsFacts *facts)
{
        RightsVerdict verdict = may_decide(caller, facts);

        if (verdict.permission != PERMISSION_GRANTED)
                return verdict;
        if (one_of(caller, facts->approvers, facts->n_approvers))
                return refused("the same person as an approver",
                               "you have approved it before; it takes one more person");
        return role_stands(facts);
}

static RightsVerdict may_collect(const Caller *caller, const RightsFacts *facts)
{
        if (!sees(caller, facts))
                return unseen(facts);
        if (!facts->asked) /* whoever sees it is somebody */
                return refused("not the asker", "only the one who asked may collect it");
        if (facts->n_approvers > 0 && !caller->loginuid_known)
                return rights_not_known();
        if (one_of(caller, facts->approvers, facts->n_approvers))
                return refused("the same person as an approver",
                               "it takes another person than those who approved it; sudo makes no "
                               "second person");
        return role_stands(facts);
}

static RightsVerdict may_revoke(const Caller *caller, const RightsFacts *facts)
{
        if (!sees(caller, facts))
                return unseen(facts);
        if (admin(caller) || own(caller, facts) || revoker(caller, facts->role))
                return granted;
        return refused("not a revoker of the role",
                       "only administrators and the revokers of its role may do this");
}

/* It takes the right to issue: what could not be handed out today is not made longer today. */
static RightsVerdict may_extend(const Caller *caller, const RightsFacts *facts)
{
        if (!sees(caller, facts))
                return unseen(facts);
        if (!admin(caller) && !issuer(caller, facts->role))
                return refused("not an issuer of the role",
                               "only administrators and the issuers of its role may do this");
        return facts->names_role ? role_stands(facts) : granted;
}

static RightsVerdict may_ack(const Caller *caller, const RightsFacts *facts)
{
        if (!sees(caller, facts))
                return unseen(facts);
        if (!admin(caller))
                return admins_only(caller);
        if (!caller->loginuid_known)
                return rights_not_known();
        if (one_of(caller, facts->askers, facts->n_askers))
                return refused("the same person as the issuer",
                               "it takes another administrator than the one who issued it; sudo "
                               "makes no second person");
        if (one_of(caller, facts->approvers, facts->n_approvers))
                return refused("the same person as an approver",
                               "it takes another administrator than those who approved it");
        if (is_user(caller, facts))
                return refused("the same person as the user",
                               "it takes another administrator than the one whom it logs in");
        return granted;
}

static RightsVerdict overseers_only(const Caller *caller)
{
        return overseer(caller)
                       ? granted
                       : refused("not an administrator or auditor",
                                 "only root, members of the group credd-admin and auditors "
                                 "may see this");
}

RightsVerdict rights_may(Right right, const Caller *caller, const RightsFacts *facts)
{
        switch (right) {
        case RIGHT_ISSUE:
                return may_issue(caller, facts);
        case RIGHT_REQUEST:
                return may_request(caller, facts);
        case RIGHT_APPROVE:
                return may_approve(caller, facts);
        case RIGHT_DENY:
                return may_decide(caller, facts);
        case RIGHT_COLLECT:
                return may_collect(caller, facts);
        case RIGHT_SEE:
                return sees(caller, facts) ? granted : unseen(facts);
        case RIGHT_REVOKE:
                return may_revoke(caller, facts);
        case RIGHT_EXTEND:
                return may_extend(caller, facts);
        case RIGHT_OWN_SESSION:
                return facts->own_session ? granted : unseen(facts);
        case RIGHT_ACK:
                return may_ack(caller, facts);
        case RIGHT_SEE_ROLE:
                return sees_role(caller, facts) ? granted : unseen(facts);
        case RIGHT_SWITCH_ROLE:
        case RIGHT_FREEZE:
        case RIGHT_BACKUP:
                return admins_only(caller);
        case RIGHT_STATUS_DETAIL:
        case RIGHT_SEE_ALL:
                return overseers_only(caller);
        case RIGHT_MAX:
                break;
        }
        return refused("no such right", "nobody may do this");
}

bool rights_allow(Right right, const Caller *caller, const RightsFacts *facts)
{
        return rights_may(right, caller, facts).permission == PERMISSION_GRANTED;
}

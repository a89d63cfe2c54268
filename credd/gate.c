/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The choice of a credential where no token says which. Invariant: what would be refused with its token
 * is never chosen. A drill's is for nobody to come in with. */
#include "credd/gate.h"

#include "credd/facts.h"

typedef struct Choice {
        Manager *manager;
        const LoginFacts *facts;
        uint64_t now_usec, deadline_usec;
        Credential best; /* num 0: none yet */
} Choice;

static void choice_done(Choice *choice)
{
        credential_done(&choice->best);
}

/* The one place where the gate asks the policy. */
static bool is_live(const Choice *choice, const Credential *credential)
{
        const PolicyRules rules = facts_rules(choice->manager, credential->role);

        return credential->has_hash && credential->kind != KIND_DRILL &&
               policy_login(&rules, credential, choice->facts,
                            store_frozen(choice->manager->store) != NULL,
                            choice->now_usec) == REFUSAL_NONE;
}

static bool is_better(const Choice *choice, const Credential *credential, uint64_t deadline_usec)
{
        if (choice->best.num == 0 || deadline_usec != choice->deadline_usec)
                return choice->best.num == 0 || deadline_usec > choice->deadline_usec;
        return credential->num < choice->best.num;
}

static bool consider(void *userdata, Credential *credential)
{
        Choice *choice = userdata;
        uint64_t deadline = credential_deadline_usec(credential, choice->now_usec);

        if (is_live(choice, credential) && is_better(choice, credential, deadline)) {
                credential_done(&choice->best);
                choice->best = *credential;
                choice->deadline_usec = deadline;
                *credential = (Credential){0};
        }
        return true;
}

int gate_find(Manager *manager, const LoginFacts *facts, Credential *ret, Refusal *ret_refusal)
{
        CLEANUP(choice_done)
        Choice choice = {
                .manager = manager,
                .facts = facts,
                .now_usec = clock_line_usec(&manager->clock),
        };
        int r;

        *ret_refusal = REFUSAL_CLOCK;
        if (!clock_trusted(&manager->clock))
                return 0;
        *ret_refusal = store_frozen(manager->store) ? REFUSAL_FROZEN : REFUSAL_NONE_LIVE;
        r = store_each_open(manager->store, facts->uid, choice.now_usec, consider, &choice);
        if (r < 0 || choice.best.num == 0)
                return r;
        *ret_refusal = REFUSAL_NONE;
        *ret = choice.best;
        choice.best = (Credential){0};
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Codes have 35 bits, so tries are counted: of each code, and of each user from each source. Invariants:
 * a try is counted before its answer leaves; a secret is compared always, but counts only where a right
 * one would have let its owner in, because elsewhere there is nothing to be learnt by guessing, and so
 * nobody's code is locked from there; a right one that comes while the limit is reached is refused
 * without a word about it. Tokens know nothing of all this. */
#include "credd/codes.h"

#include "common/secret.h"
#include "credd/digest.h"
#include "credd/facts.h"
#include "credd/limiter.h"
#include "credd/receipts.h"

/* Against nothing if there is nothing, so that it takes as long. */
static bool right_secret(Manager *manager, const Credential *credential, const Code *code)
{
        static const uint8_t nothing[HASH_LEN] = {0};
        uint8_t hash[HASH_LEN];
        bool equal;

        digest_code(store_key(manager->store), code, hash);
        equal = digest_equal(hash, credential->has_hash ? credential->hash : nothing);
        secret_erase(hash, sizeof(hash));
        return equal && credential->has_hash;
}

/* Why even the right secret would be refused. */
static Refusal check_terms(Manager *manager, const Credential *credential, const LoginFacts *facts)
{
        PolicyRules rules;

        if (credential->num == 0)
                return REFUSAL_UNKNOWN;
        if (!limiter_allows(manager->limiter, facts->uid, facts->rhost,
                            clock_line_usec(&manager->clock)))
                return REFUSAL_RATE;
        if (!clock_trusted(&manager->clock))
                return REFUSAL_CLOCK;
        rules = facts_rules(manager, credential->role);
        return policy_login(&rules, credential, facts, store_frozen(manager->store) != NULL,
                            clock_line_usec(&manager->clock));
}

/* A code that is closed is named only to guesses at its own user: a handle comes again. */
static int find(Manager *manager, const Code *code, const LoginFacts *facts, CodeTry *try)
{
        const PolicyRules none = {.config = &manager->config};
        AUTO_CREDENTIAL Credential closed = {0};
        int r;

        r = store_find_code(manager->store, code->handle, &try->credential, &try->tries);
        try->open = r > 0;
        if (r != 0)
                return r < 0 ? r : 0;
        r = store_find_closed_code(manager->store, code->handle, &closed);
        if (r <= 0)
                return r;
        if (policy_login(&none, &closed, facts, false, clock_line_usec(&manager->clock)) ==
            REFUSAL_USER)
                return 0;
        try->credential = closed;
        closed = (Credential){0};
        return 0;
}

int codes_check(Manager *manager, const Code *code, const LoginFacts *facts, CodeTry *ret_try)
{
        CLEANUP(code_try_done) CodeTry try = {.refusal = REFUSAL_SECRET};
        bool right;
        int r;

        r = find(manager, code, facts, &try);
        if (r < 0)
                return r;
        right = right_secret(manager, &try.credential, code);
        try.refusal = check_terms(manager, &try.credential, facts);
        if (try.refusal == REFUSAL_NONE && !right)
                try.refusal = REFUSAL_SECRET;
        *ret_try = try;
        try.credential = (Credential){0};
        return 0;
}

void code_try_done(CodeTry *try)
{
        credential_done(&try->credential);
}

static int lock(Manager *manager, const Credential *credential)
{
        int r;

        r = store_close_credential(manager->store, credential->num, CAUSE_LOCKED);
        if (r == 0)
                r = event_credential_locked(&manager->events, credential);
        return r < 0 ? r : receipts_try(manager, credential->num);
}

static int count_try(Manager *manager, const CodeTry *try)
{
        int r = store_count_try(manager->store, try->credential.num);

        if (r < 0 || try->tries + 1 < CODES_TRIES)
                return r;
        return lock(manager, &try->credential);
}

int codes_refuse(Manager *manager, const CodeTry *try, const LoginFacts *facts)
{
        bool named = try->credential.num > 0;
        int r;

        manager->counters.logins_refused++;
        manager->counters.refused_by[try->refusal]++;
        if (try->refusal == REFUSAL_SECRET || try->refusal == REFUSAL_UNKNOWN)
                limiter_count(manager->limiter, facts->uid, facts->rhost,
                              clock_line_usec(&manager->clock));
        r = event_login_refused(&manager->events, named ? &try->credential : NULL, facts->uid,
                                facts->service, facts->rhost, try->refusal, 1);
        if (r == 0 && try->open && try->refusal == REFUSAL_SECRET)
                r = count_try(manager, try);
        return r;
}

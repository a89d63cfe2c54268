/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of a credential that was asked for: approved, denied, collected. Each looks anew at who
 * asks, at the role and at the row, inside one transaction, so that of two who race one finds what the
 * other did. Invariant: where two things speak, the stricter wins, and a refusal is on record. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/secret.h"
#include "credd/alarms.h"
#include "credd/describe.h"
#include "credd/digest.h"
#include "credd/expiry.h"
#include "credd/facts.h"
#include "credd/notices.h"
#include "credd/refusals.h"
#include "credd/verbs.h"

/* A credential, that it was asked for, and who approved it. */
typedef struct Asked {
        Credential credential;
        RequestRow row;
        bool was_asked; /* false: it was issued */
        PolicyRules rules;
        Facts facts;
        Parties approvers;
} Asked;

static void asked_done(Asked *asked)
{
        credential_done(&asked->credential);
        parties_done(&asked->approvers);
}

/* The row, the role and the approvals, as they are now. */
static int read_asked(const Request *request, Asked *asked)
{
        Store *store = request->manager->store;
        int64_t num = asked->credential.num;
        int r;

        r = store_find_request(store, num, &asked->row);
        if (r < 0)
                return r;
        asked->was_asked = r > 0;
        r = facts_approvers(request->manager, num, &asked->approvers);
        asked->rules = facts_rules(request->manager, asked->credential.role);
        facts_of_credential(request, &asked->credential, &asked->facts);
        asked->facts.rights.approvers = asked->approvers.list;
        asked->facts.rights.n_approvers = asked->approvers.n;
        return r;
}

/* As find_allowed(), with who approved it among the facts. 0; 1: answered. */
static int find_asked(const Request *request, Right right, const char *id, Asked *asked,
                      Answer *answer)
{
        RightsVerdict verdict;
        int r = 0;

        if (token_id_valid(id))
                r = store_find_credential(request->manager->store, id, &asked->credential);
        if (r < 0)
                return r;
        if (r == 0) {
                r = answer_reason(answer, "io.credd.Admin.NotFound", "id", id);
                return r < 0 ? r : 1;
        }
        r = read_asked(request, asked);
        if (r < 0)
                return r;
        verdict = rights_may(right, request->caller, &asked->facts.rights);
        return answer_verdict(request, &verdict, id, answer);
}

/* --- refusals --- */

/* journal: a literal. */
static int refuse(const Request *request, const char *journal, const char *words, Answer *answer)
{
        int r;

        refusals_add_action(request->manager->refusals, request->peer, request->method, journal);
        r = answer_reason(answer, "io.credd.Admin.Refused", "reason", words);
        return r < 0 ? r : 1;
}

static const char *why_over(CredentialState state)
{
        if (state == STATE_DENIED)
                return "it was denied before";
        return state == STATE_LAPSED ? "it lapsed before" : "it is over";
}

static int refuse_final(const Request *request, const Credential *credential, Answer *answer)
{
        CredentialState state = describe_state(request->manager, credential);
        int r;

        refusals_add_action(request->manager->refusals, request->peer, request->method,
                            why_over(state));
        r = answer_final(request->manager, credential, answer);
        return r < 0 ? r : 1;
}

/* 0: it waits to be decided or collected; 1: answered. */
static int check_pending(const Request *request, const Asked *asked, Answer *answer)
{
        CredentialState state = describe_state(request->manager, &asked->credential);

        if (!asked->was_asked)
                return refuse(request, "nobody asked for it", "nobody asked for it: it was issued",
                              answer);
        if (state == STATE_PENDING)
                return 0;
        if (credential_state_final(state))
                return refuse_final(request, &asked->credential, answer);
        return refuse(request, "it was collected before",
                      "it has been collected already; credctl revoke ends it", answer);
}

/* 0: its role would hand it out today; 1: answered. */
static int check_fits(const Request *request, const Asked *asked, Answer *answer)
{
        char words[POLICY_TEXT_MAX];

        if (policy_fits(&asked->rules, &asked->credential, words) == 0)
                return 0;
        return refuse(request, "its role allows less than was asked for", words, answer);
}

static int64_t needed(const Asked *asked)
{
        return policy_approvals(&asked->rules, asked->row.needed);
}

/* Those that count. */
static int64_t given(const Asked *asked)
{
        const Role *role = asked->rules.role;

        return role ? (int64_t)rights_standing(role, asked->approvers.list, asked->approvers.n) : 0;
}

/* --- Approve, Deny --- */

static int read_decision(const Request *request, const char **ret_id, const char **ret_reason,
                         Answer *answer)
{
        const Parameter parameters[] = {{"id", 's', ret_id}, {"reason", 'S', ret_reason}};
        int r;

        r = parameters_read(request->parameters, parameters, ELEMENTSOF(parameters), answer);
        return r == 0 ? check_reason(*ret_reason, answer) : r;
}

/* What was compared is what is recorded. */
static Actor actor_of(const Request *request)
{
        Actor actor;

        peer_actor(request->peer, &actor);
        actor.loginuid = request->caller->loginuid;
        return actor;
}

static void tell_asker(const Request *request, const Credential *credential, const char *what,
                       const Actor *actor, const char *reason)
{
        char words[NOTICE_QUOTE_MAX], line[NOTICE_QUOTE_MAX + 64];

        (void)snprintf(line, sizeof(line), "%s %s", what, notice_quote(actor, reason, words));
        notices_to_asker(request->manager, credential, line);
}

static int approve(const Request *request, const Asked *asked, const char *reason, Answer *answer)
{
        Manager *manager = request->manager;
        const Credential *credential = &asked->credential;
        const Approval approval = {.actor = actor_of(request),
                                   .at_real_usec = clock_real_usec(&manager->clock),
                                   .reason = (char *)reason /* borrowed for the insertion */};
        int64_t now_given = given(asked) + 1;
        int r;

        r = store_add_approval(manager->store, credential->num, &approval);
        if (r == 0)
                r = event_credential_approved(&manager->events, credential, &approval, now_given,
                                              needed(asked));
        if (r == 0)
                r = answer_with_request(manager, credential->num, answer);
        if (r == 0 && now_given >= needed(asked))
                tell_asker(request, credential, "is approved: credctl collect it. By",
                           &approval.actor, reason);
        return r;
}

int verb_approve(const Request *request, Answer *answer)
{
        CLEANUP(asked_done) Asked asked = {0};
        const char *id = NULL, *reason = NULL;
        int r;

        r = read_decision(request, &id, &reason, answer);
        if (r == 0)
                r = find_asked(request, RIGHT_APPROVE, id, &asked, answer);
        if (r == 0)
                r = check_pending(request, &asked, answer);
        if (r == 0)
                r = check_fits(request, &asked, answer);
        if (r == 0 && given(&asked) >= needed(&asked))
                r = refuse(request, "it has its approvals",
                           "it has all the approvals that it takes", answer);
        if (r == 0)
                r = approve(request, &asked, reason, answer);
        return r < 0 ? r : 0;
}

static int deny(const Request *request, const Credential *credential, const char *reason,
                Answer *answer)
{
        Manager *manager = request->manager;
        Revocation revocation = {.at_real_usec = clock_real_usec(&manager->clock),
                                 .actor = actor_of(request),
                                 .reason = (char *)reason /* borrowed for the insertion */};
        int r;

        r = store_close_credential(manager->store, credential->num, CAUSE_DENIED);
        if (r == 0)
                r = store_add_revocation(manager->store, credential->num, &revocation);
        if (r == 0)
                r = event_credential_denied(&manager->events, credential, &revocation.actor,
                                            reason);
        if (r == 0)
                r = answer_with_request(manager, credential->num, answer);
        if (r == 0)
                tell_asker(request, credential, "was denied. By", &revocation.actor, reason);
        return r;
}

int verb_deny(const Request *request, Answer *answer)
{
        CLEANUP(asked_done) Asked asked = {0};
        const char *id = NULL, *reason = NULL;
        int r;

        r = read_decision(request, &id, &reason, answer);
        if (r == 0)
                r = find_asked(request, RIGHT_DENY, id, &asked, answer);
        if (r == 0)
                r = check_pending(request, &asked, answer);
        if (r == 0)
                r = deny(request, &asked.credential, reason, answer);
        return r < 0 ? r : 0;
}

/* --- Collect --- */

/* A secret for the id that it has. */
static void draw_secret(Manager *manager, Credential *credential,
                        char ret_text[static TOKEN_TEXT_LEN + 1])
{
        CLEANUP(token_done) Token token = {0};

        issue_draw(&token);
        memcpy(token.id, credential->id, sizeof(token.id));
        digest_token(store_key(manager->store), &token, credential->hash);
        token_format(&token, ret_text);
}

/* Its time starts now. */
static void start(Manager *manager, Credential *credential)
{
        uint64_t lifetime = credential->ceiling_usec - credential->not_before_usec;
        uint64_t now = clock_line_usec(&manager->clock);

        credential->issued_usec = credential->not_before_usec = now;
        credential->issued_real_usec = clock_real_usec(&manager->clock);
        credential->login_limit_usec = now + credential->ttl_usec;
        credential->ceiling_usec = now + lifetime;
}

static int collect(const Request *request, Credential *credential, Answer *answer)
{
        Manager *manager = request->manager;
        const Actor actor = actor_of(request);
        char text[TOKEN_TEXT_LEN + 1] = "";
        bool first = credential->cause == CAUSE_PENDING;
        int r;

        draw_secret(manager, credential, text);
        if (first)
                start(manager, credential);
        r = first ? store_collect(manager->store, credential)
                  : store_replace_hash(manager->store, credential);
        if (r == 0)
                r = event_credential_collected(&manager->events, credential, &actor);
        if (r == 0)
                r = answer_with_credential(manager, credential->num, text, answer);
        if (r == 0 && first)
                r = alarms_note_issue(manager, credential);
        secret_erase(text, sizeof(text));
        if (r == 0)
                expiry_changed(manager->expiry);
        return r;
}

static int check_approved(const Request *request, const Asked *asked, Answer *answer)
{
        char words[96];

        if (given(asked) >= needed(asked))
                return 0;
        (void)snprintf(words, sizeof(words),
                       "it is not approved yet: it has %" PRId64 " of %" PRId64 " approvals",
                       given(asked), needed(asked));
        return refuse(request, "it is not approved", words, answer);
}

/* It has been collected and lies there: another secret harms nobody who has the first. */
static bool is_unused(Manager *manager, const Credential *credential)
{
        return credential->cause == CAUSE_NONE && credential->open_logins == 0 &&
               credential->uses_left == credential->uses &&
               clock_line_usec(&manager->clock) < credential->login_limit_usec;
}

static int check_collectable(const Request *request, const Asked *asked, Answer *answer)
{
        Manager *manager = request->manager;
        const Credential *credential = &asked->credential;

        if (asked->was_asked && is_unused(manager, credential))
                return 0;
        if (asked->was_asked && credential->cause != CAUSE_PENDING &&
            !credential_state_final(describe_state(request->manager, credential)))
                return refuse(request, "a login was made with it",
                              "a login has been made with it, so there is no other token for it",
                              answer);
        return check_pending(request, asked, answer);
}

/* The caller may have lost since what he had when he asked. */
static int check_may_ask(const Request *request, const Asked *asked, Answer *answer)
{
        static const RightsVerdict no_more = {PERMISSION_REFUSED, "not a requester of the role",
                                              "you may not ask for this role any more"};

        if (rights_allow(RIGHT_REQUEST, request->caller, &asked->facts.rights))
                return 0;
        return answer_verdict(request, &no_more, asked->credential.id, answer);
}

int verb_collect(const Request *request, Answer *answer)
{
        CLEANUP(asked_done) Asked asked = {0};
        const char *id = NULL;
        const Parameter parameters[] = {{"id", 's', &id}};
        int r;

        r = store_may_begin(request->manager->store);
        if (r < 0)
                return r;
        r = parameters_read(request->parameters, parameters, ELEMENTSOF(parameters), answer);
        if (r == 0)
                r = find_asked(request, RIGHT_COLLECT, id, &asked, answer);
        if (r == 0)
                r = check_collectable(request, &asked, answer);
        if (r == 0)
                r = check_may_ask(request, &asked, answer);
        if (r == 0)
                r = check_fits(request, &asked, answer);
        if (r == 0)
                r = check_approved(request, &asked, answer);
        if (r == 0)
                r = collect(request, &asked.credential, answer);
        return r < 0 ? r : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking for a credential. It is one from the start, closed until it is collected, so that whatever is
 * known of credentials (who sees them, withdrawing, the queue of limits) holds for it. What may be
 * decided about it is in verbs-decide.c. */
#include <errno.h>
#include <stdio.h>

#include "credd/describe.h"
#include "credd/expiry.h"
#include "credd/facts.h"
#include "credd/notices.h"
#include "credd/refusals.h"
#include "credd/verbs.h"

#define WAITING_MAX 16 /* of one uid */

/* --- Request --- */

static int read_question(const Request *request, IssueRequest *ret, Answer *answer)
{
        int64_t uid = -1, ttl = -1;
        const Parameter parameters[] = {
                {"role", 's', &ret->role},
                {"user", 's', &ret->user},
                {"uid", 'i', &uid},
                {"ttl_usec", 'I', &ttl},
                {"reason", 's', &ret->reason},
                {"holder", 'S', &ret->holder},
        };
        int r;

        r = parameters_read(request->parameters, parameters, ELEMENTSOF(parameters), answer);
        if (r == 0)
                r = check_reason(ret->reason, answer);
        ret->uid = uid >= 0 && uid < (int64_t)UID_NONE ? (uid_t)uid : UID_NONE;
        ret->ttl_usec = ttl < 0 ? USEC_INFINITY : (uint64_t)ttl;
        ret->session_ttl_usec = ret->max_lifetime_usec = USEC_INFINITY;
        return r;
}

/* What waits is kept for a day or longer, and stands in each approver's list. 0; 1: answered. */
static int check_waiting(const Request *request, Answer *answer)
{
        Manager *manager = request->manager;
        char words[128];
        int64_t n = WAITING_MAX;
        int r;

        r = store_count_waiting(manager->store, request->caller->uid, &n);
        if (r < 0 || n < WAITING_MAX)
                return r;
        refusals_add_action(manager->refusals, request->peer, request->method,
                            "too many of his requests wait");
        (void)snprintf(words, sizeof(words),
                       "%d of your requests wait already: collect what is approved, or withdraw "
                       "one with credctl revoke",
                       WAITING_MAX);
        r = answer_reason(answer, "io.credd.Admin.Refused", "reason", words);
        return r < 0 ? r : 1;
}

static int store_question(const Request *request, const Role *role, Credential *credential)
{
        Manager *manager = request->manager;
        const RequestRow row = {.actor = credential->issuer,
                                .asked_real_usec = clock_real_usec(&manager->clock),
                                .needed = role->approvals};
        int r;

        r = issue_add(manager, credential, NULL, NULL);
        if (r == 0)
                r = store_add_request(manager->store, credential->num, &row);
        return r < 0 ? r
                     : event_credential_requested(&manager->events, credential, role->approvals);
}

/* not_before and ceiling are those of now; what counts of them until it is collected is what lies
 * between them. */
static int ask(const Request *request, const PolicyRules *rules, const IssueRequest *q,
               const Grant *grant, Answer *answer)
{
        Manager *manager = request->manager;
        AUTO_CREDENTIAL Credential credential = {0};
        int r;

        r = issue_fill(request, rules, q, grant, &credential);
        if (r < 0)
                return r;
        credential.issued_usec = credential.issued_real_usec = 0;
        credential.cause = CAUSE_PENDING;
        credential.login_limit_usec =
                clock_line_usec(&manager->clock) + manager->config.request_timeout_usec;
        r = store_question(request, rules->role, &credential);
        if (r == 0)
                r = answer_with_request(manager, credential.num, answer);
        if (r < 0)
                return r;
        expiry_changed(manager->expiry);
        notices_to_approvers(manager, &credential);
        return 0;
}

int verb_request(const Request *request, Answer *answer)
{
        Manager *manager = request->manager;
        IssueRequest q = {0};
        char refusal[POLICY_TEXT_MAX];
        PolicyRules rules;
        Grant grant;
        int r;

        r = store_may_begin(manager->store);
        if (r < 0)
                return r;
        r = read_question(request, &q, answer);
        if (r == 0)
                r = issue_check_right(request, RIGHT_REQUEST, q.role, answer);
        if (r == 0)
                r = issue_check_known(request, answer);
        if (r != 0)
                return r < 0 ? r : 0;
        rules = facts_rules(manager, q.role);
        if (policy_grant(&rules, &q, clock_line_usec(&manager->clock), &grant, refusal) != 0)
                return answer_policy(request, refusal, answer);
        r = check_waiting(request, answer);
        if (r != 0)
                return r < 0 ? r : 0;
        return ask(request, &rules, &q, &grant, answer);
}

int answer_with_request(Manager *manager, int64_t num, Answer *answer)
{
        json_t *asked;
        int r;

        r = answer_with_credential(manager, num, NULL, answer);
        if (r < 0)
                return r;
        asked = json_object_get(json_object_get(answer->parameters, "credential"), "request");
        return json_object_set(answer->parameters, "request", asked) < 0 ? -ENOMEM : 0;
}

/* --- Requests --- */

typedef struct RequestsQuery {
        Manager *manager;
        Sight sight;
        json_t *found;
        int64_t last;
        unsigned looked_at;
        bool failed;
} RequestsQuery;

static bool request_one(void *userdata, Credential *credential)
{
        RequestsQuery *query = userdata;
        json_t *shown;

        query->last = credential->num;
        query->looked_at++;
        if (!sight_has(&query->sight, credential->num, credential->role, credential->issuer.uid) ||
            describe_state(query->manager, credential) != STATE_PENDING)
                return true;
        shown = describe_credential(query->manager, credential, false);
        query->failed = !shown || json_array_append_new(query->found, shown) < 0;
        return !query->failed && json_array_size(query->found) < PAGE;
}

int verb_requests(const Request *request, Answer *answer)
{
        Manager *manager = request->manager;
        json_auto_t *found = json_array();
        RequestsQuery query = {.manager = manager, .sight = sight_of(request), .found = found};
        int64_t after = 0;
        const Parameter parameters[] = {{"after", 'I', &after}};
        int r;

        r = parameters_read(request->parameters, parameters, ELEMENTSOF(parameters), answer);
        if (r != 0)
                return r < 0 ? r : 0;
        if (query.sight.all || query.sight.some)
                r = store_each_pending(manager->store, after, LOOKED_AT_MAX, request_one, &query);
        else
                r = store_each_own(manager->store, request->caller->uid, after, LOOKED_AT_MAX,
                                   request_one, &query);
        if (r < 0 || query.failed)
                return r < 0 ? r : -ENOMEM;
        return answer_page(answer, "requests", found,
                           query.looked_at < LOOKED_AT_MAX && json_array_size(found) < PAGE,
                           query.last);
}

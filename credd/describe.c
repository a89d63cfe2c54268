/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From rows to the words of the interface. Nothing secret is in a Credential but its hash, and that
 * is not shown. */
#include "credd/describe.h"

#include "credd/facts.h"
#include "credd/session.h"

static json_t *moment(Manager *manager, uint64_t line_usec)
{
        return line_usec == USEC_INFINITY
                       ? json_null()
                       : json_integer((json_int_t)clock_to_real_usec(&manager->clock, line_usec));
}

static json_t *length(uint64_t usec)
{
        return usec == USEC_INFINITY ? json_null() : json_integer((json_int_t)usec);
}

json_t *describe_actor(const Actor *actor)
{
        return json_pack("{ss sI so}", "name", actor->name, "uid", (json_int_t)actor->uid,
                         "loginuid",
                         actor->loginuid == UID_NONE ? json_null()
                                                     : json_integer((json_int_t)actor->loginuid));
}

CredentialState describe_state(Manager *manager, const Credential *credential)
{
        CredentialState state =
                credential_state(credential, sessions_ending(manager->sessions, credential->num),
                                 clock_line_usec(&manager->clock));
        PolicyRules rules;

        if (state != STATE_ACTIVE)
                return state;
        rules = facts_rules(manager, credential->role);
        return policy_suspended(&rules, credential, store_frozen(manager->store) != NULL)
                       ? STATE_SUSPENDED
                       : state;
}

static int add_revocation(Manager *manager, const Credential *credential, json_t *object)
{
        CLEANUP(revocation_done) Revocation revocation = {0};
        int r;

        r = store_find_revocation(manager->store, credential->num, &revocation);
        if (r <= 0)
                return r;
        return json_object_update_new(object,
                                      json_pack("{ss? so}", "end_reason", revocation.reason,
                                                "ended_by", describe_actor(&revocation.actor)));
}

static int add_receipt(Manager *manager, const Credential *credential, bool whole, json_t *object)
{
        CLEANUP(receipt_done) Receipt receipt = {0};
        json_t *shown;
        int r;

        r = store_find_receipt(manager->store, credential->num, &receipt);
        if (r <= 0)
                return r;
        shown = json_pack("{ss sI sI}", "verdict", receipt.verdict, "late_usec",
                          (json_int_t)receipt.late_usec, "written_usec",
                          (json_int_t)receipt.written_real_usec);
        if (!shown || (whole && json_object_update(shown, receipt.data) < 0)) {
                json_decref(shown);
                return -1;
        }
        return json_object_set_new(object, "receipt", shown);
}

static bool add_approval(void *userdata, const Approval *approval)
{
        json_t *list = userdata;

        return json_array_append_new(list, json_pack("{so sI ss?}", "by",
                                                     describe_actor(&approval->actor), "at_usec",
                                                     (json_int_t)approval->at_real_usec, "reason",
                                                     approval->reason)) == 0;
}

/* While it waits, those count whose authors are approvers still; afterwards it is what it was. */
static int64_t approvals_given(Manager *manager, const Credential *c, const Role *role,
                               const RequestRow *row)
{
        CLEANUP(parties_done) Parties approvers = {0};

        if (c->cause != CAUSE_PENDING || !role || row->given == 0)
                return row->given;
        if (facts_approvers(manager, c->num, &approvers) < 0)
                return 0;
        return (int64_t)rights_standing(role, approvers.list, approvers.n);
}

static json_t *describe_request(Manager *manager, const Credential *c, const RequestRow *row,
                                json_t *approvals)
{
        bool collected = row->collected_real_usec != USEC_INFINITY;
        const PolicyRules rules = facts_rules(manager, c->role);

        return json_pack(
                "{sI so sI sI sI sI so so sO}", "asked_usec", (json_int_t)row->asked_real_usec,
                "by", describe_actor(&row->actor), "needed",
                (json_int_t)policy_approvals(&rules, row->needed), "given",
                (json_int_t)approvals_given(manager, c, rules.role, row), "ttl_usec",
                (json_int_t)c->ttl_usec, "lifetime_usec",
                (json_int_t)(c->ceiling_usec - c->not_before_usec), "lapses_usec",
                collected ? json_null() : moment(manager, c->login_limit_usec), "collected_usec",
                collected ? json_integer((json_int_t)row->collected_real_usec) : json_null(),
                "approvals", approvals);
}

static int add_request(Manager *manager, const Credential *credential, json_t *object)
{
        json_auto_t *approvals = json_array();
        RequestRow row;
        size_t given;
        int r;

        if (!credential->role)
                return 0; /* only under a role can one be asked for */
        r = store_find_request(manager->store, credential->num, &row);
        if (r <= 0)
                return r;
        r = store_each_approval(manager->store, credential->num, add_approval, approvals);
        given = json_array_size(approvals);
        if (r < 0 || given != (size_t)row.given)
                return -1;
        return json_object_set_new(object, "request",
                                   describe_request(manager, credential, &row, approvals));
}

/* What a credential has from the moment on at which it has a secret. */
static json_t *moment_if(Manager *manager, const Credential *credential, uint64_t line_usec)
{
        return credential_was_issued(credential) ? moment(manager, line_usec) : json_null();
}

json_t *describe_credential(Manager *manager, const Credential *c, bool whole)
{
        json_auto_t *object = NULL;

        object = json_pack(
                "{ss ss ss ss sI ss? ss? ss? sO sO sI sI so so so so so so sI sn sn sn sn}", "id",
                c->id, "kind", credential_kind_to_string(c->kind), "state",
                credential_state_to_string(describe_state(manager, c)), "user", c->user, "uid",
                (json_int_t)c->uid, "role", c->role, "holder", c->holder, "reason", c->reason,
                "services", c->services, "sources", c->sources, "uses", (json_int_t)c->uses,
                "uses_left", (json_int_t)c->uses_left, "issued_by", describe_actor(&c->issuer),
                "issued_usec",
                credential_was_issued(c) ? json_integer((json_int_t)c->issued_real_usec)
                                         : json_null(),
                "not_before_usec", moment_if(manager, c, c->not_before_usec), "login_limit_usec",
                moment_if(manager, c, c->login_limit_usec), "session_ttl_usec",
                length(c->session_ttl_usec), "ceiling_usec", moment_if(manager, c, c->ceiling_usec),
                "sessions_open", (json_int_t)c->open_logins, "end_reason", "ended_by", "receipt",
                "request");
        if (!object || add_request(manager, c, object) < 0 ||
            add_revocation(manager, c, object) < 0 || add_receipt(manager, c, whole, object) < 0)
                return NULL;
        return take_ptr(object);
}

static const char *session_state(Manager *manager, const SessionRow *row)
{
        if (row->ended_usec != USEC_INFINITY)
                return "ended";
        if (clock_line_usec(&manager->clock) >= row->deadline_usec ||
            sessions_over(manager->sessions, row->login))
                return "ending";
        return row->logind_id ? "open" : "opening";
}

json_t *describe_session(Manager *manager, const SessionRow *row)
{
        uint64_t now = clock_line_usec(&manager->clock), left = USEC_INFINITY;

        if (row->ended_usec == USEC_INFINITY)
                left = row->deadline_usec > now ? row->deadline_usec - now : 0;
        return json_pack(
                "{ss ss sI ss? ss? ss ss? ss? ss? si ss sI so so so}", "credential", row->id,
                "user", row->user, "uid", (json_int_t)row->uid, "role", row->role, "holder",
                row->holder, "service", row->service, "rhost", row->rhost, "tty", row->tty,
                "session", row->logind_id, "leader", (int)row->leader, "state",
                session_state(manager, row), "opened_usec", (json_int_t)row->opened_real_usec,
                "deadline_usec", moment(manager, row->deadline_usec), "left_usec", length(left),
                "ended_usec",
                row->ended_usec == USEC_INFINITY ? json_null()
                                                 : json_integer((json_int_t)row->ended_real_usec));
}

json_t *describe_event(const EventRow *row)
{
        json_t *fields = json_loads(row->data, JSON_REJECT_DUPLICATES, NULL);

        if (!fields)
                return NULL;
        return json_pack("{sI ss sI so}", "seq", (json_int_t)row->seq, "event", row->name,
                         "time_usec", (json_int_t)row->real_usec, "fields", fields);
}

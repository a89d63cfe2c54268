/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is said of a credential, from the question or the issue to the receipt. As in events.c. */
#include <inttypes.h>

#include "credd/events-fields.h"

/* What it allows, as it is told when it comes into being. */
static int made(Events *events, EventKind kind, const Credential *credential, const Actor *actor)
{
        json_t *fields = of_credential(credential);

        put_actor(fields, actor);
        put_moment(fields, events, "deadline", credential->login_limit_usec);
        put_moment(fields, events, "ceiling", credential->ceiling_usec);
        put_format(fields, "uses", "%" PRId64, credential->uses);
        put(fields, "reason", credential->reason);
        return add(events, kind, credential->num, fields);
}

int event_credential_issued(Events *events, const Credential *credential)
{
        return made(events, EVENT_CREDENTIAL_ISSUED, credential, &credential->issuer);
}

static void put_approvals(json_t *fields, int64_t given, int64_t needed)
{
        put_format(fields, "approvals", "%" PRId64 " of %" PRId64, given, needed);
}

int event_credential_requested(Events *events, const Credential *credential, int64_t needed)
{
        json_t *fields = of_credential(credential);

        put_actor(fields, &credential->issuer);
        put_moment(fields, events, "deadline", credential->login_limit_usec);
        put_format(fields, "ttl_usec", "%" PRIu64, credential->ttl_usec);
        put_approvals(fields, 0, needed);
        put(fields, "reason", credential->reason);
        return add(events, EVENT_CREDENTIAL_REQUESTED, credential->num, fields);
}

int event_credential_approved(Events *events, const Credential *credential,
                              const Approval *approval, int64_t given, int64_t needed)
{
        json_t *fields = of_credential(credential);

        put_actor(fields, &approval->actor);
        put_approvals(fields, given, needed);
        put(fields, "reason", approval->reason);
        return add(events, EVENT_CREDENTIAL_APPROVED, credential->num, fields);
}

static int with_actor(Events *events, EventKind kind, const Credential *credential,
                      const Actor *actor, const char *reason)
{
        json_t *fields = of_credential(credential);

        put_actor(fields, actor);
        put(fields, "reason", reason);
        return add(events, kind, credential->num, fields);
}

int event_credential_denied(Events *events, const Credential *credential, const Actor *actor,
                            const char *reason)
{
        return with_actor(events, EVENT_CREDENTIAL_DENIED, credential, actor, reason);
}

int event_credential_lapsed(Events *events, const Credential *credential)
{
        return add(events, EVENT_CREDENTIAL_LAPSED, credential->num, of_credential(credential));
}

int event_credential_collected(Events *events, const Credential *credential, const Actor *actor)
{
        return made(events, EVENT_CREDENTIAL_COLLECTED, credential, actor);
}

int event_credential_revoked(Events *events, const Credential *credential, const Actor *actor,
                             const char *reason)
{
        return with_actor(events, EVENT_CREDENTIAL_REVOKED, credential, actor, reason);
}

int event_credential_extended(Events *events, const Credential *credential, const Actor *actor,
                              uint64_t by_usec, uint64_t latest_usec, const char *reason)
{
        json_t *fields = of_credential(credential);

        put_actor(fields, actor);
        put_moment(fields, events, "deadline", latest_usec);
        put_format(fields, "by_usec", "%" PRIu64, by_usec);
        put(fields, "reason", reason);
        return add(events, EVENT_CREDENTIAL_EXTENDED, credential->num, fields);
}

int event_credential_returned(Events *events, const Credential *credential, const Actor *actor)
{
        return with_actor(events, EVENT_CREDENTIAL_RETURNED, credential, actor, NULL);
}

int event_credential_expired(Events *events, const Credential *credential)
{
        json_t *fields = of_credential(credential);

        put_moment(fields, events, "deadline", credential->login_limit_usec);
        return add(events, EVENT_CREDENTIAL_EXPIRED, credential->num, fields);
}

int event_credential_used_up(Events *events, const Credential *credential)
{
        return add(events, EVENT_CREDENTIAL_USED_UP, credential->num, of_credential(credential));
}

int event_credential_locked(Events *events, const Credential *credential)
{
        return add(events, EVENT_CREDENTIAL_LOCKED, credential->num, of_credential(credential));
}

int event_break_glass_used(Events *events, const Credential *credential)
{
        return with_actor(events, EVENT_BREAK_GLASS_USED, credential, &credential->issuer,
                          credential->reason);
}

int event_break_glass_acknowledged(Events *events, const Credential *credential, const Actor *actor,
                                   const char *reason)
{
        return with_actor(events, EVENT_BREAK_GLASS_ACKNOWLEDGED, credential, actor, reason);
}

int event_deprovision_acknowledged(Events *events, const Credential *credential, const Actor *actor,
                                   const char *reason)
{
        return with_actor(events, EVENT_DEPROVISION_ACKNOWLEDGED, credential, actor, reason);
}

/* The receipt goes into the chain and the journal whole: the proof must not hang on one table. */
int event_credential_deprovisioned(Events *events, const Credential *credential,
                                   const Receipt *receipt)
{
        AUTO_FREE char *data = json_dumps(receipt->data, JSON_COMPACT);
        json_t *fields = of_credential(credential);

        put(fields, "verdict", receipt->verdict);
        put_format(fields, "late_usec", "%" PRIu64, receipt->late_usec);
        put(fields, "evidence", data);
        if (events->tally)
                tally_receipt(events->tally, receipt->verdict, receipt->late_usec);
        return add(events, EVENT_CREDENTIAL_DEPROVISIONED, credential->num, fields);
}

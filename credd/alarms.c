/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Alarms are rows beside the credential: raised in the transaction of what they tell of, and open until an
 * admin who has no part in it acknowledges them. Nothing else closes one, not even the end of the
 * credential. */
#include "credd/alarms.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "credd/describe.h"
#include "credd/facts.h"
#include "credd/notices.h"
#include "credd/verbs.h"

#define OPEN_MAX 100
#define LINE_LEN 480

/* --- raised --- */

int alarms_note_issue(Manager *manager, const Credential *credential)
{
        const Role *role = roles_find(manager->roles, credential->role);
        char words[NOTICE_QUOTE_MAX], line[LINE_LEN];
        int r;

        if (!role || !role->break_glass)
                return 0;
        r = event_break_glass_used(&manager->events, credential);
        if (r == 0)
                r = store_raise_alarm(manager->store, credential->num, ALARM_BREAK_GLASS,
                                      clock_real_usec(&manager->clock));
        if (r < 0)
                return r;
        (void)snprintf(line, sizeof(line),
                       "credd: BREAK-GLASS: credential %s for %s under the role %s; to be "
                       "acknowledged by another administrator: credctl ack %s. %s",
                       credential->id, credential->user, credential->role, credential->id,
                       notice_quote(&credential->issuer, credential->reason, words));
        notices_to_admins(manager, line);
        return 0;
}

/* --- shown --- */

static const char *kind_name(AlarmKind kind)
{
        return kind == ALARM_BREAK_GLASS ? "break-glass" : "missed";
}

static bool add_alarm(void *userdata, const Alarm *alarm)
{
        json_t *shown = json_pack("{ss sI sn sn ss?}", "kind", kind_name(alarm->kind),
                                  "raised_usec", (json_int_t)alarm->raised_real_usec, "acked_usec",
                                  "by", "reason", alarm->ack_reason);

        if (shown && alarm->acked_real_usec != USEC_INFINITY)
                (void)json_object_update_new(
                        shown, json_pack("{so sI}", "by", describe_actor(&alarm->acked_by),
                                         "acked_usec", (json_int_t)alarm->acked_real_usec));
        return json_array_append_new(userdata, shown) == 0;
}

json_t *alarms_of(Manager *manager, int64_t credential)
{
        json_auto_t *found = json_array();

        return found && store_each_alarm(manager->store, credential, add_alarm, found) == 0
                       ? json_incref(found)
                       : NULL;
}

static bool add_open(void *userdata, const Alarm *alarm)
{
        return json_array_append_new(
                       userdata, json_pack("{ss ss sI ss so}", "id", alarm->id, "kind",
                                           kind_name(alarm->kind), "since_usec",
                                           (json_int_t)alarm->raised_real_usec, "user", alarm->user,
                                           "by", describe_actor(&alarm->issuer))) == 0;
}

json_t *alarms_open(Manager *manager)
{
        json_auto_t *found = json_array();

        return found && store_each_open_alarm(manager->store, OPEN_MAX, add_open, found) == 0
                       ? json_incref(found)
                       : NULL;
}

void alarms_add_problems(const json_t *open, json_t *problems)
{
        const json_t *alarm;
        size_t i;

        json_array_foreach (open, i, alarm) {
                const char *id = json_string_value(json_object_get(alarm, "id"));
                bool glass = strcmp(json_string_value(json_object_get(alarm, "kind")),
                                    kind_name(ALARM_BREAK_GLASS)) == 0;
                const json_t *by = json_object_get(alarm, "by");

                (void)json_array_append_new(
                        problems,
                        json_sprintf(
                                "%s: credential %s for %s, issued by %s; once you have seen to "
                                "it: credctl ack %s --reason TEXT",
                                glass ? "break-glass was used" : "a session was not gone in time",
                                id, json_string_value(json_object_get(alarm, "user")),
                                json_string_value(json_object_get(by, "name")), id));
        }
}

/* --- acknowledged --- */

/* Which kinds are open, a bit each. */
static bool note_open(void *userdata, const Alarm *alarm)
{
        unsigned *open = userdata;

        if (alarm->acked_real_usec == USEC_INFINITY)
                *open |= 1U << alarm->kind;
        return true;
}

static bool is_open(unsigned open, AlarmKind kind)
{
        return open & (1U << kind);
}

/* Who issued a credential, or approved it, has no part in a session that would not end. */
static int check_ack(const Request *request, const Credential *credential, unsigned open,
                     Answer *answer)
{
        CLEANUP(parties_done) Parties approvers = {0};
        RightsVerdict verdict;
        Facts facts;
        int r;

        r = facts_approvers(request->manager, credential->num, &approvers);
        if (r < 0)
                return r;
        facts_of_credential(request, credential, &facts);
        if (is_open(open, ALARM_BREAK_GLASS)) {
                facts.rights.approvers = approvers.list;
                facts.rights.n_approvers = approvers.n;
        } else {
                facts.rights.n_askers = 0;
                facts.rights.user = UID_NONE;
        }
        verdict = rights_may(RIGHT_ACK, request->caller, &facts.rights);
        return answer_verdict(request, &verdict, credential->id, answer);
}

static int acknowledge(const Request *request, const Credential *credential, unsigned open,
                       const char *reason)
{
        Manager *manager = request->manager;
        Alarm ack = {.acked_real_usec = clock_real_usec(&manager->clock),
                     .ack_reason = (char *)reason /* borrowed for the change */};
        int r;

        peer_actor(request->peer, &ack.acked_by);
        r = store_ack_alarms(manager->store, credential->num, &ack);
        if (r == 0 && is_open(open, ALARM_BREAK_GLASS))
                r = event_break_glass_acknowledged(&manager->events, credential, &ack.acked_by,
                                                   reason);
        if (r == 0 && is_open(open, ALARM_MISSED))
                r = event_deprovision_acknowledged(&manager->events, credential, &ack.acked_by,
                                                   reason);
        return r;
}

static int answer_acked(Manager *manager, int64_t credential, Answer *answer)
{
        int r = answer_with_credential(manager, credential, NULL, answer);

        if (r < 0)
                return r;
        return json_object_set_new(answer->parameters, "alarms", alarms_of(manager, credential)) < 0
                       ? -ENOMEM
                       : 0;
}

int verb_ack(const Request *request, Answer *answer)
{
        Manager *manager = request->manager;
        AUTO_CREDENTIAL Credential credential = {0};
        const char *id = NULL, *reason = NULL;
        const Parameter parameters[] = {{"id", 's', &id}, {"reason", 's', &reason}};
        unsigned open = 0;
        int r;

        r = parameters_read(request->parameters, parameters, ELEMENTSOF(parameters), answer);
        if (r == 0)
                r = check_reason(reason, answer);
        if (r == 0)
                r = find_allowed(request, RIGHT_SEE, id, &credential, answer);
        if (r == 0)
                r = store_each_alarm(manager->store, credential.num, note_open, &open);
        if (r == 0)
                r = check_ack(request, &credential, open, answer);
        if (r != 0)
                return r < 0 ? r : 0;
        if (open == 0)
                return answer_refused(answer, "io.credd.Admin.NothingToDo");
        r = acknowledge(request, &credential, open, reason);
        return r < 0 ? r : answer_acked(manager, credential.num, answer);
}

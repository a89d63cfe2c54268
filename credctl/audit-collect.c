/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From facts to the report: who had access, totals, and what the report does not see. Drills are
 * listed and counted apart: they are nobody's access. */
#include <inttypes.h>
#include <string.h>

#include "common/cleanup.h"
#include "credctl/audit.h"
#include "credctl/record.h"

/* --- each credential --- */

static bool was_issued(const json_t *credential)
{
        return record_number_or(credential, "issued_usec", 0) > 0;
}

static bool is_drill(const json_t *credential)
{
        return strcmp(record_text_or(credential, "kind", ""), "drill") == 0;
}

/* How late it is, if it is not over yet: as late as the worst of its sessions. null: none is. */
static json_t *lateness(const json_t *credential, uint64_t now_usec)
{
        const json_t *receipt = json_object_get(credential, "receipt");
        uint64_t late = 0, deadline;
        json_t *session;
        size_t i;

        if (json_is_object(receipt))
                return json_integer((json_int_t)record_number_or(receipt, "late_usec", 0));
        json_array_foreach (json_object_get(credential, "sessions"), i, session) {
                deadline = record_number_or(session, "deadline_usec", now_usec);
                if (!json_is_integer(json_object_get(session, "ended_usec")) &&
                    deadline < now_usec && now_usec - deadline > late)
                        late = now_usec - deadline;
        }
        return late > 0 ? json_integer((json_int_t)late) : json_null();
}

static json_t *between(uint64_t from_usec, uint64_t to_usec)
{
        return json_integer(to_usec > from_usec ? (json_int_t)(to_usec - from_usec) : 0);
}

static int add_lengths(json_t *credential, uint64_t now_usec)
{
        const json_t *receipt = json_object_get(credential, "receipt");
        uint64_t issued = record_number_or(credential, "issued_usec", 0);
        json_t *session;
        size_t i;

        json_array_foreach (json_object_get(credential, "sessions"), i, session) {
                if (json_object_set_new(
                            session, "lasted_usec",
                            between(record_number_or(session, "opened_usec", now_usec),
                                    record_number_or(session, "ended_usec", now_usec))) < 0)
                        return -ENOMEM;
        }
        return json_object_update_new(
                credential,
                json_pack("{s:o, s:o, s:[]}", "lateness_usec", lateness(credential, now_usec),
                          "lived_usec",
                          issued == 0 ? json_null()
                                      : between(issued, record_number_or(receipt, "written_usec",
                                                                         now_usec)),
                          "exceptions"));
}

/* --- who had access at one moment --- */

static bool had_session(const json_t *credential, uint64_t at_usec)
{
        json_t *session;
        size_t i;

        json_array_foreach (json_object_get(credential, "sessions"), i, session) {
                if (record_number_or(session, "opened_usec", USEC_INFINITY) <= at_usec &&
                    record_number_or(session, "ended_usec", USEC_INFINITY) > at_usec)
                        return true;
        }
        return false;
}

/* A limit is moved while it is open only, so that what was moved since was open then. */
static bool could_log_in(const json_t *c, uint64_t at_usec)
{
        return was_issued(c) && record_number_or(c, "issued_usec", 0) <= at_usec &&
               record_number_or(c, "not_before_usec", 0) <= at_usec &&
               record_number_or(c, "login_limit_usec", 0) > at_usec &&
               record_number_or(c, "closed_usec", USEC_INFINITY) > at_usec;
}

static int pick_credentials(const AuditInput *input, json_t *picked)
{
        const AuditQuestion *question = &input->question;
        json_t *c;
        size_t i;

        json_array_foreach (input->credentials, i, c) {
                const char *access = had_session(c, question->since_usec)    ? "session"
                                     : could_log_in(c, question->since_usec) ? "login"
                                                                             : NULL;

                if (question->as_of && !access)
                        continue;
                if (question->as_of && json_object_set_new(c, "access", json_string(access)) < 0)
                        return -ENOMEM;
                if (add_lengths(c, question->now_usec) < 0 || json_array_append(picked, c) < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* --- totals --- */

typedef struct Totals {
        uint64_t credentials, requests, not_issued, sessions, confirmed, late, residue, open,
                drills, break_glass, extensions;
} Totals;

static bool in_period(const AuditQuestion *question, uint64_t usec)
{
        return usec >= question->since_usec && usec < question->until_usec;
}

static void count_verdict(Totals *totals, const json_t *credential)
{
        const char *verdict = record_text(json_object_get(credential, "receipt"), "verdict");

        if (!verdict)
                totals->open++;
        else if (strcmp(verdict, "confirmed") == 0)
                totals->confirmed++;
        else if (strcmp(verdict, "late") == 0)
                totals->late++;
        else
                totals->residue++;
}

static void count_parts(Totals *totals, const AuditQuestion *question, const json_t *credential)
{
        json_t *one;
        size_t i;

        json_array_foreach (json_object_get(credential, "sessions"), i, one) {
                totals->sessions +=
                        question->as_of
                                ? record_number_or(one, "opened_usec", USEC_INFINITY) <=
                                                  question->since_usec &&
                                          record_number_or(one, "ended_usec", USEC_INFINITY) >
                                                  question->since_usec
                                : record_number_or(one, "opened_usec", 0) < question->until_usec &&
                                          record_number_or(one, "ended_usec", USEC_INFINITY) >=
                                                  question->since_usec;
        }
        json_array_foreach (json_object_get(credential, "extensions"), i, one) {
                totals->extensions += in_period(question, record_number_or(one, "at_usec", 0));
        }
        json_array_foreach (json_object_get(credential, "alarms"), i, one) {
                totals->break_glass += strcmp(record_text_or(one, "kind", ""), "break-glass") == 0;
        }
}

static void count_credential(Totals *totals, const AuditQuestion *question,
                             const json_t *credential)
{
        if (is_drill(credential)) {
                totals->drills++;
                return;
        }
        totals->requests += json_is_object(json_object_get(credential, "request"));
        count_parts(totals, question, credential);
        if (!was_issued(credential)) {
                totals->not_issued++;
                return;
        }
        totals->credentials++;
        count_verdict(totals, credential);
}

static json_t *count_all(const AuditInput *input, const json_t *credentials)
{
        const AuditEvents *events = input->events;
        Totals totals = {0};
        json_t *credential;
        size_t i;

        json_array_foreach (credentials, i, credential) {
                count_credential(&totals, &input->question, credential);
        }
        return json_pack(
                "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
                "credentials", (json_int_t)totals.credentials, "requests",
                (json_int_t)totals.requests, "not_issued", (json_int_t)totals.not_issued,
                "sessions", (json_int_t)totals.sessions, "logins_accepted",
                (json_int_t)events->logins_accepted, "logins_refused",
                (json_int_t)events->logins_refused, "actions_refused",
                (json_int_t)events->actions_refused, "confirmed", (json_int_t)totals.confirmed,
                "late", (json_int_t)totals.late, "residue", (json_int_t)totals.residue, "open",
                (json_int_t)totals.open, "on_time", (json_int_t)totals.confirmed, "extensions",
                (json_int_t)totals.extensions, "drills", (json_int_t)totals.drills, "break_glass",
                (json_int_t)totals.break_glass);
}

/* --- what the report does not see --- */

static int say(json_t *texts, bool is, const char *text)
{
        return is ? json_array_append_new(texts, json_string(text)) : 0;
}

static int say_since(json_t *texts, uint64_t begin_usec, uint64_t since_usec, const char *format)
{
        char moment[WHEN_TEXT_MAX];

        if (begin_usec <= since_usec || !when_format(begin_usec, WHEN_UTC, moment))
                return 0;
        return json_array_append_new(texts, json_sprintf("%s%s", format, moment));
}

static bool history_missing(const json_t *credentials)
{
        json_t *c;
        size_t i;

        json_array_foreach (credentials, i, c) {
                if (json_is_false(json_object_get(c, "history_whole")))
                        return true;
        }
        return false;
}

static int say_limits(const AuditInput *input, json_t *texts)
{
        const AuditQuestion *question = &input->question;
        int r = 0;

        if (question->user || question->role)
                r |= say(texts, true, "credentials and logins of others than were asked for");
        r |= say(texts, history_missing(input->credentials),
                 "extensions of some credentials: their events are pruned, damaged or too many");
        if (question->as_of)
                return r | say(texts, true,
                               "whether the host was frozen or a role off at that moment, refused "
                               "logins, and sessions without a credential");
        r |= say_since(texts, input->events_begin_usec, question->since_usec,
                       "events that are pruned: there are none before ");
        r |= say(texts, input->events->clock_unknown,
                 "whether the wall clock was right: nothing that credd recorded in the period "
                 "tells");
        if (!input->logins)
                return r | json_array_append_new(
                                   texts, json_sprintf("sessions without a credential: the journal "
                                                       "cannot be read (%s)",
                                                       input->no_logins ? input->no_logins : "-"));
        r |= say_since(texts, input->journal_begin_usec, question->since_usec,
                       "sessions without a credential from before the journal begins, ");
        return r | say(texts, !question->user && json_array_size(input->users) == 0,
                       "sessions without a credential: no role that is on names users, and no "
                       "--user was given");
}

static json_t *not_covered(const AuditInput *input)
{
        json_t *texts = json_array();
        int r = 0;

        r |= say_limits(input, texts);
        r |= say(texts, true,
                 "access that needs no credential: keys, passwords, sudo, su and root; of sessions "
                 "without a credential those of users of roles that are on, as far as logind "
                 "announced them");
        r |= say(texts, true, "what was done in the sessions, and what lives on under other users");
        r |= say(texts, true,
                 "whether the record itself was changed: credctl verify tells; who is root here "
                 "could change it and the journal, so compare the head of the chain with one that "
                 "is kept elsewhere");
        if (r == 0)
                return texts;
        json_decref(texts);
        return NULL;
}

/* --- all of it --- */

int audit_collect(const AuditInput *input, json_t **ret_report)
{
        const AuditQuestion *question = &input->question;
        json_auto_t *report = json_object(), *picked = json_array();
        json_auto_t *rest = NULL;
        int r;

        r = pick_credentials(input, picked);
        if (r < 0 || json_object_update(report, input->origin) < 0)
                return -ENOMEM;
        rest = json_pack("{s:I, s:I, s:o, s:I, s:I, s:s?, s:s?, s:O, s:o, s:o, s:[], s:O}",
                         "since_usec", (json_int_t)question->since_usec, "until_usec",
                         (json_int_t)question->until_usec, "as_of_usec",
                         question->as_of ? json_integer((json_int_t)question->since_usec)
                                         : json_null(),
                         "generated_usec", (json_int_t)question->now_usec, "long_lived_usec",
                         (json_int_t)question->long_lived_usec, "user", question->user, "role",
                         question->role, "chain", input->head, "not_covered", not_covered(input),
                         "totals", count_all(input, picked), "exceptions", "credentials", picked);
        if (!rest || json_object_update(report, rest) < 0)
                return -ENOMEM;
        r = audit_exceptions(input, report);
        if (r < 0)
                return r;
        *ret_report = take_ptr(report);
        return 0;
}

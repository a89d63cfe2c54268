/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Audit: every credential that lived in a period, with its whole life. Nothing is judged here; what
 * is an exception is told by who makes the report. Others wait for this loop, so that a call looks
 * at a bounded number of rows, and ends early when what it has found is long. */
#include <errno.h>
#include <string.h>

#include "credd/alarms.h"
#include "credd/describe.h"
#include "credd/verbs.h"

/* Of a page. Its last record comes whole, whatever it adds: at the most 1000 sessions (policy.c), so that
 * a reply stays below VARLINK_REPLY_MAX. */
#define AUDIT_ROWS_MAX 1000
#define BYTES_MAX      (128U * 1024)
#define EVENTS_MAX     2000 /* and of one credential */

#define EXTENSIONS_MAX 200 /* of one credential: the newest */

typedef struct AuditQuery {
        Manager *manager;
        const char *user, *role;
        uint64_t since_usec, until_usec;
        json_t *found;
        int64_t last; /* num of the last one looked at */
        unsigned looked_at;
        size_t bytes, events;
        int error;
} AuditQuery;

/* --- whose life it is, and whether it fell into the period --- */

/* The end of a life on the wall clock; USEC_INFINITY: it is not over. What was never issued gets no
 * receipt, and is over with its last event. */
static int find_end(Manager *manager, const Credential *c, uint64_t *ret_end_usec)
{
        CLEANUP(event_row_done) EventRow row = {0};
        int r;

        *ret_end_usec = USEC_INFINITY;
        if (credential_was_issued(c)) {
                r = store_receipt_written(manager->store, c->num, ret_end_usec);
                return r < 0 ? r : 0;
        }
        if (!credential_state_final(describe_state(manager, c)))
                return 0;
        r = store_read_event(manager->store, c->last_event, &row);
        if (r > 0)
                *ret_end_usec = row.real_usec;
        return r < 0 ? r : 0;
}

static bool named(const AuditQuery *query, const Credential *c)
{
        if (query->user && strcmp(query->user, c->user) != 0)
                return false;
        return !query->role || (c->role && strcmp(query->role, c->role) == 0);
}

/* A life begins when it is asked for, else when it is issued. */
static bool begins_in_time(const AuditQuery *query, const json_t *record)
{
        const json_t *asked = json_object_get(json_object_get(record, "request"), "asked_usec");
        const json_t *issued = json_object_get(record, "issued_usec");
        const json_t *begin = json_is_integer(asked) ? asked : issued;

        return (uint64_t)json_integer_value(begin) < query->until_usec;
}

/* --- its history, along its own links --- */

typedef struct History {
        json_t *extensions, *missed;
        uint64_t closed_usec; /* no login from then on */
        bool whole;
        size_t events;
} History;

static bool closes(const char *event)
{
        static const char *const names[] = {
                "credential-revoked", "credential-returned", "credential-expired",
                "credential-used-up", "credential-denied",   "credential-lapsed",
                "credential-locked",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (strcmp(names[i], event) == 0)
                        return true;
        return false;
}

static json_t *number(const json_t *fields, const char *name)
{
        const char *text = json_string_value(json_object_get(fields, name));

        return text ? json_integer(strtoll(text, NULL, 10)) : json_null();
}

static json_t *describe_extension(const EventRow *row, const json_t *fields)
{
        return json_pack("{sI s{so* so so} so sO?}", "at_usec", (json_int_t)row->real_usec, "by",
                         "name", json_incref(json_object_get(fields, "actor")), "uid",
                         number(fields, "actor_uid"), "loginuid", number(fields, "actor_loginuid"),
                         "by_usec", number(fields, "by_usec"), "reason",
                         json_object_get(fields, "reason"));
}

static int note_extension(History *history, const EventRow *row, const json_t *fields)
{
        if (json_array_size(history->extensions) >= EXTENSIONS_MAX) {
                history->whole = false;
                return 0;
        }
        return json_array_insert_new(history->extensions, 0, describe_extension(row, fields));
}

static int note_event(History *history, const EventRow *row)
{
        json_auto_t *fields = NULL;

        if (closes(row->name))
                history->closed_usec = row->real_usec;
        if (strcmp(row->name, "credential-extended") != 0 &&
            strcmp(row->name, "deprovision-missed") != 0)
                return 0;
        fields = json_loads(row->data, JSON_REJECT_DUPLICATES, NULL);
        if (!fields) {
                history->whole = false; /* damaged: credctl verify names it */
                return 0;
        }
        /* From the newest to the oldest: each goes before what is there. */
        if (strcmp(row->name, "deprovision-missed") != 0)
                return note_extension(history, row, fields);
        return json_array_insert_new(history->missed, 0,
                                     json_pack("{sI so}", "at_usec", (json_int_t)row->real_usec,
                                               "late_usec", number(fields, "late_usec")));
}

static int read_history(Manager *manager, const Credential *c, History *history)
{
        int64_t seq = c->last_event;

        for (history->events = 0; seq > 0; history->events++) {
                CLEANUP(event_row_done) EventRow row = {0};
                int r;

                if (history->events >= EVENTS_MAX)
                        break;
                r = store_read_event(manager->store, seq, &row);
                if (r < 0)
                        return r;
                if (r == 0)
                        break; /* pruned */
                if (note_event(history, &row) < 0)
                        return -ENOMEM;
                /* a damaged row must not lead in a circle */
                seq = row.previous < seq ? row.previous : 0;
        }
        history->whole &= seq == 0;
        return 0;
}

static int add_history(AuditQuery *query, const Credential *c, json_t *record)
{
        json_auto_t *extensions = json_array(), *missed = json_array();
        History history = {.extensions = extensions,
                           .missed = missed,
                           .closed_usec = USEC_INFINITY,
                           .whole = true};
        int r;

        r = read_history(query->manager, c, &history);
        if (r < 0)
                return r;
        query->events += history.events;
        return json_object_update_new(
                record, json_pack("{sO sO so sb}", "extensions", extensions, "missed", missed,
                                  "closed_usec",
                                  history.closed_usec == USEC_INFINITY
                                          ? json_null()
                                          : json_integer((json_int_t)history.closed_usec),
                                  "history_whole", history.whole));
}

/* --- what else belongs to it --- */

static bool session_one(void *userdata, SessionRow *row)
{
        AuditQuery *query = userdata;
        json_t *record = json_array_get(query->found, json_array_size(query->found) - 1);
        json_t *shown = describe_session(query->manager, row);

        if (!shown || json_array_append_new(json_object_get(record, "sessions"), shown) < 0)
                query->error = -ENOMEM;
        return query->error == 0;
}

static int add_alarms(AuditQuery *query, const Credential *c, json_t *record)
{
        return json_object_set_new(record, "alarms", alarms_of(query->manager, c->num));
}

static int add_role_off(AuditQuery *query, const Credential *c, json_t *record)
{
        CLEANUP(role_off_done) RoleOff off = {0};
        int r = 0;

        if (c->role)
                r = store_find_role_off(query->manager->store, c->role, &off);
        if (r < 0)
                return r;
        return json_object_set_new(
                record, "role_off",
                r == 0 ? json_null()
                       : json_pack("{sI so ss?}", "at_usec", (json_int_t)off.at_real_usec, "by",
                                   describe_actor(&off.actor), "reason", off.reason));
}

static int add_record(AuditQuery *query, const Credential *c)
{
        json_t *record = describe_credential(query->manager, c, true);

        if (!record)
                return -ENOMEM;
        if (!begins_in_time(query, record)) {
                json_decref(record);
                return 0;
        }
        if (json_array_append_new(query->found, record) < 0 ||
            json_object_set_new(record, "sessions", json_array()) < 0)
                return -ENOMEM;
        query->error = store_each_session(query->manager->store, SESSIONS_OF, c->num, 0, INT64_MAX,
                                          session_one, query)
                               ?: query->error;
        if (query->error < 0)
                return query->error;
        if (add_history(query, c, record) < 0 || add_alarms(query, c, record) < 0 ||
            add_role_off(query, c, record) < 0)
                return -EIO;
        query->bytes += json_dumpb(record, NULL, 0, 0);
        return 0;
}

static bool room_left(const AuditQuery *query)
{
        return query->error == 0 && query->looked_at < AUDIT_ROWS_MAX && query->bytes < BYTES_MAX &&
               query->events < EVENTS_MAX;
}

static bool audit_one(void *userdata, Credential *c)
{
        AuditQuery *query = userdata;
        uint64_t end_usec;

        query->last = c->num;
        query->looked_at++;
        if (named(query, c)) {
                query->error = find_end(query->manager, c, &end_usec);
                if (query->error == 0 && end_usec >= query->since_usec)
                        query->error = add_record(query, c);
        }
        return room_left(query);
}

/* --- for whom a role would log somebody in: the patterns of those that are on --- */

static int add_users(Manager *manager, json_t *users)
{
        for (size_t i = 0; i < manager->roles->n; i++) {
                const Role *role = manager->roles->roles[i];
                bool off = store_role_off(manager->store, role->name);

                for (char **user = role->users; !off && user && *user; user++)
                        if (json_array_append_new(users, json_string(*user)) < 0)
                                return -ENOMEM;
        }
        return 0;
}

int verb_audit(const Request *request, Answer *answer)
{
        json_auto_t *found = json_array(), *users = json_array();
        AuditQuery query = {.manager = request->manager, .found = found};
        int64_t since = 0, until = 0, after = 0;
        const Parameter parameters[] = {
                {"since_usec", 'i', &since}, {"until_usec", 'i', &until},
                {"user", 'S', &query.user},  {"role", 'S', &query.role},
                {"after", 'I', &after},
        };
        int r;

        r = parameters_read(request->parameters, parameters, ELEMENTSOF(parameters), answer);
        if (r != 0)
                return r < 0 ? r : 0;
        query.since_usec = (uint64_t)since;
        query.until_usec = (uint64_t)until;
        r = store_each_credential(query.manager->store, after, INT64_MAX, audit_one, &query);
        if (r == 0)
                r = query.error ?: add_users(query.manager, users);
        if (r < 0)
                return r;
        answer->parameters = json_pack("{sO so sO}", "credentials", found, "next",
                                       room_left(&query) ? json_null() : json_integer(query.last),
                                       "users", users);
        return answer->parameters ? 0 : -ENOMEM;
}

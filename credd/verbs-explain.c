/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why logins failed, read from the events, newest first: refused ones, and accepted ones whose session
 * never came. Of a credential by the links of its own events, of a user by all events, a slice of them
 * a call, so that nobody waits for a long look back. What a reason means is said by credctl. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/varlink.h"
#include "credd/describe.h"
#include "credd/verbs.h"

#define SLICE 500 /* events looked at in one call */

typedef struct ExplainQuery {
        Manager *manager;
        const char *user;    /* NULL: any */
        int64_t uid;         /* -1: any */
        int64_t num;         /* of the credential; 0: any */
        uint64_t since_usec; /* wall clock */
        json_t *found;
} ExplainQuery;

static const char *field(const json_t *fields, const char *name)
{
        return json_string_value(json_object_get(fields, name));
}

static bool is_number(const char *text, int64_t number)
{
        return text && number >= 0 && strtoll(text, NULL, 10) == number;
}

/* A login that was tried as that user, or with a credential of that user. */
static bool concerns(const ExplainQuery *query, const json_t *fields)
{
        const char *user = field(fields, "user");

        if (query->num > 0)
                return true;
        return is_number(field(fields, "uid"), query->uid) ||
               is_number(field(fields, "asked_uid"), query->uid) ||
               (query->uid < 0 && query->user && user && strcmp(user, query->user) == 0);
}

static int add_attempt(ExplainQuery *query, const EventRow *row, const json_t *fields, bool refused)
{
        AUTO_CREDENTIAL Credential credential = {0};
        const char *count = field(fields, "count");
        int r = 0;

        if (row->credential > 0)
                r = store_read_credential(query->manager->store, row->credential, &credential);
        if (r < 0)
                return r;
        r = json_array_append_new(
                query->found,
                json_pack("{sI ss? ss? ss ss? ss? ss sI}", "time_usec", (json_int_t)row->real_usec,
                          "credential", r > 0 ? credential.id : NULL, "user", field(fields, "user"),
                          "service", field(fields, "service") ?: "?", "rhost",
                          field(fields, "rhost"), "tty", field(fields, "tty"), "reason",
                          refused ? field(fields, "reason") ?: "?" : "unclaimed", "count",
                          (json_int_t)(count ? strtoll(count, NULL, 10) : 1)));
        return r < 0 ? -ENOMEM : 0;
}

static int look_at(ExplainQuery *query, const EventRow *row)
{
        json_auto_t *fields = NULL;
        bool refused = strcmp(row->name, "login-refused") == 0;

        if (!refused && strcmp(row->name, "login-unclaimed") != 0)
                return 0;
        fields = json_loads(row->data, JSON_REJECT_DUPLICATES, NULL);
        if (!fields)
                return -EBADMSG;
        return concerns(query, fields) ? add_attempt(query, row, fields, refused) : 0;
}

/* Backwards from seq. *ret_next: the event to go on with; 0: that was all. */
static int look_back(ExplainQuery *query, int64_t seq, int64_t *ret_next)
{
        for (unsigned i = 0; i < SLICE && seq > 0; i++) {
                CLEANUP(event_row_done) EventRow row = {0};
                int64_t before;
                int r;

                r = store_read_event(query->manager->store, seq, &row);
                if (r < 0)
                        return r;
                /* older ones are there no more, or not asked for */
                if (r == 0 || row.real_usec < query->since_usec)
                        seq = 0;
                if (seq == 0)
                        break;
                r = look_at(query, &row);
                if (r < 0)
                        return r;
                before = query->num > 0 ? row.previous : seq - 1;
                /* a damaged row must not lead in a circle */
                seq = before < seq ? before : 0;
        }
        *ret_next = seq;
        return 0;
}

/* Where to begin: at the end, or where the last call left off. 0; 1: answered already. */
static int find_start(const ExplainQuery *query, int64_t last, int64_t before, Answer *answer,
                      int64_t *ret_seq)
{
        CLEANUP(event_row_done) EventRow row = {0};
        int64_t seq = before - 1;
        int r;

        *ret_seq = last;
        if (before < 0 || seq >= last)
                return 0;
        *ret_seq = seq > 0 ? seq : 0;
        if (query->num == 0 || seq <= 0)
                return 0;
        r = store_read_event(query->manager->store, seq, &row);
        if (r < 0 || (r > 0 && row.credential == query->num))
                return r < 0 ? r : 0;
        r = answer_reason(answer, VARLINK_INVALID_PARAMETER, "parameter", "before");
        return r < 0 ? r : 1;
}

static int explain(ExplainQuery *query, const Credential *credential, int64_t before,
                   Answer *answer)
{
        Manager *manager = query->manager;
        int64_t last =
                credential->num > 0 ? credential->last_event : store_newest_event(manager->store);
        int64_t seq = 0, next = 0;
        json_t *shown = NULL;
        int r;

        r = find_start(query, last, before, answer, &seq);
        if (r == 0)
                r = look_back(query, seq, &next);
        if (r != 0)
                return r < 0 ? r : 0;
        if (credential->num > 0) {
                shown = describe_credential(manager, credential, false);
                if (!shown)
                        return -ENOMEM;
        }
        answer->parameters = json_pack("{so* sO so}", "credential", shown, "attempts", query->found,
                                       "next", next > 0 ? json_integer(next + 1) : json_null());
        return answer->parameters ? 0 : -ENOMEM;
}

int verb_explain(const Request *request, Answer *answer)
{
        AUTO_CREDENTIAL Credential credential = {0};
        json_auto_t *found = json_array();
        ExplainQuery query = {.manager = request->manager, .uid = -1, .found = found};
        const char *id = NULL;
        int64_t before = -1, since = 0;
        const Parameter parameters[] = {
                {"id", 'S', &id},         {"user", 'S', &query.user},  {"uid", 'I', &query.uid},
                {"before", 'I', &before}, {"since_usec", 'I', &since},
        };
        int r;

        r = parameters_read(request->parameters, parameters, ELEMENTSOF(parameters), answer);
        if (r != 0)
                return r < 0 ? r : 0;
        if (!id && !query.user && query.uid < 0)
                return answer_reason(answer, VARLINK_INVALID_PARAMETER, "parameter", "user");
        if (id)
                r = find_allowed(request, RIGHT_SEE, id, &credential, answer);
        if (r != 0)
                return r < 0 ? r : 0;
        query.num = credential.num;
        query.since_usec = (uint64_t)since;
        return explain(&query, &credential, before, answer);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What credctl asks. The peer has been authorised by the table in verbs.c; here is what it may be
 * told and what becomes of it. */
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "common/varlink.h"
#include "credd/alarms.h"
#include "credd/describe.h"
#include "credd/facts.h"
#include "credd/outbox.h"
#include "credd/prune.h"
#include "credd/session.h"
#include "credd/verbs.h"

#define EVENTS_SHOWN 200

int answer_with_credential(Manager *manager, int64_t num, const char *token, Answer *answer)
{
        AUTO_CREDENTIAL Credential credential = {0};
        json_t *shown;
        int r;

        r = store_read_credential(manager->store, num, &credential);
        if (r <= 0)
                return r < 0 ? r : -ENOENT;
        shown = describe_credential(manager, &credential, true);
        if (!shown)
                return -ENOMEM;
        answer->parameters = token ? json_pack("{so ss}", "credential", shown, "token", token)
                                   : json_pack("{so}", "credential", shown);
        return answer->parameters ? 0 : -ENOMEM;
}

/* --- List --- */

typedef struct ListQuery {
        Manager *manager;
        Sight sight;
        const char *user, *role;
        CredentialState state; /* STATE_INVALID: any */
        bool all, failed;
        uint64_t ends_before_usec;
        json_t *found;
        int64_t last; /* num of the last one looked at */
        unsigned looked_at;
} ListQuery;

/* Something of it ends by then: the time to log in, or a live session. */
static bool ends_by(const ListQuery *query, const Credential *c)
{
        return query->ends_before_usec == USEC_INFINITY ||
               (c->cause == CAUSE_NONE && c->login_limit_usec <= query->ends_before_usec) ||
               sessions_earliest(query->manager->sessions, c->num) <= query->ends_before_usec;
}

static bool wanted(const ListQuery *query, const Credential *c)
{
        CredentialState state = describe_state(query->manager, c);

        if (query->user && strcmp(query->user, c->user) != 0)
                return false;
        if (query->role && (!c->role || strcmp(query->role, c->role) != 0))
                return false;
        if (query->state >= 0 && state != query->state)
                return false;
        if (query->state < 0 && !query->all && credential_state_final(state))
                return false;
        return ends_by(query, c);
}

static bool list_one(void *userdata, Credential *credential)
{
        ListQuery *query = userdata;
        json_t *shown;

        query->last = credential->num;
        query->looked_at++;
        if (!sight_has(&query->sight, credential->num, credential->role, credential->issuer.uid) ||
            !wanted(query, credential))
                return true;
        shown = describe_credential(query->manager, credential, false);
        query->failed = !shown || json_array_append_new(query->found, shown) < 0;
        return !query->failed && json_array_size(query->found) < PAGE;
}

int answer_page(Answer *answer, const char *name, json_t *found, bool end, int64_t last)
{
        answer->parameters = json_pack("{sO so}", name, found, "next",
                                       end ? json_null() : json_integer((json_int_t)last));
        return answer->parameters ? 0 : -ENOMEM;
}

/* The session's credential, when somebody else issued it, stands before what is the caller's own. */
static int list_own_session(const Request *request, ListQuery *query)
{
        AUTO_CREDENTIAL Credential credential = {0};
        int r;

        if (query->sight.own_session == 0)
                return 0;
        r = store_read_credential(request->manager->store, query->sight.own_session, &credential);
        if (r > 0 && credential.issuer.uid != request->caller->uid)
                (void)list_one(query, &credential);
        return r < 0 ? r : 0;
}

/* Who sees but his own is not led past everybody else's, and learns by no page how many those are. */
static int list(const Request *request, int64_t after, ListQuery *query)
{
        Store *store = request->manager->store;
        int r = 0;

        if (query->sight.all || query->sight.some)
                return store_each_credential(store, after, LOOKED_AT_MAX, list_one, query);
        if (after == 0)
                r = list_own_session(request, query);
        query->looked_at = 0;
        return r < 0 ? r
                     : store_each_own(store, request->caller->uid, after, LOOKED_AT_MAX, list_one,
                                      query);
}

int verb_list(const Request *request, Answer *answer)
{
        Manager *manager = request->manager;
        json_auto_t *found = json_array();
        ListQuery query = {.manager = manager,
                           .sight = sight_of(request),
                           .state = STATE_INVALID,
                           .found = found};
        const char *state = NULL;
        int64_t expiring = -1, after = 0;
        const Parameter parameters[] = {
                {"user", 'S', &query.user},
                {"role", 'S', &query.role},
                {"state", 'S', &state},
                {"all", 'B', &query.all},
                {"expiring_usec", 'I', &expiring},
                {"after", 'I', &after},
        };
        int r;

        r = parameters_read(request->parameters, parameters, ELEMENTSOF(parameters), answer);
        if (r != 0)
                return r < 0 ? r : 0;
        query.state = state ? credential_state_from_string(state) : STATE_INVALID;
        if (state && query.state < 0)
                return answer_reason(answer, VARLINK_INVALID_PARAMETER, "parameter", "state");
        query.ends_before_usec = expiring < 0
                                         ? USEC_INFINITY
                                         : clock_line_usec(&manager->clock) + (uint64_t)expiring;
        r = list(request, after, &query);
        if (r < 0 || query.failed)
                return r < 0 ? r : -ENOMEM;
        return answer_page(answer, "credentials", found,
                           query.looked_at < LOOKED_AT_MAX && json_array_size(found) < PAGE,
                           query.last);
}

/* --- Sessions --- */

typedef struct SessionQuery {
        Manager *manager;
        Sight sight; /* where one is asked for: to know what may be seen */
        bool live_alone;
        json_t *found;
        int64_t last; /* of what was looked at */
        unsigned looked_at;
        bool failed;
} SessionQuery;

static bool show_session(void *userdata, SessionRow *row)
{
        SessionQuery *query = userdata;
        json_t *shown;

        if (query->live_alone && row->ended_usec != USEC_INFINITY)
                return true;
        shown = describe_session(query->manager, row);
        query->failed = !shown || json_array_append_new(query->found, shown) < 0;
        return !query->failed;
}

static bool session_one(void *userdata, SessionRow *row)
{
        SessionQuery *query = userdata;

        query->last = row->login;
        query->looked_at++;
        if (!sight_has(&query->sight, row->credential, row->role, row->issuer_uid))
                return true;
        return show_session(query, row) && json_array_size(query->found) < PAGE;
}

/* All of a credential; the page ends with a credential then. */
static bool sessions_of_one(void *userdata, Credential *credential)
{
        SessionQuery *query = userdata;

        query->last = credential->num;
        query->looked_at++;
        if (sight_has(&query->sight, credential->num, credential->role, credential->issuer.uid) &&
            store_each_session(query->manager->store, SESSIONS_OF, credential->num, 0, INT64_MAX,
                               show_session, query) < 0)
                query->failed = true;
        return !query->failed && json_array_size(query->found) < PAGE;
}

/* As list_own_session() and list(). */
static int sessions_of_own(const Request *request, int64_t after, SessionQuery *query)
{
        Store *store = request->manager->store;
        AUTO_CREDENTIAL Credential credential = {0};
        int r = 0;

        if (after == 0 && query->sight.own_session > 0)
                r = store_read_credential(store, query->sight.own_session, &credential);
        if (r > 0 && credential.issuer.uid != request->caller->uid)
                (void)sessions_of_one(query, &credential);
        query->looked_at = 0;
        return r < 0 ? r
                     : store_each_own(store, request->caller->uid, after, LOOKED_AT_MAX,
                                      sessions_of_one, query);
}

int verb_sessions(const Request *request, Answer *answer)
{
        Manager *manager = request->manager;
        json_auto_t *found = json_array();
        SessionQuery query = {.manager = manager, .sight = sight_of(request), .found = found};
        int64_t after = 0;
        bool all = false;
        const Parameter parameters[] = {{"all", 'B', &all}, {"after", 'I', &after}};
        int r;

        r = parameters_read(request->parameters, parameters, ELEMENTSOF(parameters), answer);
        if (r != 0)
                return r < 0 ? r : 0;
        query.live_alone = !all;
        if (query.sight.all || query.sight.some)
                r = store_each_session(manager->store, all ? SESSIONS_ALL : SESSIONS_LIVE, 0, after,
                                       LOOKED_AT_MAX, session_one, &query);
        else
                r = sessions_of_own(request, after, &query);
        if (r < 0 || query.failed)
                return r < 0 ? r : -ENOMEM;
        return answer_page(answer, "sessions", found,
                           query.looked_at < LOOKED_AT_MAX && json_array_size(found) < PAGE,
                           query.last);
}

/* --- Show --- */

/* Backwards along the credential's own links, so that no index over all events is needed. */
static int collect_events(Manager *manager, int64_t last, json_t *found)
{
        int64_t seq = last;
        int r = 0;

        for (unsigned i = 0; i < EVENTS_SHOWN && seq > 0; i++) {
                CLEANUP(event_row_done) EventRow row = {0};
                json_t *shown;

                r = store_read_event(manager->store, seq, &row);
                if (r <= 0)
                        return r;
                shown = describe_event(&row);
                if (!shown || json_array_insert_new(found, 0, shown) < 0)
                        return -ENOMEM;
                /* a damaged row must not lead in a circle */
                seq = row.previous < seq ? row.previous : 0;
        }
        return 0;
}

int verb_show(const Request *request, Answer *answer)
{
        Manager *manager = request->manager;
        AUTO_CREDENTIAL Credential credential = {0};
        json_auto_t *sessions = json_array(), *events = json_array(), *alarms = NULL;
        SessionQuery query = {.manager = manager, .found = sessions};
        json_t *shown;
        const char *id = NULL;
        const Parameter parameters[] = {{"id", 's', &id}};
        int r;

        r = parameters_read(request->parameters, parameters, ELEMENTSOF(parameters), answer);
        if (r == 0)
                r = find_allowed(request, RIGHT_SEE, id, &credential, answer);
        if (r != 0)
                return r < 0 ? r : 0;
        r = store_each_session(manager->store, SESSIONS_OF, credential.num, 0, INT64_MAX,
                               show_session, &query);
        if (r == 0)
                r = collect_events(manager, credential.last_event, events);
        if (r < 0 || query.failed)
                return r < 0 ? r : -ENOMEM;
        shown = describe_credential(manager, &credential, true);
        alarms = alarms_of(manager, credential.num);
        if (!shown || !alarms) {
                json_decref(shown);
                return -ENOMEM;
        }
        answer->parameters = json_pack("{so sO sO sO}", "credential", shown, "sessions", sessions,
                                       "events", events, "alarms", alarms);
        return answer->parameters ? 0 : -ENOMEM;
}

/* --- Status --- */

static void add_problem(json_t *problems, bool is, const char *text)
{
        if (is)
                (void)json_array_append_new(problems, json_string(text));
}

static json_t *problems_of(Manager *manager, const json_t *alarms)
{
        const StoreTrouble trouble = store_trouble(manager->store);
        json_t *problems = json_array();

        add_problem(problems, !clock_trusted(&manager->clock),
                    "the wall clock stands before the last moment recorded: no login is accepted "
                    "until it is set");
        add_problem(problems, !logind_connected(manager->logind) && !manager_is_starting(manager),
                    "systemd-logind cannot be reached: sessions are ended by SIGKILL alone");
        add_problem(problems, manager->logind_problem[0] != '\0', manager->logind_problem);
        add_problem(problems, store_full(manager->store),
                    "the disk is full: no login and no issue until there is room; ends go on");
        add_problem(problems, trouble != STORE_SOUND, store_trouble_text(trouble));
        add_problem(problems, outbox_behind(manager->outbox) > 1000,
                    "journald does not take entries: they wait in the store");
        add_problem(problems, sessions_overdue(manager->sessions) > 0,
                    "sessions are past their deadline and not yet verified gone");
        add_problem(problems, prune_is_stuck(manager->prune),
                    "the chain of events is damaged, so that no old events are pruned; credctl "
                    "verify names what is wrong");
        add_problem(problems, manager->config_refused != NULL,
                    "the configuration has a mistake and is not in effect; credd --check names it");
        add_problem(problems, store_frozen(manager->store) != NULL,
                    store_frozen(manager->store) ?: "");
        add_problem(problems, !alarms, "the alarms cannot be read from the store");
        alarms_add_problems(alarms, problems);
        return problems;
}

static const char *store_word(Store *store)
{
        switch (store_trouble(store)) {
        case STORE_DAMAGED:
                return "damaged";
        case STORE_GONE:
                return "gone";
        case STORE_SOUND:
                break;
        }
        return store_full(store) ? "full" : "ok";
}

/* How it goes with the host is for those who look after it. */
static json_t *status_detail(Manager *manager)
{
        const Counters *counters = &manager->counters;
        json_auto_t *alarms = alarms_open(manager);

        store_look_for_files(manager->store);
        return json_pack("{si si ss sI ss sI sI sI sO? so}", "sessions_open",
                         (int)sessions_live(manager->sessions), "sessions_overdue",
                         (int)sessions_overdue(manager->sessions), "logind",
                         logind_connected(manager->logind) ? "connected" : "unreachable",
                         "journal_behind", (json_int_t)outbox_behind(manager->outbox), "store",
                         store_word(manager->store), "logins_asked",
                         (json_int_t)counters->logins_asked, "logins_accepted",
                         (json_int_t)counters->logins_accepted, "logins_refused",
                         (json_int_t)counters->logins_refused, "unacknowledged", alarms, "problems",
                         problems_of(manager, alarms));
}

static json_t *status_hidden(void)
{
        return json_pack("{sn sn sn sn sn sn sn sn sn s[]}", "sessions_open", "sessions_overdue",
                         "logind", "journal_behind", "store", "logins_asked", "logins_accepted",
                         "logins_refused", "unacknowledged", "problems");
}

int verb_status(const Request *request, Answer *answer)
{
        Manager *manager = request->manager;
        const RightsFacts nothing = {.user = UID_NONE};
        bool detail = rights_allow(RIGHT_STATUS_DETAIL, request->caller, &nothing);
        struct utsname host;
        int r;

        r = parameters_read(request->parameters, NULL, 0, answer);
        if (r != 0)
                return r < 0 ? r : 0;
        if (uname(&host) < 0)
                return -errno;
        answer->parameters = detail ? status_detail(manager) : status_hidden();
        if (!answer->parameters)
                return -ENOMEM;
        return json_object_update_new(
                       answer->parameters,
                       json_pack("{ss sI ss sb}", "version", CREDD_VERSION, "started_usec",
                                 (json_int_t)manager->started_real_usec, "host", host.nodename,
                                 "frozen", store_frozen(manager->store) != NULL)) < 0
                       ? -ENOMEM
                       : 0;
}

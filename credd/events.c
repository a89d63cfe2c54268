/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is said of each change. A field is a name of the journal without its CREDD_ in lower case;
 * its value is text. Invariant: no token, no nonce and nothing that was typed at a prompt is ever a
 * field. */
#include "credd/events.h"

#include <inttypes.h>
#include <string.h>

#include "credd/events-fields.h"

#define NAME_MAX_LEN 31 /* of a field in a message */

static const struct {
        const char *name, *id;
        int priority;
        const char *text;
} kinds[EVENT_MAX] = {
#define X(symbol, name, id, priority, text) [EVENT_##symbol] = {name, id, priority, text},
        EVENTS(X)
#undef X
};

const char *event_message_id(EventKind kind)
{
        return kinds[kind].id;
}

const char *event_name(EventKind kind)
{
        return kinds[kind].name;
}

int event_priority(EventKind kind)
{
        return kinds[kind].priority;
}

EventKind event_kind_from_string(const char *name)
{
        for (int i = 0; i < EVENT_MAX; i++)
                if (strcmp(name, kinds[i].name) == 0)
                        return (EventKind)i;
        return EVENT_MAX;
}

static const char *field(const json_t *fields, const char *id, const char *name)
{
        if (strcmp(name, "credential") == 0)
                return id;
        return json_string_value(json_object_get(fields, name));
}

/* "{name}" at p: how long it is with its braces; 0: there is none. */
static size_t read_placeholder(const char *p, char ret_name[static NAME_MAX_LEN + 1])
{
        size_t n;

        if (*p != '{')
                return 0;
        n = strspn(p + 1, "abcdefghijklmnopqrstuvwxyz_");
        if (n == 0 || n > NAME_MAX_LEN || p[1 + n] != '}')
                return 0;
        memcpy(ret_name, p + 1, n);
        ret_name[n] = '\0';
        return n + 2;
}

/* Writes it, or with NULL only counts. */
static size_t put_text(char *to, size_t at, const char *text, size_t len)
{
        if (to)
                memcpy(to + at, text, len);
        return at + len;
}

static size_t put_message(EventKind kind, const char *id, const json_t *fields, char *to)
{
        size_t at = 0;

        for (const char *p = kinds[kind].text; *p;) {
                char name[NAME_MAX_LEN + 1];
                size_t used = read_placeholder(p, name), plain = strcspn(p + 1, "{") + 1;
                const char *value = used > 0 ? field(fields, id, name) ?: "-" : p;

                at = put_text(to, at, value, used > 0 ? strlen(value) : plain);
                p += used > 0 ? used : plain;
        }
        return at;
}

char *event_message(EventKind kind, const char *id, const json_t *fields)
{
        size_t len = put_message(kind, id, fields, NULL);
        char *text = malloc(len + 1);

        if (!text)
                return NULL;
        (void)put_message(kind, id, fields, text);
        text[len] = '\0';
        return text;
}

/* --- fields --- */

static json_t *of_session(const SessionRow *session)
{
        json_t *fields = json_object();

        put_user(fields, session->user, session->uid);
        put(fields, "role", session->role);
        put(fields, "holder", session->holder);
        put(fields, "service", session->service);
        put(fields, "rhost", session->rhost);
        put(fields, "tty", session->tty);
        put(fields, "session", session->logind_id);
        put_format(fields, "leader", "%d", session->leader);
        return fields;
}

/* --- the events --- */

int event_deprovision_missed(Events *events, const SessionRow *session, uint64_t late_usec,
                             const char *reason)
{
        json_t *fields = of_session(session);

        put_format(fields, "late_usec", "%" PRIu64, late_usec);
        put(fields, "reason", reason);
        return add(events, EVENT_DEPROVISION_MISSED, session->credential, fields);
}

int event_login_accepted(Events *events, const Credential *credential, const LoginFacts *facts,
                         pid_t pid, const char *method)
{
        json_t *fields = of_credential(credential);

        put(fields, "service", facts->service);
        put(fields, "tty", facts->tty);
        put(fields, "rhost", facts->rhost);
        put_format(fields, "pid", "%d", pid);
        put(fields, "method", method);
        return add(events, EVENT_LOGIN_ACCEPTED, credential->num, fields);
}

int event_login_refused(Events *events, const Credential *credential, uid_t uid,
                        const char *service, const char *rhost, Refusal refusal, unsigned count)
{
        json_t *fields = credential ? of_credential(credential) : json_object();

        put_format(fields, "asked_uid", "%u", uid);
        put(fields, "service", service);
        put(fields, "rhost", rhost);
        put(fields, "reason", refusal_to_string(refusal));
        put_format(fields, "count", "%u", count);
        return add(events, EVENT_LOGIN_REFUSED, credential ? credential->num : 0, fields);
}

int event_login_unclaimed(Events *events, const Credential *credential, const Login *login,
                          const char *reason)
{
        json_t *fields = of_credential(credential);

        put(fields, "service", login->service);
        put(fields, "rhost", login->rhost);
        put_format(fields, "leader", "%d", login->pid);
        put(fields, "reason", reason);
        return add(events, EVENT_LOGIN_UNCLAIMED, credential->num, fields);
}

static json_t *of_facts(const LoginFacts *facts, pid_t leader)
{
        json_t *fields = json_object();

        put_user(fields, facts->user, facts->uid);
        put(fields, "service", facts->service);
        put(fields, "tty", facts->tty);
        put(fields, "rhost", facts->rhost);
        put_format(fields, "leader", "%d", leader);
        return fields;
}

int event_login_ended(Events *events, const LoginFacts *facts, pid_t leader)
{
        return add(events, EVENT_LOGIN_ENDED, 0, of_facts(facts, leader));
}

int event_login_lingers(Events *events, const LoginFacts *facts, pid_t leader, uint64_t late_usec)
{
        json_t *fields = of_facts(facts, leader);

        put_format(fields, "late_usec", "%" PRIu64, late_usec);
        return add(events, EVENT_LOGIN_LINGERS, 0, fields);
}

int event_session_opened(Events *events, const SessionRow *session)
{
        json_t *fields = of_session(session);

        put_moment(fields, events, "deadline", session->deadline_usec);
        return add(events, EVENT_SESSION_OPENED, session->credential, fields);
}

int event_session_bound(Events *events, const SessionRow *session)
{
        return add(events, EVENT_SESSION_BOUND, session->credential, of_session(session));
}

int event_session_warned(Events *events, const SessionRow *session)
{
        json_t *fields = of_session(session);

        put_moment(fields, events, "deadline", session->deadline_usec);
        return add(events, EVENT_SESSION_WARNED, session->credential, fields);
}

static int session_with_reason(Events *events, EventKind kind, const SessionRow *session,
                               const char *reason)
{
        json_t *fields = of_session(session);

        put_moment(fields, events, "deadline", session->deadline_usec);
        put(fields, "reason", reason);
        return add(events, kind, session->credential, fields);
}

int event_session_terminating(Events *events, const SessionRow *session, const char *reason)
{
        return session_with_reason(events, EVENT_SESSION_TERMINATING, session, reason);
}

int event_session_killed(Events *events, const SessionRow *session, const char *reason)
{
        return session_with_reason(events, EVENT_SESSION_KILLED, session, reason);
}

int event_session_residue(Events *events, const SessionRow *session, const char *reason)
{
        return session_with_reason(events, EVENT_SESSION_RESIDUE, session, reason);
}

int event_session_ended(Events *events, const SessionRow *session, uint64_t late_usec)
{
        json_t *fields = of_session(session);

        put_format(fields, "late_usec", "%" PRIu64, late_usec);
        return add(events, EVENT_SESSION_ENDED, session->credential, fields);
}

int event_action_refused(Events *events, const Actor *actor, const char *verb, const char *reason,
                         unsigned count)
{
        json_t *fields = json_object();

        put_actor(fields, actor);
        put(fields, "verb", verb);
        put(fields, "reason", reason);
        put_format(fields, "count", "%u", count);
        return add(events, EVENT_ACTION_REFUSED, 0, fields);
}

int event_host_frozen(Events *events, const Actor *actor, const char *reason, bool end_sessions)
{
        json_t *fields = json_object();

        put_actor(fields, actor);
        put(fields, "reason", reason);
        put(fields, "end_sessions", end_sessions ? "yes" : "no");
        return add(events, EVENT_HOST_FROZEN, 0, fields);
}

int event_host_thawed(Events *events, const Actor *actor)
{
        json_t *fields = json_object();

        put_actor(fields, actor);
        return add(events, EVENT_HOST_THAWED, 0, fields);
}

int event_role_enabled(Events *events, const char *role, const Actor *actor, const char *reason,
                       int64_t unspent)
{
        json_t *fields = json_object();

        put(fields, "role", role);
        put_actor(fields, actor);
        put(fields, "reason", reason);
        put_format(fields, "unspent", "%" PRId64, unspent);
        return add(events, EVENT_ROLE_ENABLED, 0, fields);
}

int event_role_disabled(Events *events, const RoleOff *off, unsigned sessions, int64_t unspent)
{
        json_t *fields = json_object();

        put(fields, "role", off->role);
        put_actor(fields, &off->actor);
        put(fields, "reason", off->reason);
        put_format(fields, "sessions", "%u", sessions);
        put_format(fields, "unspent", "%" PRId64, unspent);
        return add(events, EVENT_ROLE_DISABLED, 0, fields);
}

int event_clock_stepped(Events *events, int64_t by_usec)
{
        json_t *fields = json_object();

        put_format(fields, "by_usec", "%+" PRId64, by_usec);
        return add(events, EVENT_CLOCK_STEPPED, 0, fields);
}

static int of_daemon(Events *events, EventKind kind, const char *name, const char *value)
{
        json_t *fields = json_object();

        put(fields, name, value);
        return add(events, kind, 0, fields);
}

int event_logind_failed(Events *events, const char *why)
{
        return of_daemon(events, EVENT_LOGIND_FAILED, "reason", why);
}

int event_config_loaded(Events *events, const char *what, const char *files, const char *roles)
{
        json_t *fields = json_object();

        put(fields, "reason", what);
        put(fields, "files", files);
        put(fields, "roles", roles);
        return add(events, EVENT_CONFIG_LOADED, 0, fields);
}

int event_config_refused(Events *events, const char *why)
{
        return of_daemon(events, EVENT_CONFIG_REFUSED, "reason", why);
}

int event_daemon_started(Events *events, unsigned sessions)
{
        json_t *fields = json_object();

        put(fields, "version", CREDD_VERSION);
        put_format(fields, "sessions", "%u", sessions);
        return add(events, EVENT_DAEMON_STARTED, 0, fields);
}

int event_daemon_stopped(Events *events)
{
        return of_daemon(events, EVENT_DAEMON_STOPPED, "version", CREDD_VERSION);
}

int event_audit_head(Events *events, int64_t seq, const char *hash, const char *clock)
{
        json_t *fields = json_object();

        put_format(fields, "head_seq", "%" PRId64, seq);
        put(fields, "head_hash", hash);
        put(fields, "clock", clock);
        return add(events, EVENT_AUDIT_HEAD, 0, fields);
}

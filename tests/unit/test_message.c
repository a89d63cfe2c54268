/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The events: their table, their words, and that each function says what its words want, those of the
 * journal's catalog as well. */
#include "tests/unit/store_rig.h"

#include <ctype.h>

#include "credd/events.h"

#define CATALOG "packaging/catalog/credd.catalog"

#define KIND(i) ((EventKind)(i))

static const struct {
        const char *name, *text;
} kinds[EVENT_MAX] = {
#define X(symbol, name, id, priority, text) [EVENT_##symbol] = {name, text},
        EVENTS(X)
#undef X
};

static void test_events__each_kind__has_an_id_of_32_hex_digits_of_its_own(void **state)
{
        (void)state;
        for (int i = 0; i < EVENT_MAX; i++) {
                const char *id = event_message_id(KIND(i));

                assert_int_equal(strlen(id), 32);
                assert_int_equal(strspn(id, "0123456789abcdef"), 32);
                for (int j = 0; j < i; j++) {
                        assert_string_not_equal(id, event_message_id(KIND(j)));
                        assert_string_not_equal(kinds[i].name, kinds[j].name);
                }
        }
}

static void test_events__each_kind__comes_back_from_its_name(void **state)
{
        static const char *const unknown[] = {"", "credential", "Credential-issued",
                                              "credential_issued", "credential-issued "};

        (void)state;
        for (int i = 0; i < EVENT_MAX; i++) {
                assert_int_equal(event_kind_from_string(kinds[i].name), i);
                assert_in_range(event_priority(KIND(i)), LOG_ALERT, LOG_DEBUG);
        }
        for (size_t i = 0; i < ELEMENTSOF(unknown); i++)
                assert_int_equal(event_kind_from_string(unknown[i]), EVENT_MAX);
}

static void test_events__what_an_admin_must_see__is_critical(void **state)
{
        (void)state;
        assert_int_equal(event_priority(EVENT_DEPROVISION_MISSED), LOG_CRIT);
        assert_int_equal(event_priority(EVENT_LOGIN_UNCLAIMED), LOG_CRIT);
        assert_int_equal(event_priority(EVENT_BREAK_GLASS_USED), LOG_ALERT);
}

/* Each word of the text as a field of that name, with a value that tells where it stands. */
static json_t *fields_of(const char *text)
{
        json_t *fields = json_object();

        for (const char *p = strchr(text, '{'); p; p = strchr(p + 1, '{')) {
                char name[32], value[48];

                assert_int_equal(sscanf(p, "{%31[a-z_]}", name), 1);
                assert_int_equal(p[1 + strlen(name)], '}');
                (void)snprintf(value, sizeof(value), "<%s>", name);
                assert_int_equal(json_object_set_new(fields, name, json_string(value)), 0);
        }
        return fields;
}

static void test_event_message__all_fields_there__leaves_no_brace_and_no_dash(void **state)
{
        (void)state;
        for (int i = 0; i < EVENT_MAX; i++) {
                json_auto_t *fields = fields_of(kinds[i].text);
                AUTO_FREE char *message = event_message(KIND(i), "k7m2q9xd", fields);
                const char *name;
                json_t *value;

                assert_non_null(message);
                assert_null(strpbrk(message, "{}"));
                json_object_foreach (fields, name, value)
                        assert_non_null(strstr(message, strcmp(name, "credential") == 0
                                                                ? "k7m2q9xd"
                                                                : json_string_value(value)));
        }
}

static void test_event_message__no_fields__says_dashes(void **state)
{
        json_auto_t *none = json_object();

        (void)state;
        for (int i = 0; i < EVENT_MAX; i++) {
                AUTO_FREE char *message = event_message(KIND(i), NULL, none);

                assert_non_null(message);
                assert_null(strpbrk(message, "{}"));
        }
}

/* What a person chose is put in once and not looked at again. */
static void test_event_message__value_with_braces__is_taken_as_it_is(void **state)
{
        json_auto_t *fields =
                json_pack("{ss ss ss}", "user", "{reason}", "service", "%s%n", "reason", "{user}");
        AUTO_FREE char *message = event_message(EVENT_LOGIN_REFUSED, NULL, fields);

        (void)state;
        assert_string_equal(message, "Login of {reason} to %s%n refused: {user}");
}

/* --- the functions ------------------------------------------------------------------------------
 */

typedef struct Sample {
        Events events;
        Credential credential;
        SessionRow session;
        Login login;
        LoginFacts facts;
        Receipt receipt;
} Sample;

static Sample sample_new(StoreRig *rig)
{
        static char user[] = "deploy", service[] = "sshd", rhost[] = "10.1.2.3", id[] = "c7";
        static char verdict[] = "confirmed";
        int64_t num = add_sample(rig->store, "k7m2q9xd", NOON + HOURS(1));
        Sample s = {
                .events = {rig->store, &rig->clock},
                .session = {.credential = num,
                            .leader = 4711,
                            .deadline_usec = NOON + HOURS(1),
                            .logind_id = id,
                            .id = "k7m2q9xd",
                            .user = user,
                            .uid = 1001,
                            .service = service,
                            .rhost = rhost},
                .login = {.credential = num, .service = service, .rhost = rhost, .pid = 4711},
                .facts = {.user = user, .uid = 1001, .service = service, .rhost = rhost},
                .receipt = {.verdict = verdict, .late_usec = 30, .data = json_object()},
        };

        assert_int_equal(store_read_credential(rig->store, num, &s.credential), 1);
        return s;
}

static void sample_done(Sample *s)
{
        credential_done(&s->credential);
        json_decref(s->receipt.data);
}

/* What may be absent is: at a console, without a role, holder and reason, before logind knows it. */
static void sample_strip(Sample *s)
{
        free(s->credential.holder);
        free(s->credential.reason);
        s->credential.holder = s->credential.reason = NULL;
        s->session.rhost = s->login.rhost = NULL;
        s->facts.rhost = NULL;
        s->session.logind_id = NULL;
}

static const Actor actor = {.name = "carol", .uid = 1002, .loginuid = UID_NONE};

static void say_credential(Sample *s)
{
        assert_int_equal(event_credential_issued(&s->events, &s->credential), 0);
        assert_int_equal(event_credential_revoked(&s->events, &s->credential, &actor, "lost"), 0);
        assert_int_equal(event_credential_expired(&s->events, &s->credential), 0);
        assert_int_equal(event_credential_used_up(&s->events, &s->credential), 0);
        assert_int_equal(event_credential_deprovisioned(&s->events, &s->credential, &s->receipt),
                         0);
        assert_int_equal(event_login_accepted(&s->events, &s->credential, &s->facts, 4711, NULL),
                         0);
        assert_int_equal(event_login_refused(&s->events, &s->credential, 1001, "login", NULL,
                                             REFUSAL_SECRET, 3),
                         0);
        assert_int_equal(event_login_unclaimed(&s->events, &s->credential, &s->login, "none"), 0);
        assert_int_equal(event_action_refused(&s->events, &actor, "Issue", "no admin", 2), 0);
        assert_int_equal(
                event_credential_extended(&s->events, &s->credential, &actor, 1, NOON, NULL), 0);
        assert_int_equal(event_credential_returned(&s->events, &s->credential, &actor), 0);
        assert_int_equal(event_credential_locked(&s->events, &s->credential), 0);
        assert_int_equal(event_deprovision_acknowledged(&s->events, &s->credential, &actor, "seen"),
                         0);
}

/* Under a role and with a reason: that they always have. */
static void say_request(Sample *s)
{
        const Approval approval = {.actor = actor};
        Credential *c = &s->credential;

        c->role = strdup("oncall");
        c->reason = strdup("ticket 7");
        assert_int_equal(event_credential_requested(&s->events, c, 2), 0);
        assert_int_equal(event_credential_approved(&s->events, c, &approval, 1, 2), 0);
        assert_int_equal(event_credential_denied(&s->events, c, &actor, NULL), 0);
        assert_int_equal(event_credential_lapsed(&s->events, c), 0);
        assert_int_equal(event_credential_collected(&s->events, c, &actor), 0);
        assert_int_equal(event_break_glass_used(&s->events, c), 0);
        assert_int_equal(event_break_glass_acknowledged(&s->events, c, &actor, "seen"), 0);
}

static void say_host(Sample *s)
{
        char role[] = "oncall";
        const RoleOff off = {.role = role, .actor = actor};
        const Pruned pruned = {.count = 3, .seq = 3};

        assert_int_equal(event_login_ended(&s->events, &s->facts, 4711), 0);
        assert_int_equal(event_login_lingers(&s->events, &s->facts, 4711, 30), 0);
        assert_int_equal(event_host_frozen(&s->events, &actor, NULL, false), 0);
        assert_int_equal(event_host_thawed(&s->events, &actor), 0);
        assert_int_equal(event_role_enabled(&s->events, role, &actor, NULL, 0), 0);
        assert_int_equal(event_role_disabled(&s->events, &off, 0, 0), 0);
        assert_int_equal(event_clock_stepped(&s->events, -5), 0);
        assert_int_equal(event_logind_failed(&s->events, "it does not answer"), 0);
        assert_int_equal(event_config_loaded(&s->events, "/etc/credd/credd.conf", "{}", "{}"), 0);
        assert_int_equal(event_config_refused(&s->events, "line 3"), 0);
        assert_int_equal(event_daemon_started(&s->events, 0), 0);
        assert_int_equal(event_daemon_stopped(&s->events), 0);
        assert_int_equal(event_audit_head(&s->events, 1, "00", "unknown"), 0);
        assert_int_equal(event_store_backed_up(&s->events, &actor, 4096), 0);
        assert_int_equal(event_store_restored(&s->events, &actor), 0);
        assert_int_equal(event_store_pruned(&s->events, &pruned), 0);
}

static void say_session(Sample *s)
{
        char id[] = "c7";

        assert_int_equal(event_session_opened(&s->events, &s->session), 0);
        s->session.logind_id = id;
        assert_int_equal(event_session_bound(&s->events, &s->session), 0);
        s->session.logind_id = NULL;
        assert_int_equal(event_session_warned(&s->events, &s->session), 0);
        assert_int_equal(event_session_terminating(&s->events, &s->session, "over"), 0);
        assert_int_equal(event_session_killed(&s->events, &s->session, "treekill"), 0);
        assert_int_equal(event_session_residue(&s->events, &s->session, "[]"), 0);
        assert_int_equal(event_session_ended(&s->events, &s->session, 30), 0);
        assert_int_equal(event_deprovision_missed(&s->events, &s->session, 30, "leader alive"), 0);
}

/* Every field is text in lower case and short enough for journald's names; the message has all its
 * words. */
static EventKind check_row(const EventRow *row)
{
        json_auto_t *fields = json_loads(row->data, JSON_REJECT_DUPLICATES, NULL);
        EventKind kind = event_kind_from_string(row->name);
        AUTO_FREE char *message = NULL;
        const char *name;
        json_t *value;

        assert_non_null(fields);
        assert_true(kind < EVENT_MAX);
        json_object_foreach (fields, name, value) {
                assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
                assert_true(strlen(name) < 40);
                assert_true(json_is_string(value));
        }
        message = event_message(kind, "k7m2q9xd", fields);
        assert_non_null(message);
        if (strpbrk(message, "{}") || strstr(message, " - ") || strstr(message, " -,"))
                fail_msg("%s: %s", row->name, message);
        return kind;
}

static char *read_catalog(void)
{
        FILE *file = fopen(CATALOG, "re"), *out;
        char *text = NULL;
        size_t size;

        assert_non_null(file);
        out = open_memstream(&text, &size);
        assert_non_null(out);
        for (int c; (c = getc(file)) != EOF;)
                (void)putc(c, out);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(fclose(out), 0);
        return text;
}

/* journald shows the name of a field that an entry does not have. */
static void check_explained(const char *catalog, const EventRow *row)
{
        json_auto_t *fields = json_loads(row->data, JSON_REJECT_DUPLICATES, NULL);
        char begin[40], name[40];
        const char *from, *end;

        (void)snprintf(begin, sizeof(begin), "\n-- %s\n",
                       event_message_id(event_kind_from_string(row->name)));
        from = strstr(catalog, begin);
        assert_non_null(from);
        end = strstr(from + strlen(begin), "\n-- ") ?: from + strlen(from);
        for (const char *at = from; (at = strstr(at, "@CREDD_")) && at < end; at++) {
                assert_int_equal(sscanf(at, "@CREDD_%39[A-Z_]@", name), 1);
                for (char *p = name; *p; p++)
                        *p = (char)tolower((unsigned char)*p);
                if (strcmp(name, "credential") == 0 ? row->credential == 0
                                                    : !json_object_get(fields, name))
                        fail_msg("%s has not always the field %s", row->name, name);
        }
}

static void test_events__each_function__fills_the_words_of_its_text(void **state)
{
        StoreRig *rig = *state;
        CLEANUP(sample_done) Sample sample = sample_new(rig);
        AUTO_FREE char *catalog = read_catalog();
        bool said[EVENT_MAX] = {false};
        int64_t n;

        sample_strip(&sample);
        say_credential(&sample);
        say_session(&sample);
        say_host(&sample);
        say_request(&sample);
        n = check_chain(rig->store);
        for (int64_t seq = 1; seq <= n; seq++) {
                CLEANUP(event_row_done) EventRow row = {0};

                assert_int_equal(store_read_event(rig->store, seq, &row), 1);
                said[check_row(&row)] = true;
                check_explained(catalog, &row);
        }
        for (int i = 0; i < EVENT_MAX; i++)
                if (!said[i])
                        fail_msg("%s is never said here", kinds[i].name);
}

/* People type passwords where a name is asked for. */
static void test_event_login_refused__unknown_id__tells_no_name(void **state)
{
        StoreRig *rig = *state;
        Events events = {.store = rig->store, .clock = &rig->clock};
        CLEANUP(event_row_done) EventRow row = {0};
        AUTO_FREE char *catalog = read_catalog();
        json_auto_t *fields = NULL;

        assert_int_equal(event_login_refused(&events, NULL, 1001, "sshd", NULL, REFUSAL_UNKNOWN, 1),
                         0);
        assert_int_equal(store_read_event(rig->store, 1, &row), 1);
        check_explained(catalog, &row);
        fields = json_loads(row.data, 0, NULL);
        assert_null(json_object_get(fields, "user"));
        assert_null(json_object_get(fields, "credential"));
        assert_string_equal(json_string_value(json_object_get(fields, "reason")), "unknown-id");
        assert_int_equal(row.credential, 0);
}

static void test_event_credential_issued__data__tells_who_and_what_and_no_hash(void **state)
{
        StoreRig *rig = *state;
        CLEANUP(sample_done) Sample sample = sample_new(rig);
        CLEANUP(event_row_done) EventRow row = {0};
        json_auto_t *fields = NULL;

        assert_int_equal(event_credential_issued(&sample.events, &sample.credential), 0);
        assert_int_equal(store_read_event(rig->store, 1, &row), 1);
        fields = json_loads(row.data, 0, NULL);
        assert_null(json_object_get(fields, "hash"));
        assert_string_equal(json_string_value(json_object_get(fields, "actor")), "carol");
        assert_string_equal(json_string_value(json_object_get(fields, "actor_uid")), "1002");
        assert_string_equal(json_string_value(json_object_get(fields, "actor_loginuid")), "1003");
        assert_string_equal(json_string_value(json_object_get(fields, "holder")),
                            "Anna M\xc3\xbcller");
        assert_string_equal(json_string_value(json_object_get(fields, "uses")), "2");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, store_rig_setup, store_rig_teardown)
        const struct CMUnitTest tests[] = {
                T(test_events__each_kind__has_an_id_of_32_hex_digits_of_its_own),
                T(test_events__each_kind__comes_back_from_its_name),
                T(test_events__what_an_admin_must_see__is_critical),
                T(test_event_message__all_fields_there__leaves_no_brace_and_no_dash),
                T(test_event_message__no_fields__says_dashes),
                T(test_event_message__value_with_braces__is_taken_as_it_is),
                T(test_events__each_function__fills_the_words_of_its_text),
                T(test_event_login_refused__unknown_id__tells_no_name),
                T(test_event_credential_issued__data__tells_who_and_what_and_no_hash),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

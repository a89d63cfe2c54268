/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The events: their table, their words, and that each function says what its words want. */
#include "tests/unit/store_rig.h"

#include "credd/events.h"

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

static void say_credential(Sample *s)
{
        const Actor actor = {.name = "carol", .uid = 1002, .loginuid = 1002};

        assert_int_equal(event_credential_issued(&s->events, &s->credential), 0);
        assert_int_equal(event_credential_revoked(&s->events, &s->credential, &actor, "lost"), 0);
        assert_int_equal(event_credential_expired(&s->events, &s->credential), 0);
        assert_int_equal(event_credential_used_up(&s->events, &s->credential), 0);
        assert_int_equal(event_credential_deprovisioned(&s->events, &s->credential, &s->receipt),
                         0);
        assert_int_equal(event_login_accepted(&s->events, &s->credential, &s->facts, 4711, NULL),
                         0);
        assert_int_equal(event_login_refused(&s->events, &s->credential, 1001, "sshd", "10.1.2.3",
                                             REFUSAL_SECRET, 3),
                         0);
        assert_int_equal(event_login_unclaimed(&s->events, &s->credential, &s->login, "none"), 0);
        assert_int_equal(event_action_refused(&s->events, &actor, "Issue", "no admin", 2), 0);
}

static void say_session(Sample *s)
{
        assert_int_equal(event_session_opened(&s->events, &s->session), 0);
        assert_int_equal(event_session_bound(&s->events, &s->session), 0);
        assert_int_equal(event_session_terminating(&s->events, &s->session, "over"), 0);
        assert_int_equal(event_session_killed(&s->events, &s->session, "treekill"), 0);
        assert_int_equal(event_session_residue(&s->events, &s->session, "[]"), 0);
        assert_int_equal(event_session_ended(&s->events, &s->session, 30), 0);
        assert_int_equal(event_deprovision_missed(&s->events, &s->session, 30, "leader alive"), 0);
        assert_int_equal(event_config_loaded(&s->events, "/etc/credd/credd.conf", "{}", "{}"), 0);
        assert_int_equal(event_config_refused(&s->events, "line 3"), 0);
        assert_int_equal(event_daemon_started(&s->events, 2), 0);
        assert_int_equal(event_daemon_stopped(&s->events), 0);
}

/* Every field is text in lower case and short enough for journald's names; the message has all its
 * words. */
static void check_row(const EventRow *row)
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
}

static void test_events__each_function__fills_the_words_of_its_text(void **state)
{
        StoreRig *rig = *state;
        CLEANUP(sample_done) Sample sample = sample_new(rig);
        int64_t n;

        say_credential(&sample);
        say_session(&sample);
        n = check_chain(rig->store);
        assert_true(n >= 20);
        for (int64_t seq = 1; seq <= n; seq++) {
                CLEANUP(event_row_done) EventRow row = {0};

                assert_int_equal(store_read_event(rig->store, seq, &row), 1);
                check_row(&row);
        }
}

/* People type passwords where a name is asked for. */
static void test_event_login_refused__unknown_id__tells_no_name(void **state)
{
        StoreRig *rig = *state;
        Events events = {.store = rig->store, .clock = &rig->clock};
        CLEANUP(event_row_done) EventRow row = {0};
        json_auto_t *fields = NULL;

        assert_int_equal(event_login_refused(&events, NULL, 1001, "sshd", NULL, REFUSAL_UNKNOWN, 1),
                         0);
        assert_int_equal(store_read_event(rig->store, 1, &row), 1);
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

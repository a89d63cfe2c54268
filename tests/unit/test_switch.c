/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Roles switched off and on under live sessions, a restart in between, and break-glass until it is seen. */
#include "tests/unit/login_rig.h"

#include "credd/reaper.h"

#define METHOD(name) "io.credd.Admin." name
#define ISSUER       54322 /* nobody's, on any machine */
#define APPROVER     54323

static void write_role(const Rig *rig, const char *name, const char *text)
{
        char path[SCRATCH_PATH_MAX];
        FILE *file;

        (void)snprintf(path, sizeof(path), "%s/roles.d/%s.conf", rig->folder, name);
        file = fopen(path, "we");
        assert_non_null(file);
        assert_true(fprintf(file, "[Role]\nUsers=deploy\n%s", text) > 0);
        assert_int_equal(fclose(file), 0);
}

static void load_roles(Rig *rig)
{
        char path[SCRATCH_PATH_MAX];
        Roles *roles = NULL;

        assert_int_equal(roles_load(scratch_path(rig->folder, "roles.d", path), geteuid(),
                                    &rig->manager->config, stderr, &roles),
                         0);
        (void)roles_free(rig->manager->roles);
        rig->manager->roles = roles;
}

static void make_roles(Rig *rig)
{
        char path[SCRATCH_PATH_MAX];

        assert_int_equal(mkdir(scratch_path(rig->folder, "roles.d", path), 0755), 0);
        write_role(rig, "oncall", "MaxUses=5\n");
        write_role(rig, "glass", "BreakGlass=yes\nMaxUses=5\n");
        load_roles(rig);
}

/* As after a crash: what was not committed is gone. */
static void restart(Rig *rig)
{
        rig->manager = manager_free(rig->manager);
        assert_int_equal(manager_new(&rig->paths, &rig->manager), 0);
        rig->manager->clock.read = rig_read_clock;
        rig->manager->clock.userdata = rig;
        rig->manager->outbox = outbox_free(rig->manager->outbox);
        assert_int_equal(outbox_new(rig->manager, "/nonexistent/journal", &rig->manager->outbox),
                         0);
        assert_int_equal(
                server_new(rig->manager, rig->login_fd, rig->admin_fd, &rig->manager->server), 0);
        load_roles(rig);
}

static json_t *ask(Rig *rig, const char *method, json_t *parameters)
{
        return rig_call(rig, rig->admin, method, parameters);
}

static json_t *switch_off(Rig *rig, bool dry_run)
{
        return ask(rig, METHOD("RoleDisable"),
                   json_pack("{ss ss sb}", "role", "oncall", "reason", "an incident", "dry_run",
                             dry_run));
}

static const char *why[] = {"the role oncall was switched off by ", ": an incident"};

/* The field of the newest event of that name; to be freed. */
static char *event_text(Rig *rig, const char *name, const char *field)
{
        char *found = NULL;
        int64_t seq = 0;

        for (;;) {
                CLEANUP(event_row_done) EventRow row = {0};
                json_auto_t *fields = NULL;
                int r = store_next_event(rig->manager->store, seq, &row);

                assert_true(r >= 0);
                if (r == 0)
                        return found;
                seq = row.seq;
                if (strcmp(row.name, name) != 0)
                        continue;
                fields = json_loads(row.data, 0, NULL);
                free(found);
                found = strdup(json_string_value(json_object_get(fields, field)) ?: "");
        }
}

static void assert_state(Rig *rig, const char *id, const char *state)
{
        json_auto_t *reply = ask(rig, METHOD("Show"), json_pack("{ss}", "id", id));

        assert_string_equal(reply_text(reply, "credential", "state"), state);
}

static void test_disable__live_sessions_and_others__ends_its_own_and_suspends(void **state)
{
        Rig *rig = *state;
        char once[TOKEN_ID_LEN + 1], more[TOKEN_ID_LEN + 1], plain[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *spare = NULL, *other = NULL;
        AUTO_FREE char *login = NULL, *other_login = NULL, *reason = NULL;
        json_auto_t *dry = NULL, *reply = NULL, *again = NULL, *refused = NULL, *on = NULL;
        CLEANUP(person_free) Person person = NO_PERSON;
        CLEANUP(person_free) Person bystander = NO_PERSON;

        need_root();
        make_roles(rig);
        token = issue(rig, json_pack("{ss}", "role", "oncall"), once);
        spare = issue(rig, json_pack("{ss si}", "role", "oncall", "uses", 2), more);
        other = issue(rig, NULL, plain);
        login = log_in(rig, token);
        person = open_session(rig, login);
        other_login = log_in(rig, other);
        bystander = open_session(rig, other_login);

        dry = switch_off(rig, true);
        assert_int_equal(json_integer_value(reply_at(dry, "sessions_ending", NULL)), 1);
        assert_int_equal(json_array_size(reply_at(dry, "sessions", NULL)), 1);
        assert_int_equal(json_integer_value(reply_at(dry, "unspent_count", NULL)), 1);
        assert_true(json_is_true(reply_at(dry, "role", "enabled")));
        assert_state(rig, once, "in-use");
        assert_state(rig, more, "active");
        assert_int_equal(count_events(rig, "role-disabled"), 0);

        reply = switch_off(rig, false);
        assert_true(json_is_false(reply_at(reply, "role", "enabled")));
        assert_string_equal(reply_text(reply, "role", "disabled_reason"), "an incident");
        assert_int_equal(json_integer_value(reply_at(reply, "sessions_ending", NULL)), 1);
        again = switch_off(rig, false);
        assert_error(again, METHOD("NothingToDo"), NULL, NULL);
        await_receipt(rig, once, "confirmed");
        assert_state(rig, once, "used");
        assert_state(rig, more, "suspended");
        assert_state(rig, plain, "in-use");
        (void)person_wait(&person);
        assert_int_equal(waitpid(bystander.pid, NULL, WNOHANG), 0);
        reason = event_text(rig, "session-terminating", "reason");
        assert_non_null(strstr(reason, why[0]));
        assert_non_null(strstr(reason, why[1]));
        assert_int_equal(count_events(rig, "session-terminating"), 1);

        refused = authenticate(rig, spare);
        assert_error(refused, "io.credd.Login.Refused", NULL, NULL);
        on = ask(rig, METHOD("RoleEnable"), json_pack("{ss}", "role", "oncall"));
        assert_true(json_is_true(reply_at(on, "role", "enabled")));
        assert_state(rig, more, "active");
        free(log_in(rig, spare));
}

static void test_disable__login_without_its_session_yet__opens_none(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *login = NULL, *text = NULL, *reason = NULL;
        CLEANUP(person_free) Person person = NO_PERSON;
        int status;

        need_root();
        make_roles(rig);
        token = issue(rig, json_pack("{ss}", "role", "oncall"), id);
        login = log_in(rig, token);
        json_decref(switch_off(rig, false));
        person = person_new(rig->login, 0, "io.credd.Login.OpenSession", question("login", login));
        text = person_reply(rig, &person);
        assert_non_null(strstr(text, "io.credd.Login.Refused"));
        await_receipt(rig, id, "confirmed");
        status = person_wait(&person);
        assert_true(WIFSIGNALED(status));
        assert_state(rig, id, "used");
        reason = event_text(rig, "session-terminating", "reason");
        assert_non_null(strstr(reason, "role-off"));
}

/* The transaction was the last thing that credd did. */
static void test_restart__end_stored_and_not_begun__goes_on_for_its_reason(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *login = NULL, *reason = NULL;
        const SessionsOf of = {.role = "oncall"};
        CLEANUP(person_free) Person person = NO_PERSON;
        Manager *manager;

        need_root();
        make_roles(rig);
        token = issue(rig, json_pack("{ss}", "role", "oncall"), id);
        login = log_in(rig, token);
        person = open_session(rig, login);
        manager = rig->manager;
        assert_int_equal(batch_enter(manager->batch), 0);
        assert_int_equal(batch_leave(manager->batch,
                                     sessions_store_end(manager->sessions, of,
                                                        clock_line_usec(&manager->clock),
                                                        "the role oncall was switched off by x")),
                         0);
        assert_int_equal(batch_commit(manager->batch), 0);
        assert_int_equal(count_events(rig, "session-terminating"), 0);
        restart(rig);
        await_receipt(rig, id, "confirmed");
        assert_state(rig, id, "used");
        assert_int_equal(count_events(rig, "credential-expired"), 0);
        reason = event_text(rig, "session-terminating", "reason");
        assert_string_equal(reason, "the role oncall was switched off by x");
}

static void test_restart__end_begun__leaves_what_was_used_up_used(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *login = NULL;
        CLEANUP(person_free) Person person = NO_PERSON;

        need_root();
        make_roles(rig);
        token = issue(rig, json_pack("{ss}", "role", "oncall"), id);
        login = log_in(rig, token);
        person = open_session(rig, login);
        json_decref(switch_off(rig, false));
        for (unsigned waited = 0; count_events(rig, "session-terminating") == 0; waited += 5) {
                assert_true(waited < PATIENCE_MS);
                rig_turn(rig);
        }
        restart(rig);
        assert_true(store_role_off(rig->manager->store, "oncall"));
        await_receipt(rig, id, "confirmed");
        assert_state(rig, id, "used");
        assert_int_equal(count_events(rig, "session-terminating"), 1);
}

static void test_role__names__are_known_by_file_credential_or_switch(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        json_auto_t *none = NULL, *shown = NULL, *gone = NULL, *off = NULL, *list = NULL;

        need_root();
        make_roles(rig);
        free(issue(rig, json_pack("{ss}", "role", "oncall"), id));
        none = ask(rig, METHOD("RoleDisable"), json_pack("{ss}", "role", "oncal"));
        assert_error(none, METHOD("RoleNotFound"), "role", "oncal");
        shown = ask(rig, METHOD("RoleShow"), json_pack("{ss}", "role", "oncall"));
        assert_int_equal(json_integer_value(reply_at(shown, "settings", "max_uses")), 5);
        assert_int_equal(json_integer_value(reply_at(shown, "unspent", NULL)), 1);

        (void)roles_free(rig->manager->roles);
        rig->manager->roles = calloc(1, sizeof(Roles));
        gone = ask(rig, METHOD("RoleShow"), json_pack("{ss}", "role", "oncall"));
        assert_true(json_is_false(reply_at(gone, "role", "loaded")));
        assert_true(json_is_null(reply_at(gone, "settings", NULL)));
        off = switch_off(rig, false);
        assert_true(json_is_false(reply_at(off, "role", "enabled")));
        list = ask(rig, METHOD("RoleList"), json_object());
        assert_int_equal(json_array_size(reply_at(list, "roles", NULL)), 1);
}

/* Its issuer, whom no file can name here. */
static void let_issue(Rig *rig, const char *name, uid_t uid)
{
        Role *role = (Role *)roles_find(rig->manager->roles, name);

        role->issuers.uids = malloc(sizeof(uid_t));
        assert_non_null(role->issuers.uids);
        role->issuers.uids[0] = uid;
        role->issuers.n_uids = 1;
}

static json_t *issue_glass_as(Rig *rig, uid_t uid, const char *reason)
{
        json_t *parameters = json_pack("{ss si ss ss*}", "user", "deploy", "uid", PERSON, "role",
                                       "glass", "reason", reason);
        CLEANUP(person_free)
        Person person = person_new(rig->admin, uid, METHOD("Issue"), parameters);
        AUTO_FREE char *text = person_reply(rig, &person);

        assert_non_null(text);
        return json_loads(text, 0, NULL);
}

static void test_break_glass__issued__is_an_alarm_until_another_admin_acks(void **state)
{
        Rig *rig = *state;
        json_auto_t *refused = NULL, *issued = NULL, *status = NULL, *shown = NULL, *acked = NULL;
        json_auto_t *after = NULL, *again = NULL, *bare = NULL;
        const char *id;

        need_root();
        make_roles(rig);
        let_issue(rig, "glass", ISSUER);
        refused = issue_glass_as(rig, ISSUER, NULL);
        assert_error(refused, METHOD("Refused"), NULL, NULL);
        assert_int_equal(count_events(rig, "break-glass-used"), 0);
        issued = issue_glass_as(rig, ISSUER, "the network is down");
        id = reply_text(issued, "credential", "id");
        assert_int_equal(count_events(rig, "break-glass-used"), 1);
        status = ask(rig, METHOD("Status"), json_object());
        assert_int_equal(json_array_size(reply_at(status, "unacknowledged", NULL)), 1);
        shown = ask(rig, METHOD("Show"), json_pack("{ss}", "id", id));
        assert_int_equal(json_array_size(reply_at(shown, "alarms", NULL)), 1);

        bare = ask(rig, METHOD("Ack"), json_pack("{ss}", "id", id));
        assert_error(bare, "org.varlink.service.InvalidParameter", "parameter", "reason");
        acked = ask(rig, METHOD("Ack"), json_pack("{ss ss}", "id", id, "reason", "seen"));
        assert_int_equal(json_array_size(reply_at(acked, "alarms", NULL)), 1);
        assert_int_equal(count_events(rig, "break-glass-acknowledged"), 1);
        after = ask(rig, METHOD("Status"), json_object());
        assert_int_equal(json_array_size(reply_at(after, "unacknowledged", NULL)), 0);
        again = ask(rig, METHOD("Ack"), json_pack("{ss ss}", "id", id, "reason", "seen"));
        assert_error(again, METHOD("NothingToDo"), NULL, NULL);
}

static void test_ack__by_who_issued_it__is_for_missed_ends_alone(void **state)
{
        Rig *rig = *state;
        json_auto_t *glass = NULL, *denied = NULL, *missed = NULL;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL;

        need_root();
        make_roles(rig);
        glass = ask(rig, METHOD("Issue"),
                    json_pack("{ss si ss ss}", "user", "deploy", "uid", PERSON, "role", "glass",
                              "reason", "an outage"));
        denied = ask(rig, METHOD("Ack"),
                     json_pack("{ss ss}", "id", reply_text(glass, "credential", "id"), "reason",
                               "my own"));
        assert_error(denied, METHOD("PermissionDenied"), NULL, NULL);
        assert_int_equal(count_events(rig, "break-glass-acknowledged"), 0);

        token = issue(rig, NULL, id);
        {
                AUTO_CREDENTIAL Credential c = find(rig, id);

                assert_int_equal(store_raise_alarm(rig->manager->store, c.num, ALARM_MISSED, NOON),
                                 0);
        }
        missed = ask(rig, METHOD("Ack"), json_pack("{ss ss}", "id", id, "reason", "a dead disk"));
        assert_null(json_object_get(missed, "error"));
        assert_int_equal(count_events(rig, "deprovision-acknowledged"), 1);
}

/* Asked for by one, approved by another: who is left to see to it is a third. */
static void test_ack__by_who_approved_it__denied(void **state)
{
        const Approval approval = {.actor = {.uid = APPROVER, .loginuid = 0}};
        Rig *rig = *state;
        Store *store = rig->manager->store;
        json_auto_t *glass = NULL, *denied = NULL;
        RequestRow row = {.actor = {.uid = ISSUER, .loginuid = UID_NONE}, .needed = 1};
        const char *id;

        need_root();
        make_roles(rig);
        let_issue(rig, "glass", ISSUER);
        glass = issue_glass_as(rig, ISSUER, "an outage");
        id = reply_text(glass, "credential", "id");
        {
                AUTO_CREDENTIAL Credential c = find(rig, id);

                assert_int_equal(store_add_request(store, c.num, &row), 0);
                assert_int_equal(store_add_approval(store, c.num, &approval), 0);
        }
        denied = ask(rig, METHOD("Ack"), json_pack("{ss ss}", "id", id, "reason", "seen"));
        assert_error(denied, METHOD("PermissionDenied"), NULL, NULL);
        assert_non_null(strstr(reply_text(denied, "reason", NULL), "those who approved it"));
        assert_int_equal(count_events(rig, "break-glass-acknowledged"), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
        const struct CMUnitTest tests[] = {
                T(test_disable__live_sessions_and_others__ends_its_own_and_suspends),
                T(test_disable__login_without_its_session_yet__opens_none),
                T(test_restart__end_stored_and_not_begun__goes_on_for_its_reason),
                T(test_restart__end_begun__leaves_what_was_used_up_used),
                T(test_role__names__are_known_by_file_credential_or_switch),
                T(test_break_glass__issued__is_an_alarm_until_another_admin_acks),
                T(test_ack__by_who_issued_it__is_for_missed_ends_alone),
                T(test_ack__by_who_approved_it__denied),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was asked for, from the question to the token: who decides, when it counts, and what is told. */
#include "tests/unit/role_rig.h"

#include "credd/notices.h"

#define METHOD(name) "io.credd.Admin." name

/* Another person than the test itself, which is root. */
#define ASKER    4001
#define APPROVER 4002

/* --- a role, and what is asked for under it --- */

static json_t *ask(Rig *rig, const char *role)
{
        return rig_call(rig, rig->admin, METHOD("Request"),
                        json_pack("{ss ss si sI ss}", "role", role, "user", "deploy", "uid", 5000,
                                  "ttl_usec", (json_int_t)HOURS(2), "reason", "ticket 7"));
}

static json_t *decide(Rig *rig, const char *method, const char *id)
{
        return rig_call(rig, rig->admin, method, json_pack("{ss}", "id", id));
}

/* Asked for by somebody else. */
static int64_t add_asked(Rig *rig, const char *id, uid_t loginuid)
{
        Manager *manager = rig->manager;
        uint64_t now = clock_line_usec(&manager->clock);
        AUTO_CREDENTIAL Credential c = {.user = strdup("deploy"),
                                        .uid = 5000,
                                        .role = strdup("oncall"),
                                        .services = json_array(),
                                        .sources = json_array(),
                                        .uses = 1,
                                        .uses_left = 1,
                                        .ttl_usec = HOURS(1),
                                        .not_before_usec = now,
                                        .ceiling_usec = now + HOURS(2),
                                        .login_limit_usec = now + HOURS(24),
                                        .session_ttl_usec = USEC_INFINITY,
                                        .cause = CAUSE_PENDING,
                                        .issuer = {.uid = ASKER, .loginuid = loginuid}};
        RequestRow row = {.actor = c.issuer, .needed = 1};

        (void)snprintf(c.id, sizeof(c.id), "%s", id);
        assert_int_equal(batch_enter(manager->batch), 0);
        assert_int_equal(store_add_credential(manager->store, &c, NULL), 0);
        assert_int_equal(store_add_request(manager->store, c.num, &row), 0);
        assert_int_equal(batch_leave(manager->batch, 0), 0);
        assert_int_equal(batch_commit(manager->batch), 0);
        return c.num;
}

static void add_approval_by(Rig *rig, int64_t num, uid_t uid, uid_t loginuid)
{
        const Approval approval = {.actor = {.uid = uid, .loginuid = loginuid}};

        assert_int_equal(batch_enter(rig->manager->batch), 0);
        assert_int_equal(store_add_approval(rig->manager->store, num, &approval), 0);
        assert_int_equal(batch_leave(rig->manager->batch, 0), 0);
        assert_int_equal(batch_commit(rig->manager->batch), 0);
}

/* Root and one more. */
static void let_two_approve(Role *role)
{
        role->approvers.uids = reallocarray(role->approvers.uids, 2, sizeof(uid_t));
        assert_non_null(role->approvers.uids);
        role->approvers.uids[1] = APPROVER;
        role->approvers.n_uids = 2;
}

static Cause cause_of(Rig *rig, int64_t num)
{
        AUTO_CREDENTIAL Credential c = {0};

        assert_int_equal(store_read_credential(rig->manager->store, num, &c), 1);
        return c.cause;
}

static void assert_refused(json_t *reply, const char *words)
{
        json_auto_t *owned = reply;

        assert_error(owned, METHOD("Refused"), NULL, NULL);
        assert_non_null(strstr(reply_text(owned, "reason", NULL), words));
}

static void assert_denied(json_t *reply, const char *words)
{
        json_auto_t *owned = reply;

        assert_error(owned, METHOD("PermissionDenied"), NULL, NULL);
        assert_non_null(strstr(reply_text(owned, "reason", NULL), words));
}

static void assert_final(json_t *reply, const char *state)
{
        json_auto_t *owned = reply;

        assert_error(owned, METHOD("Final"), "state", state);
}

static int64_t number_at(const json_t *reply, const char *first, const char *second)
{
        const json_t *value = reply_at(reply, first, second);

        assert_true(json_is_integer(value));
        return json_integer_value(value);
}

/* --- asking --- */

static void test_request__asked_for__is_pending_and_has_no_limits(void **state)
{
        static const char *const later[] = {"issued_usec", "not_before_usec", "login_limit_usec",
                                            "ceiling_usec", "receipt"};
        Rig *rig = *state;
        json_auto_t *reply = NULL;

        need_root();
        (void)add_role(rig, 1);
        reply = ask(rig, "oncall");
        assert_string_equal(reply_text(reply, "credential", "state"), "pending");
        for (size_t i = 0; i < ELEMENTSOF(later); i++)
                assert_true(json_is_null(reply_at(reply, "credential", later[i])));
        assert_int_equal(number_at(reply, "request", "needed"), 1);
        assert_int_equal(number_at(reply, "request", "given"), 0);
        assert_int_equal(number_at(reply, "request", "ttl_usec"), HOURS(2));
        assert_int_equal(number_at(reply, "request", "lifetime_usec"), HOURS(8));
        assert_refused(decide(rig, METHOD("Collect"), reply_text(reply, "credential", "id")),
                       "0 of 1");
}

static void test_request__role_that_does_not_exist__refused(void **state)
{
        Rig *rig = *state;

        need_root();
        assert_refused(ask(rig, "nosuch"), "no such role");
        assert_int_equal(store_newest_event(rig->manager->store), 0);
}

static void test_request__too_many_wait__refused_until_one_is_withdrawn(void **state)
{
        Rig *rig = *state;
        json_auto_t *first = NULL;

        need_root();
        (void)add_role(rig, 1);
        first = ask(rig, "oncall");
        (void)add_asked(rig, "aaaaaaaa", UID_NONE); /* another's does not count */
        for (unsigned i = 1; i < 16; i++) {
                json_auto_t *reply = ask(rig, "oncall");

                assert_string_equal(reply_text(reply, "credential", "state"), "pending");
        }
        assert_refused(ask(rig, "oncall"), "16 of your requests wait");
        json_decref(decide(rig, METHOD("Revoke"), reply_text(first, "credential", "id")));
        json_decref(first);
        first = ask(rig, "oncall");
        assert_string_equal(reply_text(first, "credential", "state"), "pending");
        assert_refused(ask(rig, "oncall"), "16 of your requests wait");
}

static void test_requests__pending_ones_alone__are_listed(void **state)
{
        Rig *rig = *state;
        json_auto_t *reply = NULL;
        const json_t *found;

        need_root();
        (void)add_role(rig, 1);
        (void)add_asked(rig, "aaaaaaaa", UID_NONE);
        (void)add_asked(rig, "bbbbbbbb", UID_NONE);
        json_decref(decide(rig, METHOD("Deny"), "aaaaaaaa"));
        reply = rig_call(rig, rig->admin, METHOD("Requests"), json_object());
        found = reply_at(reply, "requests", NULL);
        assert_int_equal(json_array_size(found), 1);
        assert_string_equal(json_string_value(json_object_get(json_array_get(found, 0), "id")),
                            "bbbbbbbb");
}

/* --- deciding --- */

static void test_approve__by_who_asked__refused(void **state)
{
        Rig *rig = *state;
        json_auto_t *reply = NULL;
        const char *id;

        need_root();
        (void)add_role(rig, 1);
        reply = ask(rig, "oncall");
        id = reply_text(reply, "credential", "id");
        assert_denied(decide(rig, METHOD("Approve"), id), "another person");
        assert_denied(decide(rig, METHOD("Deny"), id), "another person");
}

static void test_approve__asker_stood_behind_it__refused(void **state)
{
        Rig *rig = *state;

        need_root();
        (void)add_role(rig, 1);
        (void)add_asked(rig, "aaaaaaaa", 0);
        assert_denied(decide(rig, METHOD("Approve"), "aaaaaaaa"), "another person");
}

static void test_approve__who_approved_stood_behind_it__refused(void **state)
{
        Rig *rig = *state;
        int64_t num;

        need_root();
        (void)add_role(rig, 2);
        num = add_asked(rig, "aaaaaaaa", UID_NONE);
        add_approval_by(rig, num, APPROVER, 0);
        assert_denied(decide(rig, METHOD("Approve"), "aaaaaaaa"), "approved it before");
}

static void test_approve__no_approver__refused_though_an_admin(void **state)
{
        Rig *rig = *state;
        Role *role;

        need_root();
        role = add_role(rig, 1);
        role->approvers.uids[0] = APPROVER;
        (void)add_asked(rig, "aaaaaaaa", UID_NONE);
        assert_denied(decide(rig, METHOD("Approve"), "aaaaaaaa"), "only the approvers");
}

static void test_approve__enough_of_them__no_more_are_taken(void **state)
{
        Rig *rig = *state;
        json_auto_t *reply = NULL;
        int64_t num;

        need_root();
        let_two_approve(add_role(rig, 1));
        num = add_asked(rig, "aaaaaaaa", UID_NONE);
        reply = decide(rig, METHOD("Approve"), "aaaaaaaa");
        assert_int_equal(number_at(reply, "request", "given"), 1);
        assert_int_equal(cause_of(rig, num), CAUSE_PENDING);
        num = add_asked(rig, "bbbbbbbb", UID_NONE);
        add_approval_by(rig, num, APPROVER, UID_NONE);
        assert_refused(decide(rig, METHOD("Approve"), "bbbbbbbb"), "all the approvals");
}

static void test_approve__who_approved_is_none_any_more__another_takes_the_place(void **state)
{
        Rig *rig = *state;
        json_auto_t *shown = NULL, *approved = NULL;
        CLEANUP(event_row_done) EventRow event = {0};
        int64_t num;

        need_root();
        (void)add_role(rig, 1);
        num = add_asked(rig, "aaaaaaaa", UID_NONE);
        add_approval_by(rig, num, APPROVER, UID_NONE);
        shown = decide(rig, METHOD("Show"), "aaaaaaaa");
        assert_int_equal(json_integer_value(json_object_get(
                                 reply_at(shown, "credential", "request"), "given")),
                         0);
        approved = decide(rig, METHOD("Approve"), "aaaaaaaa");
        assert_int_equal(number_at(approved, "request", "given"), 1);
        assert_int_equal(json_array_size(reply_at(approved, "request", "approvals")), 2);
        assert_int_equal(store_read_event(rig->manager->store,
                                          store_newest_event(rig->manager->store), &event),
                         1);
        assert_non_null(strstr(event.data, "\"1 of 1\""));
}

static void test_deny__after_an_approval__is_final(void **state)
{
        Rig *rig = *state;
        json_auto_t *reply = NULL;
        int64_t num;

        need_root();
        (void)add_role(rig, 1);
        num = add_asked(rig, "aaaaaaaa", UID_NONE);
        add_approval_by(rig, num, APPROVER, UID_NONE);
        reply = decide(rig, METHOD("Deny"), "aaaaaaaa");
        assert_string_equal(reply_text(reply, "credential", "state"), "denied");
        assert_int_equal(cause_of(rig, num), CAUSE_DENIED);
        assert_final(decide(rig, METHOD("Approve"), "aaaaaaaa"), "denied");
        assert_final(decide(rig, METHOD("Deny"), "aaaaaaaa"), "denied");
}

static void test_approve__role_narrowed_or_gone__refused(void **state)
{
        Rig *rig = *state;
        Role *role;

        need_root();
        role = add_role(rig, 1);
        (void)add_asked(rig, "aaaaaaaa", UID_NONE);
        role->max_ttl_usec = HOURS(1) - 1;
        assert_refused(decide(rig, METHOD("Approve"), "aaaaaaaa"), "MaxTTL");
        role->name[0] = 'x';
        assert_denied(decide(rig, METHOD("Approve"), "aaaaaaaa"), "does not exist any more");
}

static void test_approve__its_time_is_over_and_not_written_yet__lapsed(void **state)
{
        Rig *rig = *state;
        int64_t num;

        need_root();
        (void)add_role(rig, 1);
        num = add_asked(rig, "aaaaaaaa", UID_NONE);
        rig->skew_usec += HOURS(25);
        assert_final(decide(rig, METHOD("Approve"), "aaaaaaaa"), "lapsed");
        expiry_changed(rig->manager->expiry);
        rig_settle(rig);
        assert_int_equal(cause_of(rig, num), CAUSE_LAPSED);
}

static void test_expiry__lapses__without_a_receipt(void **state)
{
        Rig *rig = *state;
        CLEANUP(receipt_done) Receipt receipt = {0};
        CLEANUP(event_row_done) EventRow event = {0};
        int64_t num;

        (void)add_role(rig, 1);
        num = add_asked(rig, "aaaaaaaa", UID_NONE);
        rig->skew_usec += HOURS(25);
        expiry_changed(rig->manager->expiry);
        rig_settle(rig);
        assert_int_equal(store_newest_event(rig->manager->store), 1);
        assert_int_equal(store_read_event(rig->manager->store, 1, &event), 1);
        assert_string_equal(event.name, "credential-lapsed");
        assert_int_equal(store_find_receipt(rig->manager->store, num, &receipt), 0);
}

/* --- collecting --- */

static void test_collect__no_approval_needed__time_starts_now(void **state)
{
        Rig *rig = *state;
        json_auto_t *asked = NULL, *got = NULL, *again = NULL;
        const char *id;
        int64_t issued;

        need_root();
        (void)add_role(rig, 0);
        asked = ask(rig, "oncall");
        id = reply_text(asked, "credential", "id");
        rig->skew_usec += HOURS(3); /* longer than its ttl */
        got = decide(rig, METHOD("Collect"), id);
        issued = number_at(got, "credential", "not_before_usec");
        assert_string_equal(reply_text(got, "credential", "state"), "active");
        assert_int_equal(number_at(got, "credential", "login_limit_usec") - issued, HOURS(2));
        assert_int_equal(number_at(got, "credential", "ceiling_usec") - issued, HOURS(8));
        assert_memory_equal(reply_text(got, "token", NULL) + 4, id, TOKEN_ID_LEN);
        again = decide(rig, METHOD("Collect"), id);
        assert_string_not_equal(reply_text(again, "token", NULL), reply_text(got, "token", NULL));
        assert_int_equal(number_at(again, "credential", "login_limit_usec") -
                                 number_at(again, "credential", "not_before_usec"),
                         HOURS(2));
}

static void test_collect__after_a_login__no_other_token(void **state)
{
        Rig *rig = *state;
        AUTO_CREDENTIAL Credential c = {0};
        json_auto_t *asked = NULL;
        const char *id;

        need_root();
        (void)add_role(rig, 0);
        asked = ask(rig, "oncall");
        id = reply_text(asked, "credential", "id");
        json_decref(decide(rig, METHOD("Collect"), id));
        assert_int_equal(store_find_credential(rig->manager->store, id, &c), 1);
        assert_int_equal(batch_enter(rig->manager->batch), 0);
        assert_int_equal(store_spend(rig->manager->store, &c), 0);
        assert_int_equal(store_replace_hash(rig->manager->store, &c), -ESTALE);
        assert_int_equal(store_collect(rig->manager->store, &c), -ESTALE);
        assert_int_equal(batch_leave(rig->manager->batch, 0), 0);
        assert_refused(decide(rig, METHOD("Collect"), id), "a login has been made");
}

static void test_collect__role_wants_more_approvals_now__refused(void **state)
{
        Rig *rig = *state;
        json_auto_t *asked = NULL;
        Role *role;

        need_root();
        role = add_role(rig, 0);
        asked = ask(rig, "oncall");
        role->approvals = 2;
        assert_refused(decide(rig, METHOD("Collect"), reply_text(asked, "credential", "id")),
                       "0 of 2");
}

static void test_collect__who_approved_is_no_approver_any_more__refused(void **state)
{
        Rig *rig = *state;
        AUTO_CREDENTIAL Credential c = {0};
        json_auto_t *asked = NULL, *collected = NULL;
        const char *id;
        Role *role;

        need_root();
        role = add_role(rig, 1);
        asked = ask(rig, "oncall");
        id = reply_text(asked, "credential", "id");
        assert_int_equal(store_find_credential(rig->manager->store, id, &c), 1);
        add_approval_by(rig, c.num, 4002, UID_NONE);
        assert_refused(decide(rig, METHOD("Collect"), id), "0 of 1");
        role->approvers.uids[0] = 4002;
        collected = decide(rig, METHOD("Collect"), id);
        assert_non_null(reply_text(collected, "token", NULL));
}

static void test_collect__who_approved_stands_behind_it__refused(void **state)
{
        Rig *rig = *state;
        AUTO_CREDENTIAL Credential c = {0};
        json_auto_t *asked = NULL;
        const char *id;
        Role *role;

        need_root();
        role = add_role(rig, 1);
        role->approvers.uids[0] = APPROVER;
        asked = ask(rig, "oncall");
        id = reply_text(asked, "credential", "id");
        assert_int_equal(store_find_credential(rig->manager->store, id, &c), 1);
        add_approval_by(rig, c.num, APPROVER, 0);
        assert_denied(decide(rig, METHOD("Collect"), id), "those who approved it");
        assert_int_equal(cause_of(rig, c.num), CAUSE_PENDING);
}

static void test_collect__by_another__refused(void **state)
{
        Rig *rig = *state;

        need_root();
        (void)add_role(rig, 0);
        (void)add_asked(rig, "aaaaaaaa", UID_NONE);
        assert_denied(decide(rig, METHOD("Collect"), "aaaaaaaa"), "only the one who asked");
}

static void test_revoke__pending__has_no_receipt_and_is_final(void **state)
{
        Rig *rig = *state;
        json_auto_t *asked = NULL, *revoked = NULL;
        const char *id;

        need_root();
        (void)add_role(rig, 0);
        asked = ask(rig, "oncall");
        id = reply_text(asked, "credential", "id");
        revoked = decide(rig, METHOD("Revoke"), id);
        assert_string_equal(reply_text(revoked, "credential", "state"), "revoked");
        assert_true(json_is_null(reply_at(revoked, "credential", "receipt")));
        assert_final(decide(rig, METHOD("Collect"), id), "revoked");
}

/* --- telling --- */

static void test_notice_quote__words_of_others__quoted_cut_and_printable(void **state)
{
        static const Actor ann = {.name = "ann", .uid = 1001}, none = {.uid = 7};
        char text[NOTICE_QUOTE_MAX], longer[NOTICE_QUOTE_MAX * 2];

        (void)state;
        assert_string_equal(notice_quote(&ann, "a \"b\"\033[2J\n\xc3\xa9", text),
                            "ann (uid 1001) says: \"a 'b'?[2J???\"");
        assert_string_equal(notice_quote(&ann, NULL, text), "ann (uid 1001)");
        assert_string_equal(notice_quote(&none, "x", text), "uid 7 says: \"x\"");
        memset(longer, 'y', sizeof(longer));
        longer[sizeof(longer) - 1] = '\0';
        assert_int_equal(strlen(notice_quote(&ann, longer, text)),
                         strlen("ann (uid 1001) says: \"\"") + 200);
}

/* --- issuing, where another has to say later that he has seen it --- */

/* A connection of which the process that made it has gone: who holds it now is not to be told. */
static int connect_and_go(Rig *rig)
{
        int fd = -1;

        end(connect_by_another(rig, &fd));
        return fd;
}

static void test_issue__break_glass_and_who_is_behind_it_is_gone__refused(void **state)
{
        Rig *rig = *state;
        Role *role = add_role(rig, 0);
        AUTO_CLOSE int gone = -1, here = -1;
        json_auto_t *reply = NULL;

        need_root();
        role->break_glass = true;
        gone = connect_and_go(rig);
        assert_denied(issue_over(rig, gone), "cannot be told");
        here = rig_connect(rig->admin);
        reply = issue_over(rig, here);
        assert_non_null(reply_at(reply, "token", NULL));
}

/* Elsewhere nobody is compared with who issued it. */
static void test_issue__who_is_behind_it_is_gone__is_issued(void **state)
{
        Rig *rig = *state;
        AUTO_CLOSE int gone = -1;
        json_auto_t *reply = NULL;

        (void)add_role(rig, 0);
        need_root();
        gone = connect_and_go(rig);
        reply = issue_over(rig, gone);
        assert_non_null(reply_at(reply, "token", NULL));
}

static void test_notice_count__more_than_three_an_hour__no_more(void **state)
{
        NoticeCount table[4] = {0};
        uint64_t now = NOON;

        (void)state;
        for (unsigned i = 0; i < NOTICES_AN_HOUR; i++)
                assert_true(notice_count(table, 4, 1001, false, now + SECONDS(i)));
        assert_false(notice_count(table, 4, 1001, false, now + HOURS(1) - 1));
        /* of another, and the other way, it is another count */
        assert_true(notice_count(table, 4, 1002, false, now + SECONDS(5)));
        assert_true(notice_count(table, 4, 1001, true, now + SECONDS(5)));
        /* the first of them is an hour old */
        assert_true(notice_count(table, 4, 1001, false, now + HOURS(1)));
        assert_false(notice_count(table, 4, 1001, false, now + HOURS(1)));
}

static void test_notice_count__full_table__counts_as_the_limit(void **state)
{
        NoticeCount table[4] = {0};

        (void)state;
        for (uid_t uid = 1; uid <= 4; uid++)
                assert_true(notice_count(table, 4, uid, false, NOON));
        assert_false(notice_count(table, 4, 5, false, NOON));
        assert_true(notice_count(table, 4, 4, false, NOON));
        assert_true(notice_count(table, 4, 5, false, NOON + HOURS(1)));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)
                WITH_RIG(test_request__asked_for__is_pending_and_has_no_limits),
                WITH_RIG(test_request__role_that_does_not_exist__refused),
                WITH_RIG(test_request__too_many_wait__refused_until_one_is_withdrawn),
                WITH_RIG(test_requests__pending_ones_alone__are_listed),
                WITH_RIG(test_approve__by_who_asked__refused),
                WITH_RIG(test_approve__asker_stood_behind_it__refused),
                WITH_RIG(test_approve__who_approved_stood_behind_it__refused),
                WITH_RIG(test_approve__no_approver__refused_though_an_admin),
                WITH_RIG(test_approve__enough_of_them__no_more_are_taken),
                WITH_RIG(test_approve__who_approved_is_none_any_more__another_takes_the_place),
                WITH_RIG(test_deny__after_an_approval__is_final),
                WITH_RIG(test_approve__role_narrowed_or_gone__refused),
                WITH_RIG(test_approve__its_time_is_over_and_not_written_yet__lapsed),
                WITH_RIG(test_expiry__lapses__without_a_receipt),
                WITH_RIG(test_collect__no_approval_needed__time_starts_now),
                WITH_RIG(test_collect__after_a_login__no_other_token),
                WITH_RIG(test_collect__role_wants_more_approvals_now__refused),
                WITH_RIG(test_collect__who_approved_is_no_approver_any_more__refused),
                WITH_RIG(test_collect__who_approved_stands_behind_it__refused),
                WITH_RIG(test_collect__by_another__refused),
                WITH_RIG(test_revoke__pending__has_no_receipt_and_is_final),
                WITH_RIG(test_issue__break_glass_and_who_is_behind_it_is_gone__refused),
                WITH_RIG(test_issue__who_is_behind_it_is_gone__is_issued),
                cmocka_unit_test(test_notice_quote__words_of_others__quoted_cut_and_printable),
                cmocka_unit_test(test_notice_count__more_than_three_an_hour__no_more),
                cmocka_unit_test(test_notice_count__full_table__counts_as_the_limit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

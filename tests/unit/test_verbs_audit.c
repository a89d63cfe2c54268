/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Audit over a whole daemon: whose life falls into a period, what belongs to a record, and that a long list
 * comes in pages. */
#include "tests/unit/login_rig.h"

#define FAR (4000000000LL * 1000000LL)

static json_t *audit(Rig *rig, int64_t since, int64_t until, const char *user, int64_t after)
{
        return rig_call(rig, rig->admin, "io.credd.Admin.Audit",
                        json_pack("{sI sI ss? sI}", "since_usec", (json_int_t)since, "until_usec",
                                  (json_int_t)until, "user", user, "after", (json_int_t)after));
}

static size_t n_found(const json_t *reply)
{
        return json_array_size(reply_at(reply, "credentials", NULL));
}

static json_t *change(Rig *rig, const char *method, json_t *parameters)
{
        return rig_call(rig, rig->admin, method, parameters);
}

static void test_audit__a_credential__whole_life_in_its_record(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token =
                issue(rig, json_pack("{sI}", "max_lifetime_usec", 7200000000LL), id);
        json_auto_t *extended = change(
                rig, "io.credd.Admin.Extend",
                json_pack("{ss sI ss}", "id", id, "by_usec", 60000000LL, "reason", "not done"));
        json_auto_t *revoked = change(rig, "io.credd.Admin.Revoke",
                                      json_pack("{ss ss}", "id", id, "reason", "done"));
        json_auto_t *reply = audit(rig, 0, FAR, NULL, 0);
        const json_t *record = json_array_get(reply_at(reply, "credentials", NULL), 0);
        const json_t *extension = json_array_get(json_object_get(record, "extensions"), 0);

        assert_non_null(token);
        assert_int_equal(n_found(reply), 1);
        assert_string_equal(json_string_value(json_object_get(record, "id")), id);
        assert_string_equal(json_string_value(json_object_get(record, "end_reason")), "done");
        assert_string_equal(json_string_value(json_object_get(extension, "reason")), "not done");
        assert_int_equal(json_integer_value(json_object_get(extension, "by_usec")), 60000000);
        assert_true(json_is_integer(json_object_get(record, "closed_usec")));
        assert_true(json_is_true(json_object_get(record, "history_whole")));
        assert_true(json_is_object(json_object_get(record, "receipt")));
        assert_int_equal(json_array_size(json_object_get(record, "alarms")), 0);
        assert_true(json_is_null(reply_at(reply, "next", NULL)));
}

static void test_audit__another_period_or_user__not_there(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = issue(rig, NULL, id);
        json_auto_t *before = audit(rig, 0, 1000000, NULL, 0);
        json_auto_t *open = audit(rig, FAR - 1, FAR, NULL, 0);
        json_auto_t *other = audit(rig, 0, FAR, "nobody-else", 0);
        json_auto_t *revoked = change(rig, "io.credd.Admin.Revoke", json_pack("{ss}", "id", id));
        json_auto_t *over = audit(rig, FAR - 1, FAR, NULL, 0);

        assert_non_null(token);
        assert_int_equal(n_found(before), 0);
        assert_int_equal(n_found(open), 1); /* it is not over */
        assert_int_equal(n_found(other), 0);
        assert_int_equal(n_found(over), 0);
}

static void test_audit__many__in_pages_without_gap_or_repeat(void **state)
{
        Rig *rig = *state;
        size_t found = 0, pages = 0;
        int64_t after = 0;

        for (unsigned i = 0; i < 300; i++) {
                char id[TOKEN_ID_LEN + 1];
                AUTO_FREE char *token = issue(rig, NULL, id);

                assert_non_null(token);
        }
        do {
                json_auto_t *reply = audit(rig, 0, FAR, NULL, after);
                const json_t *next = reply_at(reply, "next", NULL);

                found += n_found(reply);
                assert_true(++pages < 100);
                after = json_is_integer(next) ? json_integer_value(next) : 0;
        } while (after > 0);
        assert_int_equal(found, 300);
        assert_true(pages > 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_audit__a_credential__whole_life_in_its_record),
                TEST(test_audit__another_period_or_user__not_there),
                TEST(test_audit__many__in_pages_without_gap_or_repeat),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

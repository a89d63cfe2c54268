/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The figures: what was kept is counted, what was undone is not, and what is too much is left out. */
#include "tests/unit/login_rig.h"

static json_t *families(Rig *rig)
{
        return rig_call(rig, rig->admin, "io.credd.Admin.Metrics", json_object());
}

/* NULL: there is no such family. */
static const json_t *family(const json_t *reply, const char *name)
{
        json_t *one;
        size_t i;

        json_array_foreach (reply_at(reply, "families", NULL), i, one)
                if (strcmp(json_string_value(json_object_get(one, "name")), name) == 0)
                        return one;
        return NULL;
}

/* Of the sample whose label has that value; NULL: of the first one. */
static double figure(Rig *rig, const char *name, const char *suffix, const char *label)
{
        json_auto_t *reply = families(rig);
        json_t *sample, *value;
        const char *key;
        size_t i;

        assert_non_null(family(reply, name));
        json_array_foreach (json_object_get(family(reply, name), "samples"), i, sample) {
                bool is = !label;

                json_object_foreach (json_object_get(sample, "labels"), key, value)
                        is |= label && strcmp(json_string_value(value), label) == 0;
                if (is && strcmp(json_string_value(json_object_get(sample, "suffix")), suffix) == 0)
                        return json_number_value(json_object_get(sample, "value"));
        }
        fail_msg("no sample of %s", name);
        return -1;
}

static void assert_figure(Rig *rig, const char *name, const char *suffix, const char *label,
                          unsigned wanted)
{
        assert_int_equal((long)figure(rig, name, suffix, label), wanted);
}

static void test_metrics__logins__counted_by_how_they_were_answered(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *login = NULL;
        json_auto_t *again = NULL;

        need_root();
        token = issue(rig, NULL, id);
        assert_figure(rig, "credd_credentials", "", "active", 1);
        login = log_in(rig, token);
        again = authenticate(rig, token);
        assert_error(again, "io.credd.Login.Refused", NULL, NULL);
        assert_figure(rig, "credd_logins_asked", "_total", NULL, 2);
        assert_figure(rig, "credd_logins_accepted", "_total", NULL, 1);
        assert_figure(rig, "credd_logins_refused", "_total", "used", 1);
        assert_figure(rig, "credd_logins_refused", "_total", "revoked", 0);
        assert_figure(rig, "credd_events", "_total", "credential-issued", 1);
        assert_figure(rig, "credd_credentials", "", "active", 0);
}

static void test_metrics__receipt__has_verdict_and_lateness(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL;
        json_auto_t *reply = NULL;

        need_root();
        token = issue(rig, NULL, id);
        reply = rig_call(rig, rig->admin, "io.credd.Admin.Revoke", json_pack("{ss}", "id", id));
        await_receipt(rig, id, "confirmed");
        assert_figure(rig, "credd_receipts", "_total", "confirmed", 1);
        assert_figure(rig, "credd_receipts", "_total", "late", 0);
        assert_figure(rig, "credd_receipt_lateness_seconds", "_count", NULL, 1);
        assert_figure(rig, "credd_receipt_lateness_seconds", "_bucket", "0.01", 1);
        assert_figure(rig, "credd_receipt_lateness_seconds", "_bucket", "+Inf", 1);
}

static void test_metrics__expired__has_how_late_its_timer_was(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];

        need_root();
        assert_figure(rig, "credd_wakeup_lateness_seconds", "_count", NULL, 0);
        free(issue(rig, json_pack("{si}", "ttl_usec", 1000000), id));
        await_receipt(rig, id, "confirmed");
        assert_figure(rig, "credd_wakeup_lateness_seconds", "_count", NULL, 1);
        assert_figure(rig, "credd_wakeup_lateness_seconds", "_bucket", "60.0", 1);
}

static void test_metrics__request_undone__is_not_counted(void **state)
{
        Rig *rig = *state;
        const Actor actor = {.name = "root", .uid = 0, .loginuid = UID_NONE};

        need_root();
        assert_int_equal(batch_enter(rig->manager->batch), 0);
        assert_int_equal(event_host_thawed(&rig->manager->events, &actor), 0);
        assert_int_equal(batch_leave(rig->manager->batch, -ECANCELED), -ECANCELED);
        assert_figure(rig, "credd_events", "_total", "host-thawed", 0);
        assert_int_equal(batch_enter(rig->manager->batch), 0);
        assert_int_equal(event_host_thawed(&rig->manager->events, &actor), 0);
        assert_int_equal(batch_leave(rig->manager->batch, 0), 0);
        assert_figure(rig, "credd_events", "_total", "host-thawed", 1);
        assert_figure(rig, "credd_batch_requests", "_count", NULL, 1);
        assert_figure(rig, "credd_batch_requests", "_bucket", "1.0", 1);
}

static void test_metrics__more_ahead_than_the_limit__not_counted(void **state)
{
        Rig *rig = *state;
        uint64_t counts[STATE_MAX] = {0}, now;

        need_root();
        for (unsigned i = 0; i < 3; i++) {
                char id[TOKEN_ID_LEN + 1];

                free(issue(rig, NULL, id));
        }
        now = clock_line_usec(&rig->manager->clock);
        assert_int_equal(store_count_ahead(rig->manager->store, now, 2, counts), 0);
        counts[STATE_ACTIVE] = 0;
        assert_int_equal(store_count_ahead(rig->manager->store, now, 3, counts), 1);
        assert_int_equal(counts[STATE_ACTIVE], 3);
}

static void test_tally__on_a_bound__belongs_to_its_step(void **state)
{
        Tally tally = {0};

        (void)state;
        tally_observe(&tally, TALLY_BATCH, 1);
        tally_observe(&tally, TALLY_BATCH, 64);
        tally_observe(&tally, TALLY_BATCH, 65);
        assert_int_equal(tally.histograms[TALLY_BATCH].counts[0], 1);
        assert_int_equal(tally.histograms[TALLY_BATCH].counts[6], 1);
        assert_int_equal(tally.histograms[TALLY_BATCH].counts[7], 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
        const struct CMUnitTest tests[] = {
                T(test_metrics__logins__counted_by_how_they_were_answered),
                T(test_metrics__receipt__has_verdict_and_lateness),
                T(test_metrics__expired__has_how_late_its_timer_was),
                T(test_metrics__request_undone__is_not_counted),
                T(test_metrics__more_ahead_than_the_limit__not_counted),
                cmocka_unit_test(test_tally__on_a_bound__belongs_to_its_step),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

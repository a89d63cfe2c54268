/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Following the events: each once and in order, none before its commit, and nothing that a subscriber
 * does or leaves undone is felt by anybody else. */
#include "tests/unit/manager_rig.h"

#include "common/varlink.h"
#include "credd/subscribe.h"

static void happen(Rig *rig, unsigned times)
{
        const Actor actor = {.name = "root", .uid = 0, .loginuid = UID_NONE};

        for (unsigned i = 0; i < times; i++) {
                int r = batch_enter(rig->manager->batch);

                assert_int_equal(r, 0);
                r = event_host_frozen(&rig->manager->events, &actor, "a long reason, to fill pages",
                                      false);
                assert_int_equal(batch_leave(rig->manager->batch, r), 0);
        }
}

static int subscribe(Rig *rig, json_t *parameters)
{
        AUTO_FREE char *text = varlink_call_encode("io.credd.Admin.Subscribe", parameters, true);
        int fd = rig_connect(rig->admin);

        json_decref(parameters);
        assert_non_null(text);
        rig_send(fd, text, strlen(text) + 1);
        return fd;
}

static json_t *receive(Rig *rig, int fd)
{
        AUTO_FREE char *text = rig_receive(rig, fd);
        json_t *reply;

        if (!text)
                return NULL;
        reply = json_loads(text, 0, NULL);
        assert_non_null(reply);
        return reply;
}

static bool continues(const json_t *reply)
{
        return json_is_true(json_object_get(reply, "continues"));
}

static int64_t number(const json_t *reply, const char *first, const char *second)
{
        return json_integer_value(reply_at(reply, first, second));
}

/* Reads up to the event of that number or later; each must be the one after the one before it. */
static int64_t read_up_to(Rig *rig, int fd, int64_t after, int64_t last)
{
        while (after < last) {
                json_auto_t *reply = receive(rig, fd);
                json_t *event;
                size_t i;

                assert_non_null(reply);
                assert_true(continues(reply));
                json_array_foreach (reply_at(reply, "events", NULL), i, event)
                        assert_int_equal(json_integer_value(json_object_get(event, "seq")),
                                         ++after);
                assert_int_equal(number(reply, "next", NULL), after);
        }
        return after;
}

static bool is_silent(Rig *rig, int fd)
{
        char c;

        rig_settle(rig);
        return recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static void test_subscribe__without_more__expected_more(void **state)
{
        Rig *rig = *state;
        json_auto_t *reply = rig_call(rig, rig->admin, "io.credd.Admin.Subscribe", json_object());

        need_root();
        assert_error(reply, VARLINK_EXPECTED_MORE, NULL, NULL);
}

static void test_subscribe__after_nothing__the_head_and_then_what_is_new(void **state)
{
        Rig *rig = *state;
        AUTO_CLOSE int fd = -1;
        json_auto_t *first = NULL;

        need_root();
        happen(rig, 3);
        fd = subscribe(rig, json_object());
        first = receive(rig, fd);
        assert_true(continues(first));
        assert_int_equal(json_array_size(reply_at(first, "events", NULL)), 0);
        assert_int_equal(number(first, "next", NULL), 3);
        assert_int_equal(number(first, "head", "seq"), 3);
        assert_true(is_silent(rig, fd));
        happen(rig, 1);
        read_up_to(rig, fd, 3, 4);
        happen(rig, 2);
        read_up_to(rig, fd, 4, 6);
        assert_true(is_silent(rig, fd));
}

static void test_subscribe__after_a_number__all_that_follow_it_once_and_in_order(void **state)
{
        Rig *rig = *state;
        AUTO_CLOSE int fd = -1;
        int64_t reached;

        need_root();
        happen(rig, 500);
        fd = subscribe(rig, json_pack("{si}", "after", 17));
        reached = read_up_to(rig, fd, 17, 300);
        happen(rig, 200);
        assert_int_equal(read_up_to(rig, fd, reached, 700), 700);
        assert_true(is_silent(rig, fd));
}

static void test_subscribe__since_a_moment__from_the_first_event_then(void **state)
{
        Rig *rig = *state;
        AUTO_CLOSE int fd = -1, future = -1;
        json_auto_t *first = NULL;
        uint64_t since;

        need_root();
        happen(rig, 100);
        rig->skew_usec = 60 * USEC_PER_SEC;
        since = clock_real_usec(&rig->manager->clock);
        happen(rig, 20);
        fd = subscribe(rig, json_pack("{sI}", "since_usec", (json_int_t)since));
        read_up_to(rig, fd, 100, 120);
        future = subscribe(rig, json_pack("{sI}", "since_usec",
                                          (json_int_t)since + 3600 * (json_int_t)USEC_PER_SEC));
        first = receive(rig, future);
        assert_int_equal(number(first, "next", NULL), 120);
}

static void test_subscribe__what_cannot_be__refused(void **state)
{
        static const char *const bad[] = {"{\"after\":6}", "{\"after\":-1}", "{\"after\":\"1\"}",
                                          "{\"after\":1,\"since_usec\":1}", "{\"x\":1}"};
        Rig *rig = *state;

        need_root();
        happen(rig, 5);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                AUTO_CLOSE int fd = subscribe(rig, json_loads(bad[i], 0, NULL));
                json_auto_t *reply = receive(rig, fd);

                assert_error(reply, VARLINK_INVALID_PARAMETER, NULL, NULL);
        }
}

static void test_subscribe__rows_without_a_commit__do_not_leave(void **state)
{
        Rig *rig = *state;
        const Actor actor = {.name = "root", .uid = 0, .loginuid = UID_NONE};
        AUTO_CLOSE int fd = -1;
        json_auto_t *first = NULL;

        need_root();
        fd = subscribe(rig, json_object());
        first = receive(rig, fd);
        assert_int_equal(batch_enter(rig->manager->batch), 0);
        assert_int_equal(event_host_thawed(&rig->manager->events, &actor), 0);
        assert_int_equal(batch_leave(rig->manager->batch, -ECANCELED), -ECANCELED);
        assert_true(is_silent(rig, fd));
        happen(rig, 1);
        read_up_to(rig, fd, 0, 1);
}

static void test_subscribe__further_calls__are_not_read_and_end_nothing(void **state)
{
        static const char status[] = "{\"method\":\"io.credd.Admin.Status\"}";
        Rig *rig = *state;
        AUTO_CLOSE int fd = -1;
        json_auto_t *first = NULL;

        need_root();
        fd = subscribe(rig, json_object());
        rig_send(fd, status, sizeof(status));
        rig_send(fd, status, 5);
        first = receive(rig, fd);
        /* what is under way would be over by now */
        rig->skew_usec = -(uint64_t)(10 * USEC_PER_SEC);
        happen(rig, 1);
        read_up_to(rig, fd, 0, 1);
        assert_true(is_silent(rig, fd));
}

/* One that does not read: what is kept for it is one message, others are served, and it is closed. */
static void test_subscribe__never_reads__holds_nobody_up_and_is_closed(void **state)
{
        Rig *rig = *state;
        AUTO_CLOSE int deaf = -1, fd = -1;

        need_root();
        happen(rig, 5000);
        deaf = subscribe(rig, json_pack("{si}", "after", 0));
        rig_settle(rig);
        fd = subscribe(rig, json_pack("{si}", "after", 0));
        read_up_to(rig, fd, 0, 5000);
        happen(rig, 100);
        read_up_to(rig, fd, 5000, 5100);
        assert_int_equal(subscribers_count(rig->manager->subscribers), 2);
        (void)close(deaf);
        /* the time that a message has is over when the next one begins */
        rig->skew_usec = -(uint64_t)(10 * USEC_PER_SEC);
        deaf = subscribe(rig, json_pack("{si}", "after", 0));
        for (unsigned waited = 0; subscribers_count(rig->manager->subscribers) > 1; waited += 5) {
                assert_true(waited < PATIENCE_MS);
                rig_turn(rig);
        }
        happen(rig, 1);
        read_up_to(rig, fd, 5100, 5101);
}

static void test_subscribe__life_is_over__a_last_reply_says_where_to_go_on(void **state)
{
        Rig *rig = *state;
        AUTO_CLOSE int fd = -1;
        json_auto_t *first = NULL, *last = NULL, *none = NULL;

        need_root();
        happen(rig, 7);
        /* so that the 5 minutes are over in half a second */
        rig->skew_usec = -(uint64_t)(300 * USEC_PER_SEC - USEC_PER_SEC / 2);
        fd = subscribe(rig, json_object());
        first = receive(rig, fd);
        assert_true(continues(first));
        last = receive(rig, fd);
        assert_non_null(last);
        assert_false(continues(last));
        assert_int_equal(number(last, "next", NULL), 7);
        none = receive(rig, fd);
        assert_null(none);
        assert_int_equal(subscribers_count(rig->manager->subscribers), 0);
}

static void test_subscribe__many_come_and_go__none_is_left(void **state)
{
        Rig *rig = *state;

        need_root();
        for (unsigned i = 0; i < 300; i++) {
                int fd = subscribe(rig, json_pack("{si}", "after", 0));

                if (i % 3)
                        rig_turn(rig);
                if (i % 50 == 0) /* the backlog of the socket */
                        rig_settle(rig);
                if (i % 5 == 0)
                        happen(rig, 30);
                (void)close(fd);
        }
        for (unsigned i = 0; subscribers_count(rig->manager->subscribers) > 0; i++) {
                assert_true(i < 1000);
                rig_turn(rig);
        }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
        const struct CMUnitTest tests[] = {
                T(test_subscribe__without_more__expected_more),
                T(test_subscribe__after_nothing__the_head_and_then_what_is_new),
                T(test_subscribe__after_a_number__all_that_follow_it_once_and_in_order),
                T(test_subscribe__since_a_moment__from_the_first_event_then),
                T(test_subscribe__what_cannot_be__refused),
                T(test_subscribe__rows_without_a_commit__do_not_leave),
                T(test_subscribe__further_calls__are_not_read_and_end_nothing),
                T(test_subscribe__never_reads__holds_nobody_up_and_is_closed),
                T(test_subscribe__life_is_over__a_last_reply_says_where_to_go_on),
                T(test_subscribe__many_come_and_go__none_is_left),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

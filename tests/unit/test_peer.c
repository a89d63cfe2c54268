/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One connection as a stream: whole, half, many and too large messages. Status is what anybody may
 * ask. */
#include "tests/unit/manager_rig.h"

#include "common/varlink.h"

static const char status_call[] = "{\"method\":\"io.credd.Admin.Status\"}";

static void assert_closed(Rig *rig, int fd)
{
        AUTO_FREE char *text = rig_receive(rig, fd);

        if (text)
                fail_msg("an answer, and the end was expected: %s", text);
}

static void assert_serves(Rig *rig)
{
        AUTO_CLOSE int fd = rig_connect(rig->admin);
        AUTO_FREE char *text = NULL;

        rig_send(fd, status_call, sizeof(status_call));
        text = rig_receive(rig, fd);
        assert_non_null(text);
        assert_non_null(strstr(text, "\"version\""));
}

static void test_peer__what_is_no_call__ends_the_connection_and_nothing_else(void **state)
{
        static const char *const bad[] = {
                "",
                "hello",
                "null",
                "[]",
                "{}",
                "{\"method\":5}",
                "{\"method\":\"\"}",
                "{\"method\":\"NoDot\"}",
                "{\"method\":\"io.credd.Admin.Status\",\"method\":\"io.credd.Admin.List\"}",
                "{\"method\":\"io.credd.Admin.Status\",\"parameters\":[]}",
                "{\"method\":\"io.credd.Admin.Status\",\"parameters\":{\"a\":1,\"a\":2}}",
                "{\"method\":\"io.credd.Admin.Status\",\"upgrade\":true}",
                "{\"method\":\"io.credd.Admin.Status\",\"oneway\":true}",
                "{\"method\":\"io.credd.Admin.Status\",\"x\":1}",
                "{\"method\":\"io.credd.Admin.Status\"} {}",
                "{\"method\":\"io.credd.Admin.\xff\"}",
        };
        Rig *rig = *state;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                AUTO_CLOSE int fd = rig_connect(rig->admin);

                rig_send(fd, bad[i], strlen(bad[i]) + 1);
                assert_closed(rig, fd);
        }
        assert_serves(rig);
}

static void test_peer__message_of_the_largest_size__is_read_and_one_more_ends_it(void **state)
{
        Rig *rig = *state;

        for (size_t len = VARLINK_CALL_MAX; len <= VARLINK_CALL_MAX + 1; len++) {
                AUTO_FREE char *text = malloc(len + 1), *reply = NULL;
                AUTO_CLOSE int fd = rig_connect(rig->admin);

                assert_non_null(text);
                memset(text, ' ', len);
                memcpy(text, status_call, strlen(status_call));
                text[len] = '\0';
                rig_send(fd, text, len + 1);
                reply = rig_receive(rig, fd);
                assert_int_equal(reply != NULL, len == VARLINK_CALL_MAX);
        }
        assert_serves(rig);
}

/* Without end: nothing of it is kept beyond the limit. */
static void test_peer__bytes_without_end__are_cut_off(void **state)
{
        Rig *rig = *state;
        AUTO_CLOSE int fd = rig_connect(rig->admin);
        char block[4096];
        size_t sent = 0;

        memset(block, 'x', sizeof(block));
        for (unsigned i = 0; i < 1000; i++) {
                ssize_t n = send(fd, block, sizeof(block), MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n > 0)
                        sent += (size_t)n;
                else if (errno != EAGAIN)
                        break;
                rig_turn(rig);
        }
        assert_true(sent < 1000 * sizeof(block));
        assert_closed(rig, fd);
        assert_serves(rig);
}

static void test_peer__half_a_message_and_gone__is_forgotten(void **state)
{
        Rig *rig = *state;

        for (size_t len = 0; len < sizeof(status_call); len++) {
                int fd = rig_connect(rig->admin);

                rig_send(fd, status_call, len);
                rig_settle(rig);
                (void)close(fd);
                rig_settle(rig);
        }
        assert_serves(rig);
}

static void test_peer__byte_by_byte__is_one_message(void **state)
{
        Rig *rig = *state;
        AUTO_CLOSE int fd = rig_connect(rig->admin);
        AUTO_FREE char *text = NULL;

        for (size_t i = 0; i < sizeof(status_call); i++) {
                rig_send(fd, status_call + i, 1);
                rig_settle(rig);
        }
        text = rig_receive(rig, fd);
        assert_non_null(text);
        assert_non_null(strstr(text, "\"version\""));
}

/* Readers and writers mixed: writers wait for the commit, and yet no answer overtakes another. */
static void test_peer__calls_in_a_row__are_answered_in_their_order(void **state)
{
        static const char issue[] = "{\"method\":\"io.credd.Admin.Issue\",\"parameters\":"
                                    "{\"user\":\"deploy\",\"uid\":5}}";
        static const char unknown[] = "{\"method\":\"io.credd.Admin.Nothing\"}";
        static const struct {
                const char *call, *sign;
        } kinds[] = {{status_call, "\"version\""}, {issue, "\"token\""}, {unknown, "NotFound"}};
        Rig *rig = *state;
        char all[8192];
        size_t len = 0;
        AUTO_CLOSE int fd = -1;

        need_root();
        for (unsigned i = 0; i < 60; i++) {
                const char *call = kinds[i * 7 % 11 % 3].call;

                memcpy(all + len, call, strlen(call) + 1);
                len += strlen(call) + 1;
                assert_true(len < sizeof(all) - 256);
        }
        fd = rig_connect(rig->admin);
        rig_send(fd, all, len);
        for (unsigned i = 0; i < 60; i++) {
                AUTO_FREE char *text = rig_receive(rig, fd);

                assert_non_null(text);
                if (!strstr(text, kinds[i * 7 % 11 % 3].sign))
                        fail_msg("answer %u is another one's: %s", i, text);
        }
}

static void test_peer__gone_before_its_answer__disturbs_nobody(void **state)
{
        static const char issue[] = "{\"method\":\"io.credd.Admin.Issue\",\"parameters\":"
                                    "{\"user\":\"deploy\",\"uid\":5}}";
        Rig *rig = *state;

        need_root();
        for (unsigned i = 0; i < 100; i++) {
                int fd = rig_connect(rig->admin);

                rig_send(fd, issue, sizeof(issue));
                if (i % 2)
                        rig_turn(rig);
                (void)close(fd);
        }
        rig_settle(rig);
        assert_serves(rig);
}

/* More at once than one batch holds: each gets its own. */
static void test_peer__more_writers_than_a_batch_holds__all_are_answered(void **state)
{
        static const char issue[] = "{\"method\":\"io.credd.Admin.Issue\",\"parameters\":"
                                    "{\"user\":\"deploy\",\"uid\":5}}";
        Rig *rig = *state;
        char ids[200][64];
        int fds[200];

        need_root();
        for (size_t i = 0; i < ELEMENTSOF(fds); i++) {
                fds[i] = rig_connect(rig->admin);
                rig_send(fds[i], issue, sizeof(issue));
                if (i % 100 == 99) /* the backlog of the socket */
                        rig_settle(rig);
        }
        for (size_t i = 0; i < ELEMENTSOF(fds); i++) {
                AUTO_FREE char *text = rig_receive(rig, fds[i]);
                const char *token = text ? strstr(text, "eph_") : NULL;

                assert_non_null(token);
                (void)snprintf(ids[i], sizeof(ids[i]), "%.40s", token);
                for (size_t j = 0; j < i; j++)
                        assert_string_not_equal(ids[i], ids[j]);
                (void)close(fds[i]);
        }
        assert_int_equal(store_newest_event(rig->manager->store), 200);
}

static void test_peer__login_socket__answers_once_and_closes(void **state)
{
        static const char info[] = "{\"method\":\"org.varlink.service.GetInfo\"}";
        Rig *rig = *state;
        AUTO_CLOSE int fd = -1;
        AUTO_FREE char *text = NULL;

        need_root();
        fd = rig_connect(rig->login);
        rig_send(fd, info, sizeof(info));
        rig_send(fd, info, sizeof(info));
        text = rig_receive(rig, fd);
        assert_non_null(text);
        assert_closed(rig, fd);
}

/* What comes with the connection is read as it is accepted; what comes later, from the loop. */
static void test_peer__login_socket_byte_by_byte__is_one_call(void **state)
{
        static const char info[] = "{\"method\":\"org.varlink.service.GetInfo\"}";
        Rig *rig = *state;

        need_root();
        for (size_t first = 0; first < 3; first++) {
                AUTO_CLOSE int fd = rig_connect(rig->login);
                AUTO_FREE char *text = NULL;

                rig_send(fd, info, first);
                rig_settle(rig);
                for (size_t i = first; i < sizeof(info); i++) {
                        rig_send(fd, info + i, 1);
                        rig_settle(rig);
                }
                text = rig_receive(rig, fd);
                assert_non_null(text);
                assert_non_null(strstr(text, "io.credd.Login"));
                assert_closed(rig, fd);
        }
}

static void test_peer__login_socket_closed_at_once__disturbs_nobody(void **state)
{
        static const char info[] = "{\"method\":\"org.varlink.service.GetInfo\"}";
        Rig *rig = *state;

        need_root();
        for (size_t len = 0; len <= sizeof(info); len += sizeof(info) / 2) {
                for (unsigned i = 0; i < 20; i++) {
                        int fd = rig_connect(rig->login);

                        rig_send(fd, info, len);
                        (void)close(fd);
                }
                rig_settle(rig);
        }
        assert_serves(rig);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
        const struct CMUnitTest tests[] = {
                T(test_peer__what_is_no_call__ends_the_connection_and_nothing_else),
                T(test_peer__message_of_the_largest_size__is_read_and_one_more_ends_it),
                T(test_peer__bytes_without_end__are_cut_off),
                T(test_peer__half_a_message_and_gone__is_forgotten),
                T(test_peer__byte_by_byte__is_one_message),
                T(test_peer__calls_in_a_row__are_answered_in_their_order),
                T(test_peer__gone_before_its_answer__disturbs_nobody),
                T(test_peer__more_writers_than_a_batch_holds__all_are_answered),
                T(test_peer__login_socket__answers_once_and_closes),
                T(test_peer__login_socket_byte_by_byte__is_one_call),
                T(test_peer__login_socket_closed_at_once__disturbs_nobody),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

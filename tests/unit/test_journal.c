/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The journal writer against a socket of our own in journald's place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/cleanup.h"
#include "credd/journal.h"

#define BUFFER_MAX (128 * 1024)

typedef struct Fixture {
        char folder[32];
        struct sockaddr_un address;
        int listener;
        Journal *journal;
        char *got;
} Fixture;

static void start_listening(Fixture *f)
{
        f->listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_return_code(f->listener, errno);
        assert_return_code(
                bind(f->listener, (const struct sockaddr *)&f->address, sizeof(f->address)), errno);
}

static void stop_listening(Fixture *f)
{
        assert_return_code(close(f->listener), errno);
        f->listener = -1;
}

static int setup(void **state)
{
        Fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        f->listener = -1;
        f->got = malloc(BUFFER_MAX);
        assert_non_null(f->got);
        (void)strcpy(f->folder, "/tmp/credd-unit-XXXXXX");
        assert_non_null(mkdtemp(f->folder));
        f->address.sun_family = AF_UNIX;
        (void)snprintf(f->address.sun_path, sizeof(f->address.sun_path), "%s/socket", f->folder);
        assert_int_equal(journal_new(f->address.sun_path, &f->journal), 0);
        *state = f;
        return 0;
}

static int teardown(void **state)
{
        Fixture *f = *state;

        if (f->listener >= 0)
                (void)close(f->listener);
        (void)unlink(f->address.sun_path);
        (void)rmdir(f->folder);
        assert_null(journal_free(f->journal));
        free(f->got);
        free(f);
        return 0;
}

static size_t receive(Fixture *f)
{
        ssize_t n = recv(f->listener, f->got, BUFFER_MAX, 0);

        assert_return_code(n, errno);
        return (size_t)n;
}

static const JournalField one_field[] = {{"MESSAGE", "hello"}};

static void test_journal_send__plain_fields__are_lines(void **state)
{
        static const JournalField fields[] = {{"MESSAGE", "a=b \xc3\xa9"},
                                              {"CREDD_USER", NULL},
                                              {"CREDD_REASON", ""},
                                              {"PRIORITY", "6"}};
        static const char want[] = "MESSAGE=a=b \xc3\xa9\nCREDD_REASON=\nPRIORITY=6\n";
        Fixture *f = *state;

        start_listening(f);
        assert_int_equal(journal_send(f->journal, fields, ELEMENTSOF(fields)), 0);
        assert_int_equal(receive(f), sizeof(want) - 1);
        assert_memory_equal(f->got, want, sizeof(want) - 1);
}

static void test_journal_send__value_with_newline__cannot_forge_a_field(void **state)
{
        static const JournalField fields[] = {{"CREDD_REASON", "x\nPRIORITY=0"}, {"PRIORITY", "6"}};
        static const char want[] = "CREDD_REASON\n\x0c\0\0\0\0\0\0\0x\nPRIORITY=0\nPRIORITY=6\n";
        Fixture *f = *state;

        start_listening(f);
        assert_int_equal(journal_send(f->journal, fields, ELEMENTSOF(fields)), 0);
        assert_int_equal(receive(f), sizeof(want) - 1);
        assert_memory_equal(f->got, want, sizeof(want) - 1);
}

static void test_journal_send__queue_is_full__is_eagain_and_goes_later(void **state)
{
        Fixture *f = *state;
        size_t sent = 0;
        int r;

        start_listening(f);
        while ((r = journal_send(f->journal, one_field, 1)) == 0)
                assert_true(++sent < 1000000);
        assert_int_equal(r, -EAGAIN);
        assert_int_equal(journal_send(f->journal, one_field, 1), -EAGAIN);
        while (sent-- > 0)
                (void)receive(f);
        assert_int_equal(recv(f->listener, f->got, BUFFER_MAX, 0), -1);
        assert_int_equal(journal_send(f->journal, one_field, 1), 0);
}

static void test_journal_send__nobody_listens_then_somebody__finds_it(void **state)
{
        Fixture *f = *state;

        assert_int_equal(journal_send(f->journal, one_field, 1), -ENOTCONN);
        start_listening(f);
        assert_int_equal(journal_send(f->journal, one_field, 1), 0);
        assert_int_equal(receive(f), strlen("MESSAGE=hello\n"));
}

static void test_journal_send__listener_replaced__finds_the_new_one(void **state)
{
        Fixture *f = *state;

        start_listening(f);
        assert_int_equal(journal_send(f->journal, one_field, 1), 0);
        stop_listening(f);
        assert_int_equal(journal_send(f->journal, one_field, 1), -ENOTCONN);
        assert_return_code(unlink(f->address.sun_path), errno);
        assert_int_equal(journal_send(f->journal, one_field, 1), -ENOTCONN);
        start_listening(f);
        assert_int_equal(journal_send(f->journal, one_field, 1), 0);
        (void)receive(f);
}

static void test_journal_send__64_kib__goes_and_one_more_is_too_large(void **state)
{
        const size_t room = (size_t)64 * 1024 - strlen("MESSAGE=\n");
        AUTO_FREE char *value = malloc(room + 2);
        Fixture *f = *state;

        assert_non_null(value);
        start_listening(f);
        memset(value, 'x', room + 1);
        value[room + 1] = 0;
        assert_int_equal(journal_send(f->journal, &(JournalField){"MESSAGE", value}, 1), -EMSGSIZE);
        value[room] = 0;
        assert_int_equal(journal_send(f->journal, &(JournalField){"MESSAGE", value}, 1), 0);
        assert_int_equal(receive(f), 64 * 1024);
}

static void test_journal_new__path_too_long_or_empty__is_refused(void **state)
{
        char path[200];
        Journal *journal;

        (void)state;
        memset(path, 'x', sizeof(path) - 1);
        path[sizeof(path) - 1] = 0;
        assert_int_equal(journal_new(path, &journal), -ENAMETOOLONG);
        assert_int_equal(journal_new("", &journal), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_journal_send__plain_fields__are_lines),
                TEST(test_journal_send__value_with_newline__cannot_forge_a_field),
                TEST(test_journal_send__queue_is_full__is_eagain_and_goes_later),
                TEST(test_journal_send__nobody_listens_then_somebody__finds_it),
                TEST(test_journal_send__listener_replaced__finds_the_new_one),
                TEST(test_journal_send__64_kib__goes_and_one_more_is_too_large),
                cmocka_unit_test(test_journal_new__path_too_long_or_empty__is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

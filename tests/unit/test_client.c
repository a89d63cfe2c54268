/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The client against servers that answer in every bad way, each in a forked child. Time passes for
 * real here: short deadlines of SHORT, and PATIENCE for the most that a loaded machine may add.
 * After every test the same descriptors are open as before. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "common/cleanup.h"
#include "common/client.h"

#define SHORT    (50 * USEC_PER_MSEC)
#define PATIENCE (20 * USEC_PER_SEC)
#define MAX      1000
#define LARGE    ((size_t)1 << 20)

/* A conversation from the server's side; what it returns is the exit status of the child. */
typedef int (*Serve)(int fd);

typedef struct Fixture {
        char folder[32];
        char path[64];
        int listener;
        pid_t server;
        int open_before;
} Fixture;

static int count_open(void)
{
        DIR *folder = opendir("/proc/self/fd");
        int n = 0;

        if (!folder)
                return -errno;
        while (readdir(folder))
                n++;
        (void)closedir(folder);
        return n;
}

static int setup(void **state)
{
        static Fixture fixture;

        fixture = (Fixture){.folder = "/tmp/test_client.XXXXXX", .listener = -1};
        if (!mkdtemp(fixture.folder))
                return -1;
        (void)snprintf(fixture.path, sizeof(fixture.path), "%s/socket", fixture.folder);
        fixture.open_before = count_open();
        *state = &fixture;
        return 0;
}

static int teardown(void **state)
{
        Fixture *fixture = *state;

        if (fixture->listener >= 0)
                (void)close(fixture->listener);
        if (fixture->server > 0) {
                (void)kill(fixture->server, SIGKILL);
                (void)waitpid(fixture->server, NULL, 0);
        }
        (void)unlink(fixture->path);
        return rmdir(fixture->folder) == 0 && count_open() == fixture->open_before ? 0 : -1;
}

static struct sockaddr_un address_of(const Fixture *fixture)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        memcpy(address.sun_path, fixture->path, sizeof(fixture->path));
        return address;
}

static void bind_socket(Fixture *fixture)
{
        struct sockaddr_un address = address_of(fixture);

        fixture->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fixture->listener >= 0);
        assert_int_equal(
                bind(fixture->listener, (const struct sockaddr *)&address, sizeof(address)), 0);
}

static void start_server(Fixture *fixture, Serve serve)
{
        bind_socket(fixture);
        assert_int_equal(listen(fixture->listener, 4), 0);
        fixture->server = fork();
        assert_true(fixture->server >= 0);
        if (fixture->server == 0) {
                int fd = accept(fixture->listener, NULL, NULL);

                /* A server that is told nothing gives up in the end. */
                (void)alarm(60);
                _exit(fd < 0 ? 100 : serve(fd));
        }
}

static void assert_server_content(Fixture *fixture)
{
        int status;

        assert_int_equal(waitpid(fixture->server, &status, 0), fixture->server);
        fixture->server = 0;
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

/* Runs what spoils the process, such as closing its descriptors; content if it returns 0. */
static void assert_content_in_child(int (*run)(const char *path), const char *path)
{
        pid_t child = fork();
        int status;

        assert_true(child >= 0);
        if (child == 0)
                _exit(run(path));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

/* 0: text with its NUL came, and nothing else. */
static int expect(int fd, const char *text)
{
        char bytes[256];
        size_t fill = 0;

        while (fill == 0 || bytes[fill - 1] != '\0') {
                ssize_t n = recv(fd, bytes + fill, sizeof(bytes) - fill, 0);

                if (n <= 0)
                        return 101;
                fill += (size_t)n;
        }
        return fill == strlen(text) + 1 && strcmp(bytes, text) == 0 ? 0 : 102;
}

static int put(int fd, const char *bytes, size_t len)
{
        while (len > 0) {
                ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

                if (n < 0)
                        return 103;
                bytes += n;
                len -= (size_t)n;
        }
        return 0;
}

/* 0: the client closed and said nothing more. */
static int expect_close(int fd)
{
        char byte;

        return recv(fd, &byte, 1, 0) == 0 || errno == ECONNRESET ? 0 : 104;
}

static int call(const char *path, Frame *frame, uint64_t usec, char **ret_text, size_t *ret_len)
{
        return client_call(path, "question", 8, client_deadline_usec(usec), frame, ret_text,
                           ret_len);
}

static void assert_call_fails(Fixture *fixture, int error, uint64_t usec)
{
        CLEANUP(frame_done) Frame frame;
        char *text = NULL;
        size_t len = 42;

        frame_init(&frame, MAX);
        assert_int_equal(call(fixture->path, &frame, usec, &text, &len), error);
        assert_null(text);
        assert_int_equal(len, 42);
}

/* Not before the deadline, and not long after. */
static void assert_passed_lately(uint64_t deadline)
{
        uint64_t now = client_deadline_usec(0);

        assert_true(now >= deadline);
        assert_true(now - deadline < PATIENCE);
}

static void assert_call_times_out(Fixture *fixture)
{
        uint64_t deadline = client_deadline_usec(SHORT);

        assert_call_fails(fixture, -ETIMEDOUT, SHORT);
        assert_passed_lately(deadline);
}

static void test_client_deadline__lengths__added_and_saturated(void **state)
{
        uint64_t now = client_deadline_usec(0);

        (void)state;
        assert_true(client_deadline_usec(USEC_PER_SEC) >= now + USEC_PER_SEC);
        assert_true(client_deadline_usec(USEC_PER_SEC) < now + USEC_PER_SEC + PATIENCE);
        assert_true(client_deadline_usec(USEC_INFINITY) == USEC_INFINITY);
        assert_true(client_deadline_usec(USEC_INFINITY - now) == USEC_INFINITY);
}

static int serve_answer(int fd)
{
        int r = expect(fd, "question");

        if (r == 0)
                r = put(fd, "answer", 7);
        return r == 0 ? expect_close(fd) : r;
}

static void test_client_call__answer__returned_and_closed(void **state)
{
        Fixture *fixture = *state;
        CLEANUP(frame_done) Frame frame;
        char *text;
        size_t len;

        frame_init(&frame, MAX);
        start_server(fixture, serve_answer);
        assert_int_equal(call(fixture->path, &frame, PATIENCE, &text, &len), 0);
        assert_string_equal(text, "answer");
        assert_int_equal(len, 6);
        assert_server_content(fixture);
}

static int serve_byte_by_byte(int fd)
{
        static const char answer[] = "slow answer";
        int r = expect(fd, "question");

        for (size_t i = 0; r == 0 && i < sizeof(answer); i++) {
                (void)poll(NULL, 0, 1);
                r = put(fd, &answer[i], 1);
        }
        return r == 0 ? expect_close(fd) : r;
}

static void test_client_call__answer_byte_by_byte__returned(void **state)
{
        Fixture *fixture = *state;
        CLEANUP(frame_done) Frame frame;
        char *text;
        size_t len;

        frame_init(&frame, MAX);
        start_server(fixture, serve_byte_by_byte);
        assert_int_equal(call(fixture->path, &frame, PATIENCE, &text, &len), 0);
        assert_string_equal(text, "slow answer");
        assert_server_content(fixture);
}

static int serve_answer_and_close(int fd)
{
        int r = expect(fd, "question");

        return r == 0 ? put(fd, "last words", 11) : r;
}

static void test_client_call__answer_and_close_at_once__returned(void **state)
{
        Fixture *fixture = *state;
        CLEANUP(frame_done) Frame frame;
        char *text;
        size_t len;

        frame_init(&frame, MAX);
        start_server(fixture, serve_answer_and_close);
        assert_int_equal(call(fixture->path, &frame, PATIENCE, &text, &len), 0);
        assert_string_equal(text, "last words");
}

static int serve_nothing(int fd)
{
        return expect(fd, "question");
}

static void test_client_call__closed_without_answer__reset(void **state)
{
        Fixture *fixture = *state;

        start_server(fixture, serve_nothing);
        assert_call_fails(fixture, -ECONNRESET, PATIENCE);
}

static int serve_half_an_answer(int fd)
{
        int r = expect(fd, "question");

        return r == 0 ? put(fd, "half an ans", 11) : r;
}

static void test_client_call__closed_within_answer__reset(void **state)
{
        Fixture *fixture = *state;

        start_server(fixture, serve_half_an_answer);
        assert_call_fails(fixture, -ECONNRESET, PATIENCE);
}

static int serve_garbage(int fd)
{
        char garbage[512];

        memset(garbage, 'x', sizeof(garbage));
        while (put(fd, garbage, sizeof(garbage)) == 0)
                ;
        return 0;
}

static void test_client_call__garbage_without_end__too_long(void **state)
{
        Fixture *fixture = *state;

        start_server(fixture, serve_garbage);
        assert_call_fails(fixture, -EMSGSIZE, PATIENCE);
        assert_server_content(fixture);
}

static int serve_silence(int fd)
{
        int r = expect(fd, "question");

        return r == 0 ? expect_close(fd) : r;
}

static void test_client_call__never_answered__times_out(void **state)
{
        Fixture *fixture = *state;

        start_server(fixture, serve_silence);
        assert_call_times_out(fixture);
}

static int serve_drops(int fd)
{
        while (put(fd, "x", 1) == 0)
                (void)poll(NULL, 0, 1);
        return 0;
}

/* Each byte comes in time, the message never does. */
static void test_client_call__drop_after_drop__times_out(void **state)
{
        Fixture *fixture = *state;
        CLEANUP(frame_done) Frame frame;
        uint64_t deadline = client_deadline_usec(SHORT);
        char *text;
        size_t len;

        frame_init(&frame, 1U << 20);
        start_server(fixture, serve_drops);
        assert_int_equal(call(fixture->path, &frame, SHORT, &text, &len), -ETIMEDOUT);
        assert_passed_lately(deadline);
        assert_true(frame_pending(&frame) > 0);
        assert_server_content(fixture);
}

static void test_client_call__deadline_over__times_out(void **state)
{
        Fixture *fixture = *state;
        CLEANUP(frame_done) Frame frame;
        char *text;
        size_t len;

        frame_init(&frame, MAX);
        start_server(fixture, serve_answer);
        assert_int_equal(client_call(fixture->path, "question", 8, 0, &frame, &text, &len),
                         -ETIMEDOUT);
}

static void test_client_call__nobody_accepts__times_out(void **state)
{
        Fixture *fixture = *state;

        bind_socket(fixture);
        assert_int_equal(listen(fixture->listener, 4), 0);
        assert_call_times_out(fixture);
}

static void test_client_connect__no_socket__enoent(void **state)
{
        Fixture *fixture = *state;

        assert_call_fails(fixture, -ENOENT, PATIENCE);
}

static void test_client_connect__nobody_listens__refused(void **state)
{
        Fixture *fixture = *state;

        bind_socket(fixture);
        assert_call_fails(fixture, -ECONNREFUSED, PATIENCE);
        (void)close(take_fd(&fixture->listener));
        assert_call_fails(fixture, -ECONNREFUSED, PATIENCE);
}

static void test_client_connect__a_plain_file__refused(void **state)
{
        Fixture *fixture = *state;
        int fd = open(fixture->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        (void)close(fd);
        assert_call_fails(fixture, -ECONNREFUSED, PATIENCE);
}

static int connect_without_permission(const char *path)
{
        if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
                return 1;
        return client_connect(path, client_deadline_usec(PATIENCE)) == -EACCES ? 0 : 2;
}

static void test_client_connect__no_permission__eacces(void **state)
{
        Fixture *fixture = *state;

        bind_socket(fixture);
        assert_int_equal(listen(fixture->listener, 4), 0);
        assert_int_equal(chmod(fixture->folder, 0755), 0);
        assert_int_equal(chmod(fixture->path, 0), 0);
        assert_content_in_child(connect_without_permission, fixture->path);
}

static void test_client_connect__path_empty_or_too_long__refused(void **state)
{
        char path[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1] = {};
        uint64_t deadline = client_deadline_usec(PATIENCE);

        (void)state;
        assert_int_equal(client_connect("", deadline), -EINVAL);
        memset(path, 'x', sizeof(path) - 1);
        path[0] = '/';
        assert_int_equal(client_connect(path, deadline), -ENAMETOOLONG);
        path[sizeof(path) - 2] = '\0';
        assert_int_equal(client_connect(path, deadline), -ENOENT);
}

/* Connects until the kernel says that one more would have to wait. */
static void fill_backlog(Fixture *fixture, int fds[static 8], size_t *ret_n)
{
        struct sockaddr_un address = address_of(fixture);

        for (size_t n = 0; n < 8; n++) {
                fds[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
                assert_true(fds[n] >= 0);
                if (connect(fds[n], (const struct sockaddr *)&address, sizeof(address)) == 0)
                        continue;
                assert_int_equal(errno, EAGAIN);
                *ret_n = n + 1;
                return;
        }
        fail_msg("the backlog never filled");
}

static void close_all(const int *fds, size_t n)
{
        for (size_t i = 0; i < n; i++)
                (void)close(fds[i]);
}

static void test_client_connect__backlog_stays_full__times_out(void **state)
{
        Fixture *fixture = *state;
        int fds[8];
        size_t n = 0;

        bind_socket(fixture);
        assert_int_equal(listen(fixture->listener, 0), 0);
        fill_backlog(fixture, fds, &n);
        assert_call_times_out(fixture);
        close_all(fds, n);
}

static void test_client_connect__backlog_full_for_a_while__connected(void **state)
{
        Fixture *fixture = *state;
        int fds[8], fd;
        size_t n = 0;

        bind_socket(fixture);
        assert_int_equal(listen(fixture->listener, 0), 0);
        fill_backlog(fixture, fds, &n);
        fixture->server = fork();
        assert_true(fixture->server >= 0);
        if (fixture->server == 0) {
                (void)poll(NULL, 0, (int)(SHORT / USEC_PER_MSEC));
                for (size_t i = 0; i < n; i++)
                        if (accept(fixture->listener, NULL, NULL) < 0)
                                _exit(1);
                _exit(0);
        }
        fd = client_connect(fixture->path, client_deadline_usec(PATIENCE));
        assert_true(fd >= 0);
        assert_server_content(fixture);
        (void)close(fd);
        close_all(fds, n);
}

static int connect_without_stdio(const char *path)
{
        for (int closed = 0; closed < 8; closed++) {
                int fd;

                for (int i = 0; i < 3; i++)
                        if (closed & 1 << i)
                                (void)close(i);
                fd = client_connect(path, client_deadline_usec(PATIENCE));
                if (fd < 3 || (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0)
                        return 1;
                for (int i = 0; i < 3; i++)
                        if (closed & 1 << i && fcntl(i, F_GETFD) >= 0)
                                return 2;
                (void)close(fd);
        }
        return 0;
}

static void test_client_connect__stdio_closed__descriptor_is_none_of_it(void **state)
{
        Fixture *fixture = *state;

        bind_socket(fixture);
        assert_int_equal(listen(fixture->listener, 16), 0);
        assert_content_in_child(connect_without_stdio, fixture->path);
}

static int connect_at_the_limit(const char *path)
{
        const struct rlimit none = {.rlim_cur = 3, .rlim_max = 3};
        int fd;

        if (setrlimit(RLIMIT_NOFILE, &none) < 0)
                return 1;
        fd = client_connect(path, client_deadline_usec(PATIENCE));
        if (fd != -EMFILE)
                return 2;
        /* Now a socket can be had, but no number above 2 for it. */
        (void)close(0);
        fd = client_connect(path, client_deadline_usec(PATIENCE));
        if (fd != -EINVAL && fd != -EMFILE)
                return 3;
        return fcntl(0, F_GETFD) < 0 ? 0 : 4;
}

static void test_client_connect__no_descriptors_left__refused_without_a_leak(void **state)
{
        Fixture *fixture = *state;

        bind_socket(fixture);
        assert_int_equal(listen(fixture->listener, 16), 0);
        assert_content_in_child(connect_at_the_limit, fixture->path);
}

static void socket_pair(int fds[static 2])
{
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
}

static void test_client_send__peer_closed__epipe_and_no_signal(void **state)
{
        int fds[2];

        (void)state;
        socket_pair(fds);
        (void)close(fds[1]);
        assert_int_equal(client_send(fds[0], "text", 4, client_deadline_usec(PATIENCE)), -EPIPE);
        (void)close(fds[0]);
}

static void test_client_send__not_one_message__refused(void **state)
{
        uint64_t deadline = client_deadline_usec(PATIENCE);
        char byte;
        int fds[2];

        (void)state;
        socket_pair(fds);
        assert_int_equal(client_send(fds[0], "te\0t", 4, deadline), -EINVAL);
        assert_int_equal(client_send(fds[0], "text", 3, deadline), -EINVAL);
        assert_true(recv(fds[1], &byte, 1, MSG_DONTWAIT) < 0);
        assert_int_equal(client_send(fds[0], "", 0, deadline), 0);
        assert_int_equal(recv(fds[1], &byte, 1, MSG_DONTWAIT), 1);
        close_all(fds, 2);
}

static void test_client_send__nobody_reads__times_out(void **state)
{
        AUTO_FREE char *text = calloc(1, LARGE + 1);
        uint64_t deadline = client_deadline_usec(SHORT);
        int fds[2];

        (void)state;
        assert_non_null(text);
        memset(text, 'x', LARGE);
        socket_pair(fds);
        assert_int_equal(client_send(fds[0], text, LARGE, deadline), -ETIMEDOUT);
        assert_passed_lately(deadline);
        close_all(fds, 2);
}

static int serve_large(int fd)
{
        AUTO_FREE char *text = calloc(1, LARGE + 1);
        ssize_t n;

        if (!text)
                return 1;
        n = recv(fd, text, LARGE + 1, MSG_WAITALL);
        return n == (ssize_t)LARGE + 1 && strlen(text) == LARGE ? put(fd, text, LARGE + 1) : 2;
}

static void test_client_call__a_mebibyte_each_way__whole(void **state)
{
        Fixture *fixture = *state;
        CLEANUP(frame_done) Frame frame;
        AUTO_FREE char *question = calloc(1, LARGE + 1);
        char *text;
        size_t len;

        assert_non_null(question);
        for (size_t i = 0; i < LARGE; i++)
                question[i] = (char)('a' + i % 26);
        frame_init(&frame, LARGE);
        start_server(fixture, serve_large);
        assert_int_equal(client_call(fixture->path, question, LARGE, client_deadline_usec(PATIENCE),
                                     &frame, &text, &len),
                         0);
        assert_int_equal(len, LARGE);
        assert_memory_equal(text, question, LARGE + 1);
        assert_server_content(fixture);
}

static void test_client_receive__two_at_once__one_after_the_other(void **state)
{
        CLEANUP(frame_done) Frame frame;
        uint64_t deadline = client_deadline_usec(PATIENCE);
        char *text;
        size_t len;
        int fds[2];

        (void)state;
        frame_init(&frame, MAX);
        socket_pair(fds);
        assert_int_equal(put(fds[1], "one\0two", 8), 0);
        (void)close(fds[1]);
        assert_int_equal(client_receive(fds[0], &frame, deadline, &text, &len), 0);
        assert_string_equal(text, "one");
        assert_int_equal(client_receive(fds[0], &frame, deadline, &text, &len), 0);
        assert_string_equal(text, "two");
        assert_int_equal(client_receive(fds[0], &frame, deadline, &text, &len), -ECONNRESET);
        (void)close(fds[0]);
}

static void test_client_receive__descriptor_closed__ebadf(void **state)
{
        CLEANUP(frame_done) Frame frame;
        uint64_t deadline = client_deadline_usec(PATIENCE);
        char *text;
        size_t len;
        int fds[2];

        (void)state;
        frame_init(&frame, MAX);
        socket_pair(fds);
        close_all(fds, 2);
        assert_int_equal(client_receive(fds[0], &frame, deadline, &text, &len), -EBADF);
}

static void on_alarm(int number)
{
        (void)number;
}

/* The host's own signals, without SA_RESTART, neither end a wait nor prolong it. */
static int call_under_signals(const char *path)
{
        const struct sigaction action = {.sa_handler = on_alarm};
        const struct itimerval often = {.it_interval.tv_usec = 1000, .it_value.tv_usec = 1000};
        uint64_t deadline = client_deadline_usec(SHORT);
        CLEANUP(frame_done) Frame frame;
        char *text;
        size_t len;

        frame_init(&frame, MAX);
        if (sigaction(SIGALRM, &action, NULL) < 0 || setitimer(ITIMER_REAL, &often, NULL) < 0)
                return 1;
        if (client_call(path, "question", 8, deadline, &frame, &text, &len) != -ETIMEDOUT)
                return 2;
        return client_deadline_usec(0) - deadline < PATIENCE ? 0 : 3;
}

static void test_client_call__signals_all_the_time__times_out(void **state)
{
        Fixture *fixture = *state;

        bind_socket(fixture);
        assert_int_equal(listen(fixture->listener, 4), 0);
        assert_content_in_child(call_under_signals, fixture->path);
}

static void test_client_connect__signals_and_full_backlog__times_out(void **state)
{
        Fixture *fixture = *state;
        int fds[8];
        size_t n = 0;

        bind_socket(fixture);
        assert_int_equal(listen(fixture->listener, 0), 0);
        fill_backlog(fixture, fds, &n);
        assert_content_in_child(call_under_signals, fixture->path);
        close_all(fds, n);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_client_deadline__lengths__added_and_saturated),
                TEST(test_client_call__answer__returned_and_closed),
                TEST(test_client_call__answer_byte_by_byte__returned),
                TEST(test_client_call__answer_and_close_at_once__returned),
                TEST(test_client_call__closed_without_answer__reset),
                TEST(test_client_call__closed_within_answer__reset),
                TEST(test_client_call__garbage_without_end__too_long),
                TEST(test_client_call__never_answered__times_out),
                TEST(test_client_call__drop_after_drop__times_out),
                TEST(test_client_call__deadline_over__times_out),
                TEST(test_client_call__nobody_accepts__times_out),
                TEST(test_client_call__a_mebibyte_each_way__whole),
                TEST(test_client_call__signals_all_the_time__times_out),
                TEST(test_client_connect__no_socket__enoent),
                TEST(test_client_connect__nobody_listens__refused),
                TEST(test_client_connect__a_plain_file__refused),
                TEST(test_client_connect__no_permission__eacces),
                TEST(test_client_connect__path_empty_or_too_long__refused),
                TEST(test_client_connect__backlog_stays_full__times_out),
                TEST(test_client_connect__backlog_full_for_a_while__connected),
                TEST(test_client_connect__signals_and_full_backlog__times_out),
                TEST(test_client_connect__stdio_closed__descriptor_is_none_of_it),
                TEST(test_client_connect__no_descriptors_left__refused_without_a_leak),
                TEST(test_client_send__peer_closed__epipe_and_no_signal),
                TEST(test_client_send__not_one_message__refused),
                TEST(test_client_send__nobody_reads__times_out),
                TEST(test_client_receive__two_at_once__one_after_the_other),
                TEST(test_client_receive__descriptor_closed__ebadf),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Host programs with habits of their own: SIGCHLD ignored, many threads, no standard descriptors, a hostile
 * environment, the module loaded and unloaded for ever. A login through them is what it is elsewhere, and the
 * host is as it was. credd gives each token a login and a credential of its own here, so that whoever got
 * another's is found out. */
#include "tests/fault/journey.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>

#define THREADS 64
#define LOADS   10000
#define LEAK    (1024L * 1024)

#define LINES                                                                                      \
        "auth required % min_uid=0 timeout=120s\naccount required % min_uid=0 timeout=120s\n"      \
        "session required % min_uid=0 timeout=120s\n"

/* --- a credd that knows its people apart --- */

static const char *behind(const char *text, const char *mark)
{
        const char *at = strstr(text, mark);

        return at ? at + strlen(mark) : NULL;
}

static void answer(int fd, const char *call)
{
        const char *token = behind(call, "\"token\":\"eph_"),
                   *login = behind(call, "\"login\":\"n-");
        char reply[512] = REFUSED;

        if (token)
                (void)snprintf(reply, sizeof(reply),
                               "{\"parameters\":{\"login\":\"n-%.8s\",\"credential\":\"%.8s\","
                               "\"left_usec\":3600000000}}",
                               token, token);
        else if (login && strstr(call, "OpenSession"))
                (void)snprintf(reply, sizeof(reply),
                               "{\"parameters\":{\"credential\":\"%.8s\",\"deadline\":" DEADLINE
                               ",\"ceiling\":" DEADLINE
                               ",\"left_usec\":3600000000,\"backstop_usec\":3600000000}}",
                               login);
        (void)fake_send(fd, reply, strlen(reply) + 1);
}

static void serve(int listener)
{
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
                int fd = accept(listener, NULL, NULL);
                char call[4096] = "";

                if (fd < 0)
                        _exit(1);
                if (fake_read(fd, call, sizeof(call)))
                        answer(fd, call);
                (void)close(fd);
        }
}

/* --- a login that shares nothing --- */

typedef struct Visitor {
        const char *folder, *user;
        char token[TOKEN_TEXT_LEN + 1];
        char told[256];
        char report[512]; /* of everything that came of it, but for what was told */
} Visitor;

static int on_visitor(int count, const struct pam_message **messages,
                      struct pam_response **ret_responses, void *data)
{
        Visitor *visitor = data;

        *ret_responses = calloc((size_t)count, sizeof(**ret_responses));
        if (!*ret_responses)
                return PAM_BUF_ERR;
        for (int i = 0; i < count; i++)
                if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF)
                        (*ret_responses)[i].resp = strdup(visitor->token);
                else
                        (void)snprintf(visitor->told, sizeof(visitor->told), "%s",
                                       messages[i]->msg);
        return PAM_SUCCESS;
}

static const char *variable(pam_handle_t *pamh, const char *name)
{
        const char *value = pam_getenv(pamh, name);

        return value ? value : "-";
}

static void visit(Visitor *visitor)
{
        struct pam_conv conversation = {.conv = on_visitor, .appdata_ptr = visitor};
        pam_handle_t *pamh = NULL;
        int start, auth, account, setcred, open, close;

        start = pam_start_confdir("sshd", visitor->user, &conversation, visitor->folder, &pamh);
        if (start != PAM_SUCCESS) {
                (void)snprintf(visitor->report, sizeof(visitor->report), "start %d", start);
                return;
        }
        auth = pam_authenticate(pamh, 0);
        account = pam_acct_mgmt(pamh, 0);
        setcred = pam_setcred(pamh, PAM_ESTABLISH_CRED);
        open = pam_open_session(pamh, 0);
        close = pam_close_session(pamh, 0);
        (void)snprintf(visitor->report, sizeof(visitor->report),
                       "auth %d, account %d, setcred %d, open %d, close %d, %s until %s, nonce %s",
                       auth, account, setcred, open, close, variable(pamh, "CREDD_CREDENTIAL"),
                       variable(pamh, "CREDD_EXPIRES"), variable(pamh, "CREDD_LOGIN"));
        (void)pam_end(pamh, PAM_SUCCESS);
}

static void visitor_init(Visitor *visitor, const Stage *s, unsigned number)
{
        uint8_t random[TOKEN_RANDOM_LEN];
        Token token;

        for (size_t i = 0; i < sizeof(random); i++)
                random[i] = (uint8_t)(number * 31 + i * 7 + (i == 0 ? number / 8 : 0));
        token_from_random(random, &token);
        *visitor = (Visitor){.folder = s->folder, .user = s->user};
        token_format(&token, visitor->token);
}

static void say_report(const char *id, char *ret_report, size_t size)
{
        (void)snprintf(ret_report, size,
                       "auth 0, account 0, setcred 0, open 0, close 0, %.8s until "
                       "2026-11-22T20:30:00Z, nonce -",
                       id);
}

static void assert_in(const Visitor *visitor)
{
        char expected[512];

        say_report(visitor->token + 4, expected, sizeof(expected));
        assert_string_equal(visitor->report, expected);
        assert_memory_equal(visitor->told, "Access ends at ", 15);
}

/* In a process of its own, which does first what such hosts do. 0: he is in, and nothing else changed. */
static int in_child(Stage *s, int (*live)(Visitor *visitor))
{
        Visitor visitor;
        int status = -1;
        pid_t child;

        visitor_init(&visitor, s, 1);
        child = fork();
        assert_true(child >= 0);
        if (child == 0)
                _exit(live(&visitor));
        assert_int_equal(waitpid(child, &status, 0), child);
        return status;
}

static bool is_in(const Visitor *visitor)
{
        char expected[512];

        say_report(visitor->token + 4, expected, sizeof(expected));
        return strcmp(visitor->report, expected) == 0;
}

/* --- signals --- */

static int with_children_ignored(Visitor *visitor)
{
        struct sigaction now;

        (void)signal(SIGCHLD, SIG_IGN);
        (void)signal(SIGPIPE, SIG_DFL);
        visit(visitor);
        if (sigaction(SIGCHLD, NULL, &now) < 0 || now.sa_handler != SIG_IGN)
                return 2;
        if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
                return 3;
        return is_in(visitor) ? 0 : 1;
}

static void test_hosts__sigchld_ignored__in_and_still_ignored(void **state)
{
        assert_int_equal(in_child(*state, with_children_ignored), 0);
}

static int with_all_blocked(Visitor *visitor)
{
        sigset_t all, now;

        (void)sigfillset(&all);
        (void)sigprocmask(SIG_SETMASK, &all, NULL);
        visit(visitor);
        (void)sigprocmask(SIG_SETMASK, NULL, &now);
        for (int i = 1; i < 32; i++)
                if (i != SIGKILL && i != SIGSTOP && sigismember(&now, i) != 1)
                        return 2;
        return is_in(visitor) ? 0 : 1;
}

static void test_hosts__all_signals_blocked__in_and_still_blocked(void **state)
{
        assert_int_equal(in_child(*state, with_all_blocked), 0);
}

/* --- descriptors --- */

static int with_descriptors_closed(Visitor *visitor)
{
        (void)close(STDIN_FILENO);
        (void)close(STDOUT_FILENO);
        (void)close(STDERR_FILENO);
        visit(visitor);
        for (int fd = 0; fd < 3; fd++)
                if (fcntl(fd, F_GETFD) >= 0)
                        return 2;
        return is_in(visitor) ? 0 : 1;
}

static void test_hosts__descriptors_0_to_2_closed__in_and_still_closed(void **state)
{
        assert_int_equal(in_child(*state, with_descriptors_closed), 0);
}

/* --- threads --- */

typedef struct Crowd {
        pthread_barrier_t together;
        Visitor visitors[THREADS];
        unsigned rounds;
} Crowd;

typedef struct Place {
        Crowd *crowd;
        Visitor *visitor;
        unsigned failed;
} Place;

static void *live_in_thread(void *data)
{
        Place *place = data;

        for (unsigned i = 0; i < place->crowd->rounds; i++) {
                (void)pthread_barrier_wait(&place->crowd->together);
                visit(place->visitor);
                place->failed += !is_in(place->visitor);
        }
        return NULL;
}

static void test_hosts__sixty_four_threads_at_once__each_in_by_its_own_credential(void **state)
{
        Stage *s = *state;
        Crowd *crowd = calloc(1, sizeof(*crowd));
        Place places[THREADS];
        pthread_t threads[THREADS];
        unsigned descriptors = count_descriptors();

        assert_non_null(crowd);
        crowd->rounds = journey_is_short() ? 2 : 10;
        assert_int_equal(pthread_barrier_init(&crowd->together, NULL, THREADS), 0);
        for (unsigned i = 0; i < THREADS; i++) {
                visitor_init(&crowd->visitors[i], s, i);
                places[i] = (Place){.crowd = crowd, .visitor = &crowd->visitors[i]};
        }
        for (unsigned i = 0; i < THREADS; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, live_in_thread, &places[i]), 0);
        for (unsigned i = 0; i < THREADS; i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);
        for (unsigned i = 0; i < THREADS; i++) {
                assert_in(&crowd->visitors[i]);
                assert_int_equal(places[i].failed, 0);
        }
        assert_int_equal(count_descriptors(), descriptors);
        (void)pthread_barrier_destroy(&crowd->together);
        free(crowd);
}

/* --- environment --- */

#define LONG_NAME                                                                                  \
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
        "AAAA"                                                                                     \
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
        "AAAA"

static const char *const in_none[] = {NULL};
static const char *const in_loader[] = {"LD_LIBRARY_PATH=/nonexistent:.:/tmp",
                                        "LD_PRELOAD=/nonexistent/lib.so",
                                        "LD_BIND_NOW=",
                                        "LD_ORIGIN_PATH=/tmp",
                                        "MALLOC_PERTURB_=165",
                                        "MALLOC_CHECK_=3",
                                        "GLIBC_TUNABLES=glibc.malloc.perturb=165",
                                        NULL};
static const char *const in_ours[] = {"CREDD_LOGIN=n-planted0",
                                      "CREDD_CREDENTIAL=planted0",
                                      "CREDD_EXPIRES=never",
                                      "CREDD_SOCKET=/tmp/evil",
                                      "SOCKET=/tmp/evil",
                                      "TIMEOUT=1",
                                      NULL};
static const char *const in_places[] = {"TMPDIR=/nonexistent",
                                        "HOME=/proc/1/root",
                                        "PWD=/",
                                        "PATH=",
                                        "XDG_RUNTIME_DIR=.",
                                        "IFS=x",
                                        NULL};
static const char *const in_language[] = {"LC_ALL=xx_YY.garbage%n%s",
                                          "LANG=../../../etc/passwd",
                                          "LANGUAGE=" LONG_NAME,
                                          "LOCPATH=/tmp",
                                          "NLSPATH=%N:%s",
                                          "GCONV_PATH=/tmp",
                                          NULL};
static const char *const in_utf8[] = {"LC_ALL=C.UTF-8", "TZ=Pacific/Chatham", NULL};
static const char *const in_zone_path[] = {"TZ=:/etc/passwd", "TZDIR=/proc/self", NULL};
static const char *const in_zone_format[] = {"TZ=<%n%s\x1b[31m>-99:99:99", NULL};
static const char *const in_zone_long[] = {"TZ=" LONG_NAME LONG_NAME "-24", NULL};
static const char *const in_resolver[] = {"HOSTALIASES=/etc/shadow", "RES_OPTIONS=attempts:99999",
                                          "LOCALDOMAIN=" LONG_NAME,  "NOTIFY_SOCKET=/tmp/evil",
                                          "JOURNAL_STREAM=1:1",      NULL};

static const char *const *const environments[] = {
        in_none, in_loader,    in_ours,        in_places,    in_language,
        in_utf8, in_zone_path, in_zone_format, in_zone_long, in_resolver};

/* This program again, in that environment: says what came of a login, and what was told. */
static int live_alone(char **arguments)
{
        Visitor visitor = {.folder = arguments[0], .user = arguments[1]};

        (void)snprintf(visitor.token, sizeof(visitor.token), "%s", arguments[2]);
        (void)setlocale(LC_ALL, "");
        visit(&visitor);
        return printf("%s\n%s\n", visitor.report, visitor.told) > 0 && fflush(stdout) == 0 ? 0 : 1;
}

static void read_all(int fd, char *ret_text, size_t size)
{
        size_t len = 0;
        ssize_t n = 1;

        while (n > 0 && len < size - 1) {
                n = read(fd, ret_text + len, size - 1 - len);
                len += n > 0 ? (size_t)n : 0;
        }
        ret_text[len] = '\0';
}

static void run_alone(const Visitor *visitor, const char *const *environment, char *ret_said,
                      size_t size)
{
        int pipe_fds[2], status = -1;
        pid_t child;

        assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
                const char *const arguments[] = {"host",        "login",        visitor->folder,
                                                 visitor->user, visitor->token, NULL};

                (void)dup2(pipe_fds[1], STDOUT_FILENO);
                (void)close(STDERR_FILENO); /* the loader complains of what it was told to load */
                (void)execve("/proc/self/exe", (char *const *)(uintptr_t)arguments,
                             (char *const *)(uintptr_t)environment);
                _exit(99);
        }
        (void)close(pipe_fds[1]);
        read_all(pipe_fds[0], ret_said, size);
        (void)close(pipe_fds[0]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
}

static void assert_plain(const char *text)
{
        for (; *text; text++)
                assert_true((*text >= ' ' && *text < 0x7f) || *text == '\n');
}

static void test_hosts__hostile_environment__same_login_and_plain_words(void **state)
{
        Stage *s = *state;
        Visitor visitor;
        char expected[512], said[1024];

        visitor_init(&visitor, s, 5);
        say_report(visitor.token + 4, expected, sizeof(expected));
        for (size_t i = 0; i < ELEMENTSOF(environments); i++) {
                run_alone(&visitor, environments[i], said, sizeof(said));
                assert_memory_equal(said, expected, strlen(expected));
                assert_plain(said);
                assert_non_null(strstr(said, "\nAccess ends at "));
                assert_non_null(strstr(said, "; the session is closed then.\n"));
                assert_true(strlen(strstr(said, "\nAccess")) < 160);
        }
}

/* --- loading --- */

typedef struct Size {
        long resident;
        unsigned mappings, descriptors;
} Size;

static Size size_now(void)
{
        Size size = {.descriptors = count_descriptors()};
        FILE *f = fopen("/proc/self/statm", "re");
        int c;

        assert_non_null(f);
        assert_int_equal(fscanf(f, "%*d %ld", &size.resident), 1);
        (void)fclose(f);
        size.resident *= sysconf(_SC_PAGESIZE);
        f = fopen("/proc/self/maps", "re");
        assert_non_null(f);
        while ((c = fgetc(f)) != EOF)
                size.mappings += c == '\n';
        (void)fclose(f);
        return size;
}

static void assert_no_larger(Size before, Size after)
{
        assert_int_equal(after.descriptors, before.descriptors);
        assert_in_range(after.mappings, 1, before.mappings + 2);
        if (after.resident > before.resident + LEAK)
                fail_msg("%ld bytes more", after.resident - before.resident);
}

static void load_and_unload(unsigned times)
{
        const char *module = getenv("MODULE");

        for (unsigned i = 0; i < times; i++) {
                void *handle = dlopen(module, RTLD_NOW);

                assert_non_null(handle);
                assert_non_null(dlsym(handle, "pam_sm_authenticate"));
                assert_int_equal(dlclose(handle), 0);
        }
        assert_null(dlopen(module, RTLD_NOW | RTLD_NOLOAD));
}

static void test_hosts__ten_thousand_loads__nothing_left(void **state)
{
        Size before;

        (void)state;
        load_and_unload(200);
        before = size_now();
        load_and_unload(LOADS);
        assert_no_larger(before, size_now());
}

static void test_hosts__login_after_login_on_new_handles__nothing_left(void **state)
{
        const unsigned times = journey_is_short() ? 300 : 5000;
        Visitor visitor;
        Size before;

        visitor_init(&visitor, *state, 9);
        for (unsigned i = 0; i < 100; i++)
                visit(&visitor);
        before = size_now();
        for (unsigned i = 0; i < times; i++) {
                visit(&visitor);
                assert_in(&visitor);
        }
        assert_no_larger(before, size_now());
}

/* --- set up and take down --- */

static int hosts_setup(void **state)
{
        Stage *s;
        int listener;

        assert_int_equal(stage_setup(state), 0);
        s = *state;
        stage_stack(s, "sshd", LINES);
        listener = fake_listen(&s->credd);
        s->credd.pid = fork();
        assert_true(s->credd.pid >= 0);
        if (s->credd.pid == 0)
                serve(listener);
        (void)close(listener);
        return 0;
}

#define HOSTS_TEST(f) cmocka_unit_test_setup_teardown(f, hosts_setup, stage_teardown)

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                HOSTS_TEST(test_hosts__sigchld_ignored__in_and_still_ignored),
                HOSTS_TEST(test_hosts__all_signals_blocked__in_and_still_blocked),
                HOSTS_TEST(test_hosts__descriptors_0_to_2_closed__in_and_still_closed),
                HOSTS_TEST(test_hosts__sixty_four_threads_at_once__each_in_by_its_own_credential),
                HOSTS_TEST(test_hosts__hostile_environment__same_login_and_plain_words),
                HOSTS_TEST(test_hosts__ten_thousand_loads__nothing_left),
                HOSTS_TEST(test_hosts__login_after_login_on_new_handles__nothing_left),
        };

        if (argc == 5 && strcmp(argv[1], "login") == 0)
                return live_alone(argv + 2);
        return cmocka_run_group_tests_name("hosts", tests, NULL, NULL);
}

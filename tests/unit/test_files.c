/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who has how many open files, and what is left when others have taken theirs. */
#include "tests/unit/login_rig.h"

#include <sys/resource.h>

#include "credd/files.h"
#include "credd/session-internal.h"

#define SPARE 16 /* nobody's */

static const char status_call[] = "{\"method\":\"io.credd.Admin.Status\"}";

static void set_limit(rlim_t files)
{
        struct rlimit limit;

        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        limit.rlim_cur = files;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static int lowest_free(void)
{
        AUTO_CLOSE int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

        return fd;
}

static int setup(void **state)
{
        struct rlimit *before = malloc(sizeof(*before));

        assert_non_null(before);
        assert_int_equal(close_range(3, ~0U, 0), 0); /* whatever the test was started with */
        assert_int_equal(getrlimit(RLIMIT_NOFILE, before), 0);
        *state = before;
        return 0;
}

static int teardown(void **state)
{
        assert_int_equal(setrlimit(RLIMIT_NOFILE, *state), 0);
        free(*state);
        return 0;
}

/* --- shares --- */

/* As server.c asks for connections. */
static void test_files__any_limit__shares_and_what_is_set_apart_fit_into_it(void **state)
{
        static const rlim_t limits[] = {16384, 8192, 4096, 1024, 512, 256, 128};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(limits); i++) {
                unsigned sum;

                set_limit(limits[i]);
                sum = files_for_connections(2048) + files_for_connections(512) +
                      files_for_sessions();
                assert_true(sum <= files_to_share());
                assert_true(files_to_share() + SPARE < limits[i]);
        }
}

static void test_files__limit_of_the_unit__places_as_they_are_named(void **state)
{
        static const rlim_t limits[] = {16384, 20000};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(limits); i++) {
                set_limit(limits[i]);
                assert_int_equal(files_for_connections(2048), 2048);
                assert_int_equal(files_for_connections(512), 512);
                assert_int_equal(files_for_sessions(), 12252);
        }
}

static void test_files__hardly_any__a_few_places_and_nothing_to_share(void **state)
{
        (void)state;
        set_limit(40);
        assert_int_equal(files_to_share(), 0);
        assert_int_equal(files_for_connections(2048), 5);
        assert_int_equal(files_for_connections(512), 4);
        assert_int_equal(files_for_sessions(), 4);
}

static void test_files__taken_one_by_one__left_until_those_set_apart(void **state)
{
        int taken[64], base = lowest_free();
        size_t n = 0;

        (void)state;
        set_limit((rlim_t)base + SPARE + 5);
        for (; files_left(STDERR_FILENO); n++) {
                assert_true(n < ELEMENTSOF(taken));
                taken[n] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
                assert_true(taken[n] >= 0);
        }
        assert_int_equal(n, 5);
        for (; n < 5 + SPARE; n++) {
                taken[n] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
                assert_true(taken[n] >= 0);
                assert_false(files_left(STDERR_FILENO));
        }
        assert_int_equal(lowest_free(), -1);
        assert_false(files_left(STDERR_FILENO));
        while (n > 0)
                (void)close(taken[--n]);
        assert_true(files_left(STDERR_FILENO));
}

/* --- the daemon --- */

/* The clients' own descriptors come first: they are in this process, too. */
static void
test_server__no_descriptor_for_all__some_stay_free_and_who_waits_has_his_turn(void **state)
{
        static const unsigned n_clients = 6, n_at_once = 2;
        struct rlimit before;
        Rig *rig = *state;
        int clients[6], fillers[64], base;
        size_t n_fillers = 0;
        unsigned answered = 0;

        need_root();
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        rig_stop(rig);
        assert_int_equal(close_range(3, ~0U, 0), 0);
        set_limit(48); /* nothing to share: each has to look */
        assert_int_equal(rig_start(rig), 0);
        for (unsigned i = 0; i < n_clients; i++) {
                clients[i] = rig_connect(rig->admin);
                rig_send(clients[i], status_call, sizeof(status_call));
        }
        base = 48 - SPARE - (int)n_at_once;
        for (assert_true(lowest_free() <= base); lowest_free() < base; n_fillers++)
                fillers[n_fillers] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
        rig_settle(rig);
        assert_int_equal(lowest_free(), base + (int)n_at_once);
        for (unsigned i = 0; i < n_clients; i++) {
                struct pollfd ready = {.fd = clients[i], .events = POLLIN};

                answered += poll(&ready, 1, 0) > 0;
        }
        assert_int_equal(answered, n_at_once);
        /* one goes, and the next is served in the place of that */
        for (unsigned i = 0; i < n_clients; i++) {
                AUTO_FREE char *text = rig_receive(rig, clients[i]);

                assert_non_null(text);
                assert_true(lowest_free() <= base + (int)n_at_once);
                (void)close(clients[i]);
        }
        while (n_fillers > 0)
                (void)close(fillers[--n_fillers]);
        rig_stop(rig);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(rig_start(rig), 0);
}

static void
test_login__as_many_sessions_as_can_be_watched__refused_and_no_use_is_spent(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = NULL, *first = NULL, *second = NULL;
        CLEANUP(person_free) Person inside = NO_PERSON, late = NO_PERSON;
        AUTO_FREE char *text = NULL;
        json_auto_t *refused = NULL;
        AUTO_CREDENTIAL Credential c = {0};

        need_root();
        token = issue(rig, json_pack("{si}", "uses", 4), id);
        first = log_in(rig, token);
        second = log_in(rig, token);
        inside = open_session(rig, first);
        rig->manager->sessions->room = 1;
        refused = authenticate(rig, token);
        assert_error(refused, "io.credd.Login.Refused", NULL, NULL);
        c = find(rig, id);
        assert_int_equal(c.uses_left, 2);
        /* who was accepted before is refused his session, and does not go on without it */
        late = person_new(rig->login, 0, "io.credd.Login.OpenSession", question("login", second));
        text = person_reply(rig, &late);
        assert_non_null(text);
        assert_non_null(strstr(text, "Refused"));
        for (unsigned waited = 0; sessions_live(rig->manager->sessions) > 1; waited += 5) {
                assert_true(waited < PATIENCE_MS);
                rig_turn(rig);
        }
        assert_true(WIFSIGNALED(person_wait(&late)));
        free(first);
        rig->manager->sessions->room = 2;
        first = log_in(rig, token);
}

int main(void)
{
#define F(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
        const struct CMUnitTest tests[] = {
                F(test_files__any_limit__shares_and_what_is_set_apart_fit_into_it),
                F(test_files__limit_of_the_unit__places_as_they_are_named),
                F(test_files__hardly_any__a_few_places_and_nothing_to_share),
                F(test_files__taken_one_by_one__left_until_those_set_apart),
                T(test_server__no_descriptor_for_all__some_stay_free_and_who_waits_has_his_turn),
                T(test_login__as_many_sessions_as_can_be_watched__refused_and_no_use_is_spent),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

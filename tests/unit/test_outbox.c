/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The journal's end is a socket of the test's, and the daemon a process that is killed: what is committed
 * comes at least once, and what comes is in the store. */
#include "tests/unit/manager_rig.h"

#include <sys/prctl.h>

#include "credd/digest.h"

#define KILLS    200
#define BURST    10000
#define SEEN_MAX 20000
#define ENTRY    (64 * 1024)

#define BOOT       "11111111111111111111111111111111"
#define BOOT_LATER "22222222222222222222222222222222"

/* What came, by number: the hash it came with, and how often. */
typedef struct Witness {
        char folder[64], state[96], path[96];
        int fd;
        char hash[SEEN_MAX][HEX_LEN(HASH_LEN)];
        unsigned times[SEEN_MAX];
        unsigned entries;
} Witness;

static int witness_setup(void **state)
{
        Witness *witness = calloc(1, sizeof(*witness));
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        char *folder = scratch_new();

        assert_non_null(witness);
        assert_int_equal(setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1), 0);
        (void)snprintf(witness->folder, sizeof(witness->folder), "%s", folder);
        free(folder);
        (void)snprintf(witness->state, sizeof(witness->state), "%s/state", witness->folder);
        (void)snprintf(witness->path, sizeof(witness->path), "%s/journal", witness->folder);
        assert_int_equal(mkdir(witness->state, 0700), 0);
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", witness->path);
        witness->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(witness->fd >= 0);
        assert_int_equal(bind(witness->fd, (struct sockaddr *)&address, sizeof(address)), 0);
        *state = witness;
        return 0;
}

static int witness_teardown(void **state)
{
        Witness *witness = *state;

        (void)close(witness->fd);
        scratch_free(strdup(witness->folder));
        free(witness);
        return 0;
}

static void field_of(const char *entry, const char *name, char *ret_value, size_t size)
{
        const char *at = strstr(entry, name);

        assert_non_null(at);
        at += strlen(name);
        (void)snprintf(ret_value, size, "%.*s", (int)strcspn(at, "\n"), at);
}

/* At most n of those that wait; a number that comes again comes with the same hash. */
static void read_entries(Witness *witness, unsigned n)
{
        static char entry[ENTRY + 1];
        char number[24], hash[HEX_LEN(HASH_LEN)];
        ssize_t len;

        for (; n > 0 && (len = recv(witness->fd, entry, ENTRY, 0)) > 0; n--) {
                unsigned long seq;

                entry[len] = '\0';
                field_of(entry, "CREDD_SEQ=", number, sizeof(number));
                field_of(entry, "CREDD_HASH=", hash, sizeof(hash));
                seq = strtoul(number, NULL, 10);
                assert_true(seq > 0 && seq < SEEN_MAX);
                if (witness->times[seq]++ > 0)
                        assert_string_equal(witness->hash[seq], hash);
                memcpy(witness->hash[seq], hash, sizeof(hash));
                witness->entries++;
        }
}

/* In a process of its own from here on. */
static Manager *start_in_boot(const Witness *witness, const char *boot_id)
{
        Paths paths = {.state = witness->state, .config = "/nonexistent/credd.conf"};
        Manager *manager = NULL;
        Clock clock;

        clock_init_system(&clock);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (manager_new_in(&paths, &clock, boot_id, &manager) < 0)
                _exit(1);
        manager->outbox = outbox_free(manager->outbox);
        if (outbox_new(manager, witness->path, &manager->outbox) < 0)
                _exit(1);
        return manager;
}

static Manager *start_daemon(const Witness *witness)
{
        return start_in_boot(witness, BOOT);
}

static void happen(Manager *manager, unsigned n)
{
        for (unsigned i = 0; i < n; i++)
                if (batch_enter(manager->batch) < 0 ||
                    batch_leave(manager->batch, event_daemon_started(&manager->events, i)) < 0)
                        _exit(1);
        if (batch_commit(manager->batch) < 0)
                _exit(1);
}

/* Commits, lets the loop turn so often, and dies: before the journal hears of it, or amid that, or when
 * it goes on to the next. */
static void live_and_die(const Witness *witness, unsigned round)
{
        Manager *manager = start_daemon(witness);

        happen(manager, 1 + round % 90);
        for (unsigned turns = round % 4; turns > 0; turns--)
                (void)sd_event_run(manager->event, 0);
        if (round % 3 == 0)
                happen(manager, 1 + round % 7);
        (void)raise(SIGKILL);
}

static void tell_all(Manager *manager)
{
        while (outbox_behind(manager->outbox) > 0)
                if (sd_event_run(manager->event, USEC_PER_SEC) < 0)
                        _exit(1);
}

static void live_in_peace(const Witness *witness, unsigned n)
{
        Manager *manager = start_daemon(witness);

        for (unsigned done = 0; done < n; done += 50)
                happen(manager, 50);
        tell_all(manager);
        _exit(manager_free(manager) ? 1 : 0);
}

/* All is told and noted; then the power goes, or credd is stopped first. */
static void live_in_boot(const Witness *witness, const char *boot_id, bool stop)
{
        Manager *manager = start_in_boot(witness, boot_id);

        happen(manager, 70);
        tell_all(manager);
        happen(manager, 1);
        if (stop && (batch_enter(manager->batch) < 0 ||
                     batch_leave(manager->batch, event_daemon_stopped(&manager->events)) < 0 ||
                     batch_commit(manager->batch) < 0))
                _exit(1);
        tell_all(manager);
        if (stop)
                _exit(manager_free(manager) ? 1 : 0);
        (void)raise(SIGKILL);
}

static int wait_for(pid_t pid, Witness *witness, unsigned at_once)
{
        int status;

        while (waitpid(pid, &status, WNOHANG) == 0) {
                read_entries(witness, at_once);
                (void)poll(NULL, 0, 1);
        }
        read_entries(witness, UINT32_MAX);
        return status;
}

/* Each row came, with its hash; and nothing came that is no row. */
static unsigned compare(Witness *witness)
{
        Clock clock;
        CLEANUP(store_closep) Store *store = NULL;
        unsigned rows = 0;
        int64_t seq = 0;

        clock_init_system(&clock);
        assert_int_equal(
                store_open(witness->state, "11111111111111111111111111111111", &clock, &store), 0);
        for (;;) {
                CLEANUP(event_row_done) EventRow row = {0};
                char hash[HEX_LEN(HASH_LEN)];

                if (store_next_event(store, seq, &row) <= 0)
                        break;
                seq = row.seq;
                rows++;
                if (witness->times[seq] == 0)
                        fail_msg("event %d never came", (int)seq);
                digest_hex(row.hash, HASH_LEN, hash);
                assert_string_equal(witness->hash[seq], hash);
        }
        for (unsigned i = 0; i < SEEN_MAX; i++)
                if (witness->times[i] > 0 && (i == 0 || i > seq))
                        fail_msg("entry %u is no row", i);
        assert_int_equal(rows, seq);
        return rows;
}

static pid_t fork_daemon(void)
{
        pid_t pid = fork();

        assert_true(pid >= 0);
        return pid;
}

static void test_outbox__killed_between_commit_and_journal__all_comes(void **state)
{
        Witness *witness = *state;
        unsigned rows;
        pid_t pid;

        for (unsigned round = 0; round < KILLS; round++) {
                pid = fork_daemon();
                if (pid == 0)
                        live_and_die(witness, round);
                assert_int_equal(WTERMSIG(wait_for(pid, witness, UINT32_MAX)), SIGKILL);
        }
        pid = fork_daemon();
        if (pid == 0)
                live_in_peace(witness, 50);
        assert_int_equal(wait_for(pid, witness, UINT32_MAX), 0);
        rows = compare(witness);
        assert_true(witness->entries > rows); /* some came twice, or nobody was killed in time */
        print_message("%d kills, %u rows, %u entries\n", KILLS, rows, witness->entries);
}

/* A journald that is slower than what happens. */
static void test_outbox__a_burst__all_comes_once(void **state)
{
        Witness *witness = *state;
        pid_t pid = fork_daemon();

        if (pid == 0)
                live_in_peace(witness, BURST);
        assert_int_equal(wait_for(pid, witness, 20), 0);
        assert_int_equal(compare(witness), BURST);
        assert_int_equal(witness->entries, BURST);
}

static void live_once(Witness *witness, const char *boot_id, bool stop)
{
        pid_t pid = fork_daemon();

        if (pid == 0)
                live_in_boot(witness, boot_id, stop);
        (void)wait_for(pid, witness, UINT32_MAX);
}

/* What journald had, and had not written, went with the power. */
static void test_outbox__another_boot_after_a_crash__the_last_come_again(void **state)
{
        Witness *witness = *state;

        live_once(witness, BOOT, false);
        assert_int_equal(witness->entries, 71);
        live_once(witness, BOOT_LATER, false);
        assert_int_equal(witness->times[1], 2);
        assert_int_equal(witness->times[71], 2);
        assert_int_equal(witness->times[72], 1);
        assert_int_equal(compare(witness), 142);
}

static void test_outbox__another_boot_after_a_stop__nothing_comes_again(void **state)
{
        Witness *witness = *state;

        live_once(witness, BOOT, true);
        assert_int_equal(witness->entries, 72);
        live_once(witness, BOOT_LATER, true);
        assert_int_equal(witness->entries, 144);
        assert_int_equal(compare(witness), 144);
}

static void test_outbox__the_same_boot__only_what_was_not_noted_comes_again(void **state)
{
        Witness *witness = *state;

        live_once(witness, BOOT, false);
        live_once(witness, BOOT, false);
        assert_int_equal(witness->times[1], 1);
        assert_int_equal(compare(witness), 142);
}

#define WITH_WITNESS(test) cmocka_unit_test_setup_teardown(test, witness_setup, witness_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_WITNESS(test_outbox__killed_between_commit_and_journal__all_comes),
                WITH_WITNESS(test_outbox__a_burst__all_comes_once),
                WITH_WITNESS(test_outbox__another_boot_after_a_crash__the_last_come_again),
                WITH_WITNESS(test_outbox__another_boot_after_a_stop__nothing_comes_again),
                WITH_WITNESS(test_outbox__the_same_boot__only_what_was_not_noted_comes_again),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Real processes for what is read from the kernel, synthetic tables for the treekill set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "common/cleanup.h"
#include "credd/cgroup.h"
#include "credd/proc.h"

/* --- children --- */

/* Forks a process that does prepare(), says so, and waits to be killed. */
static pid_t child_new(void (*prepare)(void))
{
        int ready[2];
        pid_t pid;
        char c;

        assert_return_code(pipe(ready), errno);
        pid = fork();
        assert_return_code(pid, errno);
        if (pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (prepare)
                        prepare();
                if (write(ready[1], "", 1) != 1)
                        _exit(1);
                for (;;)
                        (void)pause();
        }
        assert_int_equal(read(ready[0], &c, 1), 1);
        (void)close(ready[0]);
        (void)close(ready[1]);
        return pid;
}

static void child_end(pid_t pid)
{
        (void)kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void wait_until_zombie(pid_t pid)
{
        siginfo_t info;

        assert_return_code(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), errno);
}

static pid_t a_dead_pid(void)
{
        pid_t pid = child_new(NULL);

        child_end(pid);
        return pid;
}

static void call_itself_like_a_stat_line(void)
{
        (void)prctl(PR_SET_NAME, "x) Z 1 1 (\n\t\x7f\xe9");
}

static void become_another_user(void)
{
        if (setresuid(12345, 0, 0) < 0)
                _exit(1);
}

static void *sleep_forever(void *unused)
{
        for (;;)
                (void)pause();
        return unused;
}

static void start_a_thread_that_stays(void)
{
        pthread_t thread;

        if (pthread_create(&thread, NULL, sleep_forever, NULL) != 0)
                _exit(1);
}

static pid_t process_whose_first_thread_ended(void)
{
        pid_t pid = fork();

        assert_return_code(pid, errno);
        if (pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                start_a_thread_that_stays();
                pthread_exit(NULL);
        }
        return pid;
}

static char state_of(pid_t pid)
{
        char path[64], state = 0;
        FILE *f;

        (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        f = fopen(path, "re");
        assert_non_null(f);
        assert_int_equal(fscanf(f, "%*d (%*[^)]) %c", &state), 1);
        (void)fclose(f);
        return state;
}

/* --- reading one --- */

static void test_proc_read__ourselves__tells_parent_and_uid(void **state)
{
        ProcInfo info;

        (void)state;
        assert_int_equal(proc_read(getpid(), &info), 0);
        assert_int_equal(info.pid, getpid());
        assert_int_equal(info.ppid, getppid());
        assert_int_equal(info.uid, getuid());
        assert_false(info.dead);
        assert_true(info.start_ticks > 0);
}

static void test_proc_read_stat__any_process__tells_the_same_but_the_uid(void **state)
{
        const pid_t pids[] = {getpid(), getppid(), 1, 2};
        ProcInfo whole, stat;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(pids); i++) {
                if (proc_read(pids[i], &whole) < 0)
                        continue; /* pid 2 is not there in every container */
                assert_int_equal(proc_read_stat(pids[i], &stat), 0);
                assert_int_equal(stat.pid, whole.pid);
                assert_int_equal(stat.ppid, whole.ppid);
                assert_true(stat.start_ticks == whole.start_ticks);
                assert_string_equal(stat.comm, whole.comm);
                assert_int_equal(stat.uid, (uid_t)-1);
        }
        assert_int_equal(proc_read_stat(0, &stat), -ESRCH);
        assert_int_equal(proc_read_stat(-1, &stat), -ESRCH);
        assert_int_equal(proc_read_stat(INT_MAX, &stat), -ESRCH);
}

static void test_proc_read__no_such_process__is_esrch(void **state)
{
        ProcInfo info;

        (void)state;
        assert_int_equal(proc_read(a_dead_pid(), &info), -ESRCH);
        assert_int_equal(proc_read(0, &info), -ESRCH);
        assert_int_equal(proc_read(-1, &info), -ESRCH);
}

static void test_proc_read__name_that_looks_like_a_stat_line__is_not_believed(void **state)
{
        pid_t pid = child_new(call_itself_like_a_stat_line);
        ProcInfo info;

        (void)state;
        assert_int_equal(proc_read(pid, &info), 0);
        assert_int_equal(info.ppid, getpid());
        assert_false(info.dead);
        assert_string_equal(info.comm, "x) Z 1 1 (????");
        child_end(pid);
}

static void test_proc_read__effective_uid_differs__gives_the_real_one(void **state)
{
        ProcInfo info;
        pid_t pid;

        (void)state;
        if (geteuid() != 0)
                skip();
        pid = child_new(become_another_user);
        assert_int_equal(proc_read(pid, &info), 0);
        assert_int_equal(info.uid, 12345);
        child_end(pid);
}

static void test_proc_read__zombie__is_dead(void **state)
{
        pid_t pid = child_new(NULL);
        ProcInfo info;

        (void)state;
        (void)kill(pid, SIGKILL);
        wait_until_zombie(pid);
        assert_int_equal(proc_read(pid, &info), 0);
        assert_true(info.dead);
        assert_int_equal(proc_alive(pid, info.start_ticks), 0);
        assert_int_equal(proc_pidfd(pid, info.start_ticks), -ESRCH);
        assert_int_equal(proc_kill(pid, info.start_ticks), 0);
        child_end(pid);
}

static void test_proc_read__first_thread_ended_others_run__is_not_dead(void **state)
{
        pid_t pid = process_whose_first_thread_ended();
        ProcInfo info;

        (void)state;
        while (state_of(pid) != 'Z')
                (void)sched_yield();
        assert_int_equal(proc_read(pid, &info), 0);
        assert_false(info.dead);
        assert_int_equal(proc_alive(pid, info.start_ticks), 1);
        assert_int_equal(proc_kill(pid, info.start_ticks), 0);
        wait_until_zombie(pid);
        assert_int_equal(proc_alive(pid, info.start_ticks), 0);
        child_end(pid);
}

/* --- one and no other --- */

static void test_proc_alive__same_pid_other_start__is_gone(void **state)
{
        ProcInfo info;

        (void)state;
        assert_int_equal(proc_read(getpid(), &info), 0);
        assert_int_equal(proc_alive(getpid(), info.start_ticks), 1);
        assert_int_equal(proc_alive(getpid(), info.start_ticks + 1), 0);
        assert_int_equal(proc_alive(a_dead_pid(), info.start_ticks), 0);
        assert_int_equal(proc_alive(0, 0), 0);
}

static void test_proc_kill__same_pid_other_start__hits_nobody(void **state)
{
        pid_t pid = child_new(NULL);
        ProcInfo info;

        (void)state;
        assert_int_equal(proc_read(pid, &info), 0);
        assert_int_equal(proc_kill(pid, info.start_ticks + 1), 0);
        assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
        assert_int_equal(proc_kill(pid, info.start_ticks), 0);
        wait_until_zombie(pid);
        child_end(pid);
        assert_int_equal(proc_kill(pid, info.start_ticks), 0);
}

static void test_proc_kill__pid_1_or_ourselves__is_refused(void **state)
{
        ProcInfo info;

        (void)state;
        assert_int_equal(proc_read(getpid(), &info), 0);
        assert_int_equal(proc_kill(getpid(), info.start_ticks), -EINVAL);
        assert_int_equal(proc_read(1, &info), 0);
        assert_int_equal(proc_kill(1, info.start_ticks), -EINVAL);
        assert_int_equal(proc_kill(0, 0), -EINVAL);
        assert_int_equal(proc_kill(-1, 0), -EINVAL);
}

static void test_proc_pidfd__process_ends__becomes_readable(void **state)
{
        pid_t pid = child_new(NULL);
        AUTO_CLOSE int fd = -1;
        struct pollfd pfd;
        ProcInfo info;

        (void)state;
        assert_int_equal(proc_read(pid, &info), 0);
        assert_int_equal(proc_pidfd(pid, info.start_ticks + 1), -ESRCH);
        fd = proc_pidfd(pid, info.start_ticks);
        assert_return_code(fd, errno);
        assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        pfd = (struct pollfd){.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&pfd, 1, 0), 0);
        child_end(pid);
        assert_int_equal(poll(&pfd, 1, 0), 1);
        assert_int_equal(proc_pidfd(pid, info.start_ticks), -ESRCH);
}

static void test_proc_ticks__of_boot_usec__are_rounded_down_and_never_overflow(void **state)
{
        uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);

        (void)state;
        assert_int_equal(proc_ticks_of_boot_usec(0), 0);
        assert_int_equal(proc_ticks_of_boot_usec(USEC_PER_SEC), hz);
        assert_int_equal(proc_ticks_of_boot_usec(USEC_PER_SEC - 1), hz - 1);
        assert_int_equal(proc_ticks_of_boot_usec(USEC_INFINITY),
                         UINT64_MAX / USEC_PER_SEC * hz +
                                 UINT64_MAX % USEC_PER_SEC * hz / USEC_PER_SEC);
}

static void test_proc_ticks__of_now__lie_between_a_childs_start_and_the_next(void **state)
{
        struct timespec now;
        ProcInfo info;
        uint64_t ticks;

        (void)state;
        assert_int_equal(proc_read(getpid(), &info), 0);
        assert_return_code(clock_gettime(CLOCK_BOOTTIME, &now), errno);
        ticks = proc_ticks_of_boot_usec((uint64_t)now.tv_sec * USEC_PER_SEC +
                                        (uint64_t)now.tv_nsec / 1000);
        assert_true(ticks >= info.start_ticks);
        assert_true(ticks - info.start_ticks < 600 * (uint64_t)sysconf(_SC_CLK_TCK));
}

/* --- all of them --- */

static const ProcInfo *find(const ProcTable *table, pid_t pid)
{
        for (size_t i = 0; i < table->n; i++)
                if (table->list[i].pid == pid)
                        return &table->list[i];
        return NULL;
}

static void test_proc_table__read__holds_us_our_child_and_pid_1(void **state)
{
        CLEANUP(proc_table_done) ProcTable table = {0};
        pid_t pid = child_new(NULL);

        (void)state;
        assert_int_equal(proc_table_read(&table), 0);
        assert_non_null(find(&table, 1));
        assert_non_null(find(&table, getpid()));
        assert_non_null(find(&table, pid));
        assert_int_equal(find(&table, pid)->ppid, getpid());
        child_end(pid);
}

static void fork_without_end(void)
{
        pid_t pid = fork();

        if (pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                for (;;) {
                        pid = fork();
                        if (pid == 0)
                                _exit(0);
                        if (pid > 0)
                                (void)waitpid(pid, NULL, 0);
                }
        }
}

static void test_proc_table__processes_vanish_while_reading__are_left_out(void **state)
{
        pid_t pid = child_new(fork_without_end);

        (void)state;
        for (int i = 0; i < 50; i++) {
                CLEANUP(proc_table_done) ProcTable table = {0};

                assert_int_equal(proc_table_read(&table), 0);
                assert_non_null(find(&table, pid));
        }
        child_end(pid);
}

/* --- the treekill set --- */

enum { ALICE = 1001, BOB = 1002, LEADER = 50, LEADER_TICKS = 5000 };

/* Checks that the set is exactly want, in any order. */
static void assert_tree(const ProcInfo *list, size_t n, const pid_t *in_cgroup, size_t n_in_cgroup,
                        uid_t uid, const pid_t *want, size_t n_want)
{
        const ProcTable table = {.list = (ProcInfo *)(uintptr_t)list, .n = n};
        AUTO_FREE size_t *got = NULL;
        size_t n_got;

        assert_int_equal(
                proc_tree(&table, LEADER, LEADER_TICKS, uid, in_cgroup, n_in_cgroup, &got, &n_got),
                0);
        assert_int_equal(n_got, n_want);
        for (size_t w = 0; w < n_want; w++) {
                size_t hits = 0;

                for (size_t g = 0; g < n_got; g++)
                        hits += list[got[g]].pid == want[w];
                assert_int_equal(hits, 1);
        }
}

#define P(pid_, ppid_, uid_, ticks_)                                                               \
        {                                                                                          \
                .pid = (pid_), .ppid = (ppid_), .uid = (uid_), .start_ticks = (ticks_)             \
        }
#define PIDS(...) (const pid_t[]){__VA_ARGS__}, sizeof((const pid_t[]){__VA_ARGS__}) / sizeof(pid_t)
#define NO_PIDS   NULL, 0

static void test_proc_tree__descendants_of_descendants__are_taken_whoever_they_are(void **state)
{
        /* Children stand before their parents, sudo's among them. */
        static const ProcInfo list[] = {
                P(10, 51, 0, 5002),     P(11, 10, 0, 5003), P(1, 0, 0, 1),
                P(51, 50, ALICE, 5001), P(50, 2, 0, 5000),  P(52, 50, ALICE, 5001),
                P(60, 1, ALICE, 6000),  P(2, 1, 0, 100),
        };

        (void)state;
        assert_tree(list, ELEMENTSOF(list), NO_PIDS, ALICE, PIDS(50, 51, 52, 10, 11));
}

static void
test_proc_tree__leaders_pid_given_to_another__takes_neither_it_nor_its_children(void **state)
{
        static const ProcInfo list[] = {P(50, 1, BOB, 9000), P(51, 50, BOB, 9001)};

        (void)state;
        assert_tree(list, ELEMENTSOF(list), NO_PIDS, ALICE, NO_PIDS);
}

static void test_proc_tree__child_older_than_its_parent__is_a_stranger(void **state)
{
        static const ProcInfo list[] = {P(50, 1, ALICE, 5000), P(51, 50, BOB, 4999)};

        (void)state;
        assert_tree(list, ELEMENTSOF(list), NO_PIDS, ALICE, PIDS(50));
}

static void test_proc_tree__leader_gone_children_reparented__are_found_by_cgroup(void **state)
{
        static const ProcInfo list[] = {P(51, 1, ALICE, 5001), P(52, 1, ALICE, 5000),
                                        P(53, 1, ALICE, 5002)};

        (void)state;
        assert_tree(list, ELEMENTSOF(list), PIDS(51, 52), ALICE, PIDS(51, 52));
        assert_tree(list, ELEMENTSOF(list), NO_PIDS, ALICE, NO_PIDS);
}

static void test_proc_tree__cgroup_holds_others__only_the_users_later_ones_are_taken(void **state)
{
        static const ProcInfo list[] = {
                P(50, 1, 0, 5000), P(60, 1, BOB, 6000),   P(61, 1, ALICE, 4999),
                P(62, 1, 0, 6000), P(63, 1, ALICE, 6000), P(64, 63, 0, 6001),
        };

        (void)state;
        assert_tree(list, ELEMENTSOF(list), PIDS(50, 60, 61, 62, 63, 64), ALICE, PIDS(50, 63));
}

static void test_proc_tree__session_of_root__takes_descendants_only(void **state)
{
        static const ProcInfo list[] = {P(50, 1, 0, 5000), P(51, 50, 0, 5001), P(60, 1, 0, 6000)};

        (void)state;
        assert_tree(list, ELEMENTSOF(list), PIDS(50, 51, 60), 0, PIDS(50, 51));
}

static void test_proc_tree__found_by_parent_and_by_cgroup__is_listed_once(void **state)
{
        static const ProcInfo list[] = {P(50, 1, ALICE, 5000), P(51, 50, ALICE, 5001)};

        (void)state;
        assert_tree(list, ELEMENTSOF(list), PIDS(50, 51, 51), ALICE, PIDS(50, 51));
}

static void test_proc_tree__table_shows_a_cycle__ends(void **state)
{
        static const ProcInfo list[] = {P(50, 52, ALICE, 5000), P(51, 50, ALICE, 5000),
                                        P(52, 51, ALICE, 5000), P(53, 53, ALICE, 5000)};

        (void)state;
        assert_tree(list, ELEMENTSOF(list), NO_PIDS, ALICE, PIDS(50, 51, 52));
}

static void test_proc_tree__dead_ones__are_left_out_but_followed(void **state)
{
        static const ProcInfo list[] = {
                {.pid = 50, .ppid = 1, .start_ticks = 5000, .dead = true},
                {.pid = 51, .ppid = 50, .start_ticks = 5001, .dead = true},
                {.pid = 52, .ppid = 51, .start_ticks = 5002},
        };

        (void)state;
        assert_tree(list, ELEMENTSOF(list), NO_PIDS, ALICE, PIDS(52));
}

static void test_proc_tree__pid_1_and_ourselves__are_never_taken(void **state)
{
        const ProcInfo list[] = {P(50, 1, ALICE, 5000), P(1, 50, ALICE, 5000),
                                 P(getpid(), 50, ALICE, 5000), P(51, getpid(), ALICE, 5001)};

        (void)state;
        assert_tree(list, ELEMENTSOF(list), PIDS(1, getpid()), ALICE, PIDS(50));
}

static void test_proc_tree__leader_is_pid_1_or_ourselves__is_refused(void **state)
{
        ProcInfo list[] = {P(1, 0, 0, 1), P(50, 1, 0, 5000)};
        const ProcTable table = {.list = list, .n = ELEMENTSOF(list)};
        size_t *indexes, n;

        (void)state;
        assert_int_equal(proc_tree(&table, 1, 1, 0, NULL, 0, &indexes, &n), -EINVAL);
        assert_int_equal(proc_tree(&table, 0, 1, 0, NULL, 0, &indexes, &n), -EINVAL);
        assert_int_equal(proc_tree(&table, getpid(), 1, 0, NULL, 0, &indexes, &n), -EINVAL);
}

static void test_proc_tree__empty_table__takes_nobody(void **state)
{
        (void)state;
        assert_tree(NULL, 0, NO_PIDS, ALICE, NO_PIDS);
}

/* --- cgroups --- */

static const char *cgroup_root(void)
{
        return access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 ? "/sys/fs/cgroup"
                                                                      : "/sys/fs/cgroup/unified";
}

/* A cgroup of our own, "/credd-unit-PID" + suffix, or skips the test where none can be made. */
static void make_cgroup(const char *suffix, char path[static 64], char directory[static 128])
{
        (void)snprintf(path, 64, "/credd-unit-%d%s", (int)getpid(), suffix);
        (void)snprintf(directory, 128, "%s%s", cgroup_root(), path);
        if (mkdir(directory, 0700) < 0)
                skip();
}

static void move_into(const char *directory, pid_t pid)
{
        char procs[160];
        FILE *f;

        (void)snprintf(procs, sizeof(procs), "%s/cgroup.procs", directory);
        f = fopen(procs, "we");
        assert_non_null(f);
        assert_true(fprintf(f, "%d\n", (int)pid) > 0);
        assert_return_code(fclose(f), errno);
}

static void assert_pids(const char *path, const pid_t *want, size_t n_want)
{
        AUTO_FREE pid_t *pids = NULL;
        size_t n = SIZE_MAX;

        assert_int_equal(cgroup_pids(path, &pids, &n), 0);
        assert_int_equal(n, n_want);
        for (size_t i = 0; i < n; i++)
                assert_true(pids[i] == want[0] || (n_want > 1 && pids[i] == want[1]));
}

static void test_proc_cgroup__of_a_process__is_the_unified_path(void **state)
{
        char path[64], directory[128];
        AUTO_FREE char *got = NULL;
        pid_t pid;

        (void)state;
        make_cgroup("", path, directory);
        pid = child_new(NULL);
        move_into(directory, pid);
        assert_int_equal(proc_cgroup(pid, &got), 0);
        assert_string_equal(got, path);
        child_end(pid);
        assert_int_equal(proc_cgroup(pid, &got), -ESRCH);
        assert_return_code(rmdir(directory), errno);
}

static void test_cgroup__members_here_and_below__are_all_found(void **state)
{
        char path[64], directory[128], path_below[64], directory_below[128];
        pid_t here, below;

        (void)state;
        make_cgroup("", path, directory);
        make_cgroup("/below", path_below, directory_below);
        assert_int_equal(cgroup_populated(path), 0);
        assert_pids(path, NO_PIDS);
        here = child_new(NULL);
        below = child_new(NULL);
        move_into(directory_below, below);
        assert_int_equal(cgroup_populated(path), 1);
        move_into(directory, here);
        assert_pids(path, PIDS(here, below));
        assert_pids(path_below, PIDS(below));
        child_end(here);
        child_end(below);
        assert_int_equal(cgroup_populated(path), 0);
        assert_return_code(rmdir(directory_below), errno);
        assert_return_code(rmdir(directory), errno);
        assert_int_equal(cgroup_populated(path), -ENOENT);
}

static void test_cgroup__absent__is_enoent(void **state)
{
        pid_t *pids;
        size_t n;

        (void)state;
        assert_int_equal(cgroup_populated("/credd-no-such-cgroup"), -ENOENT);
        assert_int_equal(cgroup_pids("/credd-no-such-cgroup", &pids, &n), -ENOENT);
}

static void test_cgroup__path_leads_upwards_or_is_relative__is_refused(void **state)
{
        static const char *const bad[] = {"/..", "/../x", "/x/..", "/x/../y", "", "x", "../x"};
        pid_t *pids;
        size_t n;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                assert_int_equal(cgroup_populated(bad[i]), -EINVAL);
                assert_int_equal(cgroup_pids(bad[i], &pids, &n), -EINVAL);
        }
        assert_int_equal(cgroup_populated("/..x"), -ENOENT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_proc_read__ourselves__tells_parent_and_uid),
                cmocka_unit_test(test_proc_read_stat__any_process__tells_the_same_but_the_uid),
                cmocka_unit_test(test_proc_read__no_such_process__is_esrch),
                cmocka_unit_test(test_proc_read__name_that_looks_like_a_stat_line__is_not_believed),
                cmocka_unit_test(test_proc_read__effective_uid_differs__gives_the_real_one),
                cmocka_unit_test(test_proc_read__zombie__is_dead),
                cmocka_unit_test(test_proc_read__first_thread_ended_others_run__is_not_dead),
                cmocka_unit_test(test_proc_alive__same_pid_other_start__is_gone),
                cmocka_unit_test(test_proc_kill__same_pid_other_start__hits_nobody),
                cmocka_unit_test(test_proc_kill__pid_1_or_ourselves__is_refused),
                cmocka_unit_test(test_proc_pidfd__process_ends__becomes_readable),
                cmocka_unit_test(
                        test_proc_ticks__of_boot_usec__are_rounded_down_and_never_overflow),
                cmocka_unit_test(test_proc_ticks__of_now__lie_between_a_childs_start_and_the_next),
                cmocka_unit_test(test_proc_table__read__holds_us_our_child_and_pid_1),
                cmocka_unit_test(test_proc_table__processes_vanish_while_reading__are_left_out),
                cmocka_unit_test(
                        test_proc_tree__descendants_of_descendants__are_taken_whoever_they_are),
                cmocka_unit_test(
                        test_proc_tree__leaders_pid_given_to_another__takes_neither_it_nor_its_children),
                cmocka_unit_test(test_proc_tree__child_older_than_its_parent__is_a_stranger),
                cmocka_unit_test(
                        test_proc_tree__leader_gone_children_reparented__are_found_by_cgroup),
                cmocka_unit_test(
                        test_proc_tree__cgroup_holds_others__only_the_users_later_ones_are_taken),
                cmocka_unit_test(test_proc_tree__session_of_root__takes_descendants_only),
                cmocka_unit_test(test_proc_tree__found_by_parent_and_by_cgroup__is_listed_once),
                cmocka_unit_test(test_proc_tree__table_shows_a_cycle__ends),
                cmocka_unit_test(test_proc_tree__dead_ones__are_left_out_but_followed),
                cmocka_unit_test(test_proc_tree__pid_1_and_ourselves__are_never_taken),
                cmocka_unit_test(test_proc_tree__leader_is_pid_1_or_ourselves__is_refused),
                cmocka_unit_test(test_proc_tree__empty_table__takes_nobody),
                cmocka_unit_test(test_proc_cgroup__of_a_process__is_the_unified_path),
                cmocka_unit_test(test_cgroup__members_here_and_below__are_all_found),
                cmocka_unit_test(test_cgroup__absent__is_enoent),
                cmocka_unit_test(test_cgroup__path_leads_upwards_or_is_relative__is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

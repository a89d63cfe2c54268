/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A kernel before 6.5, which has no SO_PEERPIDFD: who is at the other end is known by a number alone, and that
 * may be another's by now, because a connection outlives who made it where somebody else holds it, too. */
#include "tests/unit/role_rig.h"

#include <sys/syscall.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/* Stands before libc's. */
int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
        if (level == SOL_SOCKET && name == SO_PEERPIDFD) {
                errno = ENOPROTOOPT;
                return -1;
        }
        return (int)syscall(SYS_getsockopt, fd, level, name, value, len);
}

/* Another process with that number; -1: the kernel gives it to nobody. */
static pid_t take_number(pid_t pid)
{
        for (unsigned i = 0; i < 100; i++) {
                FILE *f = fopen("/proc/sys/kernel/ns_last_pid", "we");
                pid_t child;

                if (!f)
                        return -1;
                (void)fprintf(f, "%d", pid - 1);
                if (fclose(f) != 0)
                        return -1;
                child = fork();
                assert_true(child >= 0);
                if (child == 0)
                        for (;;)
                                (void)pause();
                if (child == pid)
                        return child;
                end(child);
        }
        return -1;
}

static void test_issue__whose_connection_it_is_lives__is_issued(void **state)
{
        Rig *rig = *state;
        AUTO_CLOSE int fd = -1;
        json_auto_t *reply = NULL;
        pid_t pid;

        need_root();
        add_role(rig, 0)->break_glass = true;
        pid = connect_by_another(rig, &fd);
        reply = issue_over(rig, fd);
        assert_non_null(reply_at(reply, "token", NULL));
        end(pid);
}

static void test_issue__number_of_another_by_now__is_refused(void **state)
{
        Rig *rig = *state;
        AUTO_CLOSE int fd = -1;
        json_auto_t *reply = NULL;
        pid_t pid, other;

        need_root();
        add_role(rig, 0)->break_glass = true;
        pid = connect_by_another(rig, &fd);
        rig_settle(rig);
        (void)poll(NULL, 0, 50); /* some ticks */
        end(pid);
        other = take_number(pid);
        if (other < 0)
                skip();
        reply = issue_over(rig, fd);
        end(other);
        assert_error(reply, "io.credd.Admin.PermissionDenied", NULL, NULL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
        const struct CMUnitTest tests[] = {
                T(test_issue__whose_connection_it_is_lives__is_issued),
                T(test_issue__number_of_another_by_now__is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A kernel before 6.5, which has no SO_PEERPIDFD: who is at the other end is known by a number alone, and that
 * may be another's by now, because a connection outlives who made it where somebody else holds it, too. */
#include "tests/unit/manager_rig.h"

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

/* Whose issuers are compared with others later. */
static void add_role(Rig *rig)
{
        Roles *roles = rig->manager->roles;
        Role *role = calloc(1, sizeof(*role));

        assert_non_null(role);
        role->name = strdup("glass");
        role->users = calloc(2, sizeof(*role->users));
        role->users[0] = strdup("deploy");
        role->services = json_array();
        role->sources = json_array();
        role->max_uses = 1;
        role->max_ttl_usec = HOURS(4);
        role->max_lifetime_usec = HOURS(8);
        role->break_glass = true;
        roles->roles = reallocarray(roles->roles, roles->n + 1, sizeof(*roles->roles));
        assert_non_null(roles->roles);
        roles->roles[roles->n++] = role;
}

static json_t *issue_over(Rig *rig, int fd)
{
        AUTO_FREE char *call = call_text("io.credd.Admin.Issue",
                                         json_pack("{ss ss si ss}", "role", "glass", "user",
                                                   "deploy", "uid", 5000, "reason", "all is down"));
        AUTO_FREE char *text = NULL;
        json_t *reply;

        rig_send(fd, call, strlen(call) + 1);
        text = rig_receive(rig, fd);
        assert_non_null(text);
        reply = json_loads(text, 0, NULL);
        assert_non_null(reply);
        return reply;
}

/* A child that connects and hands its connection on, and its pid. */
static pid_t connect_by_another(Rig *rig, int *ret_fd)
{
        union {
                struct cmsghdr head;
                char room[CMSG_SPACE(sizeof(int))];
        } control = {0};
        char byte = 0;
        struct iovec iov = {&byte, 1};
        struct msghdr message = {.msg_iov = &iov,
                                 .msg_iovlen = 1,
                                 .msg_control = &control,
                                 .msg_controllen = sizeof(control)};
        int ends[2], fd;
        pid_t child;

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
                fd = rig_connect(rig->admin);
                control.head = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                                                .cmsg_type = SCM_RIGHTS,
                                                .cmsg_len = CMSG_LEN(sizeof(int))};
                memcpy(CMSG_DATA(&control.head), &fd, sizeof(int));
                (void)sendmsg(ends[1], &message, 0);
                for (;;)
                        (void)pause();
        }
        assert_int_equal(recvmsg(ends[0], &message, MSG_CMSG_CLOEXEC), 1);
        memcpy(ret_fd, CMSG_DATA(&control.head), sizeof(int));
        (void)close(ends[0]);
        (void)close(ends[1]);
        return child;
}

static void end(pid_t pid)
{
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
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
        add_role(rig);
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
        add_role(rig);
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

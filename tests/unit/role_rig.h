/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A role, and who asks under it over a connection that another process has made. */
#pragma once

#include "tests/unit/manager_rig.h"

/* "oncall", for deploy; root approves. */
static inline Role *add_role(Rig *rig, int64_t approvals)
{
        Roles *roles = rig->manager->roles;
        Role *role = calloc(1, sizeof(*role));

        assert_non_null(role);
        role->name = strdup("oncall");
        role->users = calloc(2, sizeof(*role->users));
        role->users[0] = strdup("deploy");
        role->services = json_array();
        role->sources = json_array();
        role->max_uses = role->max_sessions = 1;
        role->max_ttl_usec = HOURS(4);
        role->max_lifetime_usec = HOURS(8);
        role->approvals = approvals;
        role->approvers.uids = calloc(1, sizeof(uid_t)); /* root */
        role->approvers.n_uids = 1;
        roles->roles = reallocarray(roles->roles, roles->n + 1, sizeof(*roles->roles));
        assert_non_null(roles->roles);
        roles->roles[roles->n++] = role;
        return role;
}

/* A child that connects and hands its connection on, and its pid. */
static inline pid_t connect_by_another(Rig *rig, int *ret_fd)
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

static inline void end(pid_t pid)
{
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static inline json_t *issue_over(Rig *rig, int fd)
{
        AUTO_FREE char *call = call_text("io.credd.Admin.Issue",
                                         json_pack("{ss ss si ss}", "role", "oncall", "user",
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

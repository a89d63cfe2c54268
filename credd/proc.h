/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes as /proc and the cgroup tree show them, and killing one without hitting another.
 * A process is named by pid and start ticks (raw, proc(5) field 22) within one boot. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROC_COMM_MAX 64 /* printable ASCII; anything else is shown as '?' */

typedef struct ProcInfo {
        pid_t pid, ppid;
        uid_t uid; /* real uid, of /proc/PID/status; for a set-user-ID program the person's */
        uint64_t start_ticks;
        dev_t tty; /* its controlling terminal; 0: none */
        bool dead; /* zombie or being reaped, and no thread of it is left: it runs no more */
        char comm[PROC_COMM_MAX];
} ProcInfo;

/* All processes at one moment, as near as /proc allows. */
typedef struct ProcTable {
        ProcInfo *list;
        size_t n;
} ProcTable;

/* -ESRCH: there is none. stat is parsed after the last ')'. */
int proc_read(pid_t pid, ProcInfo *ret_info);
/* All but the uid, in one reading of one file: for who asks at every login. */
int proc_read_stat(pid_t pid, ProcInfo *ret_info);
/* 1: pid is still the process that started then, and runs; 0: it is not. Errors count as 1: what
 * cannot be seen is not gone. */
int proc_alive(pid_t pid, uint64_t start_ticks);

int proc_table_read(ProcTable *ret_table);
void proc_table_done(ProcTable *table);

/* The path in the unified hierarchy (the "0::" line; others may stand before it). -ESRCH; -ENODATA:
 * no such line; -EINVAL: it stands outside our cgroup namespace ("/../x"). */
int proc_cgroup(pid_t pid, char **ret_path);
/* The treekill set of a leader that stands outside any scope, as indexes into table: the leader
 * itself, its descendants by parent, and each process in the leader's cgroup with that uid that
 * started no earlier than the leader. root's own processes in that cgroup are never taken unless
 * they descend from the leader; for uid 0, descent alone counts. Never pid 1, never ourselves
 * (-EINVAL: one of them is the leader). Pure: in_cgroup are the pids known to be in that cgroup,
 * NULL if it is unknown. Dead ones are left out. A leader that is gone has no descendants any more:
 * they are found by cgroup. */
int proc_tree(const ProcTable *table, pid_t leader, uint64_t leader_ticks, uid_t uid,
              const pid_t *in_cgroup, size_t n_in_cgroup, size_t **ret_indexes, size_t *ret_n);

/* SIGKILL: pidfd_open, check again that it is the process meant, pidfd_send_signal. 0 also if it is
 * gone. -EINVAL: pid 1 or ourselves. */
int proc_kill(pid_t pid, uint64_t start_ticks);
/* The same with each of these signals, which end with 0. */
int proc_kill_with(pid_t pid, uint64_t start_ticks, const int *signals);

/* A pidfd of the process if it is still the one meant; -ESRCH. CLOEXEC. */
int proc_pidfd(pid_t pid, uint64_t start_ticks);

/* CLOCK_BOOTTIME microseconds as start ticks, rounded down. */
uint64_t proc_ticks_of_boot_usec(uint64_t boot_usec);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The unified cgroup hierarchy, as the kernel shows it. Paths are as in /proc/PID/cgroup. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* -EINVAL: relative, or with ".." in it: not a cgroup of this namespace. */
int cgroup_check_path(const char *path);
/* 1: some process is in that cgroup or below; 0: none; -ENOENT: no such cgroup; -EINVAL: path is
 * not absolute or holds "..". */
int cgroup_populated(const char *path);
/* The pids in that cgroup and below, unordered; *ret_n may be 0. -ENOENT, -EINVAL. */
int cgroup_pids(const char *path, pid_t **ret_pids, size_t *ret_n);

# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# machine.sh - can this machine boot a lab? If not, the exact reason, what to do, and status 77.
# Sourced by `lab`.

cannot() { note "cannot boot a lab here: $*"; exit 77; }

# Where a lab gets a cgroup of its own: the v2 tree, and on hosts that have it, v1's name=systemd.
cgroup_roots() {
    awk '$5 ~ "^/sys/fs/cgroup(/|$)" {
             for (i = 6; $i != "-"; i++);
             if ($(i + 1) == "cgroup2" || $(i + 3) ~ /(^|,)name=systemd(,|$)/) print $5
         }' /proc/self/mountinfo
}

cgroup2_root() {
    awk '$5 ~ "^/sys/fs/cgroup(/|$)" && / - cgroup2 / { print $5; exit }' /proc/self/mountinfo
}

need_command() { # COMMAND PACKAGE
    command -v "$1" >/dev/null ||
        cannot "$1 is missing; install it: sudo apt-get install $2"
}

check_cgroups() {
    local root probe
    [[ -n $(cgroup2_root) ]] ||
        cannot "no cgroup v2 below /sys/fs/cgroup; mount one: mkdir -p /sys/fs/cgroup/unified &&" \
            "mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified"
    [[ -e $(cgroup2_root)/cgroup.controllers ]] || cannot "$(cgroup2_root) is not a cgroup v2 tree"
    for root in $(cgroup_roots); do
        probe=$root/credd-lab-probe-$BASHPID
        mkdir "$probe" 2>/dev/null ||
            cannot "$root is read-only; in a container, start that one with --privileged"
        rmdir "$probe"
    done
}

check_machine() {
    ((EUID == 0)) || cannot "it takes root; run it with sudo"
    need_command systemd-nspawn systemd-container
    need_command nsenter util-linux
    need_command flock util-linux
    check_cgroups
    unshare --mount --pid --net --ipc --uts --fork mount -t tmpfs none /mnt 2>/dev/null ||
        cannot "namespaces and mounts are not permitted; in a container, start that one with --privileged"
}

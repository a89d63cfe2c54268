# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# guest.sh - the guest of a lab, systemd-nspawn and all that runs below it: start it, find its PID 1,
# run a command in it, wait for it, kill it. Sourced by `lab`.

boot_limit_sec=90
stop_limit_sec=20

# A long-lived child must not keep our caller's pipes, locks or make's job slots open.
close_descriptors() {
    local fd
    for fd in /proc/self/fd/*; do
        fd=${fd##*/}
        ((fd <= 2)) || eval "exec $fd>&-"
    done
}

# A login of the developer's own must not show up as the loginuid of the guest's processes.
reset_loginuid() {
    { echo 4294967295 >/proc/self/loginuid; } 2>/dev/null || true
}

become_guest() { # NAME
    local root dir
    dir=$(lab_dir "$1")
    close_descriptors
    reset_loginuid
    for root in $(cgroup_roots); do
        mkdir -p "$root/credd-lab-$1"
        echo "$BASHPID" >"$root/credd-lab-$1/cgroup.procs"
    done
    echo "$BASHPID" >"$dir/nspawn"
    export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
    exec setsid systemd-nspawn --quiet --boot --directory "$dir/root" --machine "$1" \
        --settings=no --register=no --keep-unit --private-network --link-journal=no \
        --resolv-conf=off --timezone=off --console=pipe
}

start_guest() { # NAME
    local log
    log=$(lab_dir "$1")/boot.log
    become_guest "$1" </dev/null >>"$log" 2>&1 &
}

# True if PID lives, is PID 1 of a namespace, and belongs to the lab.
is_leader() { # NAME PID
    grep -qs "/credd-lab-$1/" "/proc/$2/cgroup" &&
        awk '$1 == "State:" && $2 ~ /[ZX]/ { exit 1 }
             $1 == "NSpid:" { exit NF > 2 && $NF == 1 ? 0 : 1 }' "/proc/$2/status" 2>/dev/null
}

# Raw, and nothing for a dead process or a zombie. Sets `ticks`: what is called for each command of the
# tests starts no process for it.
read_ticks() { # PID
    local stat
    ticks=''
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    [[ $1 != [ZX] ]] || return 1
    ticks=${20}
}

# A process from outside would be in no cgroup that the guest can see: it joins this one of the guest's.
cgroup_for_guests() { # LEADER
    local path
    path=$(sed -n 's/^0:://p' "/proc/$1/cgroup")
    echo "$(cgroup2_root)${path%/init.scope}/lab-run"
}

# Sets leader_pid and leader_cgroup. Remembered once found; looked for again after a reboot.
find_leader() { # NAME
    local dir=$run_dir/$1 pid known ticks children=()
    if { read -r leader_pid known leader_cgroup <"$dir/leader"; } 2>/dev/null && [[ $leader_cgroup ]] &&
        read_ticks "$leader_pid" && [[ $ticks == "$known" ]]; then
        return 0
    fi
    { read -r pid <"$dir/nspawn"; } 2>/dev/null || return 1
    { read -ra children <"/proc/$pid/task/$pid/children"; } 2>/dev/null || true
    for pid in "${children[@]}"; do
        if is_leader "$1" "$pid" && read_ticks "$pid"; then
            leader_pid=$pid
            leader_cgroup=$(cgroup_for_guests "$pid")
            echo "$pid $ticks $leader_cgroup" >"$dir/leader"
            return 0
        fi
    done
    return 1
}

leader() { # NAME; prints its pid
    local leader_pid leader_cgroup
    find_leader "$1" && echo "$leader_pid"
}

# Sets gid and home.
find_account() { # LEADER USER
    local name
    while IFS=: read -r name _ _ gid _ home _; do
        [[ $name != "$2" ]] || return 0
    done <"/proc/$1/root/etc/passwd"
    return 1
}

# Becomes the command; call it last, or in a subshell.
enter() { # NAME USER COMMAND...
    local name=$1 user=$2 leader_pid leader_cgroup gid home=/root as=()
    shift 2
    find_leader "$name" || die "lab '$name' is not running"
    if [[ $user != root ]]; then
        find_account "$leader_pid" "$user" || die "$name has no user '$user'"
        as=(setpriv "--reuid=$user" "--regid=$gid" --init-groups)
    fi
    [[ -d $leader_cgroup ]] || mkdir -p "$leader_cgroup"
    echo "$BASHPID" >"$leader_cgroup/cgroup.procs"
    reset_loginuid
    exec nsenter -t "$leader_pid" -m -u -i -n -p -C -r -w env -i "HOME=$home" "USER=$user" \
        "LOGNAME=$user" SHELL=/bin/bash LANG=C.UTF-8 "TERM=${TERM:-dumb}" \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${as[@]}" "$@"
}

# --- Waiting, always with an end

# True once COMMAND is; false after SECONDS.
wait_for() { # SECONDS COMMAND...
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.05
    done
}

is_populated() { # NAME
    grep -qs '^populated 1' "$(cgroup2_root)/credd-lab-$1/cgroup.events"
}
is_empty() { ! is_populated "$1"; }
has_leader() { leader "$1" >/dev/null; }
has_leader_or_failed() { has_leader "$1" || ! kill -0 "$2" 2>/dev/null; }
has_bus() { [[ -S /proc/$1/root/run/dbus/system_bus_socket ]]; }

boot_failed() { # NAME REASON
    note "$1: $2; the end of its console:"
    tail -n 20 "$(lab_dir "$1")/boot.log" >&2
    exit 1
}

# systemd-nspawn that ends before there is a guest means this machine will not do.
wait_for_leader() { # NAME NSPAWN
    wait_for "$boot_limit_sec" has_leader_or_failed "$1" "$2" && has_leader "$1" && return
    cannot "systemd-nspawn says: $(tail -n 3 "$(lab_dir "$1")/boot.log" | paste -sd' ')"
}

wait_for_system() { # NAME LEADER
    local state
    wait_for "$boot_limit_sec" has_bus "$2" || boot_failed "$1" "it has no bus"
    state=$( (enter "$1" root timeout "$boot_limit_sec" systemctl is-system-running --wait) \
        </dev/null 2>/dev/null) || true
    case $state in
        running) ;;
        degraded) note "$1: degraded: $(failed_units "$1")" ;;
        *) boot_failed "$1" "its state is '$state'" ;;
    esac
}

failed_units() { # NAME
    (enter "$1" root systemctl list-units --failed --plain --no-legend) </dev/null |
        awk '{ print $1 }' | paste -sd' '
}

wait_for_sshd() { # NAME
    # shellcheck disable=SC2016
    (enter "$1" root timeout 20 bash -c '
        until read -r line </dev/tcp/127.0.0.1/22 && [[ $line == SSH-* ]]; do sleep 0.1; done
    ') </dev/null 2>/dev/null || boot_failed "$1" "its sshd does not answer"
}

boot_guest() { # NAME
    local pid
    start_guest "$1"
    wait_for_leader "$1" $!
    pid=$(leader "$1")
    nsenter -t "$pid" -n ip link set lo up
    wait_for_system "$1" "$pid"
    wait_for_sshd "$1"
}

# --- Ending

# Without its PID 1 the guest is gone at once and systemd-nspawn tidies up after itself; what is
# left (systemd-nspawn may have been killed, or have no guest yet) goes with the cgroup.
kill_guest() { # NAME
    local cgroup pid
    cgroup=$(cgroup2_root)/credd-lab-$1
    if pid=$(leader "$1") && kill -KILL "$pid"; then
        wait_for 2 is_empty "$1" || true
    fi
    [[ -d $cgroup ]] || return 0
    echo 1 >"$cgroup/cgroup.kill"
    wait_for "$stop_limit_sec" is_empty "$1" || die "$1: processes in $cgroup do not die"
}

power_off() { # NAME
    has_leader "$1" || return 0
    (enter "$1" root systemctl poweroff) </dev/null >/dev/null
    wait_for "$boot_limit_sec" is_empty "$1" || note "$1: does not power off, killing it"
}

remove_cgroups() { # NAME
    local root
    for root in $(cgroup_roots); do
        [[ -d $root/credd-lab-$1 ]] || continue
        find "$root/credd-lab-$1" -depth -type d -exec rmdir {} +
    done
}

# What systemd-nspawn leaves in /run when it was killed; its lock is named after the root directory.
remove_nspawn_traces() { # NAME
    local root
    root=$(lab_dir "$1")/root
    rm -rf "/run/systemd/nspawn/propagate/$1" "/run/systemd/nspawn/unix-export/$1"
    [[ ! -d $root ]] || rm -f "/run/systemd/nspawn/locks/inode-$(stat -c %d:%i "$root")"
}

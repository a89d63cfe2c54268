#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# selftest.sh - does the lab keep its promises? TAP. Boots bookworm and trixie side by side, logs
# in, looks for what must not be seen from next door, and for what must not be left behind.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
lab=$here/lab
# shellcheck source=accounts
. "$here/accounts"
CREDD_LAB_RUN=$(mktemp -d /var/tmp/credd-lab-selftest.XXXXXX)
export CREDD_LAB_RUN
id=${CREDD_LAB_RUN##*.}
id=${id,,}
labs=("bookworm-$id" "trixie-$id")
count=0 failures=0

finish() {
    "$lab" down --all || true
    rmdir "$CREDD_LAB_RUN" || true
    ((failures == 0))
}

report() { # RESULT DESCRIPTION [OUTPUT]
    count=$((count + 1))
    if [[ $1 == 0 ]]; then
        echo "ok $count - $2"
    else
        failures=$((failures + 1))
        echo "not ok $count - $2"
        [[ -z ${3:-} ]] || printf '%s\n' "$3" | sed 's/^/# /'
    fi
}

check() { # DESCRIPTION COMMAND...
    local description=$1 output result=0
    shift
    output=$("$@" 2>&1 </dev/null) || result=$?
    report "$result" "$description" "$output"
}

wait_until() { # SECONDS COMMAND...
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}

# --- What is checked

boot_both() {
    local first=0 second=0 pid
    "$lab" up bookworm --name "${labs[0]}" --owner $$ --install "$1" >/dev/null &
    pid=$!
    "$lab" up trixie --name "${labs[1]}" --owner $$ --install "$1" || second=$?
    wait "$pid" || first=$?
    ((first == 0 && second == 0))
}

is_root_inside() { [[ $("$lab" run "$1" id -u) == 0 ]]; }

passes_input_and_status() {
    local status=0
    [[ $(echo word | "$lab" run "$1" cat) == word ]] || return 1
    "$lab" run "$1" sh -c 'exit 7' || status=$?
    ((status == 7))
}

runs_as_user() {
    [[ $("$lab" run -u bob "$1" sh -c 'id -un; id -Gn; cd; pwd' | paste -sd' ') == 'bob bob /home/bob' ]]
}

is_running() {
    local state
    state=$("$lab" run "$1" systemctl is-system-running) || true
    [[ $state == running || $state == degraded ]] || { echo "it is '$state'"; return 1; }
    [[ $state == running ]] || "$lab" run "$1" systemctl list-units --failed --plain --no-legend
}

is_installed() {
    [[ $("$lab" run "$1" stat -c '%u:%g %a' /lib/systemd/lab-selftest) == '0:0 640' ]] &&
        [[ -L $CREDD_LAB_RUN/$1/root/lib ]] &&
        "$lab" run "$1" id lab-selftest
}

ssh_in() { # NAME METHOD COMMAND
    "$lab" run "$1" timeout 30 sshpass -p "$LAB_PASSWORD" \
        ssh -tt -o PreferredAuthentications="$2" alice@127.0.0.1 "$3"
}

makes_session() { # NAME METHOD
    local cgroup
    cgroup=$(ssh_in "$1" "$2" "sed -n s/^0:://p /proc/self/cgroup")
    [[ $cgroup == /user.slice/user-1001.slice/session-*.scope* ]] || { echo "$cgroup"; return 1; }
}

logs_in_on_console() {
    "$lab" run "$1" expect -c '
        set timeout 30
        spawn login
        expect "login:" { send "alice\r" }
        expect "assword:" { send "'"$LAB_PASSWORD"'\r" }
        expect "alice@" { send "cat /proc/self/cgroup; exit\r" }
        expect { -re {session-[a-z]*[0-9]+\.scope} { exit 0 } default { exit 1 } }'
}

# While somebody is logged in next door.
sees_nobody_elses() { # NAME OTHER
    local seen
    "$lab" run "$2" sshpass -p "$LAB_PASSWORD" ssh -tt carol@127.0.0.1 sleep 60 \
        </dev/null >/dev/null 2>&1 &
    wait_until 20 has_scope_of "$2" 1003 || { echo "no session in $2"; return 1; }
    seen=$("$lab" run "$1" find /sys/fs/cgroup -name '*1003*' -o -name 'credd-lab*')
    seen+=$("$lab" run "$1" loginctl --no-legend list-sessions | grep carol) || true
    seen+=$("$lab" run "$1" pgrep -u carol) || true
    "$lab" run "$2" loginctl terminate-user carol
    wait || true
    [[ -z $seen ]] || { echo "$seen"; return 1; }
}
has_scope_of() {
    "$lab" run "$1" find /sys/fs/cgroup/user.slice -path "*-$2.slice*" -name 'session-*.scope' 2>/dev/null |
        grep -q .
}

has_own_identity() {
    local a b file
    for file in /etc/machine-id /proc/sys/kernel/random/boot_id /etc/hostname; do
        a=$("$lab" run "${labs[0]}" cat "$file")
        b=$("$lab" run "${labs[1]}" cat "$file")
        [[ $a && $b && $a != "$b" ]] || { echo "$file: '$a' '$b'"; return 1; }
    done
}

reboots() { # NAME [--hard]
    local before after
    before=$("$lab" run "$1" cat /proc/sys/kernel/random/boot_id)
    "$lab" run "$1" touch /root/stays
    "$lab" reboot ${2:+"$2"} "$1"
    after=$("$lab" run "$1" cat /proc/sys/kernel/random/boot_id)
    [[ $before != "$after" ]] && "$lab" run "$1" test -e /root/stays
}

# What bears the name: processes, mounts, cgroups, files.
left_behind() { # NAME
    pgrep -fa -- "$1" || true
    grep -- "$1" /proc/mounts || true
    find /sys/fs/cgroup /run/systemd/nspawn "$CREDD_LAB_RUN" -name "*$1*" 2>/dev/null
}

is_gone() {
    local left
    left=$(left_behind "$1")
    [[ -z $left ]] || { echo "$left"; return 1; }
}

goes_down() { # NAME
    local leader
    leader=$("$lab" list | awk -v name="$1" '$1 == name { print $4 }')
    "$lab" down "$1" && "$lab" down "$1" && wait_until 3 is_gone "$1" && is_dead "$leader"
}
# A zombie is the business of the machine's init.
is_dead() { [[ $1 ]] && [[ ! -e /proc/$1 || $(ps -o stat= -p "$1") == Z* ]]; }

goes_down_without_nspawn() { # NAME
    local locks
    locks=$(ls /run/systemd/nspawn/locks)
    "$lab" up trixie --name "$1" --owner $$ >/dev/null || return 1
    kill -KILL "$(<"$CREDD_LAB_RUN/$1/nspawn")" || return 1
    "$lab" down "$1" && wait_until 3 is_gone "$1" && [[ $(ls /run/systemd/nspawn/locks) == "$locks" ]]
}

dies_with_owner() { # NAME
    local owner leader
    sleep 300 &
    owner=$!
    "$lab" up trixie --name "$1" --owner "$owner" >/dev/null || return 1
    leader=$("$lab" list | awk -v name="$1" '$1 == name { print $4 }')
    kill -KILL "$owner"
    wait_until 10 is_gone "$1" && is_dead "$leader"
}

refuses() { # STATUS WORDS COMMAND...
    local status=0 output wanted=$1 words=$2
    shift 2
    output=$("$@" 2>&1) || status=$?
    [[ $status == "$wanted" && $output == *"$words"* ]] || { echo "$status: $output"; return 1; }
}

# --- The run

"$lab" check || { echo "1..0 # SKIP this machine cannot boot a lab"; rmdir "$CREDD_LAB_RUN"; exit 0; }
trap finish EXIT
echo '1..27'
tree=$(mktemp -d)
mkdir -p "$tree/lib/systemd" "$tree/usr/lib/sysusers.d"
echo 'u lab-selftest - "A user of an installed tree"' >"$tree/usr/lib/sysusers.d/lab-selftest.conf"
install -o 1234 -g 1234 -m 0640 /dev/null "$tree/lib/systemd/lab-selftest"

check 'bookworm and trixie boot side by side' boot_both "$tree"
rm -r "$tree"
for name in "${labs[@]}"; do
    check "$name: a command runs as root" is_root_inside "$name"
    check "$name: standard input and exit status pass through" passes_input_and_status "$name"
    check "$name: run -u runs as a user" runs_as_user "$name"
    check "$name: the system is running" is_running "$name"
    check "$name: the tree is installed as root's, and sysusers ran" is_installed "$name"
    check "$name: a password login over SSH makes a session scope" makes_session "$name" password
    check "$name: so does keyboard-interactive" makes_session "$name" keyboard-interactive
    check "$name: so does login on a terminal" logs_in_on_console "$name"
done
check 'trixie does not see the sessions of bookworm' sees_nobody_elses "${labs[1]}" "${labs[0]}"
check 'bookworm does not see the sessions of trixie' sees_nobody_elses "${labs[0]}" "${labs[1]}"
check 'each has its own machine id, boot id and name' has_own_identity
check 'reboot: another boot id, the same disk' reboots "${labs[0]}"
check 'reboot --hard: the same' reboots "${labs[1]}" --hard
check 'down leaves nothing behind, and may be said twice' goes_down "${labs[0]}"
check 'down works when systemd-nspawn was killed' goes_down_without_nspawn "killed-$id"
check 'a lab dies with its killed owner' dies_with_owner "owned-$id"
check 'who is not root is told so, status 77' refuses 77 'takes root' \
    setpriv --reuid=65534 --regid=65534 --clear-groups "$lab" check
check 'the lab next door is still up' is_root_inside "${labs[1]}"

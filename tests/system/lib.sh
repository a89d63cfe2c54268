# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# lib.sh - what the system tests share: TAP, the way into the lab, logins, and what credd and the
# journal say of them. A test file sources it, works in the lab that $LAB names, and ends with
# `plan`. Each case takes users of its own (new_users), so that many can wait side by side: what one
# leaves behind is not the residue of another.

set -uo pipefail

system_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_dir=$(cd "$system_dir/../.." && pwd)
# shellcheck disable=SC2034  # for the test files
tools=$source_dir/build/tests/system/tools
# shellcheck source=../lab/accounts
. "$source_dir/tests/lab/accounts"

if [[ -z ${LAB:-} ]]; then
    echo "Bail out! LAB names no lab; start this with tests/system/run $(basename "$0")"
    exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# --- TAP

tap_count=0 tap_failures=0

# Everything that follows the description is a line of diagnosis, shown if it is not ok.
tap_result() { # STATUS DESCRIPTION [DIAGNOSIS...]
    local status=$1 text=$2
    shift 2
    tap_count=$((tap_count + 1))
    if ((status == 0)); then
        echo "ok $tap_count - $text"
        return 0
    fi
    tap_failures=$((tap_failures + 1))
    echo "not ok $tap_count - $text"
    (($# == 0)) || diag "$@"
    return 1
}

diag() { # TEXT...
    printf '%s\n' "$@" | sed 's/^/# /'
}

ok() { # DESCRIPTION COMMAND...; what the command prints is the diagnosis
    local text=$1 output status=0
    shift
    output=$("$@" 2>&1 </dev/null) || status=$?
    tap_result "$status" "$text" "$* gave $status" ${output:+"$output"}
}

not_ok() { # DESCRIPTION COMMAND...
    local text=$1 output status=0
    shift
    output=$("$@" 2>&1 </dev/null) && status=1
    tap_result "$status" "$text" "$* succeeded" ${output:+"$output"}
}

is() { # GOT WANTED DESCRIPTION
    local status=0
    [[ $1 == "$2" ]] || status=1
    tap_result "$status" "$3" "got:    '$1'" "wanted: '$2'"
}

isnt() { # GOT UNWANTED DESCRIPTION
    local status=0
    [[ $1 != "$2" ]] || status=1
    tap_result "$status" "$3" "got: '$1'"
}

like() { # GOT REGEX DESCRIPTION
    local status=0
    [[ $1 =~ $2 ]] || status=1
    tap_result "$status" "$3" "got:     '$1'" "not like: $2"
}

unlike() { # GOT REGEX DESCRIPTION
    local status=0
    [[ ! $1 =~ $2 ]] || status=1
    tap_result "$status" "$3" "got:  '$1'" "like: $2"
}

at_most() { # GOT LIMIT DESCRIPTION; numbers
    local status=0
    [[ $1 =~ ^-?[0-9]+$ ]] && (($1 <= $2)) || status=1
    tap_result "$status" "$3" "got: '$1', more than $2"
}

# How late an end was. On a busy machine it may be later by this: speed is the matter of SOAK=1 and of the
# benchmarks.
busy_ms=10000
[[ -z ${SOAK:-} ]] || busy_ms=0
gone_at_most() { # MSEC LIMIT DESCRIPTION
    at_most "$1" $(($2 + busy_ms)) "$3"
}
late_at_most() { # USEC LIMIT DESCRIPTION
    at_most "$1" $(($2 + busy_ms * 1000)) "$3"
}

skip() { # REASON DESCRIPTION
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $2 # SKIP $1"
}

plan() { # the last line of a test file
    echo "1..$tap_count"
    exit $((tap_failures > 0))
}

# --- The lab

in_lab() { # COMMAND...; no input
    "$source_dir/tests/lab/lab" run "$LAB" "$@" </dev/null
}

in_lab_as() { # USER COMMAND...
    local user=$1
    shift
    "$source_dir/tests/lab/lab" run -u "$user" "$LAB" "$@" </dev/null
}

# Runs functions of this shell in the lab: `guest "f g" f ARG...` takes f and g along, and calls f.
guest() { # FUNCTIONS FUNCTION ARG...
    local functions=$1
    shift
    # shellcheck disable=SC2086
    in_lab bash -c "$(declare -f $functions)"$'\n''"$@"' guest "$@"
}

write_file() { # PATH MODE, the content on stdin
    # shellcheck disable=SC2016
    "$source_dir/tests/lab/lab" run "$LAB" \
        bash -c 'umask 077; cat >"$1.new" && chmod "$2" "$1.new" && mv "$1.new" "$1"' write_file "$1" "$2"
}

add_users() { # PASSWORD NAME...
    local password=$1 user
    shift
    for user; do
        useradd -m -s /bin/bash "$user" || return 1
        echo "$user:$password"
    done | chpasswd
}

# People like those of tests/lab/accounts, with the same password.
new_users() { # NAME...
    guest add_users add_users "$LAB_PASSWORD" "$@" || diag "cannot add the users $*"
}

# True once COMMAND is, false after SECONDS. The limit is no assertion of speed.
wait_until() { # SECONDS COMMAND...
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS <= end)) || return 1
        sleep 0.1
    done
}

# Microseconds since 1970; the lab's clock is the host's.
now_usec() { echo "${EPOCHREALTIME/[.,]/}"; }

sleep_until() { # USEC since 1970
    local left=$(($1 - $(now_usec)))
    ((left <= 0)) || sleep "$((left / 1000000)).$(printf '%06d' $((left % 1000000)))"
}

# The lab's jq: the machine need not have one.
jq() { "$source_dir/tests/lab/lab" run "$LAB" jq "$@"; }

# --- Credentials

# Prints the token, and so its id, see id_of.
issue_token() { # USER [OPTION...]
    local user=$1
    shift
    in_lab credctl issue --user "$user" --output token "$@"
}

id_of() { # TOKEN
    echo "${1:4:8}"
}

# One value of what `credctl show` says; jq's FILTER sees the credential.
show_of() { # ID FILTER
    # shellcheck disable=SC2016
    in_lab sh -c 'credctl show --json "$1" | jq -r ".credentials[0] | $2"' show_of "$1" "$2"
}

receipt_of() { # ID [FILTER]
    show_of "$1" ".receipt | ${2:-.}"
}

# "confirmed" is also what was late by no more than a busy machine may be.
verdict_of() { # ID
    receipt_of "$1" "if .verdict == \"late\" and .late_usec > 3000000 and .late_usec <= $((3000000 + busy_ms * 1000))
        then \"confirmed\" else .verdict end"
}

# What is asked again and again is asked without jq, whose start takes longer than all the rest.
has_line_of_json() { # ID REGEX
    # shellcheck disable=SC2016
    in_lab sh -c 'credctl show --json "$1" | grep -qE "$2"' has_line_of_json "$1" "$2"
}

has_receipt() { # ID
    has_line_of_json "$1" '^ +"receipt": \{'
}

wait_for_receipt() { # ID [SECONDS]
    wait_until "${2:-30}" has_receipt "$1" || diag "$1 has no receipt"
}

has_session() { # ID
    has_line_of_json "$1" '^ +"state": "open"'
}

wait_for_session() { # ID
    wait_until 20 has_session "$1" || diag "$1 has no open session"
}

status_of_credd() { # FIELD
    # shellcheck disable=SC2016
    in_lab sh -c 'credctl status --json | jq -r ".status.$1"' status_of_credd "$1"
}

# Journald has all that credd has to say.
is_calm() {
    in_lab sh -c 'credctl status --json | grep -qE "\"journal_behind\": 0,?$"'
}

# --- Logins

ssh_options=(-o NumberOfPasswordPrompts=1 -o ConnectTimeout=20)

# Prints what the command prints and what ssh says; its status is ssh's or sshpass's.
ssh_with() { # USER SECRET METHOD [COMMAND]; METHOD: password, keyboard-interactive
    local user=$1 secret=$2 method=$3
    shift 3
    in_lab timeout 60 sshpass -p "$secret" ssh "${ssh_options[@]}" \
        -o PreferredAuthentications="$method" "$user@127.0.0.1" "$@" 2>&1
}

# A login on a terminal that goes on in the background; what it says is in $work/NAME.out, its
# status in $work/NAME.status once it is over.
start_session() { # NAME USER TOKEN METHOD COMMAND
    local name=$1 user=$2 secret=$3 method=$4
    shift 4
    {
        in_lab sshpass -p "$secret" ssh -tt "${ssh_options[@]}" \
            -o PreferredAuthentications="$method" "$user@127.0.0.1" "$@"
        echo $? >"$work/$name.status"
    } >"$work/$name.out" 2>&1 </dev/null &
}

# A token for USER and a session with it that goes on; both go by the name of the user, in tokens and ids.
# shellcheck disable=SC2034  # for the test files
declare -A tokens ids
open() { # USER TTL COMMAND [OPTION of issue...]; METHOD=keyboard-interactive for that
    local user=$1 ttl=$2 command=$3
    shift 3
    tokens[$user]=$(issue_token "$user" --ttl "$ttl" "$@")
    ids[$user]=$(id_of "${tokens[$user]}")
    start_session "$user" "$user" "${tokens[$user]}" "${METHOD:-password}" "$command"
}

# Its command has printed "ready".
is_ready() { # NAME
    grep -q ready "$work/$1.out"
}

wait_ready() { # USER..., as open() took it
    local user
    for user; do
        wait_until 20 is_ready "$user" || diag "$user is not ready: $(output_of "$user")"
        wait_for_session "${ids[$user]}"
    done
}

output_of() { # NAME
    tr -d '\r' <"$work/$1.out"
}

# --- Logins on a console

# Logs in on a pty of its own, types a command, and stays until the console closes.
write_console() {
    write_file /root/console.exp 0644 <<'EXPECT'
lassign $argv user secret command limit host
set timeout 30
if {$host eq ""} { spawn login } else { spawn login -h $host }
expect "login:" { send "$user\r" } timeout { exit 3 } eof { exit 3 }
expect -re "assword.*: " { send "$secret\r" } timeout { exit 4 } eof { exit 4 }
expect -re {\$ $} { send "$command\r" } "ncorrect" { exit 1 } timeout { exit 5 } eof { exit 5 }
set timeout $limit
expect eof { exit 0 } timeout { exit 6 }
EXPECT
}

# Prints what is on the screen. login hangs up its terminal first, which expect may take for its end: then
# another try. Status 1: refused. HOST: as a remote host would be named, which root may.
console() { # USER SECRET COMMAND [SECONDS [HOST]]; after write_console
    local try status
    for try in 1 2 3 4 5; do
        status=0
        in_lab expect /root/console.exp "$1" "$2" "$3" "${4:-20}" "${5:-}" >"$work/console.$BASHPID" 2>&1 || status=$?
        ((status == 3 && try < 5)) || break
    done
    cat "$work/console.$BASHPID"
    return "$status"
}

# --- What is left of a user

# What runs for USER but in the user's own manager, which logind ends in its own time.
list_processes() { # USER
    local pid cgroup
    for pid in $(pgrep -u "$1"); do
        cgroup=$(sed -n 's/^0:://p' "/proc/$pid/cgroup" 2>/dev/null) || continue
        [[ -z $cgroup || $cgroup == */user@*.service/init.scope* ]] || echo "$pid $cgroup $(tr '\0' ' ' <"/proc/$pid/cmdline")"
    done
} 2>/dev/null

processes_of() { # USER
    guest list_processes list_processes "$1"
}

# What the user's manager is still starting, as it starts it for everybody, may take a moment; anything else not.
nothing_lives() { # USER
    local found
    found=$(processes_of "$1" | grep -v '/user@')
    # shellcheck disable=SC2317  # called by name
    is_empty() { [[ ! $(processes_of "$1") ]]; }
    wait_until 5 is_empty "$1"
    is "$found$(processes_of "$1")" "" "$1: nothing of it lives"
}

watch_until_gone() { # USER SECONDS
    local end=$((SECONDS + $2))
    while [[ $(list_processes "$1") ]]; do
        ((SECONDS < end)) || { list_processes "$1"; return 1; }
        sleep 0.1
    done
    echo "${EPOCHREALTIME/[.,]/}"
}

# Prints how many milliseconds after the moment USEC the last process of USER was gone, looking for
# at most 30 s after it; or what is still there.
gone_after() { # USER USEC
    local gone
    sleep_until $(($2 - 100000))
    gone=$(guest "list_processes watch_until_gone" watch_until_gone "$1" 30) || { echo "$gone"; return 1; }
    echo $(((gone - $2) / 1000))
}

# The same for the deadline of the first session of a credential, which must be still to come.
gone_after_deadline() { # USER ID
    local deadline
    deadline=$(show_of "$2" '.sessions[0].deadline_usec')
    (($(now_usec) < deadline)) || { echo "the deadline passed before anybody looked"; return 1; }
    gone_after "$1" "$deadline"
}

# --- The journal

# What credd has logged, and nobody else; one JSON object a line, in the order of what happened. After
# a crash credd sends anew what it may not have sent, with the same number: each number counts once.
credd_journal() { # MATCH...
    said_by_credd . "$@"
}

# Of each of these entries what jq's FILTER makes of it.
said_by_credd() { # FILTER MATCH...
    # shellcheck disable=SC2016
    in_lab sh -c 'filter=$1; shift; journalctl --sync
        journalctl -q -o json --all _UID="$(id -u credd)" "$@" |
            jq -crs "map(select(.CREDD_SEQ)) | unique_by(.CREDD_SEQ | tonumber) | .[] | $filter"' said_by_credd "$@"
}

# The numbers of those entries, a line each.
numbers_of() { # MATCH...
    # shellcheck disable=SC2016
    in_lab sh -c 'journalctl --sync
        journalctl -q -o json --output-fields=CREDD_SEQ _UID="$(id -u credd)" "$@" |
            grep -o "\"CREDD_SEQ\":\"[0-9]*\"" | sort -u' numbers_of "$@"
}

# A line for each event of a credential: its name, and if it has one its reason.
journal_of() { # ID
    said_by_credd 'select(.CREDD_EVENT) | .CREDD_EVENT + (if .CREDD_REASON then " " + .CREDD_REASON else "" end)' \
        "CREDD_CREDENTIAL=$1"
}

# One field of each EVENT of a credential.
event_field() { # ID EVENT FIELD
    said_by_credd ".$3 // \"-\"" "CREDD_CREDENTIAL=$1" "CREDD_EVENT=$2"
}

count_events() { # ID EVENT
    numbers_of "CREDD_CREDENTIAL=$1" "CREDD_EVENT=$2" | wc -l
}

has_event() { # ID EVENT
    [[ $(count_events "$1" "$2") -ge 1 ]]
}

# Refusals are written down once a second.
wait_for_event() { # ID EVENT
    wait_until 15 has_event "$1" "$2" || diag "no event $2 of $1"
}

# --- credd dies

pid_of_credd() { in_lab systemctl show credd.service -p MainPID --value; }
runs_anew() { # OLD-PID
    local pid
    pid=$(pid_of_credd)
    [[ $pid != 0 && $pid != "$1" ]] && in_lab credctl sessions >/dev/null
}
kill_credd() {
    local pid
    pid=$(pid_of_credd)
    in_lab kill -KILL "$pid"
    wait_until 20 runs_anew "$pid" || diag "credd did not start again"
}

# It has one of everything, whatever died on the way.
one_receipt() { # USER VERDICTS
    wait_for_receipt "${ids[$1]}" 40
    like "$(receipt_of "${ids[$1]}" .verdict)" "^($2)\$" "$1: the receipt says $2"
    is "$(count_events "${ids[$1]}" credential-deprovisioned)" 1 "$1: there is one receipt in the journal"
    is "$(count_events "${ids[$1]}" login-accepted)" 1 "$1: and one login"
    is "$(show_of "${ids[$1]}" '[.events[] | select(.event == "session-ended")] | length')" 1 "$1: and one end"
}

# --- credd.conf

loads_of_config() {
    numbers_of CREDD_EVENT=config-loaded + CREDD_EVENT=config-refused | wc -l
}

more_loads_than() { (($(loads_of_config) > $1)); }

reload_credd() {
    local before
    before=$(loads_of_config)
    in_lab systemctl reload credd.service
    wait_until 15 more_loads_than "$before" || diag "credd did not load its configuration again"
}

# Each KEY=VALUE is a line of credd.conf, which has no others; none: the defaults.
configure() { # [KEY=VALUE...]
    { echo '[Credd]'; printf '%s\n' "$@"; } | write_file /etc/credd/credd.conf 0644
    reload_credd
}

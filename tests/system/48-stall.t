#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# credd stands still for a minute (stopped by a signal; a store that hangs looks the same). What fell due
# meanwhile ends right after, in order, and says how late; who logs in meanwhile is refused in time.
# shellcheck disable=SC2016,SC2317  # $ in a session's command is the session's; functions called by name
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=clocks.sh
. "$system_dir/clocks.sh"

sleeper='echo ready; sleep 7500'
pid_of_credd() { in_lab systemctl show credd.service -p MainPID --value; }
another_credd() { # than PID
    local pid
    pid=$(pid_of_credd)
    [[ $pid != 0 && $pid != "$1" ]]
}

# The ceilings are far away: it is credd that ends these sessions, and not PID 1.
open_four() { # A B C D
    open "$3" 30min "$sleeper" --session-ttl 24s
    open "$1" 30min "$sleeper" --session-ttl 20s
    open "$4" 30min "$sleeper" --session-ttl 26s
    open "$2" 30min 'trap "" TERM HUP INT; echo ready; while :; do sleep 0.3; done' --session-ttl 22s
    spare=$(issue_token guest --ttl 30min)
    wait_ready "$@"
    for user; do
        deadlines[$user]=$(deadline_of "$user")
    done
}
declare -A deadlines
refused_in_time() { # WHEN
    local start=$SECONDS
    like "$(log_in guest "$spare")" 'Permission denied' "$1: a login is refused"
    # The module waits for 5 s, PAM and sshd add their own for a failure.
    at_most $((SECONDS - start)) 40 "... within the limit"
}
late_since() { # USER WENT-ON; in microseconds: when credd could act again, at the earliest
    local late
    late=$(receipt_of "${ids[$1]}" .late_usec)
    at_most $(($2 - deadlines[$1] - late)) 0 "$1 is late by no less than it took credd to go on"
    at_most $((late - $2 + deadlines[$1])) 20000000 "... and by little more: $((late / 1000)) ms"
}

new_users guest early deaf late after a b c d

# --- The watchdog ends it, 30 s after it was last heard of

open_four early deaf late after
in_lab systemctl restart credd.service # it is heard of now, so those deadlines fall into the stall
pid=$(pid_of_credd)
in_lab kill -STOP "$pid"
refused_in_time "credd stands still"
ok "the watchdog starts another credd" wait_until 90 another_credd "$pid"
ended_in_order "ended by the watchdog" early deaf late after
started=$(credd_journal CREDD_EVENT=daemon-started | tail -n 1 | jq -r .__REALTIME_TIMESTAMP)
for user in early deaf late after; do
    late_since "$user" $((started - 1000000))
done
like "$(in_lab journalctl -q --no-pager -u credd.service -o cat)" 'Watchdog timeout' "the journal says that it was the watchdog"
unlike "$(journal_of "$(id_of "$spare")")" session-opened "the login that was given up opened no session"

# --- A minute, and nobody ends it

unit_with 'WatchdogSec=0'
in_lab systemctl restart credd.service
ok "credd runs without a watchdog" wait_until 20 in_lab credctl list
open_four a b c d
pid=$(pid_of_credd)
in_lab kill -STOP "$pid"
stopped=$(now_usec)
refused_in_time "stopped for a minute"
sleep_until $((stopped + 60000000))
went_on=$(now_usec)
in_lab kill -CONT "$pid"
ended_in_order "stopped for a minute" a b c d
for user in a b c d; do
    late_since "$user" "$went_on"
done
is "$(pid_of_credd)" "$pid" "it was one credd all the time"
unlike "$(journal_of "$(id_of "$spare")")" session-opened "the login that was given up opened no session"
# An end that was missed stays on the list until an admin has seen it.
for id in $(status_of_credd 'unacknowledged[].id' | sort -u); do
    in_lab credctl ack "$id" --reason 'credd was stopped' >/dev/null
done
is "$(status_of_credd 'problems | length')" 0 "credd has no problem left"
is "$(credd_journal | jq -r .CREDD_SEQ | awk 'NR > 1 && $1 != last + 1 { print last "-" $1 } { last = $1 }')" '' \
    "the journal lacks no event of all this"

wait
plan

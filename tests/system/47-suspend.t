#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A suspend past deadlines, and the same by a time namespace: what fell due meanwhile ends at once, in
# order, and says how late; what has time left has that much less.
# shellcheck disable=SC2016,SC2317  # $ in a session's command is the session's; functions called by name
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=clocks.sh
. "$system_dir/clocks.sh"

hour=3600
sleeper='echo ready; sleep 7400'

shim_credd
new_users stays soon next last deaf due1 due2 due3 spare short spaced within

# --- While credd runs. CLOCK_BOOTTIME and the wall clock go on together, everything else stood still.

open stays 4h "$sleeper"
open last 50min "$sleeper"
open soon 20min "$sleeper"
open deaf 40min 'trap "" TERM HUP INT; echo ready; while :; do sleep 0.3; done'
open next 30min "$sleeper"
long=$(issue_token spare --ttl 4h --uses 3)
short=$(issue_token short --ttl 10min)
unasked=$(issue_token short --ttl 10min)
wait_ready stays soon next deaf last
deadline=$(deadline_of stays)
stays_with_less() { # WHEN
    is "$(show_of "${ids[stays]}" '.sessions[0].state')" open "$1: who has time left stays"
    is "$(apart "$(deadline_of stays)" "$deadline")" 0 "... until the same moment as ever"
    is "$(log_in spare "$long")" in "... and an unspent token with time left logs in"
}

move_clocks $hour $hour
ended_in_order "suspended for an hour" soon next deaf last
late_by soon 2400
late_by next 1800
late_by deaf 1200
late_by last 600
is "$(credd_journal CREDD_EVENT=session-warned | wc -l)" 0 "nobody is warned of an end that has come"
refused_for short "$short" expired "a token that fell due in the suspend"
wait_for_receipt "$(id_of "$unasked")"
is "$(state_of "$(id_of "$unasked")")" expired "one that nobody asks for is expired, too"
stays_with_less "after the suspend"
is "$(steps)" 0 "a wall clock that goes on with the suspend is no step"

# --- While credd was down

open due3 50min "$sleeper"
open due1 20min "$sleeper"
open due2 30min "$sleeper"
wait_ready due1 due2 due3
stop_credd
move_clocks $((2 * hour)) $((2 * hour))
start_credd "after a suspend while it was down"
ended_in_order "suspended while credd was down" due1 due2 due3
late_by due1 2400
late_by due2 1800
late_by due3 600
stays_with_less "after the second suspend"

# --- By a time namespace, in which the kernel itself moves the clock and what timers see of it. It shifts
# start ticks, too, so no session lives through the change.

ok "the last session is revoked" in_lab credctl revoke "${ids[stays]}"
wait_for_receipt "${ids[stays]}"
gone_by=$(issue_token spaced --ttl 30min)
stop_credd
in_lab sh -euc "touch /run/time-ns; unshare --time=/run/time-ns --boottime $((3 * hour)) true"
# Entering it takes a right that credd does not have, and has lost again when it starts.
unit_with 'ExecStart=' \
    'ExecStart=/usr/bin/nsenter --time=/run/time-ns /usr/bin/setpriv --inh-caps=-sys_admin --ambient-caps=-sys_admin /usr/sbin/credd' \
    'CapabilityBoundingSet=CAP_SYS_ADMIN' 'AmbientCapabilities=CAP_SYS_ADMIN' 'RestrictNamespaces=no' 'SystemCallFilter=' \
    'ExecPaths=/usr/bin/nsenter /usr/bin/setpriv'
start_credd "in a time namespace, another hour on"
# shellcheck disable=SC2016
isnt "$(in_lab sh -c 'readlink "/proc/$(pidof credd)/ns/time"')" "$(in_lab readlink /proc/self/ns/time)" "that is another namespace"
wait_for_receipt "$(id_of "$gone_by")"
is "$(state_of "$(id_of "$gone_by")")" expired "a token is expired by its clock"
refused_for spaced "$gone_by" expired "that token"
is "$(log_in spare "$long")" in "one with time left logs in"
open within 10s "$sleeper"
wait_until 20 is_ready within || diag "within is not ready: $(output_of within)"
# Its wall clock is the machine's; only its line has gone on.
gone_at_most "$(gone_after_deadline within "${ids[within]}")" 3000 "a session ends at its deadline"
wait_for_receipt "${ids[within]}"
is "$(verdict_of "${ids[within]}")" confirmed "... and its receipt says confirmed"

wait
plan

#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What must hold when something dies under an open session: credd at any moment, credd for good,
# logind, the machine.
# shellcheck disable=SC2016,SC2317  # $ in a session's command is the session's; functions called by name
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

deadline_of() { show_of "${ids[$1]}" '.sessions[0].deadline_usec'; }
watch_end() { # USER; what gone says later counts from its deadline
    gone_after_deadline "$1" "${ids[$1]}" >"$work/$1.gone" &
    looks+=($!)
}
gone() { cat "$work/$1.gone"; }

deaf='trap "" TERM HUP INT; sleep 7200 & echo ready; while :; do sleep 0.3; done'

new_users before atdead during deafatdead bystander forgood forgooddeaf relog relogdeaf shared rebooted powercut spare

# --- credd is killed: before the deadline, at it, and in the grace

open before 24s 'sleep 7201 & echo ready; sleep 7202'
open atdead 27s 'sleep 7203 & echo ready; sleep 7204'
open deafatdead 27s "$deaf"
open during 31s "$deaf"
open bystander 1h 'echo ready; sleep 7205'
wait_ready before atdead deafatdead during bystander
looks=()
for user in before atdead deafatdead during; do
    watch_end "$user"
done
at_dead=$(deadline_of atdead) grace=$(($(deadline_of during) + 1000000))

kill_credd
is "$(status_of_credd sessions_open)" 5 "after a kill credd finds its sessions again"
is "$(show_of "${ids[before]}" '.sessions[0].state')" open "... and they are open"
sleep_until "$at_dead"
kill_credd
sleep_until "$grace"
kill_credd
wait "${looks[@]}"

gone_at_most "$(gone before)" 2000 "killed before the deadline: the session ends at it all the same"
gone_at_most "$(gone atdead)" 3000 "killed at the deadline: the session ends"
gone_at_most "$(gone deafatdead)" 6000 "killed at the deadline: what ignores TERM ends"
gone_at_most "$(gone during)" 6000 "killed in the grace: what ignores TERM ends"
one_receipt before confirmed
one_receipt atdead 'confirmed|late'
one_receipt deafatdead 'confirmed|late'
one_receipt during 'confirmed|late'
at_most "$(($(receipt_of "${ids[during]}" .late_usec) - $(gone during) * 1000))" 3000000 \
    "its lateness is no more than what was seen"
is "$(show_of "${ids[bystander]}" '.sessions[0].state')" open "who has time left stays"
ok "... and works on" in_lab pgrep -u bystander -x -f 'sleep 7205'
is "$(credd_journal CREDD_EVENT=daemon-started | wc -l)" 4 "each start is in the journal"

# --- logind is restarted under open sessions

open relog 12s 'sleep 7206 & echo ready; sleep 7207'
open relogdeaf 12s "$deaf"
wait_ready relog relogdeaf
looks=()
watch_end relog
watch_end relogdeaf
in_lab systemctl restart systemd-logind.service
wait "${looks[@]}"
gone_at_most "$(gone relog)" 2000 "logind restarted: the session ends at its deadline"
gone_at_most "$(gone relogdeaf)" 4000 "logind restarted: what ignores TERM ends after the grace"
one_receipt relog confirmed
one_receipt relogdeaf confirmed

# --- Of two sessions of one person one ends, and credd is killed: the other answers for both

open shared 12s 'systemd-run --user --quiet sleep 7212; echo ready; sleep 7213'
wait_ready shared
tokens[other]=$(issue_token shared --ttl 24s)
ids[other]=$(id_of "${tokens[other]}")
start_session other shared "${tokens[other]}" password 'echo ready; sleep 7214'
wait_ready other
one_receipt shared confirmed
ok "what one has in its user's manager goes on while another session does" in_lab pgrep -u shared -f 'sleep 7212$'
kill_credd
is "$(show_of "${ids[other]}" '.sessions[0].state')" open "... which is found again"
one_receipt other confirmed
is "$(in_lab pgrep -u shared -a)" '' "with the last of them all of it has ended"

# --- credd is stopped for good: PID 1 ends the session at its ceiling

open forgood 12s 'sleep 7208 & echo ready; sleep 7209'
open forgooddeaf 12s "$deaf"
wait_ready forgood forgooddeaf
session=$(show_of "${ids[forgooddeaf]}" '.sessions[0].session')
looks=()
watch_end forgood
is "$(in_lab systemctl show "session-$session.scope" -p TimeoutStopUSec --value)" '1min 30s' \
    "PID 1 would kill what ignores TERM 90 s after the ceiling"
deaf_deadline=$(deadline_of forgooddeaf)
in_lab systemctl stop credd-login.socket credd-admin.socket credd.service
in_lab systemctl --runtime mask credd.service credd-login.socket credd-admin.socket 2>/dev/null
not_ok "credd is stopped" in_lab pgrep -x credd
wait "${looks[@]}"
# The grace, a second for rounding up, and PID 1's own slack.
gone_at_most "$(gone forgood)" 7000 "without credd PID 1 ends the session at its ceiling"
in_lab systemctl --runtime unmask credd.service credd-login.socket credd-admin.socket 2>/dev/null
in_lab systemctl start credd-login.socket credd-admin.socket credd.service
one_receipt forgood 'confirmed|late'
one_receipt forgooddeaf late
late_at_most "$(($(now_usec) - deaf_deadline - $(receipt_of "${ids[forgooddeaf]}" .late_usec)))" 60000000 \
    "credd, back again, ends what PID 1 has left, and says how late"

# --- The machine is booted again

unused=$(issue_token spare --ttl 10min)
again=$(issue_token spare --ttl 10min --uses 2)
is "$(ssh_with spare "$again" password echo in)" in "one use is spent before the boot"
open rebooted 30min 'echo ready; sleep 7210'
wait_ready rebooted
"$source_dir/tests/lab/lab" reboot "$LAB" 2>/dev/null
is $? 0 "the lab boots again"
ok "credd answers" wait_until 20 in_lab credctl status
# What credd sees; nothing can be executed in there.
# shellcheck disable=SC2016
is "$(in_lab sh -c 'cat "/proc/$(pidof credd)/root/proc/sys/kernel/random/boot_id"')" \
    "$(in_lab cat /proc/sys/kernel/random/boot_id)" "... and sees that it is another boot"
# shellcheck disable=SC2016
entries_of() { # USER; as they are, not each number once
    in_lab sh -c 'journalctl --sync; journalctl -q -o json _UID="$(id -u credd)" CREDD_CREDENTIAL="$1" CREDD_EVENT=session-opened | wc -l' \
        entries_of "${ids[$1]}"
}
is "$(entries_of rebooted)" 1 "what journald wrote when it was stopped is not sent again"
one_receipt rebooted confirmed
is "$(show_of "${ids[rebooted]}" '.sessions[0].state')" ended "rebooted: its session is closed"
one_receipt bystander confirmed
is "$(show_of "$(id_of "$unused")" .state)" active "an unused credential lives on"
is "$(ssh_with spare "$unused" password echo in)" in "... and logs in"
is "$(ssh_with spare "$again" keyboard-interactive echo in)" in "what had a use left logs in once"
unlike "$(ssh_with spare "$again" keyboard-interactive echo in)" '^in$' "... and no more"

open powercut 30min 'echo ready; sleep 7211'
wait_ready powercut
"$source_dir/tests/lab/lab" reboot --hard "$LAB" 2>/dev/null
is $? 0 "the lab boots again, as after a power cut"
ok "credd answers" wait_until 20 in_lab credctl status
one_receipt powercut confirmed
is "$(status_of_credd store)" ok "the store is well"
is "$(status_of_credd sessions_open)" 0 "no session is left open"
wait_until 10 is_calm
is "$(entries_of powercut)" 2 "what journald may have had in memory alone is sent again"
ok "both witnesses agree" in_lab credctl verify
is "$(credd_journal | jq -r .CREDD_SEQ | awk 'NR > 1 && $1 != last + 1 { print last "-" $1 } { last = $1 }')" '' \
    "the journal lacks no event of all this"
is "$(in_lab sh -c 'journalctl -q -o json --all _UID="$(id -u credd)" |
    jq -r "select(.CREDD_SEQ) | .CREDD_SEQ + \" \" + .CREDD_HASH" | sort -u | cut -d" " -f1 | uniq -d')" '' \
    "what credd sent again after a crash is what it had sent"

wait
plan

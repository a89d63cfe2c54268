#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The end of a session: at its deadline or at once when revoked, whatever runs in it, with the
# receipt that proves it. All sessions wait for their ends side by side, each of another user.
# shellcheck disable=SC2016,SC2317  # $ in a session's command is the session's; functions called by name
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# Grace 2 s; a second more is what "confirmed" allows; another is for looking. The receipts are exact.
on_time_ms=2000 after_grace_ms=4000
signs='[.evidence[] | .leader_sign, .logind_sign, .scope_sign, .tree_sign] | join(", ")'


gone() { cat "$work/$1.gone"; }

cases='plain keyboard children deaf escaped forker manager terminal'
# shellcheck disable=SC2086
new_users $cases revoked quick leaver unused backstop twice shared

for user in $cases; do
    METHOD=password
    case $user in
        plain) command='echo ready; sleep 7101' ;;
        keyboard) command='echo ready; sleep 7102' METHOD=keyboard-interactive ;;
        children) command='for i in 1 2 3; do (sleep 7103 & sleep 7104) & done; echo ready; wait; sleep 7105' ;;
        deaf) command='trap "" TERM HUP INT; sleep 7106 & echo ready; while :; do sleep 0.3; done' ;;
        escaped) command='setsid -f sleep 7107; nohup sleep 7108 >/dev/null 2>&1 & (trap "" TERM HUP; setsid -f sleep 7109); echo ready; sleep 7110' ;;
        forker) command='trap "" TERM HUP; echo ready; while :; do setsid -f sleep 1; sleep 0.1; done' ;;
        manager) command='systemd-run --user -q sleep 7111; echo ready; sleep 7112' ;;
        terminal) command='tmux new-session -d sleep 7113; echo ready; sleep 7114' ;;
    esac
    open "$user" 20s "$command"
done
open revoked 1h 'trap "" HUP; echo ready; sleep 7115'
open quick 60s 'echo ready; sleep 7116' --session-ttl 14s
open backstop 30s 'echo ready; sleep 7117' --session-ttl 30s --max-lifetime 90s
open leaver 60s 'echo ready'
# Two credentials for one account: the first to end leaves the user's manager to the other.
open shared 16s 'echo ready; sleep 7120'
shared=$(issue_token shared --ttl 10min)
start_session shared-2 shared "$shared" password 'echo ready; sleep 7121'
tokens[unused]=$(issue_token unused --ttl 2s)
ids[unused]=$(id_of "${tokens[unused]}")
open twice 20s 'echo ready; sleep 7118' --uses 2
start_session twice-2 twice "${tokens[twice]}" keyboard-interactive 'echo ready; sleep 7119'

for name in $cases revoked quick backstop leaver twice twice-2 shared shared-2; do
    wait_until 20 is_ready "$name" || diag "$name is not ready: $(output_of "$name")"
done

# Somebody looks at each from here on, until it is gone.
for user in $cases quick twice; do
    gone_after_deadline "$user" "${ids[$user]}" >"$work/$user.gone" &
    looks+=($!)
done

# --- In the session

is "$(in_lab pgrep -u deaf,escaped,children -c -x -f 'sleep 71[0-9][0-9]')" 11 "what is to be ended runs"
is "$(show_of "${ids[plain]}" .state)" in-use "the state is in-use"

session=$(show_of "${ids[backstop]}" '.sessions[0].session')
left=$(show_of "${ids[backstop]}" '.ceiling_usec - .sessions[0].opened_usec')
runtime=$(in_lab busctl get-property org.freedesktop.systemd1 \
    "/org/freedesktop/systemd1/unit/session_2d${session}_2escope" org.freedesktop.systemd1.Scope RuntimeMaxUSec)
is "${runtime#t }" "$(((left + 2000000 + 999999) / 1000000 * 1000000))" \
    "PID 1 would end the session at its ceiling and the grace, in whole seconds"
like "$(in_lab systemctl show "session-$session.scope" -p RuntimeMaxUSec)" 'RuntimeMaxUSec=1min' \
    "... and says so"

# --- Revoked

before=$(now_usec)
in_lab credctl revoke "${ids[revoked]}" --reason 'the laptop is stolen' >/dev/null
is $? 0 "revoke works on a credential in use"
gone_at_most "$(gone_after revoked "$before")" $((on_time_ms + 1000)) "what it opened is gone at once"
wait_for_receipt "${ids[revoked]}"
is "$(verdict_of "${ids[revoked]}") $(show_of "${ids[revoked]}" .state)" "confirmed revoked" \
    "its receipt confirms it"
like "$(journal_of "${ids[revoked]}")" 'credential-revoked the laptop is stolen' "the journal has the reason"
like "$(journal_of "${ids[revoked]}")" 'session-terminating revoked by root: the laptop is stolen' \
    "... for the end of the session, too"
is "$(show_of "${ids[revoked]}" .end_reason) $(show_of "${ids[revoked]}" .ended_by.name)" \
    "the laptop is stolen root" "... and so has credctl"

# --- Left, and never used

wait_for_receipt "${ids[leaver]}"
is "$(verdict_of "${ids[leaver]}") $(show_of "${ids[leaver]}" .state)" "confirmed used" \
    "who leaves before the deadline gives a receipt soon"
like "$(receipt_of "${ids[leaver]}" '.evidence[0].steps | join(" ")')" ^logout "... that says he left"
is "$(receipt_of "${ids[leaver]}" .late_usec)" 0 "... and that nothing was late"
wait_for_receipt "${ids[unused]}"
is "$(verdict_of "${ids[unused]}") $(show_of "${ids[unused]}" .state)" "confirmed expired" \
    "a credential that nobody used expires with a receipt"
is "$(receipt_of "${ids[unused]}" '.evidence | length')" 0 "... of no session"

# --- At the deadline

wait "${looks[@]}"
gone_at_most "$(gone plain)" "$on_time_ms" "at its deadline a session is gone"
gone_at_most "$(gone keyboard)" "$on_time_ms" "... one of keyboard-interactive, too"
gone_at_most "$(gone children)" "$on_time_ms" "... with all its children"
gone_at_most "$(gone deaf)" "$after_grace_ms" "what ignores TERM and HUP is gone after the grace"
gone_at_most "$(gone escaped)" "$after_grace_ms" "what left by setsid and nohup, too"
gone_at_most "$(gone forker)" "$after_grace_ms" "what forks without end, too"
gone_at_most "$(gone manager)" 15000 "what the user's manager runs for it, too"
gone_at_most "$(gone terminal)" 15000 "what tmux keeps, too"
gone_at_most "$(gone quick)" "$on_time_ms" "a session ends by --session-ttl, before the login limit"
gone_at_most "$(gone twice)" "$on_time_ms" "two sessions of one credential end together"
like "$(output_of plain)" "ends now: its time is over \\(credential ${ids[plain]}\\)" "the person is told why"
is "$(cat "$work/plain.status")" 255 "... and the client fails"

opened=$(show_of "${ids[quick]}" '(.sessions[0] | .deadline_usec - .opened_usec)')
at_most "$opened" 14000000 "the deadline of --session-ttl counts from the login"

# --- Receipts

for user in $cases quick twice; do
    wait_for_receipt "${ids[$user]}"
    is "$(verdict_of "${ids[$user]}")" confirmed "$user: the receipt confirms the end"
    is "$(show_of "${ids[$user]}" .state)" expired "$user: the credential has expired"
    is "$(count_events "${ids[$user]}" credential-deprovisioned)" 1 "$user: there is one receipt in the journal"
    is "$(count_events "${ids[$user]}" deprovision-missed)" 0 "$user: and no alarm"
done
# By the moment at which all signs agreed; whoever looks from outside the lab lags when it is busy.
for user in plain keyboard children terminal quick twice revoked; do
    late_at_most "$(receipt_of "${ids[$user]}" .late_usec)" 1000000 "$user: verified gone within a second"
done
for user in deaf escaped forker; do
    late_at_most "$(receipt_of "${ids[$user]}" .late_usec)" 3000000 "$user: verified gone within the grace and a second"
done
# Where much else runs, logind may take more than the second that it has for its answer.
word='no such session'
[[ -n ${SOAK:-} ]] || word+='|unreachable'
told=no
for user in $cases quick revoked; do
    seen=$(receipt_of "${ids[$user]}" "$signs")
    like "$seen" "^exited, ($word), (absent|empty), empty\$" "$user: all four signs say that it is gone"
    [[ $seen != *'no such session'* ]] || told=yes
done
is "$told" yes "and logind was asked"
is "$(receipt_of "${ids[twice]}" '.evidence | length')" 2 "two sessions give evidence of two, in one receipt"

wait_for_receipt "${ids[shared]}"
is "$(verdict_of "${ids[shared]}")" confirmed \
    "an account with a session of another credential: the end of the first is confirmed"
is "$(show_of "$(id_of "$shared")" '.sessions[0].state')" open "... and the other goes on"
in_lab credctl revoke "$(id_of "$shared")" >/dev/null

for user in plain deaf; do
    journal=$(credd_journal "CREDD_CREDENTIAL=${ids[$user]}" CREDD_EVENT=credential-deprovisioned)
    is "$(jq -r '.CREDD_VERDICT + " " + .CREDD_LATE_USEC' <<<"$journal")" \
        "$(receipt_of "${ids[$user]}" '.verdict + " " + (.late_usec | tostring)')" \
        "$user: journal and credctl say the same verdict and lateness"
    is "$(jq -r .CREDD_EVIDENCE <<<"$journal" | jq -cS '[.evidence[].leader, .evidence[].gone_usec, .residue]')" \
        "$(receipt_of "${ids[$user]}" '[.evidence[].leader, .evidence[].gone_usec, .residue]' | jq -cS .)" \
        "$user: ... and the same evidence"
done
late_at_most "$(receipt_of "${ids[plain]}" .late_usec)" 1000000 "the receipt says how late the end was"
like "$(receipt_of "${ids[plain]}" '.evidence[0].steps | join(" ")')" 'terminate-session' "... and how it was ended"
like "$(receipt_of "${ids[deaf]}" '.evidence[0].steps | join(" ")')" 'kill-session' "what was deaf was killed"
is "$(count_events "${ids[deaf]}" session-killed) $(count_events "${ids[plain]}" session-killed)" "1 0" \
    "... and the journal says so, of that one"
is "$(journal_of "${ids[plain]}" | cut -d' ' -f1 | paste -sd' ')" \
    "credential-issued login-accepted credential-used-up session-opened session-bound session-terminating session-ended credential-expired credential-deprovisioned" \
    "a life is in the journal from its beginning to its end"
like "$(in_lab credctl show "${ids[plain]}")" "verdict +confirmed" "credctl show tells it to people"

wait
plan

#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a person at a terminal sees: the warnings, the reason, the end; in tmux, too. No program that holds
# the terminal, and no terminal that was stopped, delays the end.
# shellcheck disable=SC2016,SC2317  # $ in a session's command is the session's; functions called by name
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

shown='watcher reader writer'
new_users watcher reader writer stopped attached detached revoked frozen quiet patient paned

# --- Terminals as people have them: a type, and an input that stays open

# The terminal stops once its session is ready, as Ctrl-S does it.
hold_terminal() { # USER TOKEN KEYS COMMAND
    { sleep 4; printf %b "$3"; sleep 60; } |
        TERM=xterm sshpass -p "$2" ssh -tt -o NumberOfPasswordPrompts=1 -o PreferredAuthentications=password \
            "$1@127.0.0.1" "$4"
}
sit_down() { # USER TTL KEYS COMMAND [OPTION of issue...]
    tokens[$1]=$(issue_token "$1" --ttl "$2" "${@:5}")
    ids[$1]=$(id_of "${tokens[$1]}")
    guest hold_terminal hold_terminal "$1" "${tokens[$1]}" "$3" "$4" >"$work/$1.out" 2>&1 &
}

in_lab install -d -m 0755 /etc/credd/roles.d
printf '%s\n' '[Role]' 'Users=patient' 'MaxTTL=4h' 'MaxLifetime=8h' 'Warn=20s 4s' | write_file /etc/credd/roles.d/patient.conf 0644
configure Warn="8s 4s"
sit_down watcher 20s '' 'echo ready; sleep 7701'
sit_down reader 20s '' 'seq 100000 >many; echo ready; less many'
sit_down writer 20s '' 'echo ready; vim -u NONE many'
sit_down stopped 20s '\023' 'echo ready; while :; do echo tick; sleep 0.2; done'
sit_down attached 20s '' 'echo ready; tmux new-session "tmux pipe-pane \"cat >seen\"; sleep 7702"'
sit_down detached 20s '' 'tmux new-session -d "sleep 7703"; tmux pipe-pane "cat >seen"; echo ready; sleep 7704'
sit_down quiet 20s '' 'chmod g-w "$(tty)"; echo ready; sleep 7705'
sit_down patient 30s '' 'echo ready; sleep 7708' --role patient --max-lifetime 50s

# Told once, it is given more time.
extend_when_told() {
    wait_until 40 grep -q 'ends in' "$work/patient.out" &&
        in_lab credctl extend "${ids[patient]}" --by 18s --reason "not done" >/dev/null
}
extend_when_told &
extension=$!

sit_down revoked 1h '' 'echo ready; sleep 7706'
sit_down frozen 1h '' 'echo ready; sleep 7707'
for name in $shown stopped attached detached quiet patient revoked frozen; do
    wait_until 12 is_ready "$name" || diag "$name is not ready: $(output_of "$name")"
done

# --- What was typed stops what is shown; nobody sees a line of it until it goes on

sleep_until $(($(show_of "${ids[stopped]}" '.sessions[0].deadline_usec') - 2000000))
size=$(stat -c %s "$work/stopped.out")
sleep 1
is "$(stat -c %s "$work/stopped.out")" "$size" "stopped: the terminal shows nothing any more"
for name in $shown stopped attached detached quiet; do
    wait_for_receipt "${ids[$name]}"
done

# --- Warning, reason, end

for name in $shown attached; do
    id=${ids[$name]}
    seen=$(output_of "$name")
    for left in '[5-8]s' '[1-4]s'; do # a busy machine may be late with it
        like "$seen" "access with credential $id ends in $left \\(2[0-9]{3}-" "$name: $left before, with the moment and the credential"
    done
    like "$seen" "credctl extend $id --by" "$name: and how to get more time"
done
for name in $shown; do
    like "$(output_of "$name")" "this session ends now: its time is over \\(credential ${ids[$name]}\\)" \
        "$name: the reason stands before the end"
done
like "$(output_of watcher)" 'ends in [5-8]s.*ends in [1-4]s.*ends now' "first the warnings, in their order, then the end"
for name in attached detached; do
    seen=$(in_lab cat "/home/$name/seen")
    for left in '[5-8]s' '[1-4]s'; do # a busy machine may be late with it
        like "$seen" "credential ${ids[$name]} ends in $left" "$name: the pane of tmux was told, $left before"
    done
done
for name in $shown stopped attached detached quiet; do
    is "$(verdict_of "${ids[$name]}")" confirmed "$name: the receipt confirms the end"
    late_at_most "$(receipt_of "${ids[$name]}" .late_usec)" 3000000 "$name: nothing has delayed it"
    is "$(event_field "${ids[$name]}" session-warned CREDD_EVENT | wc -l)" 2 "$name: two warnings are on record"
done
unlike "$(output_of stopped)" 'ends now' "stopped: its terminal was passed over"
unlike "$(output_of quiet)" 'ends (in|now)' "quiet: who takes no messages (mesg n does that) is not told"

# --- By its role, and once more after it was extended

wait "$extension"
is "$?" 0 "patient: extended after the first warning"
wait_for_receipt "${ids[patient]}" 60
seen=$(output_of patient)
is "$(grep -coE "credential ${ids[patient]} ends in (20|1[0-9])s" <<<"$seen")" 2 "patient: the first warning is its role's, and was given again when it was extended"
is "$(grep -coE "credential ${ids[patient]} ends in [2-4]s" <<<"$seen")" 1 "patient: the second once, for the new end alone"
is "$(event_field "${ids[patient]}" session-warned CREDD_EVENT | wc -l)" 3 "patient: three warnings are on record"
is "$(event_field "${ids[patient]}" credential-extended CREDD_ACTOR) $(event_field "${ids[patient]}" credential-extended CREDD_REASON)" \
    "root not done" "patient: the extension, too, with its actor and reason"
is "$(verdict_of "${ids[patient]}")" confirmed "patient: the receipt confirms the end"

# --- In a pane it is the same session

open paned 1h 'tmux new-session -d "credctl time --json >said; credctl done --yes 2>>told; sleep 7709"; echo ready; sleep 7710'
wait_for_receipt "${ids[paned]}"
is "$(in_lab cat /home/paned/said | jq -r '.credentials[0].id')" "${ids[paned]}" "paned: a pane of tmux knows what is left of its session"
is "$(show_of "${ids[paned]}" .state) $(verdict_of "${ids[paned]}")" 'returned confirmed' "paned: ... and can give it back"

# --- Ended before its time: by whom, and why

in_lab credctl revoke "${ids[revoked]}" --reason "the laptop is stolen" >/dev/null
in_lab credctl freeze --end-sessions --reason "an incident" --yes >/dev/null
wait_for_receipt "${ids[revoked]}"
wait_for_event "${ids[frozen]}" session-ended
like "$(output_of revoked)" "ends now: revoked by root: the laptop is stolen \\(credential ${ids[revoked]}\\)" \
    "revoked: the terminal says by whom and why"
like "$(output_of frozen)" "ends now: the host was frozen by root: an incident \\(credential ${ids[frozen]}\\)" \
    "frozen: the terminal says by whom and why"
like "$(journal_of "${ids[frozen]}")" 'session-terminating the host was frozen by root: an incident' "... and so does the journal"
in_lab credctl thaw >/dev/null

plan

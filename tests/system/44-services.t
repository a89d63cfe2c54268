#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The services that credd needs go away, hang, and come back: journald, logind, polkit, the bus. Ends
# come all the same, and what happened meanwhile is in the journal.
# shellcheck disable=SC2016,SC2317  # $ in a session's command is the session's; functions called by name
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

new_users unheard jammed frozen hung unruled barred offbus fine
deaf='trap "" TERM HUP; echo ready; while :; do sleep 1; done'

# --- journald

journal_units='systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket systemd-journald-audit.socket'
burst() { # N; so many events
    local i
    for ((i = 0; i < $1; i++)); do
        credctl issue -q --user fine --ttl 1h >/dev/null
    done
}
# How many entries of the journal bear one of the numbers 1..N, and N, the last that credd has given.
newest_seq() {
    local token
    token=$(issue_token fine --ttl 1h)
    in_lab credctl show --json "$(id_of "$token")" | jq -r '.credentials[0].events | map(.seq) | max'
}
all_is_there() { # WHEN
    local newest
    newest=$(newest_seq)
    wait_until 60 is_calm
    is "$(credd_journal | jq -r .CREDD_SEQ | awk -v n="$newest" '$1 <= n' | wc -l)" "$newest" \
        "$1: the journal has each of the $newest events"
}

open unheard 10s "$deaf"
wait_ready unheard
# shellcheck disable=SC2086
in_lab systemctl stop $journal_units 2>/dev/null
is "$(in_lab systemctl is-active systemd-journald.service)" inactive "journald is stopped"
guest burst burst 150
wait_for_receipt "${ids[unheard]}"
is "$(verdict_of "${ids[unheard]}")" confirmed "without journald a session is ended"
kill_credd
guest burst burst 20
at_most 150 "$(status_of_credd journal_behind)" "what nobody took waits"
# shellcheck disable=SC2086
in_lab systemctl start $journal_units
all_is_there "journald stopped, and credd killed meanwhile"
is "$(count_events "${ids[unheard]}" credential-deprovisioned)" 1 "the receipt of that time is there"

# It does not read, and the kernel's queue fills up.
stop_journald() { kill -STOP "$(systemctl show systemd-journald.service -p MainPID --value)"; }
continue_journald() { kill -CONT "$(systemctl show systemd-journald.service -p MainPID --value)"; }
open jammed 8s "$deaf"
wait_ready jammed
guest stop_journald stop_journald
guest burst burst 300
wait_for_receipt "${ids[jammed]}"
is "$(verdict_of "${ids[jammed]}")" confirmed "with a journald that hangs a session is ended"
kill_credd
guest burst burst 50
guest continue_journald continue_journald
all_is_there "journald hung, and credd killed meanwhile"

# Killed while it writes: what it had not read is still in its socket, which PID 1 holds.
guest burst burst 200 &
sleep 1
in_lab systemctl kill --signal=KILL systemd-journald.service
sleep 1
kill_credd
wait $!
all_is_there "journald killed in the midst, then credd"

# --- logind hangs, and is killed while it is asked

signal_logind() { # SIGNAL
    kill -"$1" "$(systemctl show systemd-logind.service -p MainPID --value)"
}
deadline_of() { show_of "${ids[$1]}" '.sessions[0].deadline_usec'; }
open frozen 8s "$deaf"
wait_ready frozen
guest signal_logind signal_logind STOP
wait_for_receipt "${ids[frozen]}" 60
like "$(receipt_of "${ids[frozen]}" .verdict)" '^(confirmed|late|residue)$' "logind hangs: a session is ended"
late_at_most "$(receipt_of "${ids[frozen]}" .late_usec)" 8000000 "... after the grace and what it takes to give up asking"
is "$(processes_of frozen)" "" "... and nothing of it lives"
like "$(in_lab credctl status 2>&1)" 'logind (cannot be reached|did not end)' "... and status says so"
guest signal_logind signal_logind CONT
logind_is_back() { [[ $(status_of_credd logind) == connected ]]; }
ok "logind is found again" wait_until 60 logind_is_back

open hung 8s "$deaf"
wait_ready hung
sleep_until "$(deadline_of hung)"
guest signal_logind signal_logind KILL
wait_for_receipt "${ids[hung]}" 60
like "$(receipt_of "${ids[hung]}" .verdict)" '^(confirmed|late)$' "logind is killed at the deadline: the session is ended"
late_at_most "$(receipt_of "${ids[hung]}" .late_usec)" 6000000 "... after the grace"
is "$(processes_of hung)" "" "... and nothing of it lives"
ok "logind is found again" wait_until 60 logind_is_back

# --- polkit: the rule is not there, and nobody is there

count_problems() { credd_journal CREDD_EVENT=logind-failed | jq -r .CREDD_REASON | grep -c "$1"; }
in_lab mv /usr/share/polkit-1/rules.d/50-credd.rules /root/
in_lab systemctl restart polkit.service
open unruled 5s "$deaf"
wait_for_receipt "${ids[unruled]}"
is "$(verdict_of "${ids[unruled]}")" confirmed "without the polkit rule the pidfds decide"
is "$(count_problems 'polkit rule')" 1 "... and the journal says once what is missing"
like "$(credd_journal CREDD_EVENT=logind-failed | jq -r '.PRIORITY + " " + .MESSAGE' | tail -n 1)" \
    '^3 .*polkit rule 50-credd.rules' "... as an error, in words"
in_lab journalctl --update-catalog 2>/dev/null
like "$(in_lab sh -c 'journalctl -q -x CREDD_EVENT=logind-failed')" 'install credd' "... and the catalog what to do"
like "$(in_lab credctl status 2>&1)" 'problem .*polkit' "... and the status, first of all"
not_ok "... which fails" in_lab credctl status
in_lab mv /root/50-credd.rules /usr/share/polkit-1/rules.d/
in_lab systemctl mask --now polkit.service 2>/dev/null
open barred 5s "$deaf"
wait_for_receipt "${ids[barred]}"
like "$(receipt_of "${ids[barred]}" .verdict)" '^(confirmed|late)$' "without polkit at all they do, too"
is "$(processes_of barred)" "" "... and nothing of it lives"
in_lab systemctl unmask polkit.service 2>/dev/null
in_lab systemctl restart polkit.service

# --- The bus is restarted: on 257 logind stays off it until it is restarted itself

open offbus 10s "$deaf"
wait_ready offbus
in_lab systemctl restart dbus.service
wait_for_receipt "${ids[offbus]}" 60
# If it is not there by now, it was not when it was needed.
at_bus=$(in_lab busctl --no-pager list 2>/dev/null | grep -c '^org.freedesktop.login1 *[0-9]')
steps=$(receipt_of "${ids[offbus]}" '.evidence[0].steps | join(" ")')
diag "logind on the bus after its restart: $at_bus; ended by: $steps"
is "$(processes_of offbus)" "" "after a restart of the bus nothing lives"
late_at_most "$(receipt_of "${ids[offbus]}" .late_usec)" 6000000 "... beyond the grace"
if ((at_bus == 0)); then
    like "$steps" 'logind: ' "without logind on the bus the pidfds decide"
    like "$(in_lab credctl status 2>&1)" 'problem .*logind cannot be reached' "... and the status says so, first of all"
    doctor=$(in_lab credctl doctor 2>&1)
    is "$?" 5 "... and the doctor finds it"
    like "$doctor" 'error +logind +.*not on the bus' "... and says what it is"
fi
in_lab systemctl restart systemd-logind.service
ok "logind is found again" wait_until 60 logind_is_back
open fine 5s 'echo ready; sleep 7701'
wait_for_receipt "${ids[fine]}" 60
is "$(verdict_of "${ids[fine]}")" confirmed "with all of them back a session ends as ever"
unlike "$(in_lab credctl status 2>&1)" problem "... and the status knows of no problem"
all_is_there "after all of this"

wait
plan

#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What must never earn "confirmed", and what must not spoil it: processes that change their pid, units
# with borrowed names, users with production services, sessions that overlap, a session that is refused
# when it opens, thousands of processes, a full disk. Each case has a user of its own.
# shellcheck disable=SC2016,SC2317  # $ in a session's command is the session's; functions called by name
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

units_of() { receipt_of "$1" '[.residue[].unit] | unique | join(" ")'; }

new_users hopper borrower producer early late stray crowd quiet frozen given more full

# Accounts that linger have a manager that no end of a session may take away.
for user in hopper borrower producer stray; do
    in_lab loginctl enable-linger "$user"
done
in_lab systemd-run -q --unit=production --uid=producer sleep 7300
write_file /usr/local/bin/hop 0755 <<'END_OF_SCRIPT'
#!/bin/sh
sleep 0.1
setsid "$0" &
END_OF_SCRIPT

open hopper 8s 'systemd-run --user --scope -q setsid /usr/local/bin/hop & sleep 0.5; echo ready; sleep 7301'
open borrower 8s '(setsid systemd-run --user --scope -q --unit=session-$XDG_SESSION_ID.scope nohup sleep 7302 >/dev/null 2>&1 &); sleep 1; echo ready; sleep 7303'
open producer 8s 'echo ready; sleep 7304'
open stray 8s 'systemd-run --user -q sleep 7305; echo ready; sleep 7306'
open crowd 10s 'trap "" TERM HUP; for i in $(seq 600); do sleep 7307 & done; echo ready; wait; sleep 7308'
open early 6s 'systemd-run --user -q sleep 7309; echo ready; sleep 7310'
tokens[late]=$(issue_token early --ttl 12s)
ids[late]=$(id_of "${tokens[late]}")
start_session late early "${tokens[late]}" keyboard-interactive 'echo ready; sleep 7311'
for name in hopper borrower producer stray crowd early late; do
    wait_until 30 is_ready "$name" || diag "$name is not ready: $(output_of "$name")"
done
standing=$(in_lab pgrep -u producer | sort -n | paste -sd' ')

for name in hopper borrower producer stray crowd early late; do
    wait_for_receipt "${ids[$name]}" 60
done

is "$(receipt_of "${ids[hopper]}" .verdict)" residue "what forks and exits is found, though no pid of it lives long"
like "$(units_of "${ids[hopper]}")" 'run-' "and its unit is named"
in_lab pkill -9 -u hopper
is "$(receipt_of "${ids[borrower]}" .verdict)" residue "a scope of the user's own with the session's name hides nothing"
like "$(units_of "${ids[borrower]}")" 'session-.*\.scope' "and is named"
is "$(receipt_of "${ids[stray]}" .verdict)" residue "what a lingering user's manager began since the login is residue"
is "$(journal_of "${ids[stray]}" | grep -c session-residue)" 1 "and an entry of the journal"
is "$(verdict_of "${ids[producer]}")" confirmed "an account with services of its own: the session is gone"
still=$(in_lab pgrep -u producer | sort -n | paste -sd' ')
like "$still" '[0-9]' "and its services are there"
for pid in $still; do
    like " $standing " " $pid " "process $pid stood there before"
done
unlike "$(receipt_of "${ids[producer]}" '.evidence[0].steps | join(" ")')" user "its manager was not touched"
like "$(receipt_of "${ids[crowd]}" .verdict)" '^(confirmed|late)$' "600 processes that ignore TERM are gone"
late_at_most "$(receipt_of "${ids[crowd]}" .late_usec)" 3000000 "in time"
is "$(verdict_of "${ids[early]}")" confirmed "of two sessions of one account the first ends cleanly"
is "$(verdict_of "${ids[late]}")" confirmed "and the second takes the user's manager with it"
is "$(processes_of early)" "" "nothing of that user is left"

# --- A session that is refused when it opens: sshd goes on, credd does not let it.

slow_stack() {
    cp /etc/pam.d/sshd /root/sshd.kept
    printf '#!/bin/sh\nsleep 3\n' >/usr/local/bin/slow
    chmod +x /usr/local/bin/slow
    sed -i 's|^@include common-session|session optional pam_exec.so /usr/local/bin/slow\n&|' /etc/pam.d/sshd
}
guest slow_stack slow_stack
open quiet 1h 'echo ready; sleep 7312'
wait_for_event "${ids[quiet]}" login-accepted
in_lab credctl revoke "${ids[quiet]}" --reason "between login and session" >/dev/null
wait_for_receipt "${ids[quiet]}"
not_ok "a session revoked before it opened never shows a shell" is_ready quiet
is "$(verdict_of "${ids[quiet]}")" confirmed "and is verified gone"
is "$(processes_of quiet)" "" "no process of it is left"
like "$(journal_of "${ids[quiet]}")" 'session-terminating its session was refused' "the journal says why"
in_lab cp /root/sshd.kept /etc/pam.d/sshd

# --- Extend, time, done, freeze

open more 10s 'CREDD_CREDENTIAL=k7m2q9xd credctl time --json; echo ready; sleep 7313' --max-lifetime 25s
wait_until 20 is_ready more
like "$(output_of more)" "\"id\": *\"${ids[more]}\"" "credctl time finds the credential of its own session, whatever the environment names"
claimed=$(in_lab_as more env CREDD_CREDENTIAL="${ids[more]}" credctl time 2>&1)
is "$?" 1 "outside any session nobody has one, whatever the environment says"
like "$claimed" 'no session that a credential opened' "... in words"
claimed=$(in_lab_as more env CREDD_CREDENTIAL="${ids[more]}" credctl "done" --yes 2>&1)
is "$? $(show_of "${ids[more]}" '.sessions[0].state')" "1 open" "nor can it be given back from there, though by the same user"
first=$(show_of "${ids[more]}" '.sessions[0].deadline_usec')
ok "extend, up to the ceiling" in_lab credctl extend "${ids[more]}" --by 10s --reason "not done"
is "$(($(show_of "${ids[more]}" '.sessions[0].deadline_usec') - first))" 10000000 "moves the deadline by that much"
refusal=$(in_lab credctl extend "${ids[more]}" --by 1h 2>&1)
is $? 6 "past the ceiling it is refused by policy"
like "$refusal" 'at most [0-9]+s is left' "and says how much is left"
is "$(event_field "${ids[more]}" credential-extended CREDD_REASON)" "not done" "the journal has the reason"
open given 1h 'echo ready; credctl done --yes; sleep 7314'
wait_for_receipt "${ids[given]}"
is "$(show_of "${ids[given]}" .state)" returned "credctl done gives the credential back"
is "$(verdict_of "${ids[given]}")" confirmed "and its session is gone"
open frozen 1h 'echo ready; sleep 7315' --uses 2
wait_until 20 is_ready frozen
ok "freeze" in_lab credctl freeze --reason "an incident" --end-sessions --yes
like "$(ssh_with frozen "${tokens[frozen]}" password true)" 'Permission denied' "a frozen host accepts no token"
wait_for_event "${ids[frozen]}" session-ended
is "$(show_of "${ids[frozen]}" .state)" suspended "the credential is suspended"
is "$(processes_of frozen)" "" "and its session is gone"
like "$(in_lab credctl status 2>&1)" 'frozen' "status says so"
ok "thaw" in_lab credctl thaw
like "$(ssh_with frozen "${tokens[frozen]}" password echo again)" again "the credential is back"
wait_for_receipt "${ids[more]}" 60
late_at_most "$(receipt_of "${ids[more]}" .late_usec)" 3000000 "the extended session ended at its new deadline"

# --- A full disk: ends go on, beginnings wait.

small_disk() {
    systemctl -q stop credd.service credd-login.socket credd-admin.socket
    mount -t tmpfs -o size=8m,mode=0700,uid=credd,gid=credd tmpfs /var/lib/credd
    systemctl start credd-login.socket credd-admin.socket credd.service
}
guest small_disk small_disk
open full 1h 'trap "" TERM HUP; echo ready; while :; do sleep 1; done'
wait_until 20 is_ready full
in_lab sh -c 'dd if=/dev/zero of=/var/lib/credd/fill bs=64k 2>/dev/null; credctl issue --user more -q' >/dev/null 2>&1
is_serving() { in_lab credctl status >/dev/null 2>&1 || [[ $? == 1 ]]; }
wait_until 30 is_serving
not_ok "on a full disk nothing is issued" in_lab credctl issue --user more -q
ok "but revoked" in_lab credctl revoke "${ids[full]}"
wait_for_receipt "${ids[full]}"
like "$(receipt_of "${ids[full]}" .verdict)" '^(confirmed|late)$' "the session ends, and its receipt is written"
like "$(in_lab credctl status 2>&1)" 'disk is full' "status says what is wrong"
in_lab rm /var/lib/credd/fill
can_issue() { in_lab credctl issue --user more -q; }
ok "with room again a credential is issued" wait_until 30 can_issue

plan

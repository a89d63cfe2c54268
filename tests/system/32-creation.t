#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Ends that fall into the making of a session, and ends without the help of logind, of polkit, of the
# bus. While logind waits for a user's manager, TerminateSession reports success and the login lives on.
# shellcheck disable=SC2016,SC2317  # $ in a session's command is the session's; functions called by name
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

signs_of() { receipt_of "$1" '.evidence[0] | [.leader_sign, .logind_sign, .scope_sign, .tree_sign] | join(", ")'; }
steps_of() { receipt_of "$1" '.evidence[0].steps | join(" ")'; }

new_users due keyed taken split parted plain deaf masked recalled unbound cut loud fine

# --- A user's manager that hangs for 8 s

in_lab mkdir /etc/systemd/system/user@.service.d
write_file /etc/systemd/system/user@.service.d/slow.conf 0644 <<'END_OF_UNIT'
[Service]
ExecStartPre=/bin/sleep 8
END_OF_UNIT
in_lab systemctl daemon-reload
open due 4s 'trap "" TERM HUP; echo ready; sleep 7401'
METHOD=keyboard-interactive open keyed 4s 'trap "" TERM HUP; echo ready; sleep 7402'
open taken 1h 'trap "" TERM HUP; echo ready; sleep 7403'
wait_for_event "${ids[taken]}" session-opened
sleep 1
in_lab credctl revoke "${ids[taken]}" --reason "while it is made" >/dev/null
for user in due keyed taken; do
    wait_for_receipt "${ids[$user]}" 60
    is "$(verdict_of "${ids[$user]}")" confirmed "$user: an end in the making of a session is verified"
done
# The manager would be ready now, and a login that had lived on would have its shell.
sleep_until $(($(show_of "${ids[taken]}" '.sessions[0].opened_usec') + 12000000))
for user in due keyed taken; do
    not_ok "$user: its shell never started" is_ready "$user"
    is "$(processes_of "$user")" "" "$user: nothing of it lives, when the manager is there at last"
    like "$(steps_of "${ids[$user]}")" treekill "$user: ended by the treekill"
done

# PAM gives up waiting for logind, and the shell starts where sshd stands. logind goes on and makes the
# scope at last, into which PID 1 moves the leader alone.
open split 1h 'trap "" TERM HUP; (setsid -f sleep 7413); echo ready; while :; do sleep 1; done'
open parted 45s '(trap "" TERM HUP; setsid -f sleep 7414); echo ready; sleep 25'
wait_for_event "${ids[split]}" session-opened
wait_for_event "${ids[parted]}" session-opened
in_lab sh -c 'kill -KILL "$(systemctl show systemd-logind.service -p MainPID --value)"'
in_its_scope() { # USER
    in_lab grep -q '^0::/user.slice/.*/session-.*\.scope$' "/proc/$(show_of "${ids[$1]}" '.sessions[0].leader')/cgroup"
}
for user in split parted; do
    wait_until 20 is_ready "$user" || diag "$user is not ready: $(output_of "$user")"
    ok "$user: logind died while it made a session; its leader has come into a scope" wait_until 30 in_its_scope "$user"
    like "$(processes_of "$user")" 'ssh[^ ]*\.service sleep 74' "$user: ... and the shell's processes have not"
done
in_lab credctl revoke "${ids[split]}" --reason "in two places" >/dev/null
for user in split parted; do
    wait_for_receipt "${ids[$user]}" 90
    is "$(verdict_of "${ids[$user]}")" confirmed "$user: its end is verified"
    late_at_most "$(receipt_of "${ids[$user]}" .late_usec)" 3000000 "$user: ... in time"
    is "$(processes_of "$user")" "" "$user: ... in either place"
done
is "$(show_of "${ids[parted]}" .state)" expired "parted: what was forked stayed until the deadline, though its leader had left"
in_lab rm -r /etc/systemd/system/user@.service.d
in_lab systemctl daemon-reload

# --- polkit says no: KillSession and TerminateSession are refused, the pidfds are not

in_lab mv /usr/share/polkit-1/rules.d/50-credd.rules /root/
in_lab systemctl restart polkit.service
open plain 5s 'echo ready; sleep 7404'
open deaf 5s 'trap "" TERM HUP; echo ready; while :; do sleep 1; done'
wait_for_receipt "${ids[plain]}"
wait_for_receipt "${ids[deaf]}"
is "$(verdict_of "${ids[plain]}")" confirmed "without the polkit rule a session is ended all the same"
is "$(verdict_of "${ids[deaf]}")" confirmed "one that ignores TERM, too"
like "$(steps_of "${ids[deaf]}")" 'logind: ' "the receipt says what logind answered"
is "$(processes_of deaf)" "" "and nothing of it lives"
like "$(in_lab credctl status 2>&1)" 'polkit' "status says loudly what is missing"
in_lab mv /root/50-credd.rules /usr/share/polkit-1/rules.d/
in_lab systemctl restart polkit.service
# On a busy machine a session may be gone before logind gets to it, and then logind has nothing to say.
for _ in 1 2 3 4 5; do
    open fine 4s 'echo ready; sleep 7405'
    wait_for_receipt "${ids[fine]}"
    in_lab credctl status 2>&1 | grep -q polkit || break
done
unlike "$(in_lab credctl status 2>&1)" 'polkit' "and no more, once a session was ended with it"

# --- The bus is restarted under an open session

open cut 8s 'trap "" TERM HUP; echo ready; while :; do sleep 1; done'
wait_until 20 is_ready cut
in_lab systemctl restart dbus.service
wait_for_receipt "${ids[cut]}"
# On 257 logind stays off the bus until it is restarted: nobody can end the user's manager, which is named.
like "$(verdict_of "${ids[cut]}")" '^(confirmed|residue)$' "the bus restarted: the session ends on its deadline"
late_at_most "$(receipt_of "${ids[cut]}" .late_usec)" 3000000 "in time"
is "$(processes_of cut)" "" "nothing of it lives"
in_lab systemctl restart systemd-logind.service
logind_is_back() { [[ $(status_of_credd logind) == connected ]]; }
ok "logind is found again once it is on the bus" wait_until 30 logind_is_back
open loud 5s 'echo ready; sleep 7406'
wait_for_receipt "${ids[loud]}"
like "$(steps_of "${ids[loud]}")" 'terminate-session' "and sessions are ended with it again"

# --- No logind at all

configure Warn=3s
in_lab systemctl mask --now systemd-logind.service
open masked 8s 'trap "" TERM HUP; setsid -f sleep 7407; (trap "" TERM; nohup sleep 7408 >/dev/null 2>&1 &); echo ready; while :; do sleep 1; done'
wait_until 30 is_ready masked
wait_for_receipt "${ids[masked]}" 60
is "$(verdict_of "${ids[masked]}")" confirmed "logind masked: the session outside any scope is gone"
like "$(signs_of "${ids[masked]}")" '^exited, (never announced|unreachable), none, empty$' "by the signs that are left"
is "$(processes_of masked)" "" "its orphans, too"
like "$(output_of masked)" "ends in [123]s" "its terminal was warned all the same"
like "$(steps_of "${ids[masked]}")" treekill "ended by the treekill"

# A shell that is there, outside any scope, and what has left it.
open recalled 1h 'trap "" TERM HUP; (setsid -f sleep 7409); (trap "" TERM; setsid sh -c "sleep 7410 & sleep 7411 & wait" &); echo ready; while :; do sleep 1; done'
wait_until 30 is_ready recalled || diag "recalled is not ready: $(output_of recalled)"
wait_until 10 eval '[[ $(in_lab pgrep -u recalled -c -x -f "sleep 74(09|10|11)") == 3 ]]'
like "$(processes_of recalled)" 'ssh[^ ]*\.service' "logind masked: a shell runs where sshd runs"
unlike "$(processes_of recalled)" 'session-.*\.scope' "... in no scope"
in_lab credctl revoke "${ids[recalled]}" --reason "in no scope" >/dev/null
wait_for_receipt "${ids[recalled]}" 60
is "$(verdict_of "${ids[recalled]}")" confirmed "revoked, it is gone"
late_at_most "$(receipt_of "${ids[recalled]}" .late_usec)" 1000000 "... without a grace"
is "$(processes_of recalled)" "" "... with every process forked from it"

# Nobody but credd watches it: it is not left alone until its deadline.
configure BindTimeout=3s
open unbound 1h 'trap "" TERM HUP; setsid -f sleep 7412; echo ready; while :; do sleep 1; done'
wait_until 30 is_ready unbound || diag "unbound is not ready: $(output_of unbound)"
wait_for_receipt "${ids[unbound]}" 60
like "$(journal_of "${ids[unbound]}")" 'session-terminating logind never announced its session' "never announced, it is ended after BindTimeout"
is "$(verdict_of "${ids[unbound]}")" confirmed "... and verified gone"
is "$(processes_of unbound)" "" "... with all of it"
like "$(in_lab credctl status 2>&1)" 'logind cannot be reached' "status says so"

plan

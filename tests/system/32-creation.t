#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Ends that fall into the making of a session, and ends without the help of logind, of polkit, of the
# bus. While logind waits for a user's manager, TerminateSession reports success and the login lives on.
# shellcheck disable=SC2016,SC2317  # $ in a session's command is the session's; functions called by name
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

signs_of() { receipt_of "$1" '.evidence[0] | [.leader_sign, .logind_sign, .scope_sign, .tree_sign] | join(", ")'; }
steps_of() { receipt_of "$1" '.evidence[0].steps | join(" ")'; }

new_users due keyed taken plain deaf masked cut loud fine

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
    is "$(receipt_of "${ids[$user]}" .verdict)" confirmed "$user: an end in the making of a session is verified"
done
# The manager would be ready now, and a login that had lived on would have its shell.
sleep_until $(($(show_of "${ids[taken]}" '.sessions[0].opened_usec') + 12000000))
for user in due keyed taken; do
    not_ok "$user: its shell never started" is_ready "$user"
    is "$(processes_of "$user")" "" "$user: nothing of it lives, when the manager is there at last"
    like "$(steps_of "${ids[$user]}")" treekill "$user: ended by the treekill"
done
in_lab rm -r /etc/systemd/system/user@.service.d
in_lab systemctl daemon-reload

# --- polkit says no: KillSession and TerminateSession are refused, the pidfds are not

in_lab mv /usr/share/polkit-1/rules.d/50-credd.rules /root/
in_lab systemctl restart polkit.service
open plain 5s 'echo ready; sleep 7404'
open deaf 5s 'trap "" TERM HUP; echo ready; while :; do sleep 1; done'
wait_for_receipt "${ids[plain]}"
wait_for_receipt "${ids[deaf]}"
is "$(receipt_of "${ids[plain]}" .verdict)" confirmed "without the polkit rule a session is ended all the same"
is "$(receipt_of "${ids[deaf]}" .verdict)" confirmed "one that ignores TERM, too"
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
like "$(receipt_of "${ids[cut]}" .verdict)" '^(confirmed|residue)$' "the bus restarted: the session ends on its deadline"
late_at_most "$(receipt_of "${ids[cut]}" .late_usec)" 3000000 "in time"
is "$(processes_of cut)" "" "nothing of it lives"
in_lab systemctl restart systemd-logind.service
logind_is_back() { [[ $(status_of_credd logind) == connected ]]; }
ok "logind is found again once it is on the bus" wait_until 30 logind_is_back
open loud 5s 'echo ready; sleep 7406'
wait_for_receipt "${ids[loud]}"
like "$(steps_of "${ids[loud]}")" 'terminate-session' "and sessions are ended with it again"

# --- No logind at all

in_lab systemctl mask --now systemd-logind.service
open masked 6s 'trap "" TERM HUP; setsid -f sleep 7407; (trap "" TERM; nohup sleep 7408 >/dev/null 2>&1 &); echo ready; while :; do sleep 1; done'
wait_until 30 is_ready masked
wait_for_receipt "${ids[masked]}" 60
is "$(receipt_of "${ids[masked]}" .verdict)" confirmed "logind masked: the session outside any scope is gone"
like "$(signs_of "${ids[masked]}")" '^exited, (never announced|unreachable), none, empty$' "by the signs that are left"
is "$(processes_of masked)" "" "its orphans, too"
like "$(in_lab credctl status 2>&1)" 'logind cannot be reached' "status says so"

plan

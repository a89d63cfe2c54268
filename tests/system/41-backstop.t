#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# credd gone for good: PID 1 ends a session at its ceiling, and what ignores SIGTERM 90 s later, which is
# the scope's TimeoutStopUSec.
# shellcheck disable=SC2016,SC2317  # $ in a session's command is the session's; functions called by name
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

new_users deaf
open deaf 8s 'trap "" TERM HUP INT; sleep 7600 & echo ready; while :; do sleep 1; done'
wait_until 20 is_ready deaf || diag "deaf is not ready: $(output_of deaf)"
deadline=$(show_of "${ids[deaf]}" '.sessions[0].deadline_usec')
in_lab systemctl --runtime mask credd.service credd-login.socket credd-admin.socket 2>/dev/null
in_lab systemctl stop credd-login.socket credd-admin.socket credd.service
not_ok "credd is stopped" in_lab pgrep -x credd
gone=''
for _ in 1 2 3 4; do
    gone=$(gone_after deaf "$deadline") && break
done
# The grace, a second for rounding up, PID 1's 90 s, and its slack.
at_most "$gone" 100000 "without credd PID 1 ends what ignores TERM, 90 s after the ceiling"
in_lab systemctl --runtime unmask credd.service credd-login.socket credd-admin.socket 2>/dev/null
in_lab systemctl start credd-login.socket credd-admin.socket credd.service
wait_for_receipt "${ids[deaf]}"
is "$(receipt_of "${ids[deaf]}" .verdict)" late "credd, back again, finds it gone, and calls it late"

plan

#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A login on a console: a pty, no remote host, login(1) instead of sshd.
# shellcheck disable=SC2016  # what is typed at a console is expanded there
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

new_users iris jack karl

write_console

# --- In and out

token=$(issue_token iris --ttl 5min)
id=$(id_of "$token")
out=$(console iris "$token" 'echo I am $USER with $CREDD_CREDENTIAL; cat /proc/self/cgroup; exit')
is $? 0 "a token logs in on a console"
like "$out" 'This access ends|ends' "a line says that the access ends"
like "$out" "I am iris with $id" "CREDD_CREDENTIAL names the credential"
like "$out" 'session-[a-z]*[0-9]+\.scope' "it is a session of logind"
wait_for_receipt "$id"
is "$(verdict_of "$id") $(show_of "$id" .state)" "confirmed used" "leaving gives the receipt of it"
is "$(show_of "$id" '.sessions[0].service')" login "the service was login"
is "$(show_of "$id" '.sessions[0].rhost')" null "there was no remote host"

token=$(issue_token iris --service login --from local)
like "$(console iris "$token" 'echo still $USER; exit')" "still iris" \
    "a token for the service login, from this host alone, works"

token=$(issue_token iris --service sshd)
console iris "$token" 'exit' >/dev/null
is $? 1 "a token for SSH alone is refused"
wait_for_event "$(id_of "$token")" login-refused
is "$(event_field "$(id_of "$token")" login-refused CREDD_REASON)" wrong-service "... and the journal says why"

asked=$(status_of_credd logins_asked)
like "$(console jack "$LAB_PASSWORD" 'echo plain $USER $CREDD_CREDENTIAL.; exit')" 'plain jack \.' \
    "a password works as ever"
is "$(status_of_credd logins_asked)" "$asked" "... and credd never heard of it"

# --- The end

token=$(issue_token karl --ttl 10s)
id=$(id_of "$token")
console karl "$token" 'sleep 7001 & nohup sleep 7002 & sleep 7003' 40 >"$work/karl.out" 2>&1 &
console=$!
wait_for_session "$id"
session=$(show_of "$id" '.sessions[0].session')
is "$(in_lab loginctl show-session "$session" -p Service --value)" login "logind knows the session"
wait_until 10 in_lab pgrep -u karl -x -f 'sleep 7003'
gone_at_most "$(gone_after_deadline karl "$id")" 2000 "at its deadline all of it is gone"
wait "$console"
is $? 0 "the console is closed"
wait_for_receipt "$id"
is "$(verdict_of "$id")" confirmed "the receipt confirms it"
like "$(journal_of "$id")" 'session-terminating its time is over' "the journal says why it ended"
is "$(count_events "$id" credential-deprovisioned)" 1 "one receipt is in the journal"

plan

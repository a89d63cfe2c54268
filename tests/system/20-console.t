#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A login on a console: a pty, no remote host, login(1) instead of sshd.
# shellcheck disable=SC2016  # what is typed at a console is expanded there
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

new_users iris jack karl

# Logs in on a pty of its own, types a command, and stays until the console closes.
write_file /root/console.exp 0644 <<'EXPECT'
lassign $argv user secret command limit
set timeout 30
spawn login
expect "login:" { send "$user\r" } timeout { exit 3 } eof { exit 3 }
expect -re "assword.*: " { send "$secret\r" } timeout { exit 4 } eof { exit 4 }
expect -re {\$ $} { send "$command\r" } "ncorrect" { exit 1 } timeout { exit 5 } eof { exit 5 }
set timeout $limit
expect eof { exit 0 } timeout { exit 6 }
EXPECT

# login hangs up its terminal first, which expect may take for its end: then another try.
console() { # USER SECRET COMMAND [SECONDS]
    local try status
    for try in 1 2 3 4 5; do
        status=0
        in_lab expect /root/console.exp "$1" "$2" "$3" "${4:-20}" >"$work/console.$BASHPID" 2>&1 || status=$?
        ((status == 3 && try < 5)) || break
    done
    cat "$work/console.$BASHPID"
    return "$status"
}

# --- In and out

token=$(issue_token iris --ttl 5min)
id=$(id_of "$token")
out=$(console iris "$token" 'echo I am $USER with $CREDD_CREDENTIAL; cat /proc/self/cgroup; exit')
is $? 0 "a token logs in on a console"
like "$out" 'This access ends|ends' "a line says that the access ends"
like "$out" "I am iris with $id" "CREDD_CREDENTIAL names the credential"
like "$out" 'session-[a-z]*[0-9]+\.scope' "it is a session of logind"
wait_for_receipt "$id"
is "$(receipt_of "$id" .verdict) $(show_of "$id" .state)" "confirmed used" "leaving gives the receipt of it"
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
at_most "$(gone_after_deadline karl "$id")" 2000 "at its deadline all of it is gone"
wait "$console"
is $? 0 "the console is closed"
wait_for_receipt "$id"
is "$(receipt_of "$id" .verdict)" confirmed "the receipt confirms it"
like "$(journal_of "$id")" 'session-terminating its time is over' "the journal says why it ended"
is "$(count_events "$id" credential-deprovisioned)" 1 "one receipt is in the journal"

plan

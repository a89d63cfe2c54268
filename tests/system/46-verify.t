#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The record and its second witness: what is changed in one of the two is found and named by its
# number; what agrees is not.
# shellcheck disable=SC2016,SC2317  # $ in a session's command is the session's; functions called by name
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

verify() { # what it says is in $said, its status in $status
    status=0
    said=$(in_lab sh -c 'journalctl --sync; exec credctl verify' 2>&1) || status=$?
}
stop_credd() { in_lab systemctl stop credd-login.socket credd-admin.socket credd.service; }
start_credd() {
    in_lab systemctl start credd-login.socket credd-admin.socket credd.service
    wait_until 20 is_calm || diag 'credd did not come back'
}
sql() { in_lab sqlite3 /var/lib/credd/credd.db "$1"; }
change() { # SQL, while credd is stopped
    stop_credd
    sql "$1"
    start_credd
}
clean() { # WHEN
    verify
    is "$status" 0 "$1: both witnesses agree"
    like "$said" 'Both agree' 'and it says so'
}
found() { # WHAT REGEX
    verify
    is "$status" 5 "$1: exit status 5"
    like "$said" "$2" 'named by its number'
}

new_users vera
for _ in 1 2 3 4 5; do
    tokens[vera]=$(issue_token vera --ttl 1h --reason 'to be verified')
done
in_lab credctl revoke --user vera --yes --reason 'enough'
wait_for_receipt "$(id_of "${tokens[vera]}")"
wait_until 20 is_calm
clean 'after a few credentials'
is "$(in_lab credctl verify --json | jq -c '[.verify.problems, .verify.forged, .verify.waiting]')" '[[],0,0]' 'the same as JSON'
status=0
said=$(in_lab_as vera credctl verify 2>&1) || status=$?
isnt "$status" 0 'a stranger may not'

# --- The store is changed while credd is down

seq=$(in_lab credctl show --json "$(id_of "${tokens[vera]}")" | jq '[.credentials[0].events[] | select(.event == "credential-issued")][0].seq')
like "$seq" '^[0-9]+$' 'there is an event to tamper with'
sound=$(stop_credd; sql "SELECT data FROM event WHERE seq = $seq"; start_credd)
change "UPDATE event SET data = replace(data, 'verified', 'verifieD') WHERE seq = $seq"
found 'one byte of a row changed' "event $seq: chain: this event was changed"
change "UPDATE event SET data = '$sound' WHERE seq = $seq"
clean 'and changed back'

change "CREATE TABLE kept AS SELECT * FROM event WHERE seq = $seq; DELETE FROM event WHERE seq = $seq"
found 'a row deleted in the middle' "event $seq: chain: this event is missing"
like "$said" "event $seq: the journal has this event" 'which the journal still has'
change "INSERT INTO event SELECT * FROM kept; DROP TABLE kept"
clean 'and put back'

swap="UPDATE event SET seq = -1 WHERE seq = $seq; UPDATE event SET seq = $seq WHERE seq = $seq + 1;
    UPDATE event SET seq = $seq + 1 WHERE seq = -1"
change "$swap"
found 'two rows swapped' "event $seq: chain: this event was changed"
like "$said" "event $((seq + 1)): chain: this event was changed" 'both of them'
change "$swap"
clean 'and swapped back'

# --- A row that credd never wrote, with a hash that fits: only the journal can tell

stop_credd
last=$(sql 'SELECT max(seq) FROM event')
sql "INSERT INTO event SELECT seq + 1, line, real, 'credential-revoked', NULL, NULL, '{\"user\":\"nobody\"}', hash FROM event WHERE seq = $last"
start_credd
found 'a row inserted' "event $((last + 1)): "
change "DELETE FROM event WHERE seq > $last"

# --- The tail: its numbers are given again, and the journal has seen the first

verify
is "$status" 5 'the tail cut: exit status 5'
like "$said" "event $((last + 1)): the journal has another hash" 'what was there before is named'

# --- Entries that somebody else sends

in_lab journalctl --quiet --rotate
in_lab journalctl --quiet --vacuum-time=1s
verify
is "$status" 0 'a journal that was vacuumed explains what it does not have'
like "$said" 'older than this journal' 'and it says how many'
in_lab_as vera sh -c 'printf "MESSAGE=x\nCREDD_EVENT=credential-revoked\nCREDD_SEQ=1\nCREDD_HASH=00\n" | logger --journald'
found 'an entry that is not credd'\''s' 'is not credd.s: uid [0-9]+ sent it'

# --- A database of yesterday

in_lab journalctl --quiet --rotate
in_lab journalctl --quiet --vacuum-time=1s
in_lab sh -c 'systemctl stop credd-login.socket credd-admin.socket credd.service
    cp -a /var/lib/credd /root/yesterday'
start_credd
tokens[vera]=$(issue_token vera --ttl 1h)
in_lab credctl revoke "$(id_of "${tokens[vera]}")"
stop_credd
in_lab sh -c 'rm -rf /var/lib/credd && mv /root/yesterday /var/lib/credd'
start_credd
found 'a database put back' 'event [0-9]+: the journal has (another hash|this event)'

# --- The head is stated

like "$(credd_journal CREDD_EVENT=audit-head | jq -r .CREDD_HEAD_SEQ | tail -n 1)" '^[0-9]+$' 'the head of the chain is in the journal'

plan

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
# Makes the chain fit from the event of that number on, as whoever knows how it is made could; by other means
# than credd's. One line of hashes and rows, each part with its length before it.
write_file /root/rechain 0755 <<'PERL'
#!/usr/bin/perl
use strict;
use warnings;
my ($from) = @ARGV;
sub sql { open(my $out, '-|', 'sqlite3', '/var/lib/credd/credd.db', $_[0]) or die; my @lines = <$out>; chomp @lines; return @lines }
my ($before) = sql("SELECT hex(hash) FROM event WHERE seq < $from ORDER BY seq DESC LIMIT 1");
for (sql("SELECT seq, line, real, ifnull(credential, 0), hex(name), hex(data) FROM event WHERE seq >= $from ORDER BY seq")) {
    my ($seq, $line, $real, $credential, $name, $data) = split /\|/;
    my @parts = (pack('H*', $before), pack('q<4', $seq, $line, $real, $credential), pack('H*', $name), pack('H*', $data));
    open(my $row, '>', '/root/row') or die;
    print $row map { pack('Q<', length) . $_ } @parts;
    close($row);
    ($before) = split ' ', `b2sum -l 256 /root/row`;
    sql("UPDATE event SET hash = x'$before' WHERE seq = $seq");
}
PERL
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

# --- A row that credd never wrote

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

# --- Somebody makes the chain fit: only the journal can tell

stop_credd
last=$(sql 'SELECT max(seq) FROM event')
sql "UPDATE event SET data = replace(data, 'verified', 'verifieD') WHERE seq = $seq"
in_lab /root/rechain "$seq"
start_credd
found 'a row changed, and the chain made anew' "event $seq: the journal has another hash"
unlike "$said" 'chain:' 'which the chain does not tell'
like "$said" "event $last: the journal has another hash" 'all after it are named, too'

stop_credd
last=$(sql 'SELECT max(seq) FROM event')
sql "INSERT INTO event SELECT seq + 1, line, real, name, credential, previous, data, hash FROM event WHERE seq = $last;
    UPDATE instance SET journaled = $last + 1"
in_lab /root/rechain $((last + 1))
sleep 6 # what is younger may be on its way
start_credd
found 'a row put in that fits, as if the journal had it' "event $((last + 1)): credd has this event \([a-z-]+\), the journal does not"
unlike "$said" 'chain:' 'which the chain does not tell'

# --- Entries that somebody else sends

# What vera has of her own goes further back than what is left of the system's.
in_lab_as vera logger 'one of hers'
in_lab journalctl --sync
in_lab journalctl --quiet --rotate
in_lab sh -c 'rm /var/log/journal/*/system@*; ls /var/log/journal/*' >"$work/left"
like "$(cat "$work/left")" 'user-[0-9]+@' 'a journal of a user is left from before'
verify
is "$status" 0 'it does not say how far back the journal goes'
like "$said" 'older than this journal' 'the system'\''s does'

in_lab journalctl --quiet --rotate
in_lab journalctl --quiet --vacuum-time=1s
verify
is "$status" 0 'a journal that was vacuumed explains what it does not have'
like "$said" 'older than this journal' 'and it says how many'
in_lab_as vera sh -c 'printf "MESSAGE=x\nCREDD_EVENT=credential-revoked\nCREDD_SEQ=1\nCREDD_HASH=00\n" | logger --journald'
found 'an entry that is not credd'\''s' 'an entry credential-revoked with the number 1 is not credd.s: uid [0-9]+ sent it'
in_lab_as vera sh -c 'printf "MESSAGE=x\nCREDD_EVENT=\377\n" | logger --journald'
found 'one that is no text' 'an entry \? with the number - is not credd.s'
in_lab_as vera bash -c 'for i in {1..1010}; do printf "MESSAGE=x\nCREDD_EVENT=odd-%d\n" "$i" | logger --journald; done'
found 'very many kinds of event' 'too many kinds of event in the journal'
like "$said" '9[0-9][0-9] more entries are not credd.s' 'and how many entries'
configure Auditors=vera
status=0
said=$(in_lab_as vera credctl verify 2>&1) || status=$?
is "$status" 1 'an auditor who may not read the journal: exit status 1'
like "$said" 'you may not read the system.s journal' 'and is told so, though he may read his own'
configure

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
known=$(in_lab credctl verify --json | jq '.verify.problems | length')
in_lab_as vera sh -c 'for i in $(seq 30); do
        printf "MESSAGE=x\nCREDD_EVENT=credential-issued\nCREDD_SEQ=$i\nCREDD_HASH=00\n" | logger --journald
    done'
found 'and many entries of somebody else' 'event [0-9]+: the journal has (another hash|this event)'
like "$said" '10 more entries are not credd.s' 'which do not crowd out the rest'
is "$(in_lab credctl verify --json | jq -c '.verify | [.forged, (.problems | length), .problems_found]')" \
    "[30,$((known + 21)),$((known + 21))]" 'but are counted'

# --- The head is stated

like "$(credd_journal CREDD_EVENT=audit-head | jq -r .CREDD_HEAD_SEQ | tail -n 1)" '^[0-9]+$' 'the head of the chain is in the journal'

plan

#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The report: what it counts is what the journal tells to who counts for himself; what is odd comes first;
# who had access at a moment; the daily one is kept, and fails loudly.
# shellcheck disable=SC2016,SC2317  # $ in a session's command is the session's; functions called by name
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

since=$(now_usec)
moment() { date -u -d "@$(($1 / 1000000)).$(printf '%06d' $(($1 % 1000000)))" +%FT%T.%6NZ; } # USEC
audit() { in_lab credctl audit --since "$(moment "$since")" "$@"; }
report() { # FILTER [OPTION...]
    local filter=$1
    shift
    audit --json "$@" | jq -c ".report | $filter"
}
exceptions() { # KIND FILTER [OPTION...]
    local kind=$1 filter=$2
    shift 2
    report "[.exceptions[] | select(.kind == \"$kind\") | $filter] | sort" "$@"
}

# --- A day: one that ends at its deadline, one that is revoked, one that is extended, one that leaves
# something behind, one whose deadline comes while credd is down, one that nobody uses, and wrong tries;
# one that is asked for and granted, one that is denied, break-glass, a call that is refused, and a drill

new_users ann ben cy dora late fay eve gil hal
open ann 25s 'echo ready; sleep 300' --reason '=HYPERLINK("x"),1' --holder 'Anna M.'
open ben 1h 'echo ready; sleep 300' --reason 'a look at the disk'
open cy 1h 'echo ready; sleep 300' --max-lifetime 3h
in_lab loginctl enable-linger dora
open dora 1h 'systemd-run --user --quiet sleep 500; echo ready; sleep 300'
wait_ready ann ben cy dora
during=$(now_usec)
in_lab credctl extend "${ids[cy]}" --by 10min --reason 'not done yet' >/dev/null
in_lab credctl revoke "${ids[ben]}" --reason 'enough seen' >/dev/null
in_lab credctl revoke "${ids[cy]}" "${ids[dora]}" --yes >/dev/null
tokens[fay]=$(issue_token fay --ttl 1h)
in_lab credctl revoke "$(id_of "${tokens[fay]}")" >/dev/null
try_often() { # TOKEN USER TIMES
    for _ in $(seq "$3"); do
        printf '%s\n' "$1" | timeout 30 pamtester sshd "$2" authenticate
    done
}
guest try_often try_often "${tokens[fay]}" fay 12 >/dev/null 2>&1
wait_for_receipt "${ids[ann]}" 60
wait_for_receipt "${ids[ben]}"
wait_for_receipt "${ids[cy]}"
wait_for_receipt "${ids[dora]}"

open late 12s 'trap "" HUP TERM; echo ready; sleep 400'
wait_ready late
deadline=$(show_of "${ids[late]}" '.sessions[0].deadline_usec')
in_lab systemctl stop credd-login.socket credd-admin.socket credd.service
sleep_until $((deadline + 8000000))
in_lab systemctl start credd-login.socket credd-admin.socket credd.service
wait_until 20 in_lab credctl status
wait_for_receipt "${ids[late]}" 60
in_lab install -d -m 0755 /etc/credd/roles.d
printf '%s\n' '[Role]' Requesters=ann Approvers=root 'Users=gil eve' | write_file /etc/credd/roles.d/oncall.conf 0644
printf '%s\n' '[Role]' Issuers=ben Users=gil BreakGlass=yes | write_file /etc/credd/roles.d/glass.conf 0644
reload_credd
ask() { in_lab_as ann credctl request --quiet --role oncall --user gil --reason "$1"; }
granted=$(ask 'ticket 7')
in_lab credctl approve "$granted" --reason 'go on' >/dev/null
in_lab_as ann credctl collect "$granted" >/dev/null
in_lab credctl deny "$(ask 'ticket 8')" >/dev/null
broken=$(id_of "$(in_lab_as ben credctl issue --user gil --role glass --reason 'the network is down' --output token)")
not_ok 'a stranger may not freeze the host' in_lab_as ann credctl freeze --yes
ok 'a drill' in_lab credctl drill --user hal
open_id=$(id_of "$(issue_token ann --ttl 1h --reason 'not used yet')")
like "$(ssh_with eve "$LAB_PASSWORD" password echo in)" in 'one comes with a password'
wait_for_event "$(id_of "${tokens[fay]}")" login-refused
wait_until 20 is_calm
in_lab journalctl --sync

# --- The same figures, counted from the journal

until=$(now_usec)
sleep 0.1
report . --until "$(moment "$until")" >"$work/report"
in_lab sh -c 'journalctl -q -o json --all _UID="$(id -u credd)"' >"$work/journal"
jq -cs --argjson since "$since" --argjson until "$until" "$(cat "$source_dir/tests/system/recount.jq")" \
    <"$work/journal" >"$work/recount"
for figure in credentials requests not_issued sessions logins_accepted logins_refused actions_refused confirmed late \
    residue open extensions break_glass drills; do
    is "$(jq ".totals.$figure" <"$work/report")" "$(jq ".$figure" <"$work/recount")" "$figure: as the journal has it"
done
is "$(jq -c '[.credentials[] | select(.receipt and .kind != "drill") | {(.id): .lateness_usec}] | add | to_entries | sort_by(.key)' <"$work/report")" \
    "$(jq -c '.lateness | to_entries | sort_by(.key)' <"$work/recount")" 'each lateness, too'
is "$(jq -c '[.totals.credentials, .totals.confirmed + .totals.late + .totals.residue + .totals.open] | unique | length' <"$work/report")" \
    1 'each credential ended in one way, or is open'
is "$(jq -c '.totals | [.requests, .not_issued, .break_glass, .drills, .actions_refused >= 1]' <"$work/report")" '[2,1,1,1,true]' \
    'and there was something of each to count'
at_least_ten=$(jq '.totals.logins_refused >= 12' <"$work/report")
is "$at_least_ten" true 'all wrong tries are counted'

# --- Each life

life() { jq -c ".credentials[] | select(.id == \"$1\") | $2" <"$work/report"; } # ID FILTER
is "$(life "${ids[ann]}" '[.user, .holder, .issued_by.name, .state, .receipt.verdict, (.sessions | length)]')" \
    '["ann","Anna M.","root","expired","confirmed",1]' 'for whom, by whom, how it ended'
is "$(life "${ids[ann]}" '.sessions[0] | [.service, .rhost]')" '["sshd","127.0.0.1"]' 'from where its session came'
is "$(life "${ids[ann]}" '.sessions[0].lasted_usec > 10000000 and .sessions[0].lasted_usec < 100000000')" true 'and how long it was'
is "$(life "${ids[cy]}" '.extensions | map([.by.name, .by_usec, .reason])')" '[["root",600000000,"not done yet"]]' 'who extended it, and why'
is "$(life "${ids[ben]}" '[.ended_by.name, .end_reason, .closed_usec > .issued_usec]')" '["root","enough seen",true]' 'who ended it, and why'
is "$(life "$open_id" '[.state, .receipt, .lateness_usec]')" '["active",null,null]' 'one that is open has no receipt'
is "$(life "$granted" '[.request.by.name, (.request.approvals | map([.by.name, .reason])), .issued_by.name, .role, .reason]')" \
    '["ann",[["root","go on"]],"ann","oncall","ticket 7"]' 'who asked for it, who approved, and why'
is "$(jq -c '[(.chain.hash | length), (.machine_id | length)]' <"$work/report")" '[64,32]' \
    'the head of the chain and the machine are named'
is "$(jq -r .generated_by.name <"$work/report")" root 'and who made the report'
is "$(jq -r '.not_covered | length > 1' <"$work/report")" true 'and what it does not see'

# --- What is odd

is "$(exceptions residue .credential)" "[\"${ids[dora]}\"]" 'residue is an exception'
is "$(exceptions late .credential)" "[\"${ids[late]}\"]" 'so is a late end'
is "$(exceptions down '.text | test("deadlines fell into that time: [1-9]")')" '[true]' 'and that credd was down at a deadline'
like "$(exceptions refused-burst .text)" '^\[\"(1[2-9]|2[0-9]) logins refused within .* for uid [0-9]+' 'and a burst of refused logins'
is "$(exceptions no-credential-session .user --user eve)" '["eve"]' 'and a session without a credential'
is "$(exceptions no-credential-session .user)" '["eve"]' 'who is not asked for is found by a role'
is "$(exceptions unacknowledged .text --user gil)" '["it is break-glass, and no admin has acknowledged it"]' 'and break-glass that nobody acknowledged'
is "$(exceptions no-credential-session .user --user ann)" '[]' 'but none of those that have one'
is "$(exceptions long-lived .credential --user ben --long-lived 1s)" "[\"${ids[ben]}\"]" 'and what lives long'
is "$(exceptions long-lived .credential)" '[]' 'which is a day, if nothing is said'
in_lab_as ann sh -c 'printf "MESSAGE_ID=8d45620c1a4348dbb17410da57c60c66\nMESSAGE=x\nSESSION_ID=9\nUSER_ID=eve\nLEADER=7\n" | logger --journald'
in_lab journalctl --sync
is "$(exceptions no-credential-session .user --user eve)" '["eve"]' 'an entry that is not logind'\''s does not count'
is "$(report '[.exceptions[].severity] | . == sort_by({"critical":0,"warning":1,"note":2}[.])')" true 'the worst comes first'
is "$(report '[.credentials[].user] | unique' --user ben)" '["ben"]' '--user shows those of one user'
is "$(report '.credentials | length' --role none)" 0 '--role those of one role'

# --- Who had access then

access_at() { # USEC
    in_lab credctl audit --as-of "$(moment "$1")" --json | jq -c '[.report.credentials[] | [.user, .access]] | sort'
}
is "$(access_at "$during")" '[["ann","session"],["ben","session"],["cy","session"],["dora","session"]]' \
    'while they were in, those are named that were'
is "$(access_at "$((since - 1000000))")" '[]' 'before, nobody had'
is "$(access_at "$until")" '[["ann","login"],["gil","login"],["gil","login"]]' 'at the end some could still log in'

# --- Forms

like "$(audit | head -n 1)" "^Access to " 'the table says of which host'
is "$(audit | awk 'length > 80' | head -n 3)" '' 'its lines fit 80 columns'
first=$(audit | grep -nE '^(Exceptions|Totals|Credentials)' | cut -d: -f2 | paste -sd' ')
is "$first" 'Exceptions Totals Credentials' 'exceptions come first'
audit --output csv >"$work/csv"
is "$(grep -c $'\r$' "$work/csv")" "$(($(jq '.credentials | length' <"$work/report") + 1))" 'CSV has a line a credential'
like "$(grep "^${ids[ann]}" "$work/csv")" ",\"'=HYPERLINK\\(\"\"x\"\"\\),1\"," 'and no formula'
audit --output html >"$work/html"
like "$(head -n 6 "$work/html")" "default-src 'none'; style-src 'unsafe-inline'" 'the page may load nothing'
like "$(cat "$work/html")" '=HYPERLINK\(&quot;x&quot;\),1' 'and what others wrote is text in it'
status=0
in_lab_as ann credctl audit >/dev/null 2>"$work/err" || status=$?
is "$status" 6 'a stranger may not'

# --- Exit status

fails() { # KINDS [OPTION...]
    local kinds=$1
    shift
    status=0
    audit --fail-on "$kinds" "$@" >/dev/null 2>"$work/err" || status=$?
    echo "$status"
}
is "$(fails late,residue)" 5 '--fail-on what there is: 5'
like "$(cat "$work/err")" 'late, 1' 'and it says of what'
is "$(fails unacknowledged,missed --user ben)" 0 'what there is not: 0'
is "$(fails late --user ben)" 0 'nor of others'
is "$(fails unacknowledged --user gil)" 5 'break-glass that nobody acknowledged: 5'
in_lab credctl ack "$broken" --reason 'seen' >/dev/null
is "$(fails unacknowledged --user gil)" 0 'that somebody did: 0'
is "$(fails late,nonsense)" 2 'what there cannot be: 2'
status=0
in_lab credctl audit --since now --until today >/dev/null 2>&1 || status=$?
is "$status" 2 'a period that ends before it begins: 2'

# --- Each day

ok 'the timer is on' in_lab systemctl is-enabled credd-audit.timer
ok 'the report of a day on which nothing was wrong is made' in_lab systemctl start credd-audit.service
yesterday=$(in_lab date -d yesterday +%F)
is "$(in_lab stat -c '%a %U:%G' /var/log/credd "/var/log/credd/$yesterday.json" | paste -sd' ')" \
    '750 root:adm 640 root:adm' 'it is kept, for those who may read logs'
is "$(in_lab cat "/var/log/credd/$yesterday.json" | jq -r '.report.credentials | length')" 0 'and is of yesterday'
made=$(in_lab sh -c 'stat -c %Y /var/log/credd/*.json')
ok 'started again' in_lab systemctl start credd-audit.service
is "$(in_lab sh -c 'stat -c %Y /var/log/credd/*.json')" "$made" 'it makes none anew'
in_lab sh -c 'mv "/var/log/credd/$1.json" "/var/log/credd/$(date -d "-3 day" +%F).json"' sh "$yesterday"
ok 'after days without a report' in_lab systemctl start credd-audit.service
is "$(in_lab sh -c 'ls /var/log/credd/*.json | wc -l')" 3 'each of them is made'

# Loud: as if today were over already.
in_lab sh -c 'mkdir -p /etc/systemd/system/credd-audit.service.d /run/told
    cat >/etc/systemd/system/told@.service <<END
[Service]
Type=oneshot
ExecStart=/bin/touch /run/told/%i
END
    cat >/etc/systemd/system/credd-audit.service.d/told.conf <<END
[Unit]
OnFailure=told@%N.service
[Service]
Environment=CREDCTL=/run/credctl-today
END
    cat >/run/credctl-today <<END
#!/bin/sh
shift 5
exec credctl audit --since "$1" "\$@"
END
    chmod +x /run/credctl-today
    rm -f /var/log/credd/*
    systemctl daemon-reload' sh "$(moment "$since")"
not_ok 'a report with late ends fails' in_lab systemctl start credd-audit.service
is "$(in_lab systemctl show -P ExecMainStatus credd-audit.service)" 5 'with the status of what was found'
told() { in_lab test -e /run/told/credd-audit; }
ok 'and the unit of OnFailure= is started' wait_until 20 told
ok 'the report is there all the same' in_lab test -s "/var/log/credd/$yesterday.json"
is "$(in_lab systemctl is-failed credd-audit.service)" failed 'systemctl shows it as failed'
in_lab systemctl stop credd-login.socket credd-admin.socket credd.service
in_lab systemctl --quiet --runtime mask credd-admin.socket
in_lab sh -c 'rm -f /var/log/credd/* /etc/systemd/system/credd-audit.service.d/told.conf; systemctl daemon-reload'
not_ok 'without credd it fails, too' in_lab systemctl start credd-audit.service
is "$(in_lab sh -c 'ls -A /var/log/credd')" '' 'and leaves no half of a report'

plan

#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# credctl against the real credd: what each verb prints, for people and for programs, what it
# refuses and in which words, its exit statuses, and that no secret is left anywhere.
# shellcheck disable=SC2016,SC2317  # commands for the lab's shells; functions called by name

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

new_users uma victor

# Sets out, err and status.
try() { # COMMAND...
    status=0
    out=$("$@" 2>"$work/err") || status=$?
    err=$(cat "$work/err")
}
credctl() { try in_lab credctl "$@"; }
credctl_as() { # USER ARGUMENT...
    try in_lab_as "$1" credctl "${@:2}"
}

# One line on stderr, nothing on stdout, and words that help.
says() { # STATUS PATTERN DESCRIPTION
    is "$status/$out/$(wc -l <<<"$err")" "$1//1" "$3: exit status $1 and one line"
    like "$err" "^credctl: .*$2" "$3: in words that help"
}

wait_until 10 in_lab credctl status

# --- issue, for people

credctl issue --user uma --ttl 90s --uses 3 --service sshd --from 127.0.0.0/8 --from ::1 \
    --session-ttl 10min --max-lifetime 8h --holder 'Uma, of operations' --reason 'ticket 4711'
is "$status$err" 0 'issue: exit status 0, and nothing on stderr'
token=$(grep -E '^eph_[0-9a-hjkmnp-tv-z]{36}$' <<<"$out")
is "$(grep -c eph_ <<<"$out")" 1 'issue: the token stands alone on one line'
id=$(id_of "$token")
like "$out" "^Credential $id: 3 logins as uma" 'issue: what it is, and for whom'
like "$out" $'\nLogin until: 20[0-9-]+ [0-9:]+ [+-][0-9:]+ \(in 1min ?[0-9a-z]*\)\n' 'issue: until when, with what is left'
like "$out" "credctl revoke $id" 'issue: how to take it back'
credctl show "$id"
is "$status$err" 0 'show: exit status 0'
for words in "Credential $id: active" 'uma (uid ' 'Uma, of operations' 'ticket 4711' '127.0.0.0/8 ::1' sshd \
    'issued by *root' 'uses *0/3' 'session ttl *10min' credential-issued; do
    like "$out" "${words//[()]/.}" "show: $words"
done
unlike "$out" "${token:12:26}" 'show: the token is not shown again'

# --- issue, for programs

credctl issue --user uma --output token
like "$out" '^eph_[0-9a-z]{36}$' '--output token: the token and nothing else'
is "$status$err" 0 'and nothing on stderr'
credctl issue --user uma --output token --count 5
is "$(grep -cE '^eph_[0-9a-z]{36}$' <<<"$out")/$(wc -l <<<"$out")/$(sort -u <<<"$out" | wc -l)" 5/5/5 \
    '--count 5: five different tokens, one a line'
credctl issue --user uma --json --count 2
is "$(jq -c '[.schema, (.credentials | length), (.credentials | map(.token | length) | unique)]' <<<"$out")" \
    '[1,2,[40]]' '--json --count 2: one object with both'
is "$(jq -c '.credentials[0] | [.id == .token[4:12], .state, .user, .uses_left]' <<<"$out")" \
    '[true,"active","uma",1]' 'and each names its token'

credctl issue --user uma --output token --key 'deploy 7'
keyed=$(id_of "$out")
credctl issue --user uma --output token --key 'deploy 7'
is "$status/$out" 0/ '--key again: exit status 0, and no token'
like "$err" "$keyed" 'and the first one is named'
credctl issue --user uma --json --key 'deploy 7'
is "$(jq -c '.credentials[0] | [.id, .token]' <<<"$out")" "[\"$keyed\",null]" '--key again, as JSON: it, without a token'
is "$(in_lab credctl list --user uma --json | jq '.credentials | length')" 10 'there are ten by now'
in_lab gpasswd -a victor credd-admin >/dev/null
credctl_as victor issue --user uma --output token --key 'deploy 7'
like "$out" '^eph_' 'the same key of somebody else is another'
in_lab gpasswd -d victor credd-admin >/dev/null

# --- What issue refuses: "How long", and the rest

refuses() { # PATTERN ARGUMENT...
    credctl issue --user uma "${@:2}"
    says 6 "$1" "issue ${*:2}"
}
refuses 'at most 12h.*MaxTTL' --ttl 13h
refuses 'longer than zero' --ttl 0
refuses 'longer than zero' --session-ttl 0s
refuses 'at most 1d.*MaxLifetime' --session-ttl 25h
refuses 'at most 1d.*MaxLifetime' --ttl 8h --session-ttl 20h
refuses 'at most 1d.*MaxLifetime' --max-lifetime 2d
refuses 'shorten --ttl or --session-ttl' --ttl 1h --session-ttl 2h --max-lifetime 2h
refuses 'past the --max-lifetime of 30min' --ttl 1h --max-lifetime 30min
refuses 'at most a year' --not-before +400d
refuses '1 to 1000' --uses 100000
refuses 'sshd and login' --service telnet
refuses 'sshd and login' --service ''
refuses '10.0.0.0/24' --from 10.0.0.0/33
refuses '10.0.0.0/24' --from 10.0.0
refuses '10.0.0.0/24' --from localhost
refuses '10.0.0.0/24' --from fe80::/129
refuses 'plain text' --reason ''
refuses 'plain text' --reason $'two\nlines'
refuses 'plain text' --holder "$(printf 'x%.0s' {1..201})"
refuses 'no such role' --role oncall
credctl issue --user root
says 6 'root' 'issue --user root'
credctl issue --user nosuchuser
says 1 'no user nosuchuser' 'issue --user nosuchuser'
credctl issue --user uma --ttl 12h --session-ttl 12h
is "$status" 0 'the longest that fits is issued'

# Defaults: the session ends with the ttl, and nothing can be longer.
credctl issue --user uma --json
is "$(jq -c '.credentials[0] | [((.login_limit_usec - .issued_usec) / 1000000 | round), .session_ttl_usec, ((.ceiling_usec - .login_limit_usec) / 1000 | round) + 0]' <<<"$out")" \
    '[3600,null,0]' 'without a word: an hour, for logins and sessions'
credctl issue --user uma --json --ttl 2h --session-ttl 30min
is "$(jq -c '.credentials[0] | [((.ceiling_usec - .not_before_usec) / 1000000 | round), .session_ttl_usec]' <<<"$out")" \
    '[9000,1800000000]' 'the ceiling is the last login and its session'
credctl issue --user uma --json --not-before +3h --ttl 1h
is "$(jq -c '.credentials[0] | [((.not_before_usec - .issued_usec) / 60000000 | round), ((.login_limit_usec - .not_before_usec) / 60000000 | round)]' <<<"$out")" \
    '[180,60]' 'the ttl runs from --not-before'

# --- Usage

usage() { # PATTERN ARGUMENT...
    credctl "${@:2}"
    says 2 "$1" "credctl ${*:2}"
}
usage 'did you mean list' lits
usage 'see credctl help' frobnicate
usage 'did you mean --user' list --usr uma
usage 'wants --user' issue
usage 'wants a value' issue --user
usage 'not a length of time; write 90s' issue --user uma --ttl soon
usage 'not a length of time' issue --user uma --ttl -5
usage 'not a moment; write' issue --user uma --not-before tomorrowish
usage 'whole number from 1' issue --user uma --uses 0
usage 'whole number from 1' issue --user uma --uses 1.5
usage 'whole number from 1' issue --user uma --count 0
usage 'at most 1000' issue --user uma --count 100000
usage 'names one credential' issue --user uma --count 2 --key x
usage 'table, json' list --output xml
usage 'only issue has tokens' list --output token
usage 'not both' list --json --output table
usage 'takes no value' list --all=yes
usage 'wants ID' show
usage 'too much' show a b
usage 'too much' list uma
usage 'UTF-8' issue --user uma --reason $'caf\xe9'
credctl --version
like "$out" '^credctl [0-9]+\.[0-9]+' '--version'
for verb in '' issue list show revoke sessions status; do
    # shellcheck disable=SC2086
    credctl $verb --help
    like "$status$out" "^0Usage: credctl .*${verb:-VERB}" "credctl $verb --help"
done

# --- list and its filters

listed() { in_lab credctl list --json "$@" | jq -r '.credentials[].id' | sort | paste -sd' '; }
v1=$(id_of "$(issue_token victor --ttl 10min --reason one)")
v2=$(id_of "$(issue_token victor --ttl 5h --reason two)")
v3=$(id_of "$(issue_token victor --ttl 5h --reason three)")
ids() { printf '%s\n' "$@" | sort | paste -sd' '; }
in_lab credctl revoke -q "$v3"
is "$(listed --user victor)" "$(ids "$v1" "$v2")" 'list --user: his, and no final ones'
is "$(listed --user victor --all)" "$(ids "$v1" "$v2" "$v3")" 'list --all: the final ones too'
is "$(listed --user victor --state revoked)" "$v3" 'list --state finds final ones'
is "$(listed --user victor --state active)" "$(ids "$v1" "$v2")" 'list --state active'
is "$(listed --user victor --state in-use)" '' 'list --state in-use: none'
is "$(listed --user victor --expiring 1h)" "$v1" 'list --expiring'
is "$(listed --role oncall)" '' 'list --role: none'
is "$(listed --user nosuchuser)" '' 'list --user of somebody unknown: none'
credctl list --state asleep
says 1 'active' 'list --state asleep'
credctl list --user victor
is "$(head -n 1 <<<"$out" | awk '{ print $1, $2, $3 }')" 'ID USER STATE' 'list: a heading'
is "$(wc -l <<<"$out")" 3 'list: and a line each'
credctl list --user victor --no-legend
is "$(wc -l <<<"$out")" 2 '--no-legend: without the heading'
credctl list --user nosuchuser
is "$status/$out" 0/ 'list of nothing: exit status 0, and nothing on stdout'
like "$err" credctl 'but a hint'
credctl list --user nosuchuser -q
is "$status/$out/$err" 0// 'not even that with -q'

# More than one reply holds.
in_lab credctl issue --user victor --reason many --count 250 --output token >/dev/null
is "$(in_lab credctl list --user victor --json | jq '[.credentials[].id] | unique | length')" 252 'list shows more than a page'

# --- show

credctl show "$v2" --json
is "$(jq -r '.schema, .credentials[0].id, (.credentials | length)' <<<"$out" | paste -sd' ')" "1 $v2 1" 'show --json: one credential'
is "$(jq -c '.credentials[0] | [has("sessions"), has("events"), .receipt, .role, .holder]' <<<"$out")" \
    '[true,true,null,null,null]' 'what is absent is null'
is "$(jq -r '[.. | objects | to_entries[] | select(.key | endswith("_usec"))
        | select(.key | IN("ttl_usec", "session_ttl_usec", "left_usec", "late_usec") | not) | .key] | unique | join(" ")' <<<"$out")" \
    'ceiling_usec issued_usec login_limit_usec not_before_usec time_usec' 'show --json: its moments'
is "$(jq -r '[.. | objects | . as $o | to_entries[] | select(.key | endswith("_usec"))
        | select(.key | IN("ttl_usec", "session_ttl_usec", "left_usec", "late_usec") | not)
        | select(.value != null)
        | select(($o[.key | rtrimstr("_usec")] | fromdate) != (.value / 1000000 | floor)) | .key] | unique | join(" ")' <<<"$out")" \
    '' 'beside each stands the same in UTC with Z'
for _ in {1..10}; do show_of "$v2" '[.login_limit_usec, .ceiling_usec, .not_before_usec] | join(" ")'; done >"$work/moments"
is "$(sort -u "$work/moments" | wc -l)" 1 'show says the same moments each time'

missing=zzzzzzzz
credctl show $missing
says 1 "no credential $missing, or it is not yours" 'show of an unknown id'
words=${err//$missing/ID}
for other in nothing 0 "$(printf 'x%.0s' {1..300})" ../../etc/passwd; do
    credctl show -- "$other"
    is "$status/${err//"$other"/ID}" "1/$words" "show ${other:0:20} says the same as of an unknown id"
done
credctl show "${v2^^}"
is "$status" 0 'ids are case-blind'
credctl show "${v2:0:5}"
is "$status" 1 'a program must name the whole id'
typed() { in_lab env TERM=xterm script -qec "stty cols 80 rows 24; $*" /dev/null; } # on a terminal
like "$(typed credctl show "${v2:0:7}")" "Credential $v2" 'on a terminal a beginning will do'

# --- revoke

credctl revoke "$v1" --dry-run
like "$status$out" "^0$v1 would be revoked" 'revoke --dry-run says what would be done'
is "$(show_of "$v1" .state)" active 'and does not do it'
credctl revoke "$v1" --reason 'no longer needed' --wait
like "$status$out" "^0$v1 revoked" 'revoke --wait'
like "$out" confirmed 'shows the verdict'
is "$(show_of "$v1" '[.state, .ended_by.name, .receipt.verdict] | join(" ")')" 'revoked root confirmed' 'it is revoked, and by whom'
credctl revoke "$v1"
says 1 "$v1 is revoked already" 'revoke of what is final'
credctl revoke "$v1" --dry-run
says 1 "$v1 is revoked already" 'revoke --dry-run of what is final'
credctl revoke $missing
says 1 "no credential $missing" 'revoke of an unknown id'
credctl revoke $missing "$v2"
is "$status" 1 'revoke of an unknown and a known one: exit status 1'
is "$(show_of "$v2" .state)" revoked 'and the known one is revoked'
many=$(in_lab credctl list --user victor --json | jq -r '.credentials[].id')
# shellcheck disable=SC2086
credctl revoke --json $many
is "$(jq -c '[.schema, (.credentials | length), (.credentials | map(.state) | unique)]' <<<"$out")" \
    '[1,250,["revoked"]]' 'revoke --json of 250: all of them'

# --- sessions

token=$(issue_token victor --ttl 20min --session-ttl 5min)
id=$(id_of "$token")
start_session s1 victor "$token" password 'sleep 600'
wait_for_session "$id"
credctl sessions --json
is "$(jq -c --arg id "$id" '[.schema, (.sessions[] | select(.credential == $id) | .user, .service, .rhost, .state, (.left_usec > 0 and .left_usec <= 300000000))]' <<<"$out")" \
    '[1,"victor","sshd","127.0.0.1","open",true]' 'sessions --json: who, by what, from where, what is left'
credctl sessions
like "$out" "$id +victor .*sshd +127.0.0.1 +open +4min" 'sessions: a line with the time left'
is "$(listed --state in-use --user victor)" "$id" 'list --state in-use finds it'
is "$(listed --user victor --expiring 10min)" "$id" 'list --expiring finds it by the end of its session'
credctl revoke "$id" --dry-run
like "$out" '1 session would be ended' 'revoke --dry-run counts it'
credctl revoke "$id" --wait --json
is "$(jq -c '.credentials[0].receipt | [.verdict, (.evidence | length)]' <<<"$out")" '["confirmed",1]' \
    'revoke --wait --json: the receipt with its evidence'
wait
credctl show "$id"
like "$out" 'deprovisioned' 'show: its life to the end'
is "$(in_lab credctl sessions --json | jq --arg id "$id" '[.sessions[] | select(.credential == $id)] | length')" 0 \
    'sessions: it is no longer there'
is "$(in_lab credctl sessions --all --json | jq -r --arg id "$id" '.sessions[] | select(.credential == $id) | .state')" ended \
    'sessions --all: it has ended'

# --- Who may not

credctl_as alice issue --user alice
says 6 'only root and members of the group credd-admin' 'alice: credctl issue'
credctl_as alice freeze --yes
says 6 'only root and members of the group credd-admin' 'alice: credctl freeze'
for arguments in 'list --all' 'sessions --all'; do
    # shellcheck disable=SC2086
    credctl_as alice $arguments --no-legend
    is "$status$out" 0 "alice: credctl $arguments: nothing of hers"
done
for verb in show revoke; do
    credctl_as alice $verb "$id"
    says 1 "no credential $id, or it is not yours to see" "alice: credctl $verb of what is not hers"
    theirs=$err
    credctl_as alice $verb k7m2q9xd
    is "${err//k7m2q9xd/$id}" "$theirs" '  and of what is not there: the same'
done
credctl_as alice status
is "$status" 0 'alice: credctl status'

# --- status

credctl status
is "$status$err" 0 'status: exit status 0'
like "$out" 'store +ok' 'status: how the store is'
credctl status --json
is "$(jq -c '[.schema, .status.logind, .status.problems, .status.sessions_overdue]' <<<"$out")" '[1,"connected",[],0]' 'status --json'

# --- On a terminal and elsewhere

long="$(printf 'a reason that goes on %.0s' {1..8})"
wide=$(id_of "$(issue_token uma --reason "$long" --holder 'somebody with a long name' --from 2001:db8:1234:5678:9abc:def0:1234:0/112)")
columns() { sed -e 's/\x1b\[[0-9;]*m//g' -e 's/\r$//' -e 's/…/+/g' | awk '{ if (length($0) > n) n = length($0) } END { print n + 0 }'; }
plain=$(id_of "$(issue_token uma)")
for arguments in '' help status list 'list --all' sessions 'sessions --all' 'issue --help' 'list --help' 'revoke --help' 'explain --help' "show $plain" \
    'issue --user uma --reason why'; do
    at_most "$(typed credctl "$arguments" | columns)" 80 "credctl $arguments: 80 columns are enough on a terminal"
done
like "$(typed credctl show "$plain")" $'\x1b\\[' 'colour on a terminal'
unlike "$(typed NO_COLOR=1 credctl show "$plain")" $'\x1b' 'none with NO_COLOR'
like "$(typed NO_COLOR= credctl show "$plain")" $'\x1b\\[' 'an empty NO_COLOR is none'
for arguments in "show $wide" list status sessions 'list --all --json'; do
    # shellcheck disable=SC2086
    unlike "$(in_lab env TERM=xterm credctl $arguments 2>&1)" $'\x1b' "credctl $arguments: none in a pipe"
done
ok 'a whole line when piped' grep -qF "$long" <(in_lab credctl list)
in_lab credctl issue --user uma --reason $'caf\xc3\xa9 \xe2\x82\xac' >"$work/out"
is "$(in_lab credctl list --user uma --json | jq -r '.credentials[-1].reason')" $'caf\xc3\xa9 \xe2\x82\xac' 'UTF-8 comes back as it went in'
try in_lab sh -c 'credctl list >/dev/full'
is "$status" 1 'what cannot be printed is an error'
try in_lab sh -c 'credctl issue --user uma --output token >/dev/full'
like "$status$err" '^1credctl: credential [0-9a-z]{8} was issued.*credctl revoke' 'a token that cannot be printed is reported by its id'

# --- No secret is left anywhere

credctl issue --user uma --count 20 --output token
printf '%s\n' "$out" "$token" | cut -c13-38 >"$work/secrets" # without the id, which is public
is "$(grep -cE '^[0-9a-z]{26}$' "$work/secrets")" 21 'the secret part of 21 tokens'
first=$(head -n 1 <<<"$out")
ssh_with uma "$first" password true >/dev/null
ssh_with uma "${first:0:12}$(tail -n 1 "$work/secrets")${first:38}" keyboard-interactive true >/dev/null
wait_for_event "$(id_of "$first")" login-accepted
write_file /run/secrets 0600 <"$work/secrets"
in_lab journalctl --sync
found() { in_lab sh -c "$1" 2>/dev/null; }
is "$(found 'grep -rlaiFf /run/secrets /var/lib/credd')" '' 'not in credd'\''s state, write-ahead log included'
is "$(found 'journalctl -q -o export --all | grep -aciFf /run/secrets')" 0 'not in the journal'
is "$(found 'grep -rlaiFf /run/secrets /var/log /etc /run/credd /tmp /var/tmp')" '' 'not in any log, not in /tmp'
is "$(found 'for p in /proc/[0-9]*; do tr "\0" " " <$p/cmdline; tr "\0" "\n" <$p/environ; done | grep -ciFf /run/secrets')" 0 \
    'not in any command line or environment'
is "$(found 'find /var/lib/credd /var/lib/systemd/coredump / -maxdepth 1 -type f -name "*core*"')" '' 'and there is no core file'
in_lab rm -f /run/secrets

# --- credd away

in_lab systemctl stop credd-login.socket credd-admin.socket credd.service
for arguments in list 'issue --user uma' status "revoke $plain"; do
    # shellcheck disable=SC2086
    credctl $arguments
    says 3 'not reachable.*systemctl status' "credd stopped: credctl $arguments"
done
credctl
is "$status" 3 'credd stopped: credctl alone'
in_lab systemctl start credd-login.socket credd-admin.socket
credctl status
is "$status$err" 0 'with the sockets back, the first question starts credd, and all is well'
is "$(show_of "$plain" .state)" active 'and nothing was revoked meanwhile'
ok 'and all is well again' wait_until 10 in_lab credctl status
for _ in {1..3}; do
    in_lab systemctl restart credd.service
    credctl status
    is "$status$err" 0 'right after a restart the status is good'
done

plan

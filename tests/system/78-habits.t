#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a person at a terminal is used to: an overview that says what needs attention, tables that fit however
# long names and reasons are and that use a wide terminal, a mark where something is cut, a word about what was
# left out, shortened ids, the right verb for a typo, progress while one waits, and errors that say what to do.
# shellcheck disable=SC2016,SC2317  # commands for the lab's shells; functions called by name

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

wait_until 10 in_lab credctl status
long=a-user-with-a-very-long-name-32c role=a-role-with-a-name-of-32-letters
holder='Somebody With A Quite Long Name, Department of Long Names'
new_users "$long" ulf
write_file "/etc/credd/roles.d/$role.conf" 0644 <<CONF
[Role]
Description=$(printf 'A description that goes on. %.0s' {1..5})
Issuers=carol
Requesters=bob alice
Approvers=carol
Users=$long alice
MaxUses=1000
CONF
write_file /etc/credd/roles.d/glass.conf 0644 <<CONF
[Role]
Issuers=carol
BreakGlass=yes
Users=$long
CONF
reload_credd

# A command on a terminal of so many columns: without colours and returns, and the mark of a cut as ASCII.
on_terminal() { # COLUMNS COMMAND...
    in_lab env TERM=xterm script -qec "stty cols $1 rows 24; ${*:2}" /dev/null | sed -e 's/\x1b\[[0-9;]*m//g' -e 's/\r$//' -e 's/…/+/g'
}
too_wide() { awk -v limit="$1" 'length > limit'; } # of ASCII alone

# --- Nothing to see

like "$(on_terminal 80 credctl)" 'What can be done: credctl help' 'without a verb: how things are, and where to read on'
unlike "$(on_terminal 80 credctl)" 'requests|problem' 'and nothing that needs attention'

# --- Wide contents

reason=$(printf 'a reason that goes on %.0s' {1..8})
wide=$(id_of "$(issue_token "$long" --role "$role" --uses 1000 --ttl 3h --holder "$holder" --reason "$reason" --from 2001:db8:1234:5678:9abc:def0:1234:0/112)")
odd=$(id_of "$(issue_token "$long" --reason "$(printf 'x%.0s' {1..200})")")
open "$long" 2h 'echo ready; sleep 600' --role "$role" --uses 5 --holder "$holder"
wait_ready "$long"
asked=$(in_lab_as alice credctl request --role "$role" --user "$long" --reason "$reason" --holder "$holder" --json | jq -r '.requests[0].id')
glass=$(in_lab_as carol credctl issue --role glass --user "$long" --reason "$reason" --output token)
ssh_with ulf "$glass" password true >/dev/null

for arguments in '' status help list 'list --all' sessions 'sessions --all' requests 'role list' "role show $role" \
    "show $wide" "show $odd" "show $asked" "show ${ids[$long]}" "show $(id_of "$glass")" "explain --user $long" audit verify doctor \
    'revoke --all --dry-run' "role disable $role --dry-run" 'role --help' 'audit --help' 'request --help' 'drill --help'; do
    is "$(on_terminal 80 "credctl $arguments" | too_wide 80 | head -n 3)" '' "credctl $arguments: 80 columns are enough"
done
# watch goes on until it is stopped
for arguments in '' status list sessions requests 'role list' "role show $role" "show $wide" "show ${ids[$long]}" "show $asked" \
    "explain --user $long" "explain $wide" doctor audit 'watch --after 0'; do
    is "$(on_terminal 60 "timeout 3 credctl -q $arguments" | too_wide 60 | head -n 3)" '' "credctl $arguments: so are 60"
done
for arguments in list sessions "show ${ids[$long]}" audit doctor 'watch --after 0'; do
    on_terminal 200 "timeout 3 credctl $arguments" >"$work/wide"
    isnt "$(too_wide 80 <"$work/wide" | head -n 1)" '' "credctl $arguments: of 200 it uses more"
    is "$(too_wide 200 <"$work/wide" | head -n 3)" '' "credctl $arguments: but not more than there are"
done
on_terminal 80 'timeout 3 credctl watch --after 0' >"$work/watch"
like "$(cat "$work/watch")" $'^[0-9]{4}-[0-9]{2}-[0-9]{2} [+-][0-9:]+\n[0-9]{2}:[0-9]{2}:[0-9]{2}  ' \
    'credctl watch: on a narrow terminal the day stands above, once'
is "$(too_wide 80 <"$work/watch" | head -n 3)" '' 'and 80 columns are enough'
narrow=$(on_terminal 80 credctl list)
like "$narrow" "$wide a-user-with[a-z-]*\+ " 'a name that is cut ends in a mark'
like "$narrow" 'No room for [A-Z, -]*HOLDER' 'what was left out is said'
like "$(on_terminal 300 credctl list)" "$wide $long .*in 2h 5[0-9]min +2[0-9-]+ [0-9:]+ .*$holder" 'a wide terminal shows all, and moments exactly, too'
unlike "$(on_terminal 300 credctl list)" 'No room' 'and nothing is left out'
is "$(in_lab credctl list --no-legend | awk '{ print (NF > 10) }' | sort -u)" 1 'in a pipe every column is there'
like "$(in_lab credctl list)" "$wide $long .*$reason" 'and whole'

# --- What needs attention

overview=$(on_terminal 80 credctl)
like "$(ssh_with "$long" "$(issue_token "$long")" password credctl)" 'yours +this session has 59min [0-9]+s left: credctl time' \
    'in a session of a credential, what is left of it is in the overview'
like "$overview" $'^problem .*break-glass.*\nrequests  1 waits to be decided or collected: credctl requests' 'the overview says what needs somebody'
unlike "$(in_lab_as bob credctl)" 'problem|requests' 'but not to those who may not see it'

# --- Typing

typo() { # WANTED ARGUMENT...
    local out
    out=$(in_lab credctl "${@:2}" 2>&1)
    like "$out" "$1" "credctl ${*:2}: $1"
}
typo 'did you mean list\?' lst
typo 'did you mean sessions\?' session
typo 'did you mean issue\?' help isue
typo 'did you mean --user\?' list --usr x
typo 'did you mean disable\?' role disble x
typo 'did you mean glass\?' role show glas
typo "$long is too much; did you mean --user $long\?" list "$long"
typo "$long is a user of this host and no id; did you mean --user $long\?" revoke "$long"
typo "$long is a user of this host and no id; see credctl list --user $long" show "$long"
typo 'that is a token, .* its id is the 8 characters behind eph_' show "$(issue_token ulf)"
typo '--se is the beginning of several: --service, --session-ttl' issue --se sshd
typo 'issue wants --user USER, who may log in with it; see credctl issue --help' issue
typo '--ttl wants a value, D: how long a login is possible' issue --ttl
typo 'request wants --user USER, ' request --role glass
typo 'extend wants ID; see credctl list' extend --by 1h
typo 'backup wants FILE; see credctl backup --help' backup
typo 'role has no command disble; see credctl role --help' help role disble
like "$(in_lab credctl help role disable)" '^Usage: credctl role ' 'the help of a command is that of its verb'
like "$(in_lab credctl help)" $'\nHealth:\n  status ' 'the overview has the verbs by what they are for'
typo 'see credctl help' xyzzy
like "$(on_terminal 80 "credctl show ${wide:0:4}")" "Credential $wide" 'four characters of an id will do'
like "$(on_terminal 80 "credctl show zzzz")" 'no credential zzzz' 'if there is one'

# --- Waiting

like "$(on_terminal 80 "credctl revoke --wait ${ids[$long]}")" "waiting: 0 of 1 receipt.*${ids[$long]} confirmed" 'a wait shows what it waits for'
like "$(on_terminal 80 "timeout -s INT 3 setpriv --reuid=bob --regid=bob --init-groups credctl request --role $role --user alice --reason r --wait")" \
    'waiting' 'so does one for an approval'
unlike "$(in_lab credctl revoke --wait "$wide" 2>&1)" waiting 'in a pipe none does'

# --- Errors say what to do

typo 'at most 12h.*MaxTTL' issue --user ulf --ttl 99h
like "$(in_lab_as bob credctl issue --user bob 2>&1)" 'name one with --role' 'who may not issue is told what would do'
like "$(in_lab credctl extend "$odd" --by 1h 2>&1)" 'issue another' 'what cannot be extended: what would do'
in_lab systemctl stop credd-login.socket credd-admin.socket credd.service
like "$(in_lab credctl list 2>&1)" 'see systemctl status' 'credd away: where to look'

plan

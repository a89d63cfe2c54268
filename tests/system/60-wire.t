#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What can be said to credd's sockets, right and wrong: each wrong parameter is named, what is no
# call ends its connection and nothing else, nobody gets in another's way, and who may not is told
# so. At the end it is still the same credd, with nothing left open.
# shellcheck disable=SC2016,SC2317  # functions called by name; commands for the lab's shells

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

admin=/run/credd/io.credd.Admin
login=/run/credd/io.credd.Login
service=org.varlink.service

began=$(date +%s)
write_file /usr/local/bin/wire 0755 <"$tools/wire"

wire() { in_lab timeout 60 wire "$@" 2>&1; }
wire_as() { # USER SOCKET STEP...
    local user=$1
    shift
    in_lab_as "$user" timeout 60 wire "$@" 2>&1
}

call() { # METHOD [PARAMETERS [MORE-MEMBERS]]
    printf '{"method":"%s","parameters":%s%s}' "$1" "${2:-"{}"}" "${3:-}"
}
say() { wire "$admin" call "$(call "$@")"; }

failure() { # ERROR [NAME VALUE]
    printf '{"error":"%s","parameters":{%s}}' "$1" "${2:+"\"$2\":\"$3\""}"
}

main_pid() { in_lab systemctl show -P MainPID credd.service; }
count_fds() { in_lab sh -c 'ls "/proc/$1/fd" | wc -l' sh "$1"; }

is "$(in_lab credctl status --json | jq -r .status.store)" ok 'credd answers'
wait_until 10 in_lab credctl status
pid=$(main_pid)
restarts=$(in_lab systemctl show -P NRestarts credd.service)
fds=$(count_fds "$pid")

# --- Connections that stop in the middle; they wait for their end while the rest goes on

half_a_call='{"method":"io.credd.Admin.Sta'
wire "$admin" send "$half_a_call" end >"$work/silent" &
wire "$login" send "$half_a_call" end >"$work/silent-login" &
wire "$admin" drip ' ' end >"$work/drip" &
wire "$login" drip ' ' end >"$work/drip-login" &
describe=$(call "$service.GetInterfaceDescription" '{"interface":"io.credd.Admin"}')
wire "$admin" fill 3000 "$describe\\x00" end >"$work/deaf" &

# --- Unknown names

is "$(say io.example.Ask.Now)" "$(failure "$service.InterfaceNotFound" interface io.example.Ask)" \
    'an unknown interface is named'
is "$(say io.credd.Admin.Nothing)" "$(failure "$service.MethodNotFound" method io.credd.Admin.Nothing)" \
    'an unknown method is named'
is "$(say "$service.Nothing")" "$(failure "$service.MethodNotFound" method "$service.Nothing")" \
    'an unknown method of the service is named'
is "$(say io.credd.Login.Authenticate)" "$(failure "$service.InterfaceNotFound" interface io.credd.Login)" \
    'the Admin socket has no Login interface'
is "$(wire "$login" call "$(call io.credd.Admin.Status)")" \
    "$(failure "$service.InterfaceNotFound" interface io.credd.Admin)" \
    'the Login socket has no Admin interface'
is "$(say "$service.GetInterfaceDescription" '{"interface":"io.example.Ask"}')" \
    "$(failure "$service.InterfaceNotFound" interface io.example.Ask)" \
    'an unknown interface is not described'

# --- Parameters: METHOD, what is sent, which one is named

with_user() { printf '{"user":"alice","uid":1001,%s}' "$1"; }

while IFS='|' read -r method parameters name; do
    is "$(say "$method" "$parameters")" "$(failure "$service.InvalidParameter" parameter "$name")" \
        "${method##*.} with $parameters names $name"
done <<END_OF_LIST
io.credd.Admin.Issue|{}|user
io.credd.Admin.Issue|{"user":"alice"}|uid
io.credd.Admin.Issue|{"uid":1001}|user
io.credd.Admin.Issue|{"user":null,"uid":1001}|user
io.credd.Admin.Issue|{"user":7,"uid":1001}|user
io.credd.Admin.Issue|{"user":"alice","uid":"1001"}|uid
io.credd.Admin.Issue|{"user":"alice","uid":1001.0}|uid
io.credd.Admin.Issue|{"user":"alice","uid":-1}|uid
io.credd.Admin.Issue|{"user":"alice","uid":null}|uid
io.credd.Admin.Issue|$(with_user '"token":"eph_x"')|token
io.credd.Admin.Issue|$(with_user '"ttl":60')|ttl
io.credd.Admin.Issue|$(with_user '"role":1')|role
io.credd.Admin.Issue|$(with_user '"ttl_usec":"1h"')|ttl_usec
io.credd.Admin.Issue|$(with_user '"ttl_usec":-1')|ttl_usec
io.credd.Admin.Issue|$(with_user '"ttl_usec":-9223372036854775808')|ttl_usec
io.credd.Admin.Issue|$(with_user '"session_ttl_usec":true')|session_ttl_usec
io.credd.Admin.Issue|$(with_user '"max_lifetime_usec":[]')|max_lifetime_usec
io.credd.Admin.Issue|$(with_user '"not_before_usec":1.5')|not_before_usec
io.credd.Admin.Issue|$(with_user '"uses":"2"')|uses
io.credd.Admin.Issue|$(with_user '"services":"sshd"')|services
io.credd.Admin.Issue|$(with_user '"services":["sshd",7]')|services
io.credd.Admin.Issue|$(with_user '"sources":{}')|sources
io.credd.Admin.Issue|$(with_user '"holder":[]')|holder
io.credd.Admin.Issue|$(with_user '"reason":1')|reason
io.credd.Admin.Issue|$(with_user '"key":false')|key
io.credd.Admin.Issue|$(with_user '"kind":1')|kind
io.credd.Admin.Issue|$(with_user '"kind":"key"')|kind
io.credd.Admin.Issue|$(with_user '"kind":"key"')|kind
io.credd.Admin.Explain|{}|user
io.credd.Admin.Explain|{"user":1}|user
io.credd.Admin.Explain|{"id":1}|id
io.credd.Admin.Explain|{"uid":"1001"}|uid
io.credd.Admin.Explain|{"uid":1001,"before":-1}|before
io.credd.Admin.Explain|{"uid":1001,"since":1}|since
io.credd.Admin.Audit|{"since_usec":1}|until_usec
io.credd.Admin.Audit|{"since_usec":1,"until_usec":-1}|until_usec
io.credd.Admin.Audit|{"since_usec":1,"until_usec":2,"user":3}|user
io.credd.Admin.List|{"user":1}|user
io.credd.Admin.List|{"role":{}}|role
io.credd.Admin.List|{"state":1}|state
io.credd.Admin.List|{"state":"asleep"}|state
io.credd.Admin.List|{"expiring_usec":1e6}|expiring_usec
io.credd.Admin.List|{"all":"yes"}|all
io.credd.Admin.List|{"all":1}|all
io.credd.Admin.List|{"after":-1}|after
io.credd.Admin.List|{"limit":5}|limit
io.credd.Admin.Show|{}|id
io.credd.Admin.Show|{"id":12345678}|id
io.credd.Admin.Show|{"id":"abcd1234","all":true}|all
io.credd.Admin.Revoke|{}|id
io.credd.Admin.Revoke|{"id":null}|id
io.credd.Admin.Revoke|{"id":"abcd1234","reason":1}|reason
io.credd.Admin.Revoke|{"id":"abcd1234","reason":""}|reason
io.credd.Admin.Revoke|{"id":"abcd1234","user":"alice"}|user
io.credd.Admin.Sessions|{"all":0}|all
io.credd.Admin.Sessions|{"after":"1"}|after
io.credd.Admin.Sessions|{"user":"alice"}|user
io.credd.Admin.Status|{"verbose":true}|verbose
$service.GetInterfaceDescription|{}|interface
$service.GetInterfaceDescription|{"interface":1}|interface
$service.GetInterfaceDescription|{"interface":"io.credd.Admin","format":"xml"}|format
$service.GetInfo|{"verbose":true}|verbose
END_OF_LIST

is "$(say io.credd.Admin.Status '{}' ',"more":false,"oneway":false,"upgrade":false' | jq -r .parameters.store)" \
    ok 'members that ask for nothing special change nothing'
is "$(wire "$admin" call '{"method":"io.credd.Admin.Status"}' | jq -r .parameters.store)" ok \
    'no parameters are the same as empty ones'

# --- Numbers as large as JSON has them

huge=9223372036854775807
is "$(say io.credd.Admin.List "{\"after\":$huge}")" '{"parameters":{"credentials":[],"next":null}}' \
    'after the largest number there is nothing'
like "$(say io.credd.Admin.List "{\"expiring_usec\":$huge}")" '^\{"parameters":\{"credentials":' \
    'the longest length of time is one'
for name in ttl_usec session_ttl_usec max_lifetime_usec not_before_usec uses; do
    like "$(say io.credd.Admin.Issue "$(with_user "\"$name\":$huge")")" '^\{"error":"io.credd.Admin.Refused"' \
        "Issue with the largest $name is refused"
done
for uid in 0 4294967295 4294967296 4294968297 "$huge"; do
    like "$(say io.credd.Admin.Issue "{\"user\":\"alice\",\"uid\":$uid}")" '^\{"error":"io.credd.Admin.Refused"' \
        "Issue for uid $uid is refused"
done
is "$(in_lab credctl list --user alice --json | jq '[.credentials[] | select(.uid != 1001)] | length')" 0 \
    'and none of it was issued'

# --- What is no call ends the connection, without a word

is_closed() { # DESCRIPTION STEP...
    is "$(wire "$admin" "${@:2}" end)" closed "$1 is no call"
}
list_of() { printf '{"method":"io.credd.Admin.List","parameters":%s}\\x00' "$1"; }
status=$(call io.credd.Admin.Status)

is_closed 'text that is not JSON' send 'hello\x00'
is_closed 'an array' send '[]\x00'
is_closed 'a string' send '"io.credd.Admin.Status"\x00'
is_closed 'null' send 'null\x00'
is_closed 'an empty message' send '\x00'
is_closed 'a message of NULs' fill 100 '\x00'
is_closed 'an empty object' send '{}\x00'
is_closed 'an object cut short' send '{"method":"io.credd.Admin.Status"\x00'
is_closed 'something after the object' send "$status{}\\x00"
is_closed 'a method that is a number' send '{"method":7}\x00'
is_closed 'a method without an interface' send '{"method":"Status"}\x00'
is_closed 'a method with a blank' send '{"method":"io.credd.Admin.Status "}\x00'
is_closed 'a member nobody knows' send '{"method":"io.credd.Admin.Status","uid":0}\x00'
is_closed 'parameters that are an array' send "$(list_of '[]')"
is_closed 'parameters that are null' send "$(list_of null)"
is_closed 'a member twice' send '{"method":"io.credd.Admin.Status","method":"io.credd.Admin.List"}\x00'
is_closed 'a parameter twice' send "$(list_of '{"all":false,"all":true}')"
is_closed 'a NUL within a name' send '{"method":"io.credd.Admin.Sta\x00tus"}\x00'
is_closed 'a NUL written as JSON writes it' send "$(list_of '{"user":"a\u0000b"}')"
is_closed 'a name in Latin-1' send "$(list_of '{"user":"andr\xe9"}')"
for name in user role holder reason; do
    is_closed "a $name in Latin-1" send "{\"method\":\"io.credd.Admin.Issue\",\"parameters\":{\"uid\":1001,\"$name\":\"andr\\xe9\"}}\\x00"
done
is_closed 'half a character' send "$(list_of '{"user":"a\xc3"}')"
is_closed 'an overlong character' send "$(list_of '{"user":"\xc0\xaf"}')"
is_closed 'half a surrogate pair' send "$(list_of '{"user":"\ud800"}')"
is_closed 'an integer beyond 64 bits' send "$(list_of '{"after":99999999999999999999}')"
is_closed 'a number beyond all' send "$(list_of '{"after":1e999}')"
is_closed 'a value nested 5000 deep' send '{"method":"io.credd.Admin.List","parameters":{"user":' \
    fill 5000 '[' fill 5000 ']' send '}}\x00'
is_closed '"upgrade"' send '{"method":"io.credd.Admin.Status","upgrade":true}\x00'
is_closed '"more" with "oneway"' send '{"method":"io.credd.Admin.Status","more":true,"oneway":true}\x00'

is "$(wire "$admin" send '{"method":"io.credd.Admin.List","parameters":{"user":' \
    fill 1500 '[' fill 1500 ']' send '}}\x00' get 1)" \
    "$(failure "$service.InvalidParameter" parameter user)" 'a value nested 1500 deep is just wrong'
is "$(wire "$admin" send "$status\\x00nonsense\\x00" end | sed 's/^{"parameters".*/answer/')" \
    $'answer\nclosed' 'what was asked before the nonsense is answered'

# --- Sizes, the limit is 16 KiB

limit=16384
is "$(wire "$admin" send "$status" fill $((limit - ${#status})) ' ' send '\x00' get 1 | jq -r .parameters.store)" \
    ok 'a call as long as the limit is answered'
is_closed 'a call one byte longer' send "$status" fill $((limit + 1 - ${#status})) ' ' send '\x00'
is_closed 'a megabyte without an end' fill 1048576 x
is "$(wire "$admin" call "$(call "$service.GetInterfaceDescription" "{\"interface\":\"$(printf 'a%.0s' {1..15000})\"}")" |
    jq -r '.parameters.interface | length')" 15000 'a long name comes back whole'

# --- Pieces

is "$(wire "$admin" slow "$status\\x00" get 1 | jq -r .parameters.store)" ok 'a byte at a time is answered'
is "$(wire "$admin" send "$status" send '\x00' get 1 | jq -r .parameters.store)" ok \
    'a NUL that comes later is waited for'
is "$(wire "$admin" send "$half_a_call" half end)" closed 'half a call and then the end is closed'
is "$(wire "$admin" send "$half_a_call")" '' 'half a call and then nobody'
is "$(wire "$admin" send "$status\\x00" half end | sed 's/^{"parameters".*/answer/')" $'answer\nclosed' \
    'who stops sending after a whole call still gets the answer'
is "$(wire "$admin" send "$status\\x00$status\\x00$status\\x00")" '' 'who does not wait for the answers'

# --- One after the other

questions='' wanted=''
for i in {1..100}; do
    questions+="$(call "$service.GetInterfaceDescription" "{\"interface\":\"io.example.N$i\"}")\\x00"
    wanted+="$(failure "$service.InterfaceNotFound" interface "io.example.N$i")"$'\n'
done
is "$(wire "$admin" send "$questions" get 100)" "${wanted%$'\n'}" '100 calls sent at once are answered in order'

is "$(wire "$admin" ask 3000 "$describe\\x00" | grep -c '^{"parameters":{"description":')" 3000 \
    'who asks for 3000 texts and reads them is served'

# An Issue is answered after its commit, a Status at once; the order must be that of the calls.
questions=''
for i in {1..5}; do
    questions+="$(call io.credd.Admin.Issue "$(with_user "\"holder\":\"number $i\"")")\\x00$status\\x00"
done
is "$(wire "$admin" send "$questions" get 10 |
    jq -r '.parameters | (.credential.holder // .store)' | paste -sd,)" \
    'number 1,ok,number 2,ok,number 3,ok,number 4,ok,number 5,ok' \
    'calls that write and calls that read are answered in order'

# --- "oneway" and "more"

oneway=$(call io.credd.Admin.Issue "$(with_user '"holder":"one way"')" ',"oneway":true')
is "$(wire "$admin" send "$oneway\\x00" half end)" closed 'a oneway call is not answered'
is "$(in_lab credctl list --json | jq '[.credentials[] | select(.holder == "one way")] | length')" 1 \
    'and is done all the same'
answer=$(say io.credd.Admin.Status '{}' ',"more":true')
is "$(jq -c '[.parameters.store, .continues // false]' <<<"$answer")" '["ok",false]' \
    '"more" on a method that has no more: one answer, the last'

# --- The Login socket

for user in nobody alice credd; do
    is "$(wire_as "$user" "$login" call "$(call io.credd.Login.Authenticate)")" \
        'wire: Permission denied' "$user cannot connect to the Login socket"
done
question='"user":"alice","uid":1001,"service":"sshd","tty":"ssh","rhost":"127.0.0.1"'
refused=$(failure io.credd.Login.Refused)
token=$(issue_token alice)
wrong=eph_0000000000000000000000000000000000000000
is "$(wire "$login" call "$(call io.credd.Login.Authenticate "{$question,\"token\":\"$token\",\"pid\":1}")" get 1)" \
    "$(failure "$service.InvalidParameter" parameter pid)"$'\nclosed' \
    'a parameter too many is named, and the connection ends'
is "$(wire "$login" call "$(call io.credd.Login.Authenticate "{$question}")")" \
    "$(failure "$service.InvalidParameter" parameter token)" 'a missing one is named'
is "$(wire "$login" call "$(call io.credd.Login.Authenticate "{$question,\"token\":\"$wrong\"}")" get 1)" \
    "$refused"$'\nclosed' 'what only looks like a token gets nowhere'
is "$(wire "$login" call "$(call io.credd.Login.Authenticate "{${question/1001/1002},\"token\":\"$token\"}")")" \
    "$refused" 'another uid is refused'
is "$(wire "$login" call "$(call io.credd.Login.OpenSession "{$question,\"login\":\"1-00\"}")")" "$refused" \
    'a login that never was opens nothing'
is "$(wire "$login" send "$(call io.credd.Login.CheckAccount "{$question,\"login\":\"x\"}")\\x00$status\\x00" end)" \
    "$refused"$'\nclosed' 'one call a connection: the second is not answered'
is "$(show_of "$(id_of "$token")" .uses_left)" 1 'and the token is as good as before'

# --- Who may

stranger='{"error":"io.credd.Admin.PermissionDenied","parameters":{"reason":'
id=$(id_of "$token")
answer=$(wire_as alice "$admin" call "$(call io.credd.Admin.Issue '{"user":"alice","uid":1001}')")
is "${answer:0:${#stranger}}" "$stranger" 'alice may not issue'
for method in Freeze Thaw Explain; do
    answer=$(wire_as alice "$admin" call "$(call "io.credd.Admin.$method")")
    is "${answer:0:${#stranger}}" "$stranger" "alice may not $method"
    is "$(wire_as alice "$admin" call "$(call "io.credd.Admin.$method" '{"nonsense":1}')")" "$answer" \
        '  and learns no more by asking it wrongly'
done
for method in Show Revoke; do
    is "$(wire_as alice "$admin" call "$(call "io.credd.Admin.$method" "{\"id\":\"$id\"}")")" \
        "$(failure io.credd.Admin.NotFound id "$id")" "to $method there is nothing for alice"
done
is "$(wire_as alice "$admin" call "$(call io.credd.Admin.List '{"all":true}')" | jq -c .parameters)" \
    '{"credentials":[],"next":null}' 'nor to list'
is "$(wire_as alice "$admin" call "$(call io.credd.Admin.Sessions '{"all":true}')" | jq -c .parameters)" \
    '{"sessions":[],"next":null}' 'and there are no sessions'
is "$(show_of "$id" .state)" active 'what she tried to revoke is active'
is "$(wire_as alice "$admin" call "$status" | jq -c '.parameters | [.frozen, .store, .problems]')" \
    '[false,null,[]]' 'alice may ask for the status, and is told little'
is "$(wire_as nobody "$admin" call "$(call "$service.GetInfo")" | jq -r .parameters.product)" credd \
    'nobody may ask who is there'
is "$(in_lab_as alice unshare -Ur wire "$admin" call "$(call io.credd.Admin.List)" 2>&1)" \
    "$(wire_as alice "$admin" call "$(call io.credd.Admin.List)")" 'root of a name space of her own is alice'

in_lab gpasswd -a bob credd-admin >/dev/null
made=$(wire_as bob "$admin" call "$(call io.credd.Admin.Issue "$(with_user '"holder":"by bob"')")")
is "$(jq -c '.parameters.credential.issued_by | [.name, .uid]' <<<"$made")" '["bob",1002]' \
    'a member of credd-admin may issue, in his own name'
id=$(jq -r .parameters.credential.id <<<"$made")
is "$(wire_as bob "$admin" call "$(call io.credd.Admin.List)" | jq '.parameters.credentials | length > 0')" \
    true 'and list'
is "$(wire_as bob "$admin" call "$(call io.credd.Admin.Show "{\"id\":\"$id\"}")" | jq -r .parameters.credential.id)" \
    "$id" 'and show'
is "$(wire_as bob "$admin" call "$(call io.credd.Admin.Sessions)" | jq -r '.parameters | has("sessions")')" \
    true 'and see sessions'
is "$(wire_as bob "$admin" call "$(call io.credd.Admin.Revoke "{\"id\":\"$id\"}")" |
    jq -r .parameters.credential.ended_by.name)" bob 'and revoke'
is "$(in_lab setpriv --reuid=carol --regid=credd-admin --clear-groups wire "$admin" \
    call "$(call io.credd.Admin.List)" | jq 'has("error")')" false 'the primary group counts'
in_lab gpasswd -d bob credd-admin >/dev/null
is "$(wire_as bob "$admin" call "$(call io.credd.Admin.Freeze)" | jq -r .error)" \
    io.credd.Admin.PermissionDenied 'and no longer when he is no member any more'

# --- What was refused is written down, and a stranger cannot fill the log

refusals_of() { # UID METHOD; how many times, on how many lines, since this test began
    credd_journal --since="@$began" CREDD_EVENT=action-refused CREDD_ACTOR_UID="$1" \
        CREDD_VERB="io.credd.Admin.$2" |
        jq -s -c '[(map(.CREDD_COUNT | tonumber) | add // 0), length]'
}
has_refused() { # UID METHOD TIMES
    [[ $(refusals_of "$1" "$2" | jq '.[0]') -ge $3 ]]
}
for method in Issue:1 Freeze:2 Thaw:2 Show:1 Revoke:1; do
    times=${method#*:} method=${method%:*}
    wait_until 10 has_refused 1001 "$method" "$times"
    is "$(refusals_of 1001 "$method" | jq '.[0]')" "$times" "the journal has each refusal of $method to alice"
done
wire_as carol "$admin" ask 500 "$(call io.credd.Admin.Thaw)\\x00" >"$work/carol"
is "$(grep -c PermissionDenied "$work/carol")" 500 'carol is refused 500 times'
wait_until 10 has_refused 1003 Thaw 500
is "$(refusals_of 1003 Thaw | jq '.[0]')" 500 'the journal has all of them'
at_most "$(refusals_of 1003 Thaw | jq '.[1]')" 20 'on a few lines'

# --- A thousand idle connections of a stranger

coproc CROWD { "$source_dir/tests/lab/lab" run -u nobody "$LAB" wire "$admin" crowd 1000 2>&1; }
# shellcheck disable=SC2153
crowd_out=${CROWD[0]} crowd_in=${CROWD[1]} crowd_pid=$CROWD_PID
read -r line <&"$crowd_out"
like "$line" '^open [0-9]+ told [0-9]+ closed [0-9]+$' "a thousand connections as nobody: $line"
read -r _ open _ told _ _ <<<"$line"
at_most "${open:-1000}" 64 'few of them stay open'
is $((${told:-0} + ${open:-0})) 1000 'all others are told why'
is "$(wire_as nobody "$admin" call "$status")" "$(failure io.credd.Admin.Busy)" \
    'one more as nobody is told that it is too many'
like "$(in_lab_as nobody credctl status 2>&1)" 'too many requests of yours' 'credctl says so in words'
ok 'credctl status as root works meanwhile' in_lab credctl status
ok 'and as alice' in_lab_as alice credctl status
token=$(issue_token alice)
is "$(ssh_with alice "$token" password echo here)" here 'and a login with a token'
exec {crowd_in}>&-
wait "$crowd_pid"

# Twenty strangers take all places that strangers have.
many() { # SOCKET
    local uid
    exec 3<&0
    for uid in {60001..60020}; do
        setpriv --reuid="$uid" --regid="$uid" --clear-groups wire "$1" crowd 40 <&3 &
    done
    wait
}
coproc CROWD {
    "$source_dir/tests/lab/lab" run "$LAB" bash -c "$(declare -f many)"$'\n''many "$@"' many "$admin" 2>&1
}
crowd_out=${CROWD[0]} crowd_in=${CROWD[1]} crowd_pid=$CROWD_PID
sum=0
for _ in {1..20}; do
    read -r -t 60 _ open _ told _ <&"$crowd_out"
    sum=$((sum + ${open:-0}))
done
at_most "$sum" 460 'twenty strangers with forty connections each do not get all places'
like "$(wire_as alice "$admin" call "$status")" 'io.credd.Admin.Busy' 'another stranger is told that it is too many'
ok 'root has places of its own' in_lab credctl status
token=$(issue_token alice)
is "$(ssh_with alice "$token" keyboard-interactive echo here)" here 'and logins too'
exec {crowd_in}>&-
wait "$crowd_pid"
free_again() { in_lab_as alice credctl status; }
ok 'and when they have gone, there is room' wait_until 10 free_again

# --- The connections that stopped in the middle

wait
is "$(cat "$work/silent")" closed 'half a call and then silence is closed'
is "$(cat "$work/silent-login")" closed '  on the Login socket too'
is "$(cat "$work/drip")" closed 'a call that grows for ever by a byte a time is closed'
is "$(cat "$work/drip-login")" closed '  on the Login socket too'
is "$(tail -n 1 "$work/deaf")" closed 'who asks for 3000 texts and reads none is closed'

# --- Still the same

is "$(main_pid)" "$pid" 'credd is the same process'
is "$(in_lab systemctl show -P NRestarts credd.service)" "$restarts" 'it was not restarted'
no_sessions() { [[ $(status_of_credd sessions_open) == 0 ]]; }
wait_until 20 no_sessions
few_fds() { (($(count_fds "$pid") <= fds)); }
wait_until 20 few_fds
at_most "$(count_fds "$pid")" "$fds" 'it has no more descriptors open than at the beginning'
is "$(credd_journal PRIORITY=0 + PRIORITY=1 + PRIORITY=2 | wc -l)" 0 'nothing critical was logged'

plan

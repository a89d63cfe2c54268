#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Codes: short, for the console alone, one login, locked after a few wrong tries. And that nobody's token
# is kept from working by any of this.
# shellcheck disable=SC2016,SC2317  # what is typed at a console is expanded there; functions run in the lab
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

new_users nora otto pete quin
write_console
write_file /usr/local/bin/wire 0755 <"$tools/wire"

code='' id=''
issue_code() { # USER [OPTION...]; sets code and id
    local user=$1 issued
    shift
    issued=$(in_lab credctl issue --user "$user" --kind code --json "$@")
    code=$(jq -r '.credentials[0].token' <<<"$issued")
    id=$(jq -r '.credentials[0].id' <<<"$issued")
}

# Another secret with its right check character: each digit d weighs a power of x in GF(32), and a change of
# the last of the secret by c changes the check by c times x. N is 1 to 15.
spoil() { # CODE N
    local digits=0123456789abcdefghjkmnpqrstvwxyz rest last check
    last=${digits%%"${1:12:1}"*} check=${digits%%"${1:13:1}"*}
    last=$((${#last} ^ $2)) check=$((${#check} ^ ($2 << 1)))
    rest=${1:0:12}
    echo "$rest${digits:last:1}${digits:check:1}"
}

# On the wire, as a module would that sends everything. Prints each answer.
ask() { # USER SERVICE RHOST SECRET...
    guest ask_all ask_all "$@" 2>&1
}
ask_all() {
    local user=$1 service=$2 rhost=$3 uid secret
    shift 3
    uid=$(id -u "$user")
    for secret; do
        timeout 60 wire /run/credd/io.credd.Login call "$(printf \
            '{"method":"io.credd.Login.Authenticate","parameters":{"user":"%s","uid":%d,"service":"%s","tty":"tty1","rhost":"%s","token":"%s"}}' \
            "$user" "$uid" "$service" "$rhost" "$secret")"
    done
}
# Guesses FROM to TO at CODE.
guess() { # USER CODE FROM TO
    local n guesses=()
    for ((n = $3; n <= $4; n++)); do guesses+=("$(spoil "$2" "$n")"); done
    ask "$1" login '' "${guesses[@]}"
}
refused='{"error":"io.credd.Login.Refused","parameters":{}}'
reasons() { event_field "$1" login-refused CREDD_REASON | sort | uniq -c | awk '{ print $1, $2 }' | paste -sd,; }

# --- Issue

issue_code nora
like "$code" '^[0-9a-hjkmnp-tv-z]{4}-[0-9a-hjkmnp-tv-z]{4}-[0-9a-hjkmnp-tv-z]{4}$' 'a code is three groups of four'
is "${id:0:4}" "${code:0:4}" 'the first group begins the id'
is "$(show_of "$id" '[.kind, .uses, (.services | join("+")), (.sources | join("+"))] | join(" ")')" \
    'code 1 login local' 'it is for one login at the console'
at_most "$(show_of "$id" '((.login_limit_usec - .not_before_usec) / 1000000 | ceil)')" 901 'within 15 minutes'
like "$(in_lab credctl show "$id")" 'kind +code' 'show says its kind'
like "$(in_lab credctl list --user nora)" "$id +nora +active +code" 'list does, too'
like "$(in_lab credctl issue --user nora --kind code --output token)" '^.{4}-.{4}-.{4}$' '--output token prints it alone'
like "$(in_lab credctl issue --user nora --kind code)" 'at the console, with the code and its hyphens' \
    'who issues one is told how it is used'
while read -r options words; do
    # shellcheck disable=SC2086
    out=$(in_lab credctl issue --user nora --kind code ${options//_/ } 2>&1)
    is $? 6 "a code with ${options//_/ } is refused"
    like "$out" "${words//_/ }" '  in words'
done <<'END'
--ttl_16min 15min
--uses_2 one_login
--service_sshd --service_login
--from_10.0.0.0/8 --from_local
END
in_lab credctl issue --user nora --kind key >/dev/null 2>&1
is $? 2 'there is no kind "key"'

# --- In

out=$(console nora "${code^^}" 'echo I am $USER with $CREDD_CREDENTIAL; exit')
is $? 0 'a code logs in on a console, in upper case as well'
like "$out" "I am nora with $id" 'and names the credential'
wait_for_receipt "$id"
is "$(verdict_of "$id") $(show_of "$id" .state)" 'confirmed used' 'leaving gives the receipt of it'
console nora "$code" exit >/dev/null
is $? 1 'and it does not work twice'
is "$(reasons "$id")" '1 used' 'the journal says why'

# --- Not from elsewhere

issue_code otto
asked=$(status_of_credd logins_asked)
for method in password keyboard-interactive; do
    isnt "$(ssh_with otto "$code" "$method" echo here)" here "no login over SSH with it, by $method"
done
console otto "$code" exit 20 10.1.2.3 >/dev/null
is $? 1 'nor through login for a remote host'
console otto "${code//-/}" exit >/dev/null
is $? 1 'nor without its hyphens'
is "$(status_of_credd logins_asked)" "$asked" 'credd heard of none of that: it might have been a password'
is "$(ask otto sshd '' "$code")" "$refused" 'whoever sends it for sshd is refused'
is "$(ask otto login 10.1.2.3 "$code")" "$refused" 'or for login from a remote host'
is "$(ask pete login '' "$code")" "$refused" 'or for another user'
wrong=$(spoil "$code" 1)
{
    ask pete login '' "$wrong" "$wrong" "$wrong"
    ask otto sshd '' "$wrong" "$wrong" "$wrong"
    ask otto login localhost "$wrong" "$wrong" "$wrong"
} >"$work/asked"
is "$(sort -u "$work/asked")" "$refused" 'guesses from there look the same'
is "$(reasons "$id")" '4 wrong-service,4 wrong-source,4 wrong-user' 'each reason is in the journal'
is "$(show_of "$id" .state)" active 'and lock nothing'
like "$(console otto "$code" 'echo in $USER; exit')" 'in otto' 'it is as good as before'

# --- Wrong tries

issue_code pete
guess pete "$code" 1 4 >"$work/asked"
is "$(sort -u "$work/asked")" "$refused" 'four wrong tries are refused'
is "$(show_of "$id" .state)" active '  and do not lock'
like "$(console pete "$code" 'echo in $USER; exit')" 'in pete' 'the right one logs in then'

issue_code quin
console quin "$(spoil "$code" 1)" exit >/dev/null
is $? 1 'a wrong code at the console is refused'
is "$(event_field "$id" login-refused CREDD_REASON)" wrong-secret 'and counts: it is written when the answer is there'
guess quin "$code" 2 5 >"$work/asked"
is "$(sort -u "$work/asked")" "$refused" 'the fifth wrong try looks like the others'
is "$(show_of "$id" .state)" locked 'it locks the code'
is "$(count_events "$id" credential-locked)" 1 'there is an event'
is "$(verdict_of "$id")" confirmed 'and a receipt'
console quin "$code" exit >/dev/null
is $? 1 'the right code is refused from then on'
is "$(reasons "$id")" '1 locked,5 wrong-secret' 'the journal says why'
like "$(in_lab credctl show "$id")" 'locked' 'show says so'

# A crash does not give tries back.
issue_code quin
guess quin "$code" 1 4 >/dev/null
in_lab systemctl kill -s KILL credd.service
wait_until 20 in_lab credctl status
guess quin "$code" 5 5 >/dev/null
is "$(show_of "$id" .state)" locked 'four tries, a crash, and one more lock'

# --- Nobody's token is kept from working

in_lab systemctl restart credd.service # the limit is counted anew
token=$(issue_token quin --service login --service sshd)
rubbish=()
for n in {10..29}; do rubbish+=("${code:0:4}-zzzz-zz$n" "${token:0:30}00000000$n" "$n"); done
ask quin login '' "${rubbish[@]}" >"$work/asked"
is "$(sort -u "$work/asked")" "$refused" 'rubbish is refused'
tries=() last=''
for n in 1 2 3; do
    issue_code quin
    last=$id
    for try in {1..5}; do tries+=("$(spoil "$code" "$try")"); done
done
ask quin login '' "${tries[@]}" "$code" >"$work/asked"
is "$(sort -u "$work/asked")" "$refused" 'so are many wrong codes, and the right one at last'
is "$(reasons "$last")" '6 too-many-tries' 'because so many were too many for a while'
is "$(show_of "$last" .state)" active '  which locks nothing'
is "$(show_of "$(id_of "$token")" .state)" active 'no token is locked'
like "$(console quin "$token" 'echo in $USER; exit')" 'in quin' 'a token at the console does not wait'
token=$(issue_token quin)
is "$(ssh_with quin "$token" password echo here)" here 'nor does one over SSH'

unlike "$(in_lab journalctl -q --no-pager)" "${code:5}" 'no code is in the journal'

plan

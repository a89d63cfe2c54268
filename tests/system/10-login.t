#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Who gets in with a token, over SSH, by both ways in which sshd asks; who does not, and what the
# journal says of it while the client is told nothing.
# shellcheck disable=SC2317  # wait_until calls functions by their names
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

new_users dora emil fred gina hugo

# --- Right tokens

good_login() { # METHOD
    local token id out
    token=$(issue_token dora --ttl 5min)
    id=$(id_of "$token")
    out=$(ssh_with dora "$token" "$1" env)
    is $? 0 "$1: a token logs in"
    like "$out" "CREDD_CREDENTIAL=$id"$'\n' "$1: CREDD_CREDENTIAL names the credential"
    like "$out" 'CREDD_EXPIRES=20[0-9-]+T[0-9:]+Z' "$1: CREDD_EXPIRES says until when"
    unlike "$out" CREDD_LOGIN "$1: the login's secret is not in the environment"
    unlike "$out" "${token:12:26}" "$1: nor is the token"
    out=$(ssh_with dora "$token" "$1" echo inside)
    unlike "$out" inside "$1: the token is good for one login"
    wait_for_event "$id" login-refused
    is "$(event_field "$id" login-refused CREDD_REASON)" used "$1: the journal says that it was used"
    is "$(count_events "$id" login-accepted)" 1 "$1: one login was accepted"
}

good_login password
good_login keyboard-interactive

token=$(issue_token dora --uses 2)
is "$(ssh_with dora "$token" password echo in)-$(ssh_with dora "$token" keyboard-interactive echo in)" \
    in-in "a token of two uses works twice"
unlike "$(ssh_with dora "$token" password echo in)" '^in$' "... and no third time"
wait_for_event "$(id_of "$token")" login-refused
is "$(count_events "$(id_of "$token")" login-accepted)" 2 "... two were accepted"

token=$(issue_token dora)
upper=${token^^}
is "$(ssh_with dora "${upper:0:4}-${upper:4:8}-${upper:12:13}-${upper:25}" password echo in)" in \
    "a token in upper case and with hyphens works"

# --- Wrong ones: side by side, since each takes its two seconds

refused_logins=()
try() { # NAME USER SECRET [METHOD]
    {
        ssh_with "$2" "$3" "${4:-password}" echo inside
        echo "status $?"
    } >"$work/$1.out" 2>&1 </dev/null &
    refused_logins+=("$1")
}

asked() { status_of_credd logins_asked; }

revoked=$(issue_token emil --ttl 5min)
in_lab credctl revoke "$(id_of "$revoked")" --reason 'left the project' >/dev/null
expired=$(issue_token emil --ttl 1s)
altered=$(issue_token emil --ttl 5min)
others=$(issue_token fred --ttl 5min)
console=$(issue_token emil --ttl 5min --service login)
elsewhere=$(issue_token emil --ttl 5min --from 10.0.0.0/8)
local_only=$(issue_token emil --ttl 5min --from local)
early=$(issue_token emil --ttl 5min --not-before "$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%SZ)")
sleep 1.5

try unknown emil "$("$tools/forge")"
try unknown-keyboard emil "$("$tools/forge")" keyboard-interactive
try altered emil "$("$tools/forge" "$altered")"
try altered-keyboard emil "$("$tools/forge" "$altered")" keyboard-interactive
try expired emil "$expired"
try revoked emil "$revoked"
try others emil "$others"
try console emil "$console"
try elsewhere emil "$elsewhere"
try local-only emil "$local_only"
try early emil "$early"
try nobody nobody-there "$("$tools/forge")"
wait

said=$(cat "$work/unknown.out")
like "$said" 'Permission denied' "an unknown token is refused"
for name in "${refused_logins[@]}"; do
    is "$(sed -e 's/nobody-there@/emil@/' "$work/$name.out")" "$said" "refused ($name), in the same words"
done

reasons=$(
    cat <<REASONS
altered $altered wrong-secret
expired $expired expired
revoked $revoked revoked
others $others wrong-user
console $console wrong-service
elsewhere $elsewhere wrong-source
local-only $local_only wrong-source
early $early not-yet-valid
REASONS
)
while read -r name token reason; do
    wait_for_event "$(id_of "$token")" login-refused
    is "$(event_field "$(id_of "$token")" login-refused CREDD_REASON | sort -u)" "$reason" \
        "the journal says why ($name): $reason"
    is "$(count_events "$(id_of "$token")" login-accepted)" 0 "... and of no login"
done <<<"$reasons"
like "$(credd_journal CREDD_EVENT=login-refused | jq -r .CREDD_REASON)" unknown-id \
    "the journal says of an id that nobody knows"
unlike "$(credd_journal CREDD_EVENT=login-refused)" nobody-there \
    "it does not repeat a name that no account has"
is "$(ssh_with emil "$altered" password echo in)" in "a right token works after a wrong one of its id"

# --- Not before its time

soon=$(issue_token emil --ttl 5min --not-before "$(date -u -d '+8 seconds' +%Y-%m-%dT%H:%M:%SZ)")
unlike "$(ssh_with emil "$soon" password echo inside)" inside "a token is refused before its time"
let_in() { [[ $(ssh_with emil "$soon" password echo in) == in ]]; }
ok "... and works from then on" wait_until 30 let_in

# --- Logins without a token

before=$(asked)
is "$(ssh_with hugo "$LAB_PASSWORD" password echo in)" in "a password works beside it"
is "$(ssh_with hugo "$LAB_PASSWORD" keyboard-interactive echo in)" in "... by keyboard-interactive, too"
unlike "$(ssh_with hugo 'no password of mine' password echo inside)" inside "a wrong password does not"
is "$(asked)" "$before" "credd never heard of them"
unlike "$(ssh_with hugo "${revoked:0:39}" password echo inside)" inside "a token cut short does not work"
is "$(asked)" "$before" "... and is not sent to credd"

in_lab bash -c 'install -d -m 0700 -o gina -g gina ~gina/.ssh
    ssh-keygen -q -t ed25519 -N "" -f /root/key
    install -m 0600 -o gina -g gina /root/key.pub ~gina/.ssh/authorized_keys' >/dev/null
out=$(in_lab timeout 60 ssh -i /root/key -o PreferredAuthentications=publickey -o BatchMode=yes \
    gina@127.0.0.1 'echo in; env | grep -c ^CREDD_')
is "$out" $'in\n0' "a public key works as ever"
is "$(asked)" "$before" "... and credd never heard of it"

journal=$(in_lab journalctl -q --no-pager -o json --all)
leaked=0
for token in "$revoked" "$expired" "$altered" "$others" "$early"; do
    [[ $journal != *"${token:12:26}"* ]] || leaked=$((leaked + 1))
done
is "$leaked" 0 "no secret of a token is in the journal, accepted or refused"
unlike "$journal" "$LAB_PASSWORD" "nor is the password"

plan

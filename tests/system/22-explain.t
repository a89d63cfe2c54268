#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Why a login failed: told to an admin, and to nobody at the prompt.
# shellcheck disable=SC2317  # functions that wait_until calls
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

new_users rosa sven tina ulla

explain() { in_lab credctl explain "$@" 2>&1; }
reasons() { in_lab credctl explain --json "$@" | jq -r '[.attempts[].reason] | join(" ")'; }
has_reason() { [[ " $(reasons "${@:2}") " == *" $1 "* ]]; }
wait_for_reason() { wait_until 15 has_reason "$@" || diag "no $1 of ${*:2}: $(reasons "${@:2}")"; }

# --- Nothing

like "$(explain --user rosa)" 'Nothing of that kind is recorded' 'a user whose logins never failed'
like "$(explain --user rosa)" 'had not the shape of a token.*journalctl -t sshd -t login' '  with a hint where else to look'
is "$(in_lab credctl explain --user rosa --json | jq -c '[.schema, .attempts]')" '[1,[]]' 'the same in JSON'
ssh_with rosa 'not a token' password echo here >/dev/null
is "$(reasons --user rosa)" '' 'a wrong password is none of it'

# --- Of a credential

token=$(issue_token rosa --service login)
id=$(id_of "$token")
out=$(ssh_with rosa "$token" password echo here)
unlike "$out" 'service|explain|wrong' 'the person at the prompt is told nothing of why'
wait_for_reason wrong-service "$id"
out=$(explain "$id")
like "$out" "Credential $id of rosa: active" 'explain ID says what state it is in'
like "$out" "wrong-service through sshd from 127.0.0.1, credential $id" '  when, through what and from where'
like "$out" 'It is not for this service\.' '  what that means'
like "$out" 'credctl show ID names, or issue one with --service' '  and what to do'
like "$(tr '\n' ' ' <<<"$out")" 'If a login failed that is not listed.*had not the shape of a token' '  and of what it cannot know'
in_lab credctl revoke "$id" >/dev/null
ssh_with rosa "$token" keyboard-interactive echo here >/dev/null
wait_for_reason revoked "$id"
is "$(reasons "$id")" 'revoked wrong-service' 'the newest comes first'
is "$(reasons "$id" --since +1h)" '' '--since: none after that'

# --- Of a user

token=$(issue_token sven)
ssh_with tina "$token" password echo here >/dev/null
wait_for_reason wrong-user --user tina
is "$(reasons --user tina)" wrong-user 'whoever tries the token of another is found as the user that was tried'
is "$(reasons --user sven)" wrong-user 'and so is whose it is'
in_lab credctl freeze >/dev/null
ssh_with sven "$token" password echo here >/dev/null
in_lab credctl thaw >/dev/null
wait_for_reason frozen --user sven
is "$(reasons --user sven)" 'frozen wrong-user' 'frozen'
is "$(in_lab credctl explain --user sven --json | jq -r '[.attempts[] | select(.means and .advice)] | length')" 2 \
    'in JSON each reason has its sentences'
is "$(in_lab credctl explain --user sven --json | jq -r '.attempts[0] | [has("time"), .credential, .service] | join(" ")')" \
    "true $(id_of "$token") sshd" '  and its moment and place'

# --- Accepted, and no session: a use is spent although something later said no

configure BindTimeout=2s
token=$(issue_token ulla)
id=$(id_of "$token")
in_lab chage -E 0 ulla
isnt "$(ssh_with ulla "$token" password echo here)" here 'an account that has expired keeps a right token out'
in_lab chage -E -1 ulla
wait_for_reason unclaimed "$id"
like "$(explain "$id")" 'The token was right and a use is spent' 'explain says what became of it'
isnt "$(ssh_with ulla "$token" password echo here)" here 'it does not work again'
wait_for_reason used "$id"
is "$(reasons "$id")" 'used unclaimed' '  because it is used'

# --- Who may, and how it is asked

out=$(in_lab_as rosa credctl explain --user rosa 2>&1)
is "$?" 6 'others may not ask'
unlike "$out" 'wrong-service|revoked' '  and see nothing'
for arguments in '' "$id --user ulla"; do
    # shellcheck disable=SC2086
    out=$(explain $arguments)
    is "$?" 2 "explain $arguments: wrong usage"
    like "$out" 'one of ID and --user' '  in words'
done
out=$(explain zzzzzzzz)
is "$?" 1 'an unknown id'
like "$out" 'no credential zzzzzzzz' '  is named'
out=$(explain --user nosuchuser)
is "$?" 1 'an unknown user'
unlike "$(explain --user sven | head -c 100000)" $'\x1b' 'no colour in a pipe'

plan

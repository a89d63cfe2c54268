#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# require_credential: a member of the group comes in with a live credential alone, whatever key or
# password he has, and his session ends with it; all others, root, cron, systemd-user and su notice
# nothing of it.
# shellcheck disable=SC2016,SC2317  # what runs in the session is expanded there; functions called by name
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

new_users gary gwen gale glen
in_lab bash -euc 'groupadd gated
    for user in gary gale glen root; do usermod -aG gated "$user"; done
    ssh-keygen -q -t ed25519 -N "" -f /root/planted
    for user in root gary gwen gale glen; do
        home=$(getent passwd "$user" | cut -d: -f6)
        install -d -m 0700 -o "$user" -g "$user" "$home/.ssh"
        install -m 0600 -o "$user" -g "$user" /root/planted.pub "$home/.ssh/authorized_keys"
    done' || diag "cannot plant the keys"

# --- Helpers

# The options of our line in /etc/pam.d/common-NAME.
set_options() { # NAME [OPTION...]
    local name=$1
    shift
    in_lab sed -i "s/\(pam_ephemeral\.so\).*/\1 $*/" "/etc/pam.d/common-$name"
}

ssh_by_key() { # USER [OPTION of ssh...] COMMAND...
    local user=$1
    shift
    in_lab timeout 60 ssh -n -i /root/planted "${ssh_options[@]}" -o BatchMode=yes "$user@127.0.0.1" "$@" 2>&1
}

pam_says() { # SERVICE USER OPERATION...
    in_lab timeout 30 pamtester "$@" 2>&1 | tail -n 1
}

refusals() { # UID; the reasons of the refusals of nobody's credential
    credd_journal CREDD_EVENT=login-refused "CREDD_ASKED_UID=$1" | jq -r .CREDD_REASON
}

uid_of() { in_lab id -u "$1"; }
was_refused() { [[ $(refusals "$1") == *no-live-credential* ]]; }
ended_logins() { credd_journal CREDD_EVENT=login-ended "CREDD_USER=$1" | wc -l; }
has_ended() { (($(ended_logins "$1") >= $2)); }
gone() { [[ ! $(in_lab pgrep -u "$1") ]]; }

others_untouched() { # WHEN
    is "$(ssh_by_key gwen echo in)" in "$1: who is not in the group comes in with a key"
    is "$(ssh_with gwen "$LAB_PASSWORD" password echo in)" in "$1: ... and with a password"
    is "$(ssh_by_key root echo in)" in "$1: root comes in with a key, though root is in the group"
    like "$(pam_says cron gary acct_mgmt open_session close_session)" 'successfully been closed' \
        "$1: cron opens sessions of a member"
    like "$(pam_says systemd-user gary acct_mgmt)" 'account management done|successful' \
        "$1: systemd-user lets a member pass"
    is "$(in_lab_as gwen timeout 30 sh -c 'printf "%s\n" "$1" | su gary -c "id -un" 2>/dev/null' sh "$LAB_PASSWORD")" \
        gary "$1: su works"
}

if ! in_lab test -e /etc/pam.d/cron; then
    printf '%s\n' '@include common-auth' '@include common-account' '@include common-session-noninteractive' |
        write_file /etc/pam.d/cron 0644
fi

# --- Before there is a gate

is "$(ssh_by_key gary echo in)" in "without require_credential a planted key works"
wait_until 30 gone gary

set_options account require_credential=@gated

# --- No credential

unlike "$(ssh_by_key gary echo inside)" inside "a member with a planted key and no credential does not come in"
ok "... and the journal says why" wait_until 15 was_refused "$(uid_of gary)"
unlike "$(ssh_with gary "$LAB_PASSWORD" password echo inside)" inside "nor with the right password"
unlike "$(ssh_with gary "$LAB_PASSWORD" keyboard-interactive echo inside)" inside \
    "... by keyboard-interactive"
others_untouched 'no credential'
ok "the member's own manager starts" in_lab systemctl start "user@$(uid_of gary).service"
in_lab systemctl stop "user@$(uid_of gary).service"

# --- One that is none for this login

token=$(issue_token gary --ttl 10min --service login)
unlike "$(ssh_by_key gary echo inside)" inside "a credential for another service is none"
in_lab credctl revoke "$(id_of "$token")" >/dev/null
token=$(issue_token gwen --ttl 10min)
unlike "$(ssh_by_key gary echo inside)" inside "another user's is none"

# --- A live credential

live_login() { # NAME COMMAND...: a login that goes on, and is ended with its credential
    local name=$1 id out
    shift
    id=$(id_of "$(issue_token gary --ttl 10min)")
    { in_lab "$@" gary@127.0.0.1 'echo "ready $CREDD_CREDENTIAL, $CREDD_LOGIN."; trap "" TERM HUP; sleep 7402'; } \
        >"$work/$name.out" 2>&1 </dev/null &
    wait_until 30 is_ready "$name"
    out=$(output_of "$name")
    like "$out" "ready $id, \\." "$name: with a live credential the member is in, and knows of it"
    wait_for_session "$id"
    is "$(event_field "$id" login-accepted CREDD_METHOD)" gate "$name: the journal says that no token was given"
    is "$(show_of "$id" .uses_left)" 0 "$name: a use is spent"
    ok "$name: logind's session is bound" wait_until 15 has_event "$id" session-bound
    in_lab credctl revoke "$id" --reason 'left the project' >/dev/null
    wait_for_receipt "$id"
    is "$(verdict_of "$id")" confirmed "$name: it ends with its credential, and that is verified"
    ok "$name: nothing of it is left" wait_until 30 gone gary
    is "$(count_events "$id" login-unclaimed)" 0 "$name: no login was left over"
}

live_login key ssh -tt -i /root/planted "${ssh_options[@]}" -o BatchMode=yes
for method in password keyboard-interactive; do
    live_login "$method" sshpass -p "$LAB_PASSWORD" ssh -tt "${ssh_options[@]}" \
        -o PreferredAuthentications="$method"
done
others_untouched 'a live credential'

token=$(issue_token gale --ttl 10min)
id=$(id_of "$token")
for method in password keyboard-interactive; do
    is "$(ssh_with gale "$token" "$method" 'echo "$CREDD_CREDENTIAL"')" "$id" \
        "a member's token works as ever ($method)"
    is "$(event_field "$id" login-accepted CREDD_METHOD)" - "... and the journal knows it from a key"
    token=$(issue_token gale --ttl 10min)
    id=$(id_of "$token")
done
is "$(ssh_by_key gale 'echo "$CREDD_CREDENTIAL"')" "$id" "what is left over serves the key"
unlike "$(ssh_by_key gale echo inside)" inside "... once, as it says"

in_lab credctl freeze --yes >/dev/null 2>&1 || in_lab credctl freeze >/dev/null
token=$(issue_token gale --ttl 10min)
unlike "$(ssh_by_key gale echo inside)" inside "on a frozen host a key does not come in"
is "$(ssh_by_key gwen echo in)" in "... but for who needs no credential"
in_lab credctl thaw >/dev/null
in_lab credctl revoke "$(id_of "$token")" >/dev/null

# --- Revoked between account and session

in_lab cp /etc/pam.d/sshd /root/sshd.pam
in_lab sed -i '/^@include common-account/a account required pam_exec.so /bin/sleep 5' /etc/pam.d/sshd
revoked_on_the_way() { # NAME WANTED-ENDS [OPTION of ssh...]
    local name=$1 ends=$2 id
    shift 2
    id=$(id_of "$(issue_token glen --ttl 10min)")
    { ssh_by_key glen "$@"; echo "status $?"; } >"$work/$name.out" 2>&1 </dev/null &
    sleep 2.5
    in_lab credctl revoke "$id" >/dev/null
    wait_until 50 grep -q ^status "$work/$name.out"
    unlike "$(output_of "$name")" inside "$name: revoked between account and session: no shell"
    # 254: sshd's own word for a session that PAM did not open, if it comes before the connection is cut
    like "$(output_of "$name")" 'status 25[45]' "$name: ... and the connection is gone"
    ok "$name: the journal says that it was ended" wait_until 15 has_ended glen "$ends"
    is "$(count_events "$id" login-accepted)" 0 "$name: no use was spent"
    ok "$name: nothing of it is left" wait_until 15 gone glen
}
revoked_on_the_way shell 1 echo inside
revoked_on_the_way forward 2 -N -L 127.0.0.1:7403:127.0.0.1:22
is "$(credd_journal CREDD_EVENT=login-ended CREDD_USER=glen | jq -r .PRIORITY | sort -u)" 4 \
    "that is a warning"
in_lab cp /root/sshd.pam /etc/pam.d/sshd
is "$(ssh_by_key gwen echo in)" in "sshd itself goes on"

# --- The mark of account taken away on its way to the session

set_options session require_credential=@gated
echo 'CREDD_LOGIN' | write_file /etc/gate.env 0644
in_lab sed -i '/^@include common-session/i session optional pam_env.so readenv=1 envfile=/etc/gate.env' /etc/pam.d/sshd
id=$(id_of "$(issue_token gale --ttl 10min)")
set_options session
is "$(ssh_with gale "$LAB_PASSWORD" keyboard-interactive 'echo "in $CREDD_CREDENTIAL."')" "in ." \
    "a login whose mark is gone is nobody's, if the session line has no option"
set_options session require_credential=@gated
is "$(ssh_with gale "$LAB_PASSWORD" keyboard-interactive 'echo "$CREDD_CREDENTIAL"')" "$id" \
    "with the option on the session line a login whose mark is gone gets its credential"
unlike "$(ssh_with gale "$LAB_PASSWORD" keyboard-interactive echo inside)" inside "... and none without"
is "$(ssh_with gwen "$LAB_PASSWORD" keyboard-interactive echo in)" in "... others are untouched"
echo 'CREDD_LOGIN=1-00' | write_file /etc/gate.env 0644
id=$(id_of "$(issue_token gale --ttl 10min)")
is "$(ssh_with gale "$LAB_PASSWORD" keyboard-interactive 'echo "$CREDD_CREDENTIAL"')" "$id" \
    "... and so does one with something else in its place"
in_lab cp /root/sshd.pam /etc/pam.d/sshd

# The gate on the session line alone: account lets everybody pass.
set_options account
before=$(ended_logins gary)
unlike "$(ssh_by_key gary echo inside)" inside "on the session line alone: no credential, no shell"
ok "... and the process is ended" wait_until 15 has_ended gary $((before + 1))
set_options account require_credential=@gated

# --- credd away

issue_token gary --ttl 10min >"$work/away"
in_lab systemctl stop credd-login.socket credd-admin.socket credd.service
unlike "$(ssh_by_key gary echo inside)" inside "credd away: a member does not come in with a key"
unlike "$(ssh_with gary "$LAB_PASSWORD" password echo inside)" inside "credd away: ... nor with a password"
others_untouched 'credd away'
in_lab systemctl start credd-login.socket credd-admin.socket credd.service
ok "credd is back" wait_until 20 in_lab credctl status
is "$(ssh_by_key gary echo in)" in "... and the credential that could not be used can be"

wait
plan

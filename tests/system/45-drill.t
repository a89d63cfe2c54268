#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A drill: the whole way from the issue to the receipt, without a person; whom it does not take; what
# it says when the way is broken.
# shellcheck disable=SC2016,SC2317  # $ in a session's command is the session's; functions called by name
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

drill() { # USER [OPTION...]; what it says is in $said, its status in $status
    local user=$1
    shift
    status=0
    said=$(in_lab credctl drill --user "$user" "$@" 2>&1) || status=$?
}
has_nothing() { [[ -z $(in_lab pgrep -u "$1") ]]; }
settle() { wait_until 40 has_nothing "$1" || diag "$1 still has processes"; }

new_users canary weekly busy lingering seated tainted broken steward

# --- It works, and says each step

drill canary
is "$status" 0 'a drill on a sound host: exit status 0'
like "$said" 'issued: credential ([0-9a-z]{8}) for canary' 'it names the credential'
id=$(sed -n 's/.*issued: credential \([0-9a-z]*\) .*/\1/p' <<<"$said")
like "$said" 'authenticated through PAM' 'then the login'
like "$said" 'session opened' 'then the session'
like "$said" 'session gone, ended by signal' 'then its end'
like "$said" 'receipt: confirmed' 'and the receipt'
is "$(grep -cE '^\+[0-9]+\.[0-9]{3}s  ' <<<"$said")" 5 'each step with its time'
is "$(verdict_of "$id")" confirmed 'credd has the same receipt'
is "$(show_of "$id" .kind)" drill 'credctl show tells it from a person'\''s'
is "$(event_field "$id" credential-issued CREDD_KIND)" drill 'and the journal does'
isnt "$(show_of "$id" '.sessions[0].session // empty')" '' 'it was a session of logind'
settle canary

drill canary --json --ttl 3s
is "$status" 0 'again, as JSON'
is "$(jq -r '.drill.receipt.verdict' <<<"$said")" confirmed 'the receipt is in it'
is "$(jq -r '.drill.steps | length' <<<"$said")" 5 'and the steps'
settle canary

# --- By somebody who is logged in: it opens a session of its own all the same

printf '%s\n' 'steward ALL=(root) NOPASSWD: /usr/bin/credctl' | write_file /etc/sudoers.d/steward 0440
said=$(ssh_with steward "$LAB_PASSWORD" password 'sudo -n credctl drill --user canary')
is "$?" 0 'from within a session, by sudo: exit status 0'
like "$said" 'receipt: confirmed' 'and confirmed'
id=$(sed -n 's/.*issued: credential \([0-9a-z]*\) .*/\1/p' <<<"$said")
isnt "$(show_of "$id" '.sessions[0].session // empty')" '' 'it was a session of logind'
settle canary

# --- Whom it does not take

drill nobodyhere
is "$status" 1 'a user who is not there'
like "$said" 'no user nobodyhere' 'is named'
drill daemon
is "$status" 6 'a system user is refused'
drill root
is "$status" 6 'and root is'
in_lab loginctl enable-linger lingering
drill lingering
is "$status" 6 'who lingers is refused'
like "$said" 'lingers' 'in words'
in_lab loginctl disable-linger lingering
in_lab systemd-run --quiet --uid=busy sleep 600
drill busy
is "$status" 6 'who has a process is refused'
like "$said" 'has 1 process' 'and told so'
start_session seated seated "$LAB_PASSWORD" password 'echo ready; sleep 600'
wait_until 20 is_ready seated || diag "seated is not ready: $(output_of seated)"
drill seated
is "$status" 6 'who has a session is refused'
like "$said" 'perhaps a session' 'and told so'
ok 'and keeps it' in_lab pgrep -u seated -x -f 'sleep 600'
status=0
said=$(in_lab_as canary credctl drill --user canary 2>&1) || status=$?
is "$status" 1 'a drill is for root'
is "$(in_lab credctl list --all --json --user busy | jq '.credentials | length')" 0 'nothing was issued for who was refused'

# --- A host where it does not work

# Something that a login starts outlives it: there is a receipt, and it does not say "confirmed".
write_file /usr/local/bin/leave 0755 <<'END_OF_SCRIPT'
#!/bin/sh
[ "$PAM_TYPE $PAM_USER" != "open_session tainted" ] || systemd-run -q --uid=tainted sleep 7651
END_OF_SCRIPT
in_lab sh -c 'cp -p /etc/pam.d/login /root/login.kept && echo "session optional pam_exec.so /usr/local/bin/leave" >>/etc/pam.d/login'
drill tainted
is "$status" 1 'something is left behind: exit status 1'
like "$said" 'receipt: residue' 'with the verdict'
like "$said" 'not confirmed' 'in words'
in_lab cp -p /root/login.kept /etc/pam.d/login

in_lab sh -c 'printf "auth requisite pam_deny.so\n" | cat - /etc/pam.d/login >/etc/pam.d/login.new
    cp -p /etc/pam.d/login /root/login.kept && mv /etc/pam.d/login.new /etc/pam.d/login'
drill broken
is "$status" 1 'a stack that refuses: exit status 1'
like "$said" 'went away before it was authenticated' 'the step that failed is named'
in_lab mv /root/login.kept /etc/pam.d/login
id=$(sed -n 's/.*issued: credential \([0-9a-z]*\) .*/\1/p' <<<"$said")
is "$(show_of "$id" .state)" revoked 'its credential is revoked'

# --- The timer

ok 'the timer can be enabled for a user' in_lab systemctl enable --now credd-drill@weekly.timer
like "$(in_lab systemctl list-timers --all)" 'credd-drill@weekly' 'and is planned'
like "$(in_lab systemctl show credd-drill@weekly.timer -p TimersCalendar)" 'OnCalendar=Mon \*-\*-\* 00:00:00' 'once a week'
is "$(in_lab systemctl show credd-drill@weekly.timer -p Unit --value)" credd-drill@weekly.service 'for the service of that user'
ok 'what it starts succeeds' in_lab systemctl start credd-drill@weekly.service
like "$(in_lab journalctl -q -o cat -u credd-drill@weekly.service)" 'receipt: confirmed' 'with its steps in the journal'

plan

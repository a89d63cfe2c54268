#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# 84-switch.t - roles switched off and on while people are logged in, and break-glass until another admin
# has seen it. SOAK=1: fifty sessions.
# shellcheck disable=SC2016,SC2317  # functions called by name; commands for the lab's shells

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

roles=/etc/credd/roles.d
many=12
[[ -z ${SOAK:-} ]] || many=50

write_file /usr/local/bin/wire 0755 <"$tools/wire"
new_users adam bert ivan crowd single other plain stub late gone scoped both glass >/dev/null
in_lab sh -ec 'usermod -aG credd-admin adam; usermod -aG credd-admin bert; usermod -aG credd-admin glass
    install -d -m 0755 /etc/credd/roles.d'

write_role() { # NAME [KEY=VALUE...]
    local name=$1
    shift
    { printf '%s\n' '[Role]' 'Issuers=ivan' 'MaxLifetime=8h' 'MaxTTL=4h' "$@"; } |
        write_file "$roles/$name.conf" 0644
}
write_role oncall 'Users=crowd single stub late gone both' 'MaxUses=100'
write_role other 'Users=other'
write_role scope 'Users=scoped' 'EndScope=user'
write_role glass 'Users=glass plain' 'BreakGlass=yes' 'MaxUses=9'
configure 'KillGrace=2s'

role_event() { # EVENT FILTER
    credd_journal "CREDD_EVENT=$1" | tail -n 1 | jq -r "$2"
}
state_of() { show_of "$1" .state; }
role_is() { in_lab credctl role show "$1" --json | jq -r .role.role.enabled; }
is_over() { [[ -e $work/$1.status ]]; }

# --- Off, with many sessions

open_all() { # USER TOKEN N
    local i
    for ((i = 0; i < $3; i++)); do
        sshpass -p "$2" ssh -o NumberOfPasswordPrompts=1 -o PreferredAuthentications=password \
            "$1@127.0.0.1" 'sleep 7500' >/dev/null 2>&1 </dev/null &
        sleep 0.2
    done
}
crowd=$(issue_token crowd --role oncall --uses $((many + 3)) --ttl 2h)
guest open_all open_all crowd "$crowd" "$many" >/dev/null 2>&1 &
open single 1h 'echo ready; sleep 7501' --role oncall
open other 1h 'echo ready; sleep 7502' --role other
open plain 1h 'echo ready; sleep 7503'
late=$(issue_token late --role oncall --ttl 1h)
for name in single other plain; do
    wait_until 60 is_ready "$name" || diag "$name: $(output_of "$name")"
    wait_for_session "${ids[$name]}"
done
under_oncall() { in_lab credctl role show oncall --json | jq -r .role.sessions; }
all_open() { [[ $(under_oncall) == $((many + 1)) ]]; }
ok "$((many + 1)) sessions under the role are open" wait_until 120 all_open

# A login that has not opened its session yet.
login_socket=/run/credd/io.credd.Login
late_uid=$(in_lab id -u late)
about_late() { # METHOD NAME SECRET
    in_lab wire "$login_socket" call "{\"method\":\"io.credd.Login.$1\",\"parameters\":{\"user\":\"late\",\"uid\":$late_uid,\"service\":\"sshd\",\"tty\":\"ssh\",\"rhost\":\"127.0.0.1\",\"$2\":\"$3\"}}"
}
login=$(about_late Authenticate token "$late" | jq -r .parameters.login)
like "$login" '^[0-9]+-' 'a login is accepted, and its session is to come'

out=$(in_lab credctl role disable oncal --yes 2>&1)
is "$?-$out" '1-credctl: no role oncal; did you mean oncall?' 'a name that is mistyped'
out=$(in_lab credctl role disable oncall 2>&1)
is "$?" 2 'without a terminal it wants --yes'
in_lab_as ivan credctl role disable oncall --yes >/dev/null 2>&1
is "$?" 6 'an issuer may not'
in_lab credctl role disable oncall --dry-run --json >"$work/dry"
is "$(jq -r '.disable | "\(.sessions_ending) \(.sessions | length) \(.unspent_count)"' <"$work/dry")" \
    "$((many + 1)) $((many + 1)) 1" 'the dry run counts the sessions, and the credential that has uses left'
is "$(jq -r '[.disable.sessions[] | .user] | unique | join(" ")' <"$work/dry")" 'crowd single' 'and names whose they are'
is "$(role_is oncall) $(under_oncall)" "true $((many + 1))" 'and nothing was done'

out=$(in_lab_as adam credctl role disable oncall --reason 'an incident' --yes --wait 2>&1)
is "$?" 0 'switched off, and waited for' || diag "$out"
like "$out" "$((many + 1)) sessions are being ended" 'with what it does'
is "$(under_oncall)" 0 'no session under the role is left'
is "$(processes_of crowd)$(processes_of single)" '' 'and no process'
is "$(show_of "$(id_of "$crowd")" '[.sessions[] | select(.state == "ended")] | length')" "$many" 'each verified gone'
is "$(verdict_of "${ids[single]}") $(state_of "${ids[single]}")" 'confirmed used' 'what was used up has its receipt, and is used'
is "$(state_of "$(id_of "$crowd")")" suspended 'what has uses left is suspended'
ok 'under another role the session goes on' has_session "${ids[other]}"
ok 'and without a role' has_session "${ids[plain]}"
wait_until 30 is_over single
like "$(output_of single)" 'the role oncall was switched off by adam: an incident' 'the terminal was told by whom and why'
like "$(journal_of "${ids[single]}")" 'session-terminating the role oncall was switched off by adam: an incident' 'and the journal'
is "$(role_event role-disabled '"\(.CREDD_ROLE) \(.CREDD_ACTOR) \(.CREDD_REASON) \(.CREDD_SESSIONS) \(.CREDD_UNSPENT) \(.PRIORITY)"')" \
    "oncall adam an incident $((many + 1)) 1 4" 'the switching is an event with its figures'
# Who asks is ended with it, and may be before it has said what it heard.
like "$(about_late OpenSession login "$login")" '^$|Refused' 'the login that had no session yet gets none'
wait_for_event "$(id_of "$late")" session-terminating
is "$(event_field "$(id_of "$late")" session-terminating CREDD_REASON)" 'its session was refused when it opened: role-off' 'because the role is off'
is "$(ssh_with crowd "$crowd" password echo in | grep -x in)" '' 'a login is refused'
wait_for_event "$(id_of "$crowd")" login-refused
is "$(event_field "$(id_of "$crowd")" login-refused CREDD_REASON | tail -n 1)" role-off 'because the role is off'
in_lab credctl issue --user crowd --role oncall >/dev/null 2>&1
is "$?" 6 'and none is issued under it'
like "$(in_lab credctl role list)" 'oncall +off +adam +an incident' 'the list says so'
out=$(in_lab credctl role disable oncall --yes 2>&1)
is "$?-$out" '1-credctl: role oncall is off already' 'twice is once'

in_lab systemctl restart credd.service
is "$(role_is oncall) $(state_of "$(id_of "$crowd")")" 'false suspended' 'a restart changes nothing of it'
is "$(ssh_with crowd "$crowd" password echo in | grep -x in)" '' 'nor lets anybody in'

ok 'on again' in_lab_as bert credctl role enable oncall --reason 'it is over'
is "$(role_event role-enabled '"\(.CREDD_ROLE) \(.CREDD_ACTOR) \(.CREDD_REASON) \(.CREDD_UNSPENT)"')" 'oncall bert it is over 1' 'is an event as well'
is "$(ssh_with crowd "$crowd" password echo in | grep -x in)" in 'and the token with uses left works'
is "$(in_lab credctl role enable oncall 2>&1)" 'credctl: role oncall is on already' 'once is enough'

# --- A restart while the ends are under way

configure 'KillGrace=15s'
open stub 1h 'trap "" HUP TERM INT; echo ready; while :; do sleep 1; done' --role oncall
wait_until 60 is_ready stub || diag "$(output_of stub)"
wait_for_session "${ids[stub]}"
in_lab credctl role disable oncall --reason 'in the middle' --yes >/dev/null
in_lab systemctl kill --signal=KILL credd.service
wait_until 30 in_lab credctl status --quiet
wait_until 30 in_lab systemctl is-active credd.service
wait_for_receipt "${ids[stub]}" 90
is "$(state_of "${ids[stub]}")" used 'killed in the middle: what was used up is used, not expired'
is "$(event_field "${ids[stub]}" session-terminating CREDD_REASON | sort -u)" 'the role oncall was switched off by root: in the middle' \
    'for the one reason'
is "$(processes_of stub)" '' 'and it is gone'
# The grace was longer than VerifyTimeout: that it was not gone by then is an alarm, which anybody who is an admin
# may acknowledge.
ok 'an end that was missed is on record' has_event "${ids[stub]}" deprovision-missed
is "$(status_of_credd 'unacknowledged[] | "\(.id) \(.kind) \(.user) \(.by.name)"')" "${ids[stub]} missed stub root" 'and in the status'
ok 'who issued it may acknowledge that' in_lab credctl ack "${ids[stub]}" --reason 'the grace was long'
is "$(event_field "${ids[stub]}" deprovision-acknowledged CREDD_REASON)" 'the grace was long' 'which is on record, too'
in_lab credctl role enable oncall >/dev/null
configure 'KillGrace=2s'

# --- For good

open both 1h 'echo ready; sleep 7504' --role oncall
wait_until 60 is_ready both || diag "$(output_of both)"
spare=$(issue_token both --role oncall --ttl 1h)
out=$(in_lab credctl role disable oncall --revoke --yes --wait --reason 'for good' 2>&1)
is "$?" 0 'with --revoke, waited for' || diag "$out"
is "$(state_of "$(id_of "$spare")") $(state_of "$(id_of "$crowd")")" 'revoked revoked' 'unspent credentials are revoked'
in_lab credctl role enable oncall >/dev/null
is "$(ssh_with both "$spare" password echo in | grep -x in)" '' 'and stay so when the role is on again'

# --- A role that is narrowed, and gone: no new login, and nothing ends but by the switch

token=$(issue_token gone --role oncall --uses 5 --ttl 1h)
ids[gone]=$(id_of "$token")
start_session gone gone "$token" password 'echo ready; sleep 7505'
wait_until 60 is_ready gone || diag "$(output_of gone)"
wait_for_session "${ids[gone]}"
write_role oncall 'Users=crowd' 'MaxUses=100'
reload_credd
is "$(ssh_with gone "$token" password echo in | grep -x in)" '' 'narrowed: no login'
in_lab rm "$roles/oncall.conf"
reload_credd
is "$(ssh_with gone "$token" password echo in | grep -x in)" '' 'gone: no login'
ok 'the session goes on' has_session "${ids[gone]}"
ok 'a role without a file can be switched off' in_lab credctl role disable oncall --yes --wait
is "$(processes_of gone)" '' 'which ends the session'
like "$(in_lab credctl role list)" 'oncall +off' 'and it stays in the list'
write_role oncall 'Users=gone' 'MaxUses=100'
reload_credd
is "$(role_is oncall)" false 'a file does not switch it on'
in_lab credctl role enable oncall >/dev/null

# --- EndScope=user

start_session scoped_key scoped "$LAB_PASSWORD" password 'echo ready; sleep 7506'
start_session gone_key gone "$LAB_PASSWORD" password 'echo ready; sleep 7507'
wait_until 60 is_ready scoped_key || diag "$(output_of scoped_key)"
wait_until 60 is_ready gone_key || diag "$(output_of gone_key)"
is "$(ssh_with scoped "$(issue_token scoped --role scope)" password echo in | grep -x in)" in 'a session that is left by itself'
sleep 2
not_ok 'takes nothing with it, EndScope=user or not' is_over scoped_key
open scoped 1h 'echo ready; sleep 7508' --role scope
token=$(issue_token gone --role oncall --ttl 1h)
start_session gone_token gone "$token" password 'echo ready; sleep 7509'
wait_until 60 is_ready scoped || diag "$(output_of scoped)"
wait_until 60 is_ready gone_token || diag "$(output_of gone_token)"
in_lab credctl revoke "${ids[scoped]}" "$(id_of "$token")" --wait --yes >/dev/null
ok 'EndScope=user: ended, it takes the session by password with it' wait_until 60 is_over scoped_key
not_ok 'EndScope=session: it does not' is_over gone_key

# --- Break-glass

is "$(in_lab credctl status >/dev/null; echo $?)" 0 'before, the status is green'
start_session admin bert "$LAB_PASSWORD" password 'echo ready; sleep 7510'
start_session person other "$LAB_PASSWORD" password 'echo ready; sleep 7511'
start_session admin_too adam "$LAB_PASSWORD" password 'echo ready; sleep 7512'
wait_until 60 is_ready admin || diag "$(output_of admin)"
wait_until 60 is_ready person || diag "$(output_of person)"
wait_until 60 is_ready admin_too || diag "$(output_of admin_too)"
in_lab_as adam credctl issue --user glass --role glass >/dev/null 2>&1
is "$?" 6 'without a reason there is none'
token=$(in_lab_as adam credctl issue --user glass --role glass --uses 9 --reason 'the network is down' --output token)
id=$(id_of "$token")
is "$(event_field "$id" break-glass-used PRIORITY) $(event_field "$id" break-glass-used CREDD_REASON)" '1 the network is down' \
    'it is an alert, with its reason'
told() { grep -q 'BREAK-GLASS' "$work/$1.out"; }
ok 'an admin who is logged in is told' wait_until 30 told admin
ok 'and so is the other' wait_until 30 told admin_too
like "$(output_of admin)" "credential $id for glass under the role glass" 'of what'
not_ok 'nobody else is' told person
is "$(in_lab credctl status >"$work/status"; echo $?)" 1 'the status is red'
like "$(cat "$work/status")" "break-glass was used: credential $id for glass, issued by adam" 'and says why'
is "$(status_of_credd 'unacknowledged[0] | "\(.id) \(.kind) \(.user) \(.by.name)"')" "$id break-glass glass adam" 'in JSON, too'
audit_glass() { in_lab credctl audit --user glass --fail-on unacknowledged; }
is "$(audit_glass >"$work/audit"; echo $?)" 5 'so is the audit'
like "$(cat "$work/audit")" 'unacknowledged.*it[[:space:]]+is[[:space:]]+break-glass' 'and says so'
like "$(in_lab credctl show "$id")" 'break-glass, since .* not acknowledged' 'and the credential shows it'

ack_as() { in_lab_as "$1" credctl ack "$id" --reason seen >"$work/out" 2>&1; echo $?; }
is "$(ack_as adam)" 6 'who issued it may not acknowledge it'
is "$(ack_as glass)" 6 'nor whom it logs in, though an admin'
is "$(ack_as ivan)" 6 'nor who is no admin'
is "$(ack_as other)" 1 'and to a stranger there is no such thing'
if in_lab sh -c 'id -u adam >/proc/self/loginuid' 2>/dev/null; then
    in_lab sh -c 'id -u adam >/proc/self/loginuid; credctl ack "$1" --reason seen' sh "$id" >/dev/null 2>&1
    is "$?" 6 'nor root, with the loginuid of who issued it'
else
    skip 'this kernel lets nobody set a loginuid here' 'nor root, with the loginuid of who issued it'
fi
is "$(ack_as bert)" 0 'another admin may'
is "$(in_lab credctl status >/dev/null; echo $?)" 0 'then the status is green'
is "$(audit_glass >/dev/null; echo $?)" 0 'and the audit'
is "$(event_field "$id" break-glass-acknowledged CREDD_ACTOR) $(event_field "$id" break-glass-acknowledged CREDD_REASON)" 'bert seen' 'on record'
is "$(in_lab credctl show "$id" --json | jq -r '.credentials[0].alarms[0] | "\(.kind) \(.by.name) \(.reason)"')" \
    'break-glass bert seen' 'and with the credential'
like "$(in_lab credctl ack "$id" --reason again 2>&1)" 'nothing of credential .* is to be acknowledged' 'once'

# --- And on a frozen host

frozen_login() { ssh_with glass "$token" password echo in | grep -x in; }
is "$(frozen_login)" in 'the token works'
in_lab credctl freeze --reason 'a test' >/dev/null
is "$(frozen_login)" '' 'frozen: not even break-glass'
configure 'BreakGlassWhenFrozen=yes'
is "$(frozen_login)" in 'BreakGlassWhenFrozen=yes: break-glass does'
is "$(ssh_with plain "$(issue_token plain)" password echo in | grep -x in)" '' 'and nothing else'
is "$(in_lab_as ivan credctl issue --user plain --role glass --reason 'all is shut' --output token | wc -l)" 1 'it is issued as well'
in_lab credctl thaw >/dev/null

# --- Revoked by the role, and all there are

# What logged in meanwhile without a credential would be residue.
in_lab pkill -u other -x -f 'sleep 7511'
ok 'the login by password is over' wait_until 60 is_over person
ok 'before: a session under the role' has_session "${ids[other]}"
ok 'and one without' has_session "${ids[plain]}"
out=$(in_lab credctl revoke --role other --dry-run)
like "$?-$out" "^0-.*${ids[other]}.*1 credential would be revoked; 1 session would be ended" 'revoke --role --dry-run: what would be done'
unlike "$out" "${ids[plain]}" 'and to no other'
ok 'which was not done' has_session "${ids[other]}"
out=$(in_lab credctl revoke --role other --reason 'by the role' --yes --wait 2>&1)
is "$?" 0 'revoke --role, waited for' || diag "$out"
is "$(state_of "${ids[other]}") $(verdict_of "${ids[other]}")" 'revoked confirmed' 'the session under it is verified gone'
is "$(processes_of other)" '' 'and no process of it'
ok 'the one without goes on' has_session "${ids[plain]}"
open_ids=$(in_lab credctl list --json | jq -r '.credentials[].id')
like "$open_ids" "${ids[plain]}" 'there is more'
out=$(in_lab credctl revoke --all --reason 'the end' --yes --wait 2>&1)
is "$?" 0 'revoke --all, waited for' || diag "$out"
is "$(in_lab credctl list --json | jq -r '.credentials | length') $(status_of_credd sessions_open)" '0 0' 'nothing is left to revoke, and no session'
is "$(for id in $open_ids; do receipt_of "$id" '.verdict // "none"'; done | sort | uniq -c | wc -l)" 1 'of each the receipt says the same'
is "$(verdict_of "${ids[plain]}")" confirmed 'confirmed'

plan

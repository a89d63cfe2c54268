#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# 82-rights.t - who may do what: each kind of peer, by its real uid on the real socket, asks each
# method; what one may not see looks as if it did not exist; rights are withdrawn while a connection
# is open, and a role while its credentials are.
# shellcheck disable=SC2016,SC2317  # functions called by name; commands for the lab's shells

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

admin=/run/credd/io.credd.Admin
roles=/etc/credd/roles.d

write_file /usr/local/bin/wire 0755 <"$tools/wire"

kinds=(root adam audrey ivan rita apu rex uma sam nobody)
new_users adam audrey ivan rita apu rex uma sam >/dev/null
in_lab sh -ec 'usermod -aG credd-admin adam; groupadd r-issue; usermod -aG r-issue ivan
    install -d -m 0755 /etc/credd/roles.d'

# Some by name, some by group; and nobody's uid, which is what the kernel shows for whom it has no number.
write_role() { # [KEY=VALUE...]
    {
        printf '%s\n' '[Role]' 'Issuers=@r-issue nobody' 'Requesters=rita' 'Approvers=apu nobody' \
            'Revokers=rex nobody' 'Users=uma' 'MaxLifetime=8h' 'MaxTTL=4h' "$@"
    } | write_file "$roles/oncall.conf" 0644
}
write_role
configure 'Auditors=audrey'

call() { printf '{"method":"io.credd.Admin.%s","parameters":%s%s}' "$1" "${2:-"{}"}" "${3:-}"; }
ask_as() { # USER CALL
    in_lab_as "$1" timeout 60 wire "$admin" call "$2" 2>&1
}
uma=$(in_lab id -u uma)
issue() { # prints an id
    id_of "$(issue_token uma --role oncall)"
}

# --- Every method, every kind

# One character for what was answered: + done, - not permitted, ? no such thing, R policy, N no session.
# For lists + is that the credential is in it, for the status that there are figures in it.
verdict() { # METHOD ID ANSWER
    case $3 in
        *'"error":"io.credd.Admin.PermissionDenied"'*) printf - ;;
        *'"error":"io.credd.Admin.NotFound"'* | *'"error":"io.credd.Admin.RoleNotFound"'*) printf '?' ;;
        *'"error":"io.credd.Admin.Refused"'*) printf R ;;
        *'"error":"io.credd.Admin.NotInSession"'*) printf N ;;
        *'"error":"io.credd.Admin.NothingToDo"'*) printf + ;; # the kind before has done it
        *'"error":"io.credd.Admin.BackupFailed"'*) printf + ;; # that of the kind before is under way
        *'"error"'*) printf '%s' "$3" ;;
        *)
            case $1 in
                List | Requests | Sessions) [[ $3 == *"$2"* ]] && printf + || printf '?' ;;
                RoleList) [[ $3 == *'"oncall"'* ]] && printf + || printf '?' ;;
                Status) [[ $3 == *'"store":"ok"'* ]] && printf + || printf '?' ;;
                *) printf + ;;
            esac
            ;;
    esac
}

# In the lab, so that each question costs a process and no more. ID is the credential; one each of those of LEFT is
# there to be revoked.
ask_all() { # METHOD PARAMETERS MORE ID LEFT KIND...
    local method=$1 parameters=$2 more=$3 id=$4 left kind answer mine
    read -ra left <<<"$5"
    shift 5
    for kind; do
        mine=${left[0]:-$id}
        left=("${left[@]:1}")
        answer=$(setpriv --reuid="$kind" --regid="$(id -g "$kind")" --init-groups timeout 60 wire \
            /run/credd/io.credd.Admin call \
            "{\"method\":\"io.credd.Admin.$method\",\"parameters\":${parameters//@ID@/$mine}$more}" 2>&1)
        verdict "$method" "$mine" "$answer"
    done
}

victim=$(issue)
open uma 1h 'echo ready; sleep 1200' --role oncall --max-lifetime 3h
wait_until 60 is_ready uma || diag "$(output_of uma)"
wait_for_session "${ids[uma]}"
to_revoke=""
for _ in "${kinds[@]}"; do to_revoke+="$(issue) "; done

# What each method was asked with last, for those who ask and are gone.
declare -A asked_with more_of=([Subscribe]=',"more":true' [Backup]=',"more":true')

expect() { # METHOD ROW PARAMETERS [IDS [ID]]
    local got
    asked_with[$1]=$3
    got=$(guest "verdict ask_all" ask_all "$1" "$3" "${more_of[$1]:-}" "${5:-$victim}" "${4:-}" "${kinds[@]}")
    is "$got" "$2" "$1: ${kinds[*]}"
}
#                    root adam audrey ivan rita apu rex uma sam nobody
expect Issue         '++-+---RRR' "{\"user\":\"uma\",\"uid\":$uma,\"role\":\"oncall\"}"
expect Issue         '++--------' "{\"user\":\"uma\",\"uid\":$uma}"
expect Issue         'RRRRRRRRRR' "{\"user\":\"uma\",\"uid\":$uma,\"role\":\"nosuch\"}"
expect List          '++++?++???' '{"all":true}'
expect Show          '++++?++???' '{"id":"@ID@"}'
expect Extend        '++-+?--???' '{"id":"@ID@","by_usec":1000000}'
expect Revoke        '++--?-+???' '{"id":"@ID@"}' "$to_revoke"
asked=$(in_lab_as rita credctl request -q --role oncall --user uma --reason 'a test')
denied=$(in_lab_as rita credctl request -q --role oncall --user uma --reason 'a test')
expect Request       '++-++--RRR' "{\"role\":\"oncall\",\"user\":\"uma\",\"uid\":$uma,\"reason\":\"a test\"}"
expect Requests      '+++++++???' '{}' '' "$asked"
expect Approve       '-----+-???' '{"id":"@ID@"}' '' "$asked"
expect Collect       '----+--???' '{"id":"@ID@"}' '' "$asked"
expect Deny          '-----+-???' '{"id":"@ID@"}' '' "$denied"
expect Sessions      '++++?++???' '{}' '' "${ids[uma]}"
expect Time          'NNNNNNNNNN' '{}'
expect Return        'NNNNNNNNNN' '{}'
expect Freeze        '++--------' '{"reason":"a test"}'
is "$(show_of "$victim" .state)" suspended 'frozen'
expect Thaw          '++--------' '{}'
is "$(show_of "$victim" .state)" active 'what nobody could revoke is active'
expect RoleList      '+++++++???' '{}'
expect RoleShow      '+++++++???' '{"role":"oncall"}'
expect RoleDisable   '++--------' '{"role":"oncall","dry_run":true}'
expect RoleEnable    '++--------' '{"role":"oncall"}'
expect Ack           '++--?--???' '{"id":"@ID@","reason":"a test"}'
expect Status        '+++???????' '{}'
expect Events        '+++-------' '{}'
expect Subscribe     '+++-------' '{}'
expect Verify        '+++-------' '{}'
expect Audit         '+++-------' '{"since_usec":0,"until_usec":9000000000000000}'
expect Explain       '+++-------' '{"id":"@ID@"}'
expect Metrics       '+++-------' '{}'
expect Backup        '++--------' '{}'
is "$(printf '%s\n' "${!asked_with[@]}" | sort | paste -sd' ')" \
    "$(in_lab wire "$admin" call '{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"io.credd.Admin"}}' |
        jq -r .parameters.description | sed -n 's/^method \([A-Za-z]*\).*/\1/p' | sort | paste -sd' ')" \
    'and no method of the interface was left out'
# The Login socket is root's: an answer, if only to a question without parameters, or no connection.
ask_login() { # KIND...
    local kind
    for kind; do
        case $(setpriv --reuid="$kind" --regid="$(id -g "$kind")" --init-groups timeout 60 wire \
            /run/credd/io.credd.Login call '{"method":"io.credd.Login.Authenticate"}' 2>&1) in
            *InvalidParameter*) printf + ;;
            *'Permission denied'*) printf - ;;
            *) printf '!' ;;
        esac
    done
}
is "$(guest ask_login ask_login "${kinds[@]}")" '+---------' "the Login socket: ${kinds[*]}"
is "$(ask_as sam "$(call Issue "{\"user\":\"uma\",\"uid\":$uma,\"role\":\"oncall\"}")")" \
    "$(ask_as sam "$(call Issue "{\"user\":\"uma\",\"uid\":$uma,\"role\":\"nosuch\"}")")" \
    'a role that is not there and one that sam has no part in: the same answer'

# --- What is not there and what is not yours

for method in Show Revoke Extend Approve Deny Collect; do
    extra='' && [[ $method != Extend ]] || extra=',"by_usec":1000000'
    for kind in rita sam uma nobody; do
        is "$(ask_as $kind "$(call $method "{\"id\":\"$victim\"$extra}")")" \
            "$(ask_as $kind "$(call $method "{\"id\":\"zzzzzzzz\"$extra}")" | sed "s/zzzzzzzz/$victim/")" \
            "$method: to $kind what is not there and what is not $kind's are the same"
    done
done
in_lab_as ivan credctl issue --user uma >"$work/out" 2>&1
is "$?" 6 'credctl: what policy refuses exits with 6'
in_lab_as rita credctl issue --user uma --role oncall >"$work/out" 2>&1
is "$?" 6 'and so it does under a role'
like "$(cat "$work/out")" 'credctl request' 'with words that say what would do'
in_lab_as ivan credctl issue --user uma --role oncall --ttl 5h >"$work/out" 2>&1
is "$?" 6 'and for more than the role has'
like "$(cat "$work/out")" 'at most 4h \(MaxTTL\)' 'which it says'

# --- One's own

own=$(in_lab_as ivan credctl issue --user uma --role oncall --holder 'Ann Example' --output token)
own=$(id_of "$own")
is "$(show_of "$own" '[.role, .holder, .issued_by.name] | join(" ")')" 'oncall Ann Example ivan' \
    'role and holder are kept'
is "$(event_field "$own" credential-issued CREDD_ROLE) $(event_field "$own" credential-issued CREDD_HOLDER)" \
    'oncall Ann Example' 'and are in the journal'
like "$(in_lab_as ivan credctl list)" "$own +uma .* oncall +Ann Example" 'and in the list'
like "$(in_lab credctl sessions)" "${ids[uma]} +uma .* oncall" 'and of a session its role'

# In a session of one's own: no more than that one.
token=$(issue_token uma --role oncall --holder 'Ann Example')
id=$(id_of "$token")
seen=$(ssh_with uma "$token" password \
    'credctl list --all --no-legend | cut -d" " -f1; echo "$CREDD_CREDENTIAL"; credctl done >/dev/null; echo $?' | tr -d '\r')
is "$(sed -n 1p <<<"$seen")" "$(sed -n 2p <<<"$seen")" 'in a session: its own credential alone is listed'

wait_for_receipt "$id"
is "$(credd_journal "CREDD_CREDENTIAL=$id" | jq -r 'select(.CREDD_HOLDER != "Ann Example") | .CREDD_EVENT')" '' \
    'each entry about a credential with a holder, and about its session, names the holder'
isnt "$(event_field "$id" session-ended CREDD_HOLDER)" '' 'to its end'
for listing in 'sessions --all' 'audit --user uma' 'watch --after 0'; do
    # shellcheck disable=SC2086
    is "$(in_lab timeout 5 credctl $listing --json |
        jq -r --arg id "$id" '.. | objects | select((.id // .credential) == $id) | (.holder // .fields.holder) | strings' | sort -u)" \
        'Ann Example' "and so does credctl ${listing%% *}"
done

# --- Rights that are withdrawn

coproc HELD { "$source_dir/tests/lab/lab" run -u adam "$LAB" wire "$admin" call "$(call Show "{\"id\":\"$victim\"}")" \
    wait call "$(call Revoke "{\"id\":\"$victim\"}")" 2>&1; }
# A copy: bash closes what is in HELD as soon as the process has ended, and what it said last would be lost.
# shellcheck disable=SC2153
held_in=${HELD[1]} held_pid=$HELD_PID
exec {held_out}<&"${HELD[0]}"
read -r -t 60 line <&"$held_out"
like "$line" "$victim" 'adam is an administrator'
in_lab gpasswd -d adam credd-admin >/dev/null
echo >&"$held_in"
read -r -t 60 line <&"$held_out"
like "$line" 'NotFound' 'and on the same connection none any more when the group is taken from him'
exec {held_in}>&-
wait "$held_pid" 2>/dev/null
in_lab gpasswd -a adam credd-admin >/dev/null
is "$(in_lab setpriv --reuid=adam --regid=adam --init-groups --inh-caps=+setgid --ambient-caps=+setgid \
    wire "$admin" call "$(call List)" ungroup call "$(call Freeze)" | sed -n 2p | jq -r .error)" \
    io.credd.Admin.PermissionDenied 'nor when his process gives it up'

# A peer that exits before it is heard: what his groups were can be known no more, and so he has none of their rights. Each
# asks each method and is gone while credd stands still.
leave_early() { # PEERS CALL...
    local kind kinds said
    read -ra kinds <<<"$1"
    shift
    systemctl kill --signal=STOP credd.service
    for kind in "${kinds[@]}"; do
        for said; do
            setpriv --reuid="$kind" --regid="$(id -g "$kind")" --init-groups \
                wire /run/credd/io.credd.Admin send "$said\\x00"
        done
    done
    systemctl kill --signal=CONT credd.service
}
as_it_is() {
    in_lab credctl list --all --json | jq -c '[.credentials[] | [.id, .state, .login_limit_usec, .request.given]] | sort'
    in_lab credctl role show oncall --json | jq -c .role.role.enabled
    status_of_credd frozen
}
refused_to() { # USER; how many of its calls
    credd_journal CREDD_EVENT=action-refused "CREDD_ACTOR=$1" | jq -s 'map(.CREDD_COUNT | tonumber) | add // 0'
}
has_refused() { (($(refused_to "$1") >= $2)); }
waiting=$(in_lab_as rita credctl request -q --role oncall --user uma --reason 'a test')
ending=()
others=()
for method in "${!asked_with[@]}"; do
    parameters=${asked_with[$method]}
    case $method in
        Issue) parameters="{\"user\":\"uma\",\"uid\":$uma,\"role\":\"oncall\"}" ;;
        RoleDisable) parameters='{"role":"oncall"}' ;;
        Approve | Deny | Collect) parameters=${parameters//@ID@/$waiting} ;;
        *) parameters=${parameters//@ID@/$victim} ;;
    esac
    said=$(call "$method" "$parameters" "${more_of[$method]:-}")
    case $method in
        Approve | Deny | Revoke | Extend | Issue | Freeze | RoleDisable | Ack) ending+=("$said") ;;
        *) others+=("$said") ;;
    esac
done
before=$(as_it_is)
refused=$(refused_to adam)
guest leave_early leave_early 'adam ivan sam' "${ending[@]}"
wait_until 20 has_refused adam $((refused + ${#ending[@]} - 1))
is "$(as_it_is)" "$before" 'an administrator and an issuer by their groups, and a stranger, who exit early: nothing comes of it'
guest leave_early leave_early 'adam audrey sam nobody' "${others[@]}"
is "$(as_it_is)" "$before" 'nor of what else they asked'
is "$(show_of "$victim" .state) $(status_of_credd frozen)" 'active false' 'and credd goes on'

# --- A role that is narrowed, and gone

token=$(issue_token uma --role oncall --ttl 2h)
id=$(id_of "$token")
reason_of() { event_field "$id" login-refused CREDD_REASON | tail -n 1; }
write_role 'From=192.0.2.0/24'
reload_credd
not_ok 'a role that was narrowed refuses the login' ssh_with uma "$token" password true
wait_for_event "$id" login-refused
is "$(reason_of)" role-changed 'and says why'
not_ok 'and an extension' in_lab credctl extend "$victim" --by 1min
in_lab rm "$roles/oncall.conf"
reload_credd
is "$(show_of "$id" .state)" suspended 'without its role a credential is suspended'
is "$(in_lab_as ivan credctl show "$own" >/dev/null 2>&1; echo $?) $(in_lab_as ivan credctl show "$victim" >/dev/null 2>&1; echo $?)" \
    '0 1' 'who issued one sees it without the role, and the others no longer'
is "$(in_lab_as ivan credctl list --all --json | jq '[.credentials[].issued_by.name] | unique | join(" ")' -r)" ivan \
    'and lists his own alone'
ok 'his own he may revoke' in_lab_as ivan credctl revoke "$own" --yes
ok 'its session goes on' has_session "${ids[uma]}"
write_role
reload_credd
is "$(ssh_with uma "$token" password echo in)" in 'with the role the same token works'

# --- EndScope=user

write_role 'EndScope=user' 'MaxUses=2'
reload_credd
start_session second uma "$(issue_token uma --role oncall --ttl 1h)" password 'echo ready; sleep 1200'
wait_until 60 is_ready second || diag "$(output_of second)"
ok 'EndScope=user: the end of one session' in_lab credctl revoke "${ids[uma]}" --wait --yes
is_closed() { [[ -e $work/second.status ]]; }
ok 'is the end of all that its user has' wait_until 60 is_closed

plan

#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# 83-requests.t - asking for a credential, having it approved by others, and collecting it: by real
# people on real sockets, with sudo in between, in races, and with the role changing underneath.
# shellcheck disable=SC2317  # what wait_until and guest call by name
. "$(dirname "$0")/lib.sh"

admin=/run/credd/io.credd.Admin
roles=/etc/credd/roles.d

"$source_dir/tests/lab/lab" run "$LAB" sh -c 'cat >/usr/bin/wire && chmod 0755 /usr/bin/wire' <"$tools/wire"

# ann and ben ask; cora, dave (by his group) and eve approve, and eve may ask, too; sam has no part.
new_users ann ben cora dave eve sam deploy other >/dev/null
in_lab sh -ec 'groupadd r-approve; usermod -aG r-approve dave
    install -d -m 0755 /etc/credd/roles.d
    echo "ann,cora,eve ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/test; chmod 0440 /etc/sudoers.d/test'

write_role() { # NAME [KEY=VALUE...]
    local name=$1 line
    local -A keys=([Requesters]='ann ben eve' [Approvers]='root cora eve @r-approve' [Users]=deploy
        [DefaultTTL]=1h [MaxTTL]=4h [MaxLifetime]=8h)
    shift
    for line; do keys[${line%%=*}]=${line#*=}; done
    {
        echo '[Role]'
        for line in "${!keys[@]}"; do echo "$line=${keys[$line]}"; done
    } | write_file "$roles/$name.conf" 0644
}
write_role oncall
write_role two 'Approvals=2'
write_role free 'Approvals=0'
configure

call() { printf '{"method":"io.credd.Admin.%s","parameters":%s}' "$1" "${2:-"{}"}"; }
deploy=$(in_lab id -u deploy)
ask() { # WHO ROLE [OPTION...]; prints the id
    local who=$1 role=$2
    shift 2
    in_lab_as "$who" credctl request --quiet --role "$role" --user deploy --reason "ticket 7" "$@"
}
by() { in_lab_as "$1" credctl "${@:2}" 2>&1; }
by_ssh() { ssh_with "$1" "$LAB_PASSWORD" password "${@:2}" | tr -d '\r'; }
state_of() { show_of "$1" .state; }
# The reasons for which METHOD was refused, the last first.
refusals_of() { # METHOD
    sleep 1.2 # they are written once a second
    credd_journal CREDD_EVENT=action-refused "CREDD_VERB=io.credd.Admin.$1" | jq -r .CREDD_REASON | tac
}

# --- The whole way

id=$(ask ann oncall --ttl 2h --holder 'Ann Example')
like "$id" '^[0-9a-z]{8}$' 'asked for: it has an id'
is "$(show_of "$id" '[.state, .issued_usec, .login_limit_usec, .ceiling_usec, .not_before_usec, .receipt] | tojson')" \
    '["pending",null,null,null,null,null]' 'it is pending, and has no limits yet'
is "$(show_of "$id" '.request | [.by.name, .given, .needed, .ttl_usec / 1000000, (.approvals | length)] | tojson')" \
    '["ann",0,1,7200,0]' 'who asked, and what it takes, is shown'
like "$(by cora requests)" "$id +ann +deploy +oncall +Ann.Example +2h +0/1" 'an approver sees it'
like "$(by ann requests)" "$id" 'and so does who asked'
unlike "$(by sam requests; by ben requests; by deploy requests)" "$id" 'a stranger, another requester and the user do not'
is "$(by sam approve "$id")" "$(by sam approve zzzzzzzz | sed "s/zzzzzzzz/$id/")" \
    'to a stranger it is as if it did not exist'
like "$(by ann collect "$id")" 'not approved yet: it has 0 of 1' 'it cannot be collected before it is approved'
like "$(by ben collect "$id")" 'no credential' 'and never by another requester'
ok 'an approver approves' in_lab_as cora credctl approve "$id" --reason 'go on'
is "$(show_of "$id" '.request | [.given, .approvals[0].by.name, .approvals[0].reason] | tojson')" '[1,"cora","go on"]' 'that is shown'
like "$(by dave approve "$id")" 'all the approvals' 'a second approval is one too many'
for who in cora ben root; do
    not_ok "it is not $who's to collect" in_lab_as $who credctl collect "$id"
done
first=$(by ann collect "$id" --output token)
like "$first" "^eph_$id" 'who asked collects: a token'
is "$(show_of "$id" '[.state, ((.login_limit_usec - .issued_usec) / 1000000 | round), ((.ceiling_usec - .issued_usec) / 1000000 | round)] | tojson')" \
    '["active",7200,28800]' 'its time starts then'
token=$(by ann collect "$id" --output token)
isnt "$token" "$first" 'collected again it has another token'
not_ok 'the first token is void' ssh_with deploy "$first" password true
is "$(ssh_with deploy "$token" password 'echo in; credctl time -q >/dev/null && echo mine' | tr -d '\r' | tail -n 2 | paste -sd' ')" 'in mine' 'the second one works'
like "$(by ann collect "$id")" 'used already|login has been made|is used' 'after a login there is no other token'
wait_for_receipt "$id"
is "$(journal_of "$id" | cut -d' ' -f1 | grep -E '^credential|^login' | paste -sd' ')" \
    'credential-requested credential-approved credential-collected credential-collected login-refused login-accepted credential-used-up credential-deprovisioned' \
    'its life, in order'
is "$(event_field "$id" credential-requested CREDD_ACTOR) $(event_field "$id" credential-requested CREDD_ROLE) $(event_field "$id" credential-requested CREDD_REASON)" \
    'ann oncall ticket 7' 'who asked for what and why is in the journal'
is "$(event_field "$id" credential-approved CREDD_ACTOR) $(event_field "$id" credential-approved CREDD_APPROVALS)" \
    'cora 1 of 1' 'and who approved'
id=$(ask ann free)
ok 'a role without approvals: collected at once' in_lab_as ann credctl collect "$id"
id=$(ask ann oncall)
ok 'withdrawn: revoke --wait does not wait for a receipt' in_lab_as ann timeout 30 credctl revoke "$id" --wait --yes
is "$(state_of "$id") $(receipt_of "$id") $(journal_of "$id" | cut -d' ' -f1 | paste -sd' ')" \
    'revoked null credential-requested credential-revoked' 'and there is none'

# --- Who may

id=$(ask eve oncall)
like "$(by eve approve "$id")" 'another person' 'who asked does not approve, though an approver'
like "$(by eve deny "$id")" 'another person' 'nor denies'
like "$(by ann approve "$(ask ben oncall)")" 'no credential' 'a requester is no approver'
like "$(in_lab credctl approve "$(id_of "$(issue_token deploy)")" 2>&1)" 'under no role: there is nothing to decide' \
    'what nobody asked for cannot be approved, and it is said why'
is "$(by sam request --role oncall --user deploy --reason x)" "$(by sam request --role nosuch --user deploy --reason x)" \
    'a role that sam has no part in: as if it did not exist'
like "$(by ann request --role oncall --user other --reason x)" 'not for that user' 'another user than the role is for'
like "$(by ann request --role oncall --user deploy --ttl 5h --reason x)" 'at most 4h' 'longer than the role allows'
by ann request --role oncall --user deploy >/dev/null
is "$?" 2 'without a reason: usage'

# ann's own login, and sudo: her uid or her loginuid is in everything she does.
id=$(by_ssh ann 'credctl request -q --role oncall --user deploy --reason sudo')
is "$(show_of "$id" .request.by.loginuid)" "$(in_lab id -u ann)" 'whoever is behind it is recorded'
like "$(by_ssh ann "sudo credctl approve $id")" 'sudo makes no second person' 'sudo credctl approve by who asked'
like "$(by_ssh ann "sudo -u cora credctl approve $id")" 'sudo makes no second person' 'and as another approver'
like "$(by_ssh ann "sudo -u cora credctl deny $id")" 'sudo makes no second person' 'nor a denial'
is "$(refusals_of Approve | head -n 1)" 'the same person as the asker' 'the journal says so'
id=$(by_ssh ann 'sudo -u ben credctl request -q --role oncall --user deploy --reason sudo')
like "$(by_ssh ann "sudo -u cora credctl approve $id")" 'sudo makes no second person' 'asked for as another: still the same'
id=$(ask ann two)
ok 'two approvals: the first' ssh_with cora "$LAB_PASSWORD" password "credctl approve $id"
like "$(by cora approve "$id")" 'approved it before' 'not twice by one'
like "$(by_ssh cora "sudo -u dave credctl approve $id")" 'approved it before' 'nor by a second uid of the same loginuid'
like "$(by_ssh cora "sudo credctl approve $id")" 'approved it before' 'nor by root of that loginuid'
like "$(by ann collect "$id")" 'it has 1 of 2' 'one is not enough'
ok 'the second, by another' ssh_with eve "$LAB_PASSWORD" password "credctl approve $id"
like "$(by_ssh eve "sudo -u ann credctl collect $id")" 'sudo makes no second person' 'an approver who becomes the asker does not collect it'
is "$(refusals_of Collect | head -n 1)" 'the same person as an approver' 'and the journal says so'
ok 'and it can be collected' in_lab_as ann credctl collect "$id"

# A group that is withdrawn while a connection is open.
id=$(ask ann oncall)
coproc HELD { "$source_dir/tests/lab/lab" run -u dave "$LAB" wire "$admin" call "$(call Requests)" \
    wait call "$(call Approve "{\"id\":\"$id\"}")" 2>&1; }
# A copy: bash closes what is in HELD as soon as the process has ended, and what it said last would be lost.
# shellcheck disable=SC2153
held_in=${HELD[1]} held_pid=$HELD_PID
exec {held_out}<&"${HELD[0]}"
read -r -t 60 line <&"$held_out"
like "$line" "$id" 'dave is an approver by his group'
in_lab gpasswd -d dave r-approve >/dev/null
echo >&"$held_in"
read -r -t 60 line <&"$held_out"
like "$line" 'NotFound' 'and on the same connection none any more when it is taken from him'
exec {held_in}>&-
wait "$held_pid" 2>/dev/null
in_lab gpasswd -a dave r-approve >/dev/null

# --- No

ok 'denied' in_lab_as cora credctl deny "$id" --reason 'not today'
is "$(show_of "$id" '[.state, .end_reason, .ended_by.name, .receipt] | tojson')" '["denied","not today","cora",null]' 'by whom and why is shown'
like "$(by eve approve "$id")" 'is denied already' 'an approval comes too late'
is "$(refusals_of Approve | head -n 1)" 'it was denied before' 'and the journal says so'
like "$(by ann collect "$id")" 'is denied already' 'it cannot be collected'
id=$(ask ann oncall)
by cora approve "$id" >/dev/null
ok 'denied after it was approved' in_lab_as eve credctl deny "$id"
like "$(by ann collect "$id")" 'is denied already' 'the stricter holds'
id=$(ask ann free)
by ann collect "$id" >/dev/null
like "$(by cora deny "$id")" 'collected already' 'what is collected is not denied any more'
like "$(by cora approve "$(id_of "$(issue_token deploy --role oncall)")")" 'nobody asked for it' 'what was issued is not approved'

# --- Waiting

ask_and_wait() { # NAME [OPTION...]
    local name=$1
    shift
    {
        in_lab_as ann timeout 120 credctl request --role oncall --user deploy --reason wait --wait "$@" \
            >"$work/$name.out" 2>"$work/$name.said"
        echo $? >"$work/$name.status"
    } &
}
has_ended() { [[ -e $work/$1.status ]]; }
pending_of() { by cora requests --json | jq -r ".requests[] | select(.reason == \"$1\") | .id"; }
is_pending() { [[ $(pending_of "$1") ]]; }
has_asked() { grep -q 'Asked for' "$work/yes.said"; }
ask_and_wait yes --output token
wait_until 30 has_asked || diag "$(cat "$work/yes.said")"
id=$(sed -nE 's/^Asked for ([^ .]*)\..*/\1/p' "$work/yes.said")
ok 'request --wait: approved meanwhile' in_lab_as cora credctl approve "$id"
wait_until 60 has_ended yes
is "$(ssh_with deploy "$(cat "$work/yes.out")" password echo in | tr -d '\r' | tail -n 1)" in 'it collects, and the token works'
ask_and_wait no
wait_until 30 is_pending wait
by cora deny "$(pending_of wait)" --reason 'no, thank you' >/dev/null
wait_until 60 has_ended no
is "$(cat "$work/no.status")" 6 'denied: request --wait exits with 6'
like "$(cat "$work/no.said")" 'is denied, by cora: no, thank you' 'and says why'

# --- In time

configure 'RequestTimeout=3s'
approved=$(ask ann oncall)
id=$(ask ann oncall)
by cora approve "$approved" >/dev/null
is_lapsed() { [[ $(state_of "$1") == lapsed ]]; }
ok 'what nobody approves lapses' wait_until 30 is_lapsed "$id"
ok 'and what nobody collects' wait_until 30 is_lapsed "$approved"
wait_for_event "$id" credential-lapsed
is "$(receipt_of "$id") $(count_events "$id" credential-lapsed) $(count_events "$id" credential-deprovisioned)" 'null 1 0' \
    'one event, and no receipt'
like "$(by cora approve "$id")" 'is lapsed already' 'an approval after the lapse is refused'
is "$(refusals_of Approve | head -n 1)" 'it lapsed before' 'and the journal says so'
like "$(by ann collect "$approved")" 'is lapsed already' 'and so is collecting'
configure

# --- The role changes underneath

id=$(ask ann oncall --ttl 3h)
write_role oncall 'MaxTTL=2h'
reload_credd
like "$(by cora approve "$id")" 'at most 2h' 'narrowed before the approval: refused'
is "$(refusals_of Approve | head -n 1)" 'its role allows less than was asked for' 'and the journal says so'
write_role oncall
reload_credd
ok 'as it was again: approved' in_lab_as cora credctl approve "$id"
write_role oncall 'MaxTTL=2h'
reload_credd
like "$(by ann collect "$id")" 'at most 2h' 'narrowed before it is collected: refused'
is "$(refusals_of Collect | head -n 1)" 'its role allows less than was asked for' 'and the journal says so'
write_role oncall 'Approvals=2'
reload_credd
like "$(by ann collect "$id")" 'it has 1 of 2' 'a role that wants more approvals now gets them'
write_role oncall 'Approvers=eve'
reload_credd
like "$(by ann collect "$id")" 'it has 0 of 1' 'an approval of who is no approver any more does not count'
is "$(show_of "$id" .request.given)" 0 'and is not shown as if it did'
write_role oncall 'Requesters=ben'
reload_credd
like "$(by ann collect "$id")" 'any more' 'who may not ask any more does not collect'
other=$(pending_of sudo | head -n 1)
like "$(by cora requests)" "$other" 'another one waits for an approval'
in_lab rm "$roles/oncall.conf"
reload_credd
like "$(by ann collect "$id")" 'does not exist any more' 'deleted: refused'
is "$(refusals_of Collect | head -n 1)" 'its role is gone' 'and the journal says so'
like "$(by cora approve "$other")" "no credential $other" 'and its approvers are none any more'
is "$(refusals_of Approve | head -n 1)" 'not theirs to see, and its role is gone' 'and the journal says so'
write_role oncall
reload_credd
token=$(by ann collect "$id" --output token)
like "$token" '^eph_' 'as it was again: collected'
in_lab rm "$roles/oncall.conf"
reload_credd
not_ok 'deleted between that and the login: refused' ssh_with deploy "$token" password true
write_role oncall
reload_credd

# --- Races

# All at once, each by a person of its own.
race() { # ID PERSON:VERB...
    local id=$1 step
    shift
    for step; do
        setpriv --reuid="${step%:*}" --regid="$(id -g "${step%:*}")" --init-groups \
            credctl "${step#*:}" "$id" >/dev/null 2>&1 &
    done
    wait
}
races() { # COUNT STEP...; each of COUNT requests by ann
    local n=$1
    shift
    for _ in $(seq "$n"); do
        id=$(setpriv --reuid=ann --regid="$(id -g ann)" --init-groups credctl request -q --role oncall --user deploy --reason race)
        echo "$id"
        race "$id" "$@"
    done
}
outcome_of() { # ID; its events in order, but for what is refused
    journal_of "$1" | sed -n 's/^credential-\([a-z]*\).*/\1/p' | paste -sd' '
}
odd=''
for id in $(guest "race races" races 8 cora:approve eve:approve dave:approve); do
    [[ $(outcome_of "$id") == 'requested approved' && $(show_of "$id" '.request.given') == 1 ]] || odd+="$id: $(outcome_of "$id"); "
done
is "$odd" '' 'three who approve at once, eight times: one approval'
odd=''
for id in $(guest "race races" races 12 cora:approve eve:deny ann:collect dave:deny cora:deny); do
    outcome=$(outcome_of "$id")
    case "$outcome $(state_of "$id")" in
        'requested denied denied' | 'requested approved denied denied' | 'requested approved collected active') ;;
        *) odd+="$id: $outcome $(state_of "$id"); " ;;
    esac
done
is "$odd" '' 'approve, deny and collect at once, twelve times: no token after a no, and no no after a token'
is "$(in_lab credctl status --json | jq -r '.status.store')" ok 'credd is well'

# --- On the terminals

in_lab systemctl restart credd.service # forgets who was told how often
start_session cora cora "$LAB_PASSWORD" password 'echo ready; sleep 1200'
start_session ben ben "$LAB_PASSWORD" password 'echo ready; sleep 1200'
start_session sam sam "$LAB_PASSWORD" password 'echo ready; sleep 1200'
for who in cora ben sam; do wait_until 60 is_ready "$who" || diag "$(output_of "$who")"; done
is_told() { # NAME TEXT
    output_of "$1" | grep -qF "$2"
}
id=$(in_lab_as ben credctl request -q --role oncall --user deploy --reason $'say "yes"; \xc3\xa9 and so on')
ben=$(in_lab id -u ben)
ok 'an approver who is logged in is told' wait_until 30 is_told cora "credd: $id is asked for"
ok 'with the words of who asked, quoted, after the name' is_told cora "ben (uid $ben) says: \"say 'yes'; ?? and so on\""
like "$(in_lab_as ben wire "$admin" call "$(call Request "{\"role\":\"oncall\",\"user\":\"deploy\",\"uid\":$deploy,\"reason\":\"a\\u001b[2Jb\"}")")" \
    'InvalidParameter' 'control characters are refused at the door'
by cora approve "$id" --reason 'all right' >/dev/null
ok 'who asked is told of the decision' wait_until 30 is_told ben "credd: $id, which you asked for, is approved"
ok 'with who took it' is_told ben "By cora (uid $(in_lab id -u cora)) says: \"all right\""
for _ in 1 2 3 4; do
    id=$(in_lab_as ben credctl request -q --role oncall --user deploy --reason "$(printf 'x%.0s' {1..200})")
    by cora deny "$id" >/dev/null
done
sleep 2
is "$(output_of cora | grep -c 'is asked for')" 3 'about one asker at most three times an hour'
is "$(output_of ben | grep -c 'which you asked for')" 3 'and so is who asked'
is "$(output_of ben | grep -c 'is asked for')" 0 'who asks is not asked to approve'
is "$(output_of sam | grep -c 'credd:')" 0 'a stranger is told nothing'
is "$(grep -a credd: "$work/cora.out" | tr -d '\r\n\040-\176' | wc -c)" 0 'only printable ASCII gets there'

plan

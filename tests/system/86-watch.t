#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Those who follow: every event, in order, none missed and none twice, though credd is killed in a burst;
# who does not read is no burden; and the figures that a monitoring system reads.
# shellcheck disable=SC2016,SC2317  # $ in a command is the lab's shell's; functions called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

admin=/run/credd/io.credd.Admin
write_file /usr/local/bin/wire 0755 <"$tools/wire"
new_users wanda wilma

# In the lab, so that its end can be waited for there; the output is read from the outside.
watch() { # NAME [OPTION...]
    local name=$1
    shift
    in_lab sh -c 'name=$1; shift
        setsid sh -c "credctl watch \"\$@\" >/root/$name.out 2>/root/$name.err & echo \$! >/root/$name.pid" watch "$@" </dev/null' watch "$name" "$@"
}
shown() { in_lab cat "/root/$1.out"; }
said() { in_lab cat "/root/$1.err"; }
seqs() { shown "$1" | jq -r .event.seq; }
head_seq() { in_lab credctl metrics | awk '$1 == "credd_event_sequence" { print $2 }'; }
reaches() { (($(seqs "$1" | tail -n 1) >= $2)); }
stop_watch() { in_lab sh -c 'kill -TERM "$(cat /root/$1.pid)"' stop "$1"; }
runs() { in_lab sh -c 'kill -0 "$(cat /root/$1.pid)"' runs "$1" 2>/dev/null; }
is_over() { ! runs "$1"; }
has_line() { shown "$1" | grep -q "$2"; }
unbroken() { # NUMBERS on stdin: each once, in order, none left out
    awk 'NR > 1 && $1 != last + 1 { bad++ } { last = $1 } END { print (NR > 1 && !bad) ? "unbroken" : "broken at " bad " of " NR }'
}

# --- A burst, and credd killed in it

watch all --json --after 0
watch lines --since -1h
watch wilma --json --user wilma --after 0
for _ in 1 2 3 4 5; do issue_token wanda --ttl 1h >/dev/null; done
in_lab sh -c 'for i in $(seq 60); do
        credctl issue --user wanda --ttl 1h --output token >/dev/null 2>&1
    done' &
burst=$!
for _ in 1 2; do
    sleep 1
    kill_credd
done
wait "$burst"
issue_token wilma --ttl 1h >/dev/null
# shellcheck disable=SC2034  # used in wait_until
target=$(head_seq)
like "$target" '^[0-9]+$' 'there is a record to follow'
wait_until 60 reaches all "$target"
is "$(seqs all | unbroken)" unbroken 'every event came once and in order, over two kills in a burst'
is "$(seqs all | head -n 1)" 1 'from the first on'
ok 'up to the newest' reaches all "$target"
is "$(shown all | jq -r '.event.event' | grep -c '^daemon-started$')" 3 'both new starts among them'
like "$(said all)" 'connection to credd has ended' 'that credd was away is said'
at_most "$(said all | grep -c 'has ended')" 2 'once each time'
wait_until 30 has_line lines wilma
like "$(shown lines)" '[0-9-]+ [0-9:]+ [+-][0-9:]+  [0-9a-z]{8}  wanda         credential-issued +by root' \
    'a line has the moment, the credential, the user and what happened'
unlike "$(shown lines)" $'\033' 'and no colour where there is no terminal'
is "$(shown wilma | jq -r '.event.fields.user' | sort -u)" wilma 'of one user alone, if that was asked for'
is "$(shown all | jq -rs '[.[].event | has("hash") and has("time") and has("priority")] | all')" true \
    'as JSON each has all there is'

id=$(shown wilma | jq -rs '[.[].event | select(.event == "credential-issued")][0].credential')
watch one --json --after 0 "$id"
in_lab credctl revoke "$id" --reason 'to be seen' >/dev/null
wait_until 20 has_line one credential-revoked
is "$(shown one | jq -r .event.credential | sort -u)" "$id" 'of one credential alone'
for name in all lines wilma one; do stop_watch "$name"; done
ok 'a signal ends it' wait_until 10 is_over all
in_lab timeout --preserve-status -s INT 2 credctl watch --after 0 >"$work/interrupted"
is "$?" 130 'SIGINT as any program'
is "$(tail -c 1 "$work/interrupted" | od -An -tx1 | tr -d ' ')" 0a 'after a whole line'
in_lab sh -c 'timeout 60 credctl watch --after 0 | head -n 1 >/dev/null'
is "$?" 0 'so does a reader that has seen enough'
in_lab credctl watch --after 99999999 >/dev/null 2>&1
is "$?" 1 'an event that is yet to come is no place to begin'

# --- Who may, and who does not read

out=$(in_lab_as wanda timeout 20 credctl watch 2>&1)
is "$?" 6 'a stranger may not watch'
out=$(in_lab_as wanda credctl metrics 2>&1)
is "$?" 6 'and gets no figures'
subscribe='{"method":"io.credd.Admin.Subscribe","parameters":{"after":0},"more":true}'
is "$(in_lab wire "$admin" call '{"method":"io.credd.Admin.Subscribe"}')" \
    '{"error":"org.varlink.service.ExpectedMore","parameters":{}}' 'without "more" it is refused'
# They say nothing and read nothing for as long as their standard input is open.
in_lab sh -c 'for i in $(seq 20); do
        sleep 300 | wire "$0" send "$1\x00" wait &
        echo "$!" >>/root/deaf
    done >/dev/null 2>&1' "$admin" "$subscribe"
start=$SECONDS
ok 'subscribers that do not read keep nobody waiting' issue_token wanda --ttl 1h
at_most $((SECONDS - start)) 10 'not for long at least'
in_lab sh -c 'kill $(cat /root/deaf); pkill -x sleep'
in_lab credctl status >/dev/null
is "$?" 0 'and leave nothing behind'

# --- The figures

metrics=$(in_lab credctl metrics)
grammar() {
    awk '
        function fail(why) { print "line " NR ": " why ": " $0; bad = 1 }
        over { fail("after the end") }
        /^# EOF$/ { over = 1; next }
        /^# TYPE / { if (NF != 4 || $4 !~ /^(gauge|counter|histogram)$/ || seen[$3]++) fail("type"); family = $3; type = $4; next }
        /^# UNIT / { if ($3 != family || substr(family, length(family) - length($4)) != "_" $4) fail("unit"); next }
        /^# HELP / { if ($3 != family || NF < 4) fail("help"); next }
        !/^[a-z_]+(\{[a-z]+="([^"\\]|\\.)*"(,[a-z]+="([^"\\]|\\.)*")*\})? [-+]?[0-9.]+(e[-+]?[0-9]+)?$/ { fail("no sample"); next }
        { name = $1; sub(/\{.*/, "", name); suffix = substr(name, length(family) + 1)
          if (index(name, family) != 1) fail("another family")
          if (type == "gauge" && suffix != "") fail("suffix of a gauge")
          if (type == "counter" && suffix != "_total") fail("suffix of a counter")
          if (type == "histogram" && suffix !~ /^_(bucket|sum|count)$/) fail("suffix of a histogram")
          if (suffix == "_bucket") { if ($2 < below[family] + 0) fail("buckets fall"); below[family] = $2 }
          if (suffix == "_count" && $2 != below[family]) fail("count is not the last bucket")
          if (samples[$1]++) fail("twice") }
        END { if (!over) { print "no # EOF"; bad = 1 }; if (!bad) print "sound" }'
}
is "$(grammar <<<"$metrics")" sound 'the text keeps to the grammar of OpenMetrics'
figure() { awk -v name="$1" '$1 == name { print $2 }' <<<"$metrics"; }
refused() { awk '/^credd_logins_refused_total/ { n += $2 } END { print n + 0 }' <<<"$metrics"; }
is "$(figure credd_up)" 1 'credd is up'
is "$(figure credd_logins_asked_total)" "$(status_of_credd logins_asked)" 'logins asked: as status says'
is "$(figure credd_logins_accepted_total)" "$(status_of_credd logins_accepted)" 'accepted'
is "$(refused)" "$(status_of_credd logins_refused)" 'refused, all reasons together'
is "$(figure credd_sessions_live)" "$(status_of_credd sessions_open)" 'live sessions'
is "$(figure 'credd_credentials{state="active"}')" \
    "$(in_lab credctl list --state active --json | jq '.credentials | length')" 'active credentials: as list says'

open wanda 1h 'echo ready; sleep 600'
wait_ready wanda
metrics=$(in_lab credctl metrics)
is "$(figure 'credd_credentials{state="in-use"}') $(figure 'credd_credentials{state="ending"}')" '1 0' \
    'one whose session lives is in use'
ssh_with wilma "$(issue_token wanda --ttl 1h)" password true >/dev/null
wait_for_receipt "$(id_of "$(issue_token wanda --ttl 1s)")"
in_lab credctl revoke "${ids[wanda]}" --wait --reason enough >/dev/null
metrics=$(in_lab credctl metrics)
is "$(figure 'credd_logins_refused_total{reason="wrong-user"}')" 1 'a refusal has its reason'
is "$(figure credd_receipt_lateness_seconds_count)" \
    "$(awk '/^credd_receipts_total/ { n += $2 } END { print n }' <<<"$metrics")" 'each receipt has its lateness'
is "$(figure credd_logins_accepted_total)" "$(status_of_credd logins_accepted)" 'and the login was counted'
isnt "$(figure credd_batch_requests_count)" 0 'commits were counted'
isnt "$(figure credd_wakeup_lateness_seconds_count)" 0 'what expired has woken credd'
is "$(grammar <<<"$metrics")" sound 'still sound'

in_lab credctl metrics --textfile /root/credd.prom
is "$(in_lab cat /root/credd.prom | grammar)" sound 'a text file has the same'
is "$(in_lab stat -c %a /root/credd.prom)" 644 'and can be read by a collector'
in_lab sh -c 'echo mine >/root/mine; ln -sf /root/mine /root/link.prom; credctl metrics --textfile /root/link.prom'
is "$(in_lab cat /root/mine)" mine 'a link is replaced, not followed'
in_lab systemctl stop credd-login.socket credd-admin.socket credd.service
in_lab credctl metrics --textfile /root/credd.prom 2>/dev/null
is "$?" 3 'without credd: exit status 3'
is "$(in_lab grep '^credd' /root/credd.prom)" 'credd_up 0' 'and the file says so, instead of old figures'
in_lab systemctl start credd-login.socket credd-admin.socket credd.service
is "$(in_lab sh -c 'ls /root | grep -c "prom\."')" 0 'nothing is left beside it'

# --- With systemd's client

if in_lab sh -c 'command -v varlinkctl' >/dev/null; then
    out=$(in_lab sh -c 'timeout 20 varlinkctl --json=short call --more "$0" io.credd.Admin.Subscribe "{\"after\":0}" | head -n 3' "$admin" | tr -d '\036')
    like "$out" '"event":"' 'varlinkctl call --more shows events'
    is "$(jq -rs '[.[].events[].seq] | .[0]' <<<"$out")" 1 'from the first on'
else
    skip 'this release of systemd has no varlinkctl' 'varlinkctl call --more'
fi
plan

#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Too much of everything: connections, calls, open files, changes, and text that is not what it looks like.
# Logins go on or come back, and nothing of it grows without end. The ratios are printed; what is asserted
# of them here is generous, and with SOAK=1 it is what a machine at rest must reach.
# shellcheck disable=SC2016,SC2317  # commands for the lab's shells; functions called by name

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

admin=/run/credd/io.credd.Admin
login=/run/credd/io.credd.Login
drop_ins=/run/systemd/system/credd.service.d
connections=5000
rounds=3 logins=10
[[ -z ${SOAK:-} ]] || rounds=9 logins=60

write_file /usr/local/bin/wire 0755 <"$tools/wire"
write_file /usr/local/bin/pamtime 0755 <"$tools/pamtime"
# A stack of the module alone, so that it is what is timed.
in_lab mkdir /etc/pam-abuse.d
printf '%s required pam_ephemeral.so\n' auth account session | write_file /etc/pam-abuse.d/sshd 0644
new_users lucy ash bea otto cleo dina
wait_until 10 in_lab credctl status
pid=$(pid_of_credd)
call() { printf '{"method":"io.credd.Admin.%s","parameters":%s}' "$1" "${2:-"{}"}"; }

# --- A stranger's connections, and what a login takes meanwhile

# The loads and the quiet take turns, so that what else the machine does meets them all.
time_logins() { # KIND; adds to $work/KIND
    local token
    token=$(issue_token lucy --uses "$logins" --ttl 10min)
    "$source_dir/tests/lab/lab" run "$LAB" timeout 120 pamtime /etc/pam-abuse.d lucy "$logins" <<<"$token" >>"$work/$1" 2>>"$work/refused"
}
# Nothing unless each login was timed.
median() { sort -n "$work/$1" | awk -v all=$((rounds * logins)) '{ a[NR] = $1 } END { if (NR == all) print a[int((NR + 1) / 2)] }'; }
start_load() { # COMMAND...; as nobody, until stop_load
    coproc LOAD { "$source_dir/tests/lab/lab" run -u nobody "$LAB" "$@" 2>&1; }
    # shellcheck disable=SC2153
    load_out=${LOAD[0]} load_in=${LOAD[1]} load_pid=$LOAD_PID
}
stop_load() {
    exec {load_in}>&-
    timeout 30 cat <&"$load_out" 2>/dev/null
    wait "$load_pid" 2>/dev/null
}
write_file /usr/local/bin/storm 0755 <<'STORM'
#!/bin/bash
# As many connections as can be made, and as many calls as are answered, until standard input ends.
exec 3<&0
for _ in 1 2 3 4; do
    while wire "$1" ask 2000 "$2" >/dev/null 2>&1; do :; done &
done
wire "$1" storm "$3" <&3
kill $(jobs -p)
STORM
for ((round = 0; round < rounds; round++)); do
    time_logins quiet
    start_load wire "$admin" crowd "$connections"
    read -r -t 120 line <&"$load_out"
    time_logins crowd
    stop_load >/dev/null
    start_load storm "$admin" "$(call Status)\\x00" "$connections"
    sleep 0.5
    time_logins storm
    stop_load >"$work/stormed" # in this shell, which holds the other end of its input
done
like "$line" '^open [0-9]+ told [0-9]+ closed [0-9]+$' "$connections connections of a stranger: $line"
is "$(cat "$work/refused")" '' 'no login was refused meanwhile'
like "$(cat "$work/stormed")" '^stormed [0-9]+' "and as many as it can: $(cat "$work/stormed")"
ratio_of() { awk -v a="$(median "$1")" -v b="$(median quiet)" 'BEGIN { if (a > 0 && b > 0) printf "%.2f", a / b; else print "unknown" }'; }
diag "a login through libpam, us, median of $((rounds * logins)): quiet $(median quiet), beside $connections" \
    "connections $(median crowd), ratio $(ratio_of crowd); in the storm $(median storm), ratio $(ratio_of storm)"
limit=10 storm_limit=60
[[ -z ${SOAK:-} ]] || limit=2 storm_limit=10
within() { [[ $1 =~ ^[0-9]+\.[0-9]+$ ]] && awk -v got="$1" -v limit="$2" 'BEGIN { exit !(got <= limit) }'; }
ok "beside $connections connections a login takes $(ratio_of crowd) times as long, at most $limit" within "$(ratio_of crowd)" "$limit"
ok "in the storm $(ratio_of storm) times, at most $storm_limit" within "$(ratio_of storm)" "$storm_limit"
is "$(pid_of_credd)" "$pid" 'credd is the same process'
at_most "$(in_lab sh -c 'ls "/proc/$1/fd" | wc -l' sh "$pid")" 60 'and holds no connection any more'

# --- No open file left for who connects

files_of() { in_lab sh -c 'ls "/proc/$1/fd" | wc -l' sh "$1"; }
cpu_msec() { # of credd so far
    in_lab sh -c 'set -- $(sed "s/.*) //" "/proc/$1/stat"); echo $((($12 + $13) * 10))' sh "$(pid_of_credd)"
}
# The last 16 are nobody's; beside them there is room for a session and a few connections. The watchdog is one
# that does not forgive.
in_lab mkdir -p "$drop_ins"
begin_with_files() { # LIMIT
    printf '[Service]\nLimitNOFILE=%d\nWatchdogSec=10s\n' "$1" | write_file "$drop_ins/files.conf" 0644
    in_lab sh -c 'systemctl daemon-reload; systemctl restart credd.service'
    wait_until 20 in_lab credctl status
    pid=$(pid_of_credd)
}
begin_with_files 16384
limit=$(($(files_of "$pid") + 16 + 4))
begin_with_files "$limit"
token=$(issue_token lucy --uses 3)
open otto 20s 'trap "" TERM HUP; nohup sleep 7730 >/dev/null 2>&1 & echo ready; while :; do sleep 7731; done'
wait_ready otto
# A stranger on the Admin socket, who gets one place; on the Login socket, where only root gets at all, more
# than there are places: each lot of them is given 10 s.
hold() { "$source_dir/tests/lab/lab" run "$LAB" bash -c 'exec 3<&0
    setpriv --reuid=nobody --regid=nogroup --clear-groups wire "$2" crowd 40 <&3 &
    wire "$1" crowd 24 <&3 & wait' hold "$login" "$admin" 2>&1; }
coproc HELD { hold; }
# shellcheck disable=SC2153
held_in=${HELD[1]} held_pid=$HELD_PID
all_used() { (($(files_of "$pid") >= limit - 16)); }
ok "of $limit open files, all are used that may be" wait_until 20 all_used
before=$(cpu_msec)
sleep 4
at_most $(($(cpu_msec) - before)) 1500 'credd does not turn in circles about it, in ms of its CPU time'
at_most "$(files_of "$pid")" $((limit - 12)) 'and none of the last, but for a moment'
is "$(ssh_with bea "$LAB_PASSWORD" password echo in)" in 'a password logs in meanwhile'
ended() { [[ $(count_events "${ids[otto]}" credential-deprovisioned) == 1 ]]; }
ok 'a session is ended meanwhile' wait_until 60 ended
ok '  while nothing was free but those' wait_until 10 all_used
like "$(event_field "${ids[otto]}" credential-deprovisioned CREDD_VERDICT)" 'confirmed|late' '  and verified to be gone'
is "$(processes_of otto)" '' '  as it is'
logs_in() { [[ $(ssh_with lucy "$token" password echo in | tr -d '\r') == in ]]; }
ok 'a token logs in as soon as the idle connections have had their time' wait_until 120 logs_in
exec {held_in}>&-
wait "$held_pid" 2>/dev/null
ok 'with the connections gone all works' wait_until 20 in_lab credctl status
is "$(pid_of_credd)" "$pid" 'in the same process: the watchdog had nothing to say'
in_lab sh -c "rm -r $drop_ins; systemctl daemon-reload; systemctl restart credd.service"
wait_until 20 in_lab credctl status

# --- Changes without end

write_file /etc/credd/roles.d/free.conf 0644 <<'ROLE'
[Role]
Requesters=ash bea
Approvers=root
Users=lucy
Approvals=0
DefaultTTL=1h
MaxTTL=2h
MaxLifetime=3h
ROLE
reload_credd
request() { in_lab_as "$1" credctl request -q --role free --user lucy --reason 'a loop' 2>&1; }
id=$(request ash)
like "$id" '^[0-9a-z]{8}$' 'who may ask, asks'
in_lab_as ash timeout 120 wire "$admin" ask 400 "$(call Collect "{\"id\":\"$id\"}")\\x00" >"$work/loop"
is "$(grep -c '"token":"eph_' "$work/loop")" 239 'and collects, 239 times: that makes 240 changes'
is "$(grep -c '240 changes within an hour' "$work/loop")" 161 'after which it is told why no more are taken'
request ash >"$work/out"
like "$(cat "$work/out")" 'you have made 240 changes within an hour.*try again later' 'credctl shows it'
ok 'what ends something is always taken' in_lab_as ash credctl revoke "$id" --yes
like "$(request bea)" '^[0-9a-z]{8}$' 'another person asks as before'
ok 'and admins do what they want' in_lab credctl issue --user lucy
is "$(credd_journal CREDD_EVENT=credential-collected "CREDD_CREDENTIAL=$id" | wc -l)" 239 'each change that was taken is on record'
has_refusals() {
    [[ $(credd_journal CREDD_EVENT=action-refused "CREDD_ACTOR_UID=$(in_lab id -u ash)" |
        jq -s 'map(select(.CREDD_REASON | contains("too many changes")) | .CREDD_COUNT | tonumber) | add // 0') -ge 162 ]]
}
ok 'and so are those that were not, in few rows' wait_until 20 has_refusals

# --- Calls without end

stranger() { in_lab_as otto timeout 120 "$@"; }
stranger wire "$admin" ask 3100 "$(call Status '{}')\\x00" >"$work/loop"
is "$(grep -c '3000 calls within a minute' "$work/loop")" 100 'who calls in a loop is answered 3000 times in a minute, and then told why not'
like "$(tail -n 1 "$work/loop")" '3000 calls within a minute.*try again later' 'and at its end is told so'
like "$(stranger credctl status 2>&1)" '3000 calls within a minute' 'credctl shows it'
stranger credctl revoke "$(id_of "$(issue_token lucy)")" --yes >"$work/out" 2>&1
unlike "$(cat "$work/out")" 'within a minute' 'what would end something is looked at all the same'
ok 'another person is answered' in_lab_as bea credctl status
configure Auditors=bea
in_lab_as bea timeout 120 wire "$admin" ask 3100 "$(call Status '{}')\\x00" >"$work/loop"
is "$(grep -c '"error"' "$work/loop") $(grep -c '"parameters"' "$work/loop")" '0 3100' 'an auditor may ask as often as an audit takes'
ok 'and so is root' in_lab credctl status
# Of more uids than can be counted; a user has as many in /etc/subuid.
in_lab bash -c 'for uid in {70000..70259}; do
        setpriv --reuid="$uid" --regid=nogroup --clear-groups wire "$1" ask 1 "$2" >/dev/null 2>&1
    done' crowd "$admin" "$(call Status)\\x00"
configure
like "$(in_lab_as dina credctl status 2>&1)" 'too many people' 'when many more call, others are told to wait'
printf 'Revokers=cleo\n' | cat <(in_lab cat /etc/credd/roles.d/free.conf) - | write_file /etc/credd/roles.d/free.conf 0644
reload_credd
ok '... but not who is to end what others have' in_lab_as cleo credctl revoke --user lucy --yes
is_answered() { stranger credctl status; }
ok 'after a minute it is answered again' wait_until 90 is_answered

# --- Text that is not what it looks like

for hidden in $'\u202e' $'\u2066' $'\u200b' $'\u061c' $'\ufeff' $'\u00ad'; do
    like "$(in_lab credctl issue --user lucy --reason "ab${hidden}cd" 2>&1)" 'none of it invisible' \
        "a reason with $(printf 'U+%04X' "'$hidden") is refused"
done
like "$(in_lab credctl issue --user lucy --holder $'Zo\u202e\u00eb' 2>&1)" 'none of it invisible' 'and so is a holder'
ok 'what people write is not' in_lab credctl issue --user lucy --holder $'Zo\u00eb \u5c71' --reason $'\u26a0\ufe0f disk'

plan

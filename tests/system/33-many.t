#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Many sessions with one deadline: all verified gone, on time. SOAK=1 makes it 200, with the grace as it is
# shipped; else it is long, because the machine may have five other labs to run and speed is not the question.
# shellcheck disable=SC2317  # functions called by name
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

users=(ant bee cow dog)
each=10
[[ -z ${SOAK:-} ]] || each=50
[[ -n ${SOAK:-} ]] || configure KillGrace=30s VerifyTimeout=60s
new_users "${users[@]}"

open_all() { # USER TOKEN N
    local i
    for ((i = 0; i < $3; i++)); do
        sshpass -p "$2" ssh -o NumberOfPasswordPrompts=1 -o PreferredAuthentications=password \
            "$1@127.0.0.1" 'sleep 7500' >/dev/null 2>&1 </dev/null &
        sleep 0.2
    done
}
open_sessions() { status_of_credd sessions_open; }
all_open() { [[ $(open_sessions) == $((${#users[@]} * each)) ]]; }

ttl=$((20 + each))
[[ -z ${SOAK:-} ]] || ttl=200
declare -A id
for user in "${users[@]}"; do
    token=$(issue_token "$user" --ttl "${ttl}s" --uses "$each")
    id[$user]=$(id_of "$token")
    # It goes on when the call returns: what the sessions say goes nowhere.
    guest open_all open_all "$user" "$token" "$each" >/dev/null 2>&1 &
done
ok "$((${#users[@]} * each)) sessions are open at once" wait_until "$ttl" all_open

for user in "${users[@]}"; do
    wait_for_receipt "${id[$user]}" $((ttl + 60))
    is "$(verdict_of "${id[$user]}")" confirmed "$user: $each sessions verified gone, in time"
    is "$(receipt_of "${id[$user]}" '.evidence | length')" "$each" "$user: with the evidence of each"
    is "$(processes_of "$user")" "" "$user: nothing is left"
    receipt_of "${id[$user]}" '.evidence[].late_usec' >>"$work/late"
done
sort -n "$work/late" | awk '{ v[NR] = $1 / 1000 } END {
    printf "# lateness of %d sessions, ms: least %.0f, median %.0f, p90 %.0f, most %.0f\n",
        NR, v[1], v[int((NR + 1) / 2)], v[int(NR * 0.9 + 0.5)], v[NR] }'

plan

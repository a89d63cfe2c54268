#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The edges of an end: extensions at the last moment, accounts that others use too, and processes that
# multiply while they are killed. What a credential did not open is never touched.
# shellcheck disable=SC2016,SC2317  # $ in a session's command is the session's; functions called by name
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

rounds=24
by_usec=3000000
new_users last lingerer mate mute
# The kernel counts the processes of a uid, and labs that run side by side share the kernel.
in_lab useradd -m -s /bin/bash -u "$((20000 + $$ % 30000))" spawner

# --- Extended at the last moment: it is extended or it ends, never both

# Each round has a credential, a session, and an extension at a random moment about its deadline.
sleep_until() { # USEC; a copy for the lab
    local left=$(($1 - ${EPOCHREALTIME/[.,]/}))
    ((left <= 0)) || sleep "$((left / 1000000)).$(printf '%06d' $((left % 1000000)))"
}
extend_late() {
    local token id deadline took status=0
    token=$(credctl issue --user last --ttl 20s --max-lifetime 2min --output token)
    id=${token:4:8}
    sshpass -p "$token" ssh -o NumberOfPasswordPrompts=1 -o PreferredAuthentications=password \
        last@127.0.0.1 'sleep 7800' >/dev/null 2>&1 </dev/null &
    until deadline=$(credctl show --json "$id" | jq -e '.credentials[0].sessions[0].deadline_usec'); do
        sleep 0.3
    done
    # The program takes some milliseconds to its question, and more where much else runs: as now, say.
    sleep_until $((deadline - 2000000))
    took=${EPOCHREALTIME/[.,]/}
    credctl status -q >/dev/null 2>&1
    took=$((${EPOCHREALTIME/[.,]/} - took))
    sleep_until $((deadline - took - 100000 + RANDOM % 150000))
    credctl extend "$id" --by 3s >/dev/null 2>&1 || status=$?
    echo "$id $deadline $status"
}
extend_all() { # ROUNDS
    local i
    for ((i = 0; i < $1; i++)); do
        extend_late &
        sleep 0.4
    done
    wait
}
guest "sleep_until extend_late extend_all" extend_all "$rounds" >"$work/extensions" 2>/dev/null &
extensions=$!

# --- An account with services of its own, and a colleague who is logged in with the password

in_lab loginctl enable-linger lingerer
own_service() {
    local folder=/home/lingerer/.config/systemd/user
    install -d -o lingerer -g lingerer /home/lingerer/.config /home/lingerer/.config/systemd "$folder"
    printf '[Service]\nExecStart=/bin/sleep 7801\n[Install]\nWantedBy=default.target\n' >"$folder/own.service"
    runuser -u lingerer -- env XDG_RUNTIME_DIR="/run/user/$(id -u lingerer)" \
        sh -c 'systemctl --user daemon-reload; systemctl --user -q enable --now own.service'
}
wait_until 20 in_lab sh -c 'test -S /run/user/$(id -u lingerer)/systemd/private'
guest own_service own_service
start_session before mate "$LAB_PASSWORD" password 'setsid -f sleep 7802; echo ready; sleep 7803'
wait_until 20 is_ready before
start_session colleague lingerer "$LAB_PASSWORD" password 'echo ready; sleep 7804'
wait_until 20 is_ready colleague
standing() { in_lab pgrep -u lingerer,mate | sort -n | paste -sd' '; }
stood=$(standing)

open lingerer 10s 'setsid -f sleep 7805; echo ready; sleep 7806'
open mate 10s 'nohup sleep 7807 >/dev/null 2>&1 & systemd-run --user --scope -q credctl time >said 2>&1; echo ready; sleep 7808'

# --- Processes that multiply up to the limit, and a shell that ignores all it may with its children

write_file /usr/local/bin/multiply 0755 <<'END_OF_SCRIPT'
#!/usr/bin/perl
$SIG{$_} = 'IGNORE' for qw(TERM HUP INT);
for (;;) {
    defined(fork) or select(undef, undef, undef, 0.05);
}
END_OF_SCRIPT
open spawner 10s 'echo ready; ulimit -u 120; exec multiply'
open mute 10s 'trap "" TERM HUP INT QUIT PIPE USR1 USR2; (setsid sh -c "trap \"\" TERM HUP; (sleep 7809 & sleep 7810 & wait) & wait" &) ; echo ready; while :; do sleep 1; done'
for name in lingerer mate spawner mute; do
    wait_until 20 is_ready "$name" || diag "$name is not ready: $(output_of "$name")"
done
multiplies() { (($(in_lab pgrep -u spawner -c multiply) > 5)); }
ok "spawner: it multiplies" wait_until 8 multiplies
for name in lingerer mate spawner mute; do
    wait_for_receipt "${ids[$name]}" 40
    is "$(verdict_of "${ids[$name]}")" confirmed "$name: the receipt confirms the end"
    late_at_most "$(receipt_of "${ids[$name]}" .late_usec)" 3000000 "$name: within the grace and a second"
done
for name in spawner mute; do
    is "$(processes_of "$name")" "" "$name: nothing of it lives"
done

# --- What a credential did not open

is "$(standing)" "$stood" "whoever stood there before stands there now, nobody else, and each with its pid"
is "$(in_lab pgrep -u lingerer -x -f '/bin/sleep 7801' -c)" 1 "lingerer: its service runs"
for name in lingerer mate; do
    unlike "$(receipt_of "${ids[$name]}" '.evidence[0].steps | join(" ")')" user "$name: its manager was not touched"
done
like "$(in_lab cat /home/mate/said)" 'no session that a credential opened' \
    "mate: what the manager of both runs is in no credential's session"
is "$(in_lab pgrep -u mate -x -f 'sleep 780[23]' -c)" 2 "mate: the password login goes on, with its job"
in_lab pkill -u lingerer,mate -x -f 'sleep 780[34]'

# --- The extensions

wait "$extensions"
all_have_receipts() { # ID...
    local id
    for id; do credctl show --json "$id" | jq -e '.credentials[0].receipt' >/dev/null || return 1; done
}
ends_of() { # ID...; of each its deadline and when it was gone
    local id
    for id; do
        credctl show --json "$id" |
            jq -r '.credentials[0] | "\(.id) \(.sessions[0].deadline_usec) \(.receipt.evidence[0].gone_usec)"'
    done
}
mapfile -t rows < <(cut -d' ' -f1 "$work/extensions")
wait_until 30 guest all_have_receipts all_have_receipts "${rows[@]}"
guest ends_of ends_of "${rows[@]}" >"$work/ends"
credd_journal CREDD_EVENT=credential-extended + CREDD_EVENT=session-terminating |
    jq -r '.CREDD_CREDENTIAL + " " + .CREDD_EVENT' >"$work/told"
both=0 extended=0 ended=0
while read -r id deadline status; do
    events=$(sed -n "s/^$id //p" "$work/told" | paste -sd' ')
    read -r limit gone < <(sed -n "s/^$id //p" "$work/ends")
    case "$status $events" in
        "0 credential-extended session-terminating")
            extended=$((extended + 1)) moved=$by_usec ;;
        "6 session-terminating" | "1 session-terminating")
            ended=$((ended + 1)) moved=0 ;;
        *) moved=-1 ;;
    esac
    off=$((limit - deadline - moved))
    ((moved >= 0 && ${off#-} < 2000 && gone >= limit && gone - limit < by_usec)) && continue
    both=$((both + 1))
    diag "$id: extend gave $status; journal: $events; deadline $deadline, then $limit, gone $gone"
done <"$work/extensions"
is "$((extended + ended))" "$rounds" "each of $rounds was extended, and ended later, or ended"
is "$both" 0 "none was both: status, journal, deadline and receipt agree"
diag "$extended extended, $ended ended"

plan

#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# credd is killed: at each step of an end, and at random moments among many short logins. Each
# credential is used once at most and gets one receipt, and no session outlives its deadline by more
# than the restart and the grace. SOAK=1 makes it 200 logins and 20 kills.
# shellcheck disable=SC2016,SC2119,SC2317  # $ in a session's command is the session's; functions called by name, or without an argument
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

logins=40 kills=6
[[ -z ${SOAK:-} ]] || logins=200 kills=20
crowd=(swift wren robin finch)
deaf='trap "" TERM HUP INT; sleep 7600 & echo ready; while :; do sleep 0.3; done'

new_users recorded again killing written treed searched left claiming "${crowd[@]}"
# What a crash leaves of a login without a session ends after this time.
configure BindTimeout=15s

# --- At each step of an end

# Kills credd as it enters its N-th CALL from here on. What it wrote is in the store before it asks for
# the disk to be flushed, and a killed process takes nothing of that back.
kill_at() { # CALL N
    local pid
    pid=$(pid_of_credd)
    in_lab timeout 60 strace -f -q -o /dev/null -p "$pid" -e "trace=$1" \
        -e "inject=$1:signal=KILL:when=$2" >/dev/null 2>&1 &
    steps+=("$pid")
    wait_until 20 is_traced "$pid" || diag "credd is not traced"
}
is_traced() { in_lab grep -q '^TracerPid:[[:space:]]*[1-9]' "/proc/$1/status"; }
was_killed() { # PID
    wait_until 40 runs_anew "$1"
}

# The calls of an end, in this order: the commit of session-terminating (fdatasync), what logind is
# asked for, the commit of session-killed, SIGKILL by pidfd, the commit of the end.
killed_at() { # USER CALL N WHAT
    steps=()
    open "$1" 9s "$deaf"
    "${ready:-wait_ready}" "$1"
    kill_at "$2" "$3"
    ok "$1: credd dies $4" was_killed "${steps[0]}"
    one_receipt "$1" 'confirmed|late'
    is "$(count_events "${ids[$1]}" session-terminating)" 1 "$1: it was begun once"
    is "$(processes_of "$1")" "" "$1: nothing of it lives"
    late_at_most "$(receipt_of "${ids[$1]}" .late_usec)" 8000000 "$1: it ended after a restart and the grace"
}
killed_at recorded fdatasync 1 "when the end is on record, and nobody was asked for it"
killed_at killing fdatasync 2 "after the grace, when SIGKILL is on record and not sent"
killed_at written fdatasync 3 "when the receipt is on the disk and not in the journal"

# Outside any scope, among the SIGKILLs of the treekill: what is left is found again where it stands.
in_lab systemctl --runtime mask --now systemd-logind.service 2>/dev/null
has_begun() { wait_until 20 is_ready "$1"; } # logind does not announce it
ready=has_begun killed_at treed pidfd_send_signal 2 "in the treekill, without logind"
like "$(receipt_of "${ids[treed]}" '.evidence[0] | [.scope_sign, .tree_sign] | join(" ")')" '^none empty$' "treed: by the signs that are left"
in_lab systemctl --runtime unmask systemd-logind.service 2>/dev/null
in_lab systemctl start systemd-logind.service
logind_is_back() { [[ $(status_of_credd logind) == connected ]]; }
ok "logind is found again" wait_until 60 logind_is_back

# Twice in the grace, which goes on and does not begin anew.
open again 8s "$deaf"
wait_ready again
sleep_until "$(($(show_of "${ids[again]}" '.sessions[0].deadline_usec') + 300000))"
kill_credd
kill_credd
one_receipt again 'confirmed|late'
is "$(count_events "${ids[again]}" session-terminating)" 1 "again: killed twice in the grace, begun once"
late_at_most "$(receipt_of "${ids[again]}" .late_usec)" 8000000 "again: it ended after the restarts and the grace"

# The session is gone, and what the user's manager holds for it is still looked for.
open searched 8s 'systemd-run --user -q sh -c "trap \"\" TERM; while :; do sleep 0.2; done"; sleep 1; echo ready; exec sleep 7601'
wait_ready searched
sleep_until "$(show_of "${ids[searched]}" '.sessions[0].deadline_usec')"
wait_until 20 eval '! in_lab pgrep -x -f "sleep 7601"'
before=$(receipt_of "${ids[searched]}" '.verdict // "none"')
kill_credd
is "$before" none "searched: credd dies while it looks for what is left"
one_receipt searched 'confirmed|late|residue'
late_at_most "$(receipt_of "${ids[searched]}" .late_usec)" 6000000 "searched: the end is when the session was gone"

# What ignored SIGTERM was sent SIGKILL and is gone; a manager that lingers keeps what it was given, which
# is looked at for 15 s.
in_lab loginctl enable-linger left
open left 8s "systemd-run --user -q sleep 7602; $deaf"
wait_ready left
wait_for_event "${ids[left]}" session-killed
wait_until 20 eval '! in_lab pgrep -u left -x -f "sleep 7600"'
before=$(receipt_of "${ids[left]}" '.verdict // "none"')
kill_credd
is "$before" none "left: credd dies after SIGKILL, before the receipt"
one_receipt left residue
is "$(count_events "${ids[left]}" session-terminating)" 1 "left: it was begun once"
is "$(count_events "${ids[left]}" session-residue)" 1 "left: what is left behind was said once"
in_lab loginctl terminate-user left

# --- When a session is claimed: the one answer is lost, and sshd has no session to open a shell in.

before_session() {
    cp /etc/pam.d/sshd /root/sshd.kept
    printf '#!/bin/sh\n[ "$PAM_USER" != claiming ] || sleep 9\n' >/usr/local/bin/slow
    chmod +x /usr/local/bin/slow
    sed -i 's|^@include common-session|session optional pam_exec.so /usr/local/bin/slow\n&|' /etc/pam.d/sshd
}
guest before_session before_session
steps=()
open claiming 30s 'trap "" TERM HUP; echo ready; while :; do sleep 0.3; done'
wait_for_event "${ids[claiming]}" login-accepted
kill_at recvfrom 1
in_lab cp /root/sshd.kept /etc/pam.d/sshd
ok "claiming: credd dies" was_killed "${steps[0]}"
wait_for_receipt "${ids[claiming]}" 60
is "$(verdict_of "${ids[claiming]}")" confirmed \
    "claiming: credd dies when a session is claimed; there is a receipt"
is "$(count_events "${ids[claiming]}" login-accepted) $(count_events "${ids[claiming]}" login-unclaimed)" \
    "1 1" "claiming: of one login, which nobody claimed"
not_ok "claiming: its shell never started" is_ready claiming
is "$(processes_of claiming)" "" "claiming: nothing of it lives"

# --- At random moments

# What a session leaves in the file of its credential: that it began, who it is, and when it still lived.
install_witness() { # FOLDER
    mkdir -m 1777 "$1"
    cat >/usr/local/bin/witness <<'END_OF_SCRIPT'
#!/bin/bash
# witness FOLDER ID leave|stay|deaf
[[ $3 != deaf ]] || trap '' TERM HUP
record=$1/$2
echo "began $CREDD_CREDENTIAL $$" >>"$record"
exec 9<> <(:)
for ((i = 0; ; i++)); do
    echo "lives $EPOCHREALTIME"
    [[ $3 != leave || $i -lt 5 ]] || exit 0
    read -r -t 0.1 -u 9
done >"$record.$$"
END_OF_SCRIPT
    chmod 0755 /usr/local/bin/witness
}

# One person: gets a token, tries it until a try succeeded, and then once more. That a try failed does
# not tell whether the use is spent.
log_in() { # FOLDER USER KIND METHOD
    local token='' try came=0
    for ((try = 0; try < 10; try++)); do
        token=$(credctl issue --user "$2" --ttl 9s --output token 2>/dev/null) && break
    done
    [[ $token ]] || return
    echo "${token:4:8}" >>"$1/issued"
    for ((try = 0; try < 3 && came < 2; try++)); do
        sshpass -p "$token" ssh -o NumberOfPasswordPrompts=1 -o ConnectTimeout=20 \
            -o PreferredAuthentications="$4" "$2@127.0.0.1" "witness $1 ${token:4:8} $3" \
            </dev/null >/dev/null 2>&1
        [[ ! -s $1/${token:4:8} ]] || came=$((came + 1))
    done
}

log_in_all() { # FOLDER N USER...
    local folder=$1 n=$2 i kinds=(leave stay deaf) methods=(password keyboard-interactive)
    shift 2
    for ((i = 0; i < n; i++)); do
        log_in "$folder" "${@:i % $# + 1:1}" "${kinds[i % 3]}" "${methods[i / 3 % 2]}" &
        sleep "0.$((RANDOM % 5 + 1))"
    done
    wait
    touch "$folder/over"
}

# A line for each: when it was killed, and when the next one answered. Its sockets wait meanwhile.
kill_many() { # FOLDER N SPAN-MS SEED
    local i gap pid began
    RANDOM=$4
    for ((i = 0; i < $2; i++)); do
        gap=$((RANDOM % (2 * $3 / $2) + 50))
        sleep "$((gap / 1000)).$(printf '%03d' $((gap % 1000)))"
        pid=$(systemctl show credd.service -p MainPID --value)
        began=${EPOCHREALTIME/[.,]/}
        kill -KILL "$pid" || continue
        while [[ -e /proc/$pid ]]; do sleep 0.01; done
        credctl sessions >/dev/null 2>&1
        echo "$began ${EPOCHREALTIME/[.,]/}" >>"$1/outages"
    done
}

# A line for each session that lived: its credential, and until when.
last_signs() { # FOLDER
    local file
    for file in "$1"/*.*; do
        echo "$(basename "${file%.*}") $(tail -n 1 "$file" | tr -cd '0-9')"
    done
}

storm=/var/tmp/storm seed=${SEED:-$RANDOM}
diag "SEED=$seed gives the same gaps between the kills"
guest install_witness install_witness "$storm"
first=$(said_by_credd .CREDD_SEQ | tail -n 1)
guest "log_in log_in_all" log_in_all "$storm" "$logins" "${crowd[@]}" >/dev/null 2>&1 &
guest kill_many kill_many "$storm" "$kills" $((logins * 400)) "$seed" 2>"$work/kills"
wait_until $((logins * 2 + 120)) in_lab test -e "$storm/over" || diag "the logins are not over"
is "$(in_lab wc -l "$storm/outages" | cut -d' ' -f1)" "$kills" "credd was killed $kills times during $logins logins"

all_credentials() {
    in_lab credctl list --all --json | jq -c ".credentials[] | select(.user | IN($(printf '"%s",' "${crowd[@]}" | sed 's/,$//')))"
}
no_receipt() { all_credentials | jq -r 'select(.receipt == null) | .id'; }
wait_until 120 eval '[[ ! $(no_receipt) ]]'
is "$(no_receipt)" '' "each credential of the storm has a receipt"
is "$(status_of_credd sessions_open)" 0 "no session is open"
wait_until 20 is_calm
all_credentials >"$work/credentials"
said_by_credd "select((.CREDD_SEQ | tonumber) > $first)" >"$work/journal"
in_lab sh -c "cat $storm/issued" >"$work/issued"
events_of() { jq -r "select(.CREDD_EVENT == \"$1\") | .CREDD_CREDENTIAL" <"$work/journal" | sort; }

is "$(sort -u "$work/issued" | wc -l)" "$logins" "all $logins got a token"
is "$(sort "$work/issued" | comm -23 - <(jq -r .id <"$work/credentials" | sort))" '' "and credd knows each of them"
is "$(events_of login-accepted | uniq -d)" '' "in the journal no credential is used twice"
is "$(events_of session-opened | uniq -d)" '' "and none opened two sessions"
is "$(in_lab sh -c "grep -l began $storm/* | xargs -n 1 grep -c began | sort -u")" 1 "nor by what the sessions themselves have recorded"
is "$(in_lab sh -c "cat $storm/* | grep began | cut -d' ' -f2 | sort" | comm -23 - <(events_of session-opened))" '' \
    "each session that ran is in the journal"
is "$(events_of credential-deprovisioned | uniq -d)" '' "in the journal no credential has two receipts"
is "$(events_of credential-deprovisioned)" "$(jq -r .id <"$work/credentials" | sort)" "and each has one"
is "$(events_of session-ended | uniq -d)" '' "no session ended twice"
is "$(jq -r 'select(.uses_left < 0 or .receipt.verdict == "residue") | .id' <"$work/credentials")" '' "nothing is left behind"
for user in "${crowd[@]}"; do
    nothing_lives "$user"
done

# By how much each outlived its deadline, without the time in which credd was down; in ms.
guest last_signs last_signs "$storm" >"$work/signs"
in_lab cat "$storm/outages" >"$work/outages"
in_lab credctl sessions --all --json |
    jq -r '.sessions[] | "\(.credential) \(.deadline_usec)"' >"$work/deadlines"
awk 'FILENAME ~ /outages/ { from[++n] = $1; to[n] = $2; next }
    FILENAME ~ /deadlines/ { deadline[$1] = $2; next }
    !deadline[$1] { next } # its own test fails
    { late = $2 - deadline[$1]; down = 0
      for (i = 1; i <= n; i++) {
          a = from[i] > deadline[$1] ? from[i] : deadline[$1]; b = to[i] < $2 ? to[i] : $2
          if (b > a) down += b - a }
      printf "%.0f %.0f\n", late / 1000, (late - down) / 1000 }' "$work/outages" "$work/deadlines" "$work/signs" >"$work/late"
spread() { # WHAT, a number a line
    sort -n | awk -v what="$1" '{ v[NR] = $1 } END {
        printf "# %s, of %d, ms: least %.0f, median %.0f, p90 %.0f, most %.0f\n",
            what, NR, v[1], v[int((NR + 1) / 2)], v[int(NR * 0.9 + 0.5)], v[NR] }'
}
awk '{ print ($2 - $1) / 1000 }' "$work/outages" | spread "from a kill to the next answer"
cut -d' ' -f1 "$work/late" | spread "the last sign of a session, after its deadline"
cut -d' ' -f2 "$work/late" | spread "... but for the time in which credd was down"
jq .receipt.late_usec <"$work/credentials" | awk '{ print $1 / 1000 }' | spread "lateness by the receipts"
is "$(wc -l <"$work/late")" "$(wc -l <"$work/signs")" "the deadline of each session that ran is known"
isnt "$(wc -l <"$work/late")" 0 "... and some ran"
# The grace, and two seconds for a machine that is busy.
gone_at_most "$(cut -d' ' -f2 "$work/late" | sort -n | tail -n 1)" 4000 \
    "no session outlives its deadline by more than the restarts and the grace"

wait
plan

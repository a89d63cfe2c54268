#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What keeps the record: nothing of it is lost to the journal, old events are pruned behind a checkpoint,
# a copy is handed out while logins go on, and a restored one lets nobody in.
# shellcheck disable=SC2016,SC2317  # $ in a command of the lab is the lab's; functions called by name
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=clocks.sh
. "$system_dir/clocks.sh"

verify() { # what it says is in $said, its status in $status
    status=0
    said=$(in_lab sh -c 'journalctl --sync; exec credctl verify' 2>&1) || status=$?
}
calm() { wait_until 120 is_calm || diag "the journal is behind: $(status_of_credd journal_behind)"; }
clean() { # WHEN
    calm
    verify
    is "$status" 0 "$1: both witnesses agree"
    [[ $status == 0 ]] || diag "$said"
}
events() { credd_journal "CREDD_EVENT=$1" | jq -r ".${2:-CREDD_SEQ} // \"-\""; }
fails() { # WHAT STATUS REGEX COMMAND...
    local what=$1 wanted=$2 regex=$3 got=0 text
    shift 3
    text=$("$@" 2>&1) || got=$?
    is "$got" "$wanted" "$what: exit status $wanted"
    like "$text" "$regex" '... and says why'
}
state=/var/lib/credd

new_users paula peter petra
add_wire() { write_file /usr/local/bin/wire 0755 <"$tools/wire"; }
add_wire

# --- A copy while logins go on

logins() { # N
    local i token
    for ((i = 0; i < $1; i++)); do
        token=$(issue_token paula --ttl 10min)
        ssh_with paula "$token" password 'echo in' | tr -d '\r' | tail -n 1
    done
}
kept=$(issue_token peter --ttl 2h --reason 'is in the backup')
logins 8 >"$work/logins" &
copies=0
for n in 1 2 3 4 5; do
    in_lab credctl backup --quiet "/root/copy.$n" 2>"$work/error.$n" || diag "$(cat "$work/error.$n")"
    in_lab test -s "/root/copy.$n" && copies=$((copies + 1))
done
wait
is "$copies" 5 'copies were made'
is "$(sort "$work/logins" | uniq -c | tr -s ' ')" ' 8 in' 'while all logins came in'
is "$(in_lab stat -c '%a %U %h' /root/copy.1)" '600 root 1' 'the file is its owner'\''s alone'
is "$(events store-backed-up CREDD_ACTOR | sort | uniq -c | tr -s ' ')" ' 5 root' 'each is an event, with who has it'
unlike "$(in_lab ls $state)" backup 'credd keeps none'
is "$(in_lab sqlite3 -readonly /root/copy.1 'PRAGMA quick_check')" ok 'the copy is a sound database'
is "$(in_lab sh -c 'ls /root/copy.1-* 2>/dev/null')" '' 'in one file'
hex='hex() { od -An -v -tx1 "$1" | tr -d " \n"; }'
is "$(in_lab sh -c "$hex"'; hex /root/copy.1 | grep -c "$(hex /var/lib/credd/key)"')" 0 'the key is not in it'
is "$(in_lab sh -c "grep -c -a '${kept:13}' /root/copy.1")" 0 'nor is a token'
ok 'credd reads it and finds it sound' in_lab credd --check-backup=/root/copy.1

# --- Where it may go

sum=$(in_lab sha256sum /root/copy.1)
fails 'over a file' 1 'cannot make .*File exists' in_lab credctl backup /root/copy.1
is "$(in_lab sha256sum /root/copy.1)" "$sum" 'which is as it was'
in_lab ln -s /root/elsewhere /root/link
fails 'through a symbolic link' 1 'cannot make .*File exists' in_lab credctl backup /root/link
not_ok 'where it leads nothing was made' in_lab test -e /root/elsewhere
fails 'a stranger' 6 'not permitted' in_lab_as paula credctl backup /home/paula/copy
not_ok 'and has nothing' in_lab test -e /home/paula/copy
wait_until 15 eval '[[ $(events action-refused CREDD_VERB) == *Backup* ]]'
like "$(events action-refused CREDD_VERB)" 'Backup' 'the refusal is an event'
in_lab sh -c 'mkdir /mnt/small && mount -t tmpfs -o size=64k tmpfs /mnt/small'
fails 'a disk that is full' 1 'No space left' in_lab credctl backup /mnt/small/copy
not_ok 'no half of a copy is left' in_lab test -e /mnt/small/copy

# credd's own disk
small_state() {
    systemctl stop credd-login.socket credd-admin.socket credd.service
    mkdir /root/aside && cp -a /var/lib/credd/. /root/aside
    mount -t tmpfs -o size=24m,mode=0700,uid=credd,gid=credd tmpfs /var/lib/credd
    cp -a /root/aside/. /var/lib/credd
    systemctl start credd-login.socket credd-admin.socket credd.service
}
guest small_state small_state
ok 'credd runs on a small disk' wait_until 20 in_lab credctl list
in_lab sh -c 'head -c 6M /dev/zero >/var/lib/credd/filler'
fails "credd's disk has no room" 1 'no backup was made: no room on the disk' in_lab credctl backup /root/none
not_ok 'then there is no file' in_lab test -e /root/none
in_lab sh -c 'systemctl stop credd-login.socket credd-admin.socket credd.service
    rm /var/lib/credd/filler; cp -a /var/lib/credd/. /root/aside; umount /var/lib/credd
    rm -f /var/lib/credd/*; cp -a /root/aside/. /var/lib/credd; systemctl start credd-login.socket credd-admin.socket credd.service'
ok 'credd is back' wait_until 20 in_lab credctl list

# --- From the store to the journal

# As it enters the first call that would tell journald of what is committed.
kill_at_journal() {
    local pid
    pid=$(pid_of_credd)
    in_lab timeout 60 strace -f -q -o /dev/null -p "$pid" -e trace=sendmsg \
        -e "inject=sendmsg:signal=KILL:when=$1" >/dev/null 2>&1 &
    wait_until 20 in_lab grep -q '^TracerPid:[[:space:]]*[1-9]' "/proc/$pid/status" || diag 'credd is not traced'
    in_lab credctl issue --quiet --user petra --ttl 1h >/dev/null 2>&1
    wait_until 40 runs_anew "$pid" || diag 'credd did not die, or did not come back'
}
before=$(events daemon-started | wc -l)
for n in 1 1 1 1 1 2 1 2 1 2; do
    kill_at_journal "$n"
done
calm
is "$(($(events daemon-started | wc -l) - before))" 10 'credd was killed 10 times between commit and journal'
clean 'after that'

before=$(in_lab credctl verify --json | jq .verify.events)
in_lab sh -c 'wire /run/credd/io.credd.Admin ask 10000 "{\"method\":\"io.credd.Admin.Issue\",\"parameters\":{\"user\":\"petra\",\"uid\":$(id -u petra),\"ttl_usec\":7200000000}}\x00" >/dev/null'
clean 'after a burst'
after=$(in_lab credctl verify --json | jq -c '[.verify.events, .verify.older_than_journal]')
like "$after" '^\[[0-9]+,0\]$' 'the journal has all of it'
at_most "$((before + 10000 - $(jq .[0] <<<"$after")))" 0 'of 10,000 events'

# --- Old events go

shim_credd
move_clocks 0 0
configure AuditRetention=1d
is "$(events store-pruned | wc -l)" 0 'nothing is pruned that is younger than the retention'
in_lab systemctl restart credd.service # which states how far the journal is
wait_until 20 is_calm
move_clocks $((3 * 86400)) $((3 * 86400))
sleep 1
reload_credd
wait_until 60 eval '[[ $(events store-pruned CREDD_PRUNED_SEQ | tail -n 1) -gt 10000 ]]'
calm
pruned=$(events store-pruned CREDD_PRUNED_SEQ | tail -n 1)
like "$pruned" '^[0-9]+$' "events up to $pruned are pruned"
is "$(events store-pruned CREDD_ACTOR | sort -u)" credd 'signed off by credd'
is "$(events store-pruned CREDD_COUNT | paste -sd+ | bc)" "$pruned" 'with how many went'
is "$(events store-pruned CREDD_PRUNED_HASH | tail -n 1)" \
    "$(credd_journal "CREDD_SEQ=$pruned" | jq -r .CREDD_HASH)" 'and the hash of the last'
clean 'after the pruning'
is "$(in_lab wire /run/credd/io.credd.Admin call '{"method":"io.credd.Admin.Events"}' | jq '.parameters.events[0].seq')" \
    $((pruned + 1)) 'the store begins with the one after it'
id=$(id_of "$kept")
is "$(show_of "$id" '[.events[].event] | index("credential-issued")')" null 'a credential shows what is left of its events'
is "$(show_of "$id" .reason)" 'is in the backup' 'and its record whole'
in_lab rm -f "$drop_in"
move_clocks 0 0
in_lab sh -c 'systemctl stop credd-login.socket credd-admin.socket credd.service
    sqlite3 /var/lib/credd/credd.db "DELETE FROM event WHERE seq IN (SELECT seq FROM event ORDER BY seq LIMIT 5);
        UPDATE checkpoint SET seq = seq + 5"
    systemctl daemon-reload; systemctl start credd-login.socket credd-admin.socket credd.service'
wait_until 20 is_calm
verify
is "$status" 5 'what nobody signed off is found'
like "$said" 'no pruning took this event' 'and named'

# --- Back again

in_lab sh -c 'systemctl stop credd-login.socket credd-admin.socket credd.service
    sleep 2; journalctl -q --sync; journalctl -q --rotate; journalctl -q --vacuum-time=1s
    rm -f /var/lib/credd/credd.db*; credd --restore /root/copy.1
    systemctl start credd-login.socket credd-admin.socket credd.service' >"$work/restored" 2>&1
ok 'credd runs on the backup' wait_until 30 in_lab credctl list
like "$(cat "$work/restored")" 'Restored; [0-9]+ credentials .* revoked' 'and it was said what is revoked'
is "$(in_lab stat -c '%a %U' $state/credd.db $state/key | sort -u)" '600 credd' 'the store is credd'\''s'
not_ok 'nothing of it lies around' in_lab test -e $state/restore
is "$(events store-restored CREDD_ACTOR)" root 'it is an event'
is "$(show_of "$id" .state)" revoked 'what was open is revoked'
is "$(show_of "$id" .end_reason)" 'restored from a backup' 'with the reason'
wait_for_receipt "$id"
is "$(in_lab credctl list --json | jq '.credentials | length')" 0 'nothing is open'
like "$(ssh_with peter "$kept" password echo in)" 'denied' 'its token is refused'
like "$(ssh_with peter "$(issue_token peter)" password echo in)" '^in' 'a new one is not'
clean 'after a restore of all that happened'

fails 'a restore while credd runs' 1 'credd is running' in_lab credd --restore=/root/copy.1
lost=$(issue_token petra --ttl 1h)
in_lab credctl backup --quiet /root/latest
issue_token petra --ttl 1h >/dev/null
calm
in_lab systemctl stop credd-login.socket credd-admin.socket credd.service
fails 'a restore over a store' 1 'there is a store' in_lab credd --restore=/root/latest
in_lab sh -c "mkdir /root/before && mv $state/credd.db* /root/before"
in_lab sh -c 'head -c 40000 /root/latest >/root/half'
fails 'a restore of half a backup' 1 'no sound backup' in_lab credd --restore=/root/half
not_ok 'puts nothing in place' in_lab test -e $state/credd.db
ok 'a restore' in_lab credd --restore=/root/latest
start_credd 'on it'
calm
verify
is "$status" 5 'what happened after the backup is missed'
like "$said" 'restored from a backup at event [0-9]+' 'and it is said why'
like "$(ssh_with petra "$lost" password echo in)" 'denied' 'its tokens are refused'

plan

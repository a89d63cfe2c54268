#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A contractor with a token who means to stay. Each way out has a user of its own, so that each verdict
# is that way's; one contractor takes them all. What the end of the session ends is gone and earns
# "confirmed"; what it leaves is named in the receipt, in the journal and by credctl show, and does not.
# shellcheck disable=SC2016,SC2317  # $ in a session's command is the session's; functions called by name
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

ended='service scope pane child'
left='key knock linger job table'
# shellcheck disable=SC2086
new_users $ended $left every

# --- Ways out, as programs: the sessions take them by name

write_file /usr/local/bin/plant-key 0755 <<'END_OF_SCRIPT'
#!/bin/sh -e
mkdir -p -m 0700 ~/.ssh
ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id
cp ~/.ssh/id.pub ~/.ssh/authorized_keys
END_OF_SCRIPT
# cron looks at its tables when a minute begins.
write_file /usr/local/bin/fill-table 0755 <<'END_OF_SCRIPT'
#!/bin/sh -e
printf '* * * * * pgrep -u "$LOGNAME" -x -f "sleep %s" >/dev/null || exec sleep %s\n' "$1" "$1" | crontab -
END_OF_SCRIPT
# A connection that was there before the login, and gives a key only when one is planted.
write_file /usr/local/bin/slow-relay 0755 <<'END_OF_SCRIPT'
#!/bin/bash
exec 3<>/dev/tcp/127.0.0.1/22
until [[ -e $1 ]]; do sleep 0.2; done
cat <&3 &
exec cat >&3
END_OF_SCRIPT

# From outside, with a key of its own; the job it starts needs nobody any more.
knock() { # USER COMMAND
    ssh-keygen -q -t ed25519 -N '' -f /root/knock
    install -m 0644 /root/knock.pub /usr/local/share/knock.pub
    ssh -f -n -o "ProxyCommand=/usr/local/bin/slow-relay /home/$1/.ssh/authorized_keys" -i /root/knock \
        "$1@localhost" "$2" >/dev/null 2>&1 </dev/null &
}
guest knock knock knock 'sleep 7605'

at_once=20s
end='echo ready; sleep 7600'
open table 1h "fill-table 7601; $end"
open every 1h "plant-key; ssh -f -n -i ~/.ssh/id localhost sleep 7611
    systemd-run --user -q sleep 7612
    systemd-run --user --scope -q setsid sleep 7613 &
    loginctl enable-linger
    tmux new-session -d sleep 7614
    nohup sleep 7615 >/dev/null 2>&1 &
    setsid -f sleep 7616
    echo sleep 7617 | at now 2>/dev/null
    fill-table 7618; $end"
open key $at_once "plant-key; ssh -f -n -i ~/.ssh/id localhost sleep 7602; $end"
open knock $at_once "mkdir -m 0700 .ssh; install -m 0644 /usr/local/share/knock.pub .ssh/authorized_keys; $end"
open linger $at_once "loginctl enable-linger; systemd-run --user -q sleep 7603; $end"
open job $at_once "echo sleep 7604 | at now 2>/dev/null; $end"
open service $at_once "systemd-run --user -q sleep 7606; $end"
open scope $at_once "systemd-run --user --scope -q setsid sleep 7607 & sleep 1; $end"
open pane $at_once "tmux new-session -d sleep 7608; $end"
open child $at_once "nohup sleep 7609 >/dev/null 2>&1 & (setsid -f sleep 7610 &); $end"
for name in $ended $left every; do
    wait_until 30 is_ready "$name" || diag "$name is not ready: $(output_of "$name")"
done

# --- It runs

# systemd-run writes out the path of what it runs.
sleeps_of() { in_lab pgrep -u "$1" -x -f "(/usr/bin/|/bin/)?sleep $2"; }
has_sleep() { [[ $(sleeps_of "$1" "$2") ]]; }
runs() { # USER NUMBER WHAT [SECONDS]
    ok "$3 runs" wait_until "${4:-10}" has_sleep "$1" "$2"
}

runs key 7602 "key: the job of the planted key"
runs linger 7603 "linger: the service"
runs job 7604 "job: the at job"
runs knock 7605 "knock: the connection that was there before the login"
runs service 7606 "service: the service of the user's manager"
runs scope 7607 "scope: the scope of the user's manager"
runs pane 7608 "pane: the pane of a tmux that nobody is attached to"
runs child 7609 "child: the child under nohup"
runs child 7610 "child: the child under setsid"
for number in 7611 7612 7613 7614 7615 7616 7617; do
    runs every "$number" "every: way $((number - 7610)) of 8"
done
runs table 7601 "table: the entry of the crontab" 75
runs every 7618 "every: way 8 of 8" 75
for name in table every; do
    in_lab credctl revoke "${ids[$name]}" --reason "the work is done" >/dev/null
done
for name in $ended $left every; do
    wait_for_receipt "${ids[$name]}" 60
done

# --- What is ended is gone

for name in $ended; do
    is "$(verdict_of "${ids[$name]}")" confirmed "$name: wholly ended, and confirmed"
    is "$(in_lab pgrep -u "$name" -a)" "" "$name: nothing of that user lives"
done

# --- What is left is named

# A process of that user, found by its command line, is in all three records with its unit.
named() { # USER NUMBER UNIT-REGEX WHAT
    local pid unit id=${ids[$1]}
    pid=$(sleeps_of "$1" "$2" | head -n 1)
    unit=$(receipt_of "$id" ".residue[] | select(.pid == ${pid:-0} and .command == \"sleep\") | .unit")
    like "$unit" "$3" "$4 is in the receipt, with pid, command and unit"
    like "$(event_field "$id" session-residue CREDD_REASON)" "sleep \\($pid\\) in $3" "... in the journal"
    like "$(event_field "$id" credential-deprovisioned CREDD_EVIDENCE)" "\"pid\": ?$pid," "... in the journal's copy of the receipt"
    like "$(in_lab credctl show "$id" | grep -w "$pid")" "sleep.*$3" "... and credctl show says it"
}

all_named() { # USER; all that lives of it is in the receipt
    local pid named
    named=" $(receipt_of "${ids[$1]}" '[.residue[].pid | tostring] | join(" ")') "
    for pid in $(in_lab pgrep -u "$1"); do
        [[ $named == *" $pid "* ]] || in_lab ps -o pid=,args= -p "$pid"
    done
}

for name in $left every; do
    is "$(verdict_of "${ids[$name]}")" residue "$name: what is left is no confirmed end"
    is "$(event_field "${ids[$name]}" credential-deprovisioned CREDD_VERDICT)" residue "... nor in the journal"
    is "$(all_named "$name")" "" "$name: all that lives of that user is named"
    is "$(in_lab pgrep -u "$name" -x -f 'sleep 7600')" "" "$name: the session itself is gone"
done
named key 7602 'session-[a-z0-9]+\.scope' "key: the job of the planted key"
named knock 7605 'session-[a-z0-9]+\.scope' "knock: the connection that was there before the login"
named job 7604 'atd\.service' "job: the at job"
named table 7601 'cron\.service' "table: the entry of the crontab"
named every 7611 'session-[a-z0-9]+\.scope' "every: the job of the planted key"
named every 7617 'atd\.service' "every: the at job"
named every 7618 'cron\.service' "every: the entry of the crontab"
for name in linger every; do
    like "$(receipt_of "${ids[$name]}" '[.residue[].command] | join(", ")')" 'lingering was switched on' \
        "$name: lingering is in the receipt"
    like "$(event_field "${ids[$name]}" session-residue CREDD_REASON)" 'lingering was switched on' "... in the journal"
    like "$(in_lab credctl show "${ids[$name]}")" 'lingering was switched on' "... and credctl show says it"
done
for number in 7615 7616; do
    is "$(sleeps_of every $number)" "" "every: what stood in the session's scope is gone ($number)"
done

plan

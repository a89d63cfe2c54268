#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# credd's sandbox: how far it is closed, that all of credd works in it, and what whoever took credd over
# could still do: a probe stands in credd's place, and a credd that says yes to everything. The rows
# of doc/threat-model.md name what is shown here.
# shellcheck disable=SC2016,SC2317  # commands for the lab's shells; functions called by name

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

service=credd.service
installed=/usr/lib/systemd/system/$service
drop_ins=/run/systemd/system/$service.d
shows() { in_lab systemctl show -P "$1" "${2:-$service}"; } # PROPERTY [UNIT]

write_file /usr/local/bin/probe 0755 <"$tools/probe"
write_file /usr/local/bin/wire 0755 <"$tools/wire"
write_file /usr/local/bin/yes-credd 0755 <"$tools/yes"
wait_until 10 in_lab credctl status

# --- As it is: numbers, names and rights

for unit in credd.service credd-audit.service; do
    analysis=$(in_lab systemd-analyze security --no-pager "$unit" 2>&1)
    grep -E '^✗|Overall' <<<"$analysis" | sed 's/  */ /g' | sed "s/^/# $unit: /"
    exposure=$(sed -n 's/.*exposure level for [^ ]*: \([0-9.]*\).*/\1/p' <<<"$analysis")
    ok "systemd-analyze security $unit: $exposure, at most 0.7" awk -v e="${exposure:-10}" 'BEGIN { exit e > 0.7 }'
done

pid=$(shows MainPID)
in_lab cat "/proc/$pid/status" >"$work/status"
status_line() { sed -n "s/^$1:[[:space:]]*//p" "$work/status"; }
uid=$(in_lab id -u credd)
is "$(status_line Uid)" "$uid"$'\t'"$uid"$'\t'"$uid"$'\t'"$uid" 'credd has the uid of credd, in all four'
# CAP_KILL: a login outside any scope is not ended by logind. Ambient, as the file of credd has none.
for set in CapInh CapPrm CapEff CapBnd CapAmb; do
    is "$(status_line "$set")" 0000000000000020 "$set is CAP_KILL alone"
done
is "$(status_line NoNewPrivs)-$(status_line Seccomp)" 1-2 'no new privileges, and a filter of system calls'
is "$(in_lab find /usr /etc -xdev \( -name '*credd*' -o -name 'pam_ephemeral*' -o -name 'credctl*' \) -type f \
    \( -perm /6000 -o -exec getcap -- {} + \) 2>/dev/null)" '' 'no file of ours is setuid, setgid, or has capabilities'
is "$(in_lab sh -c 'grep -lE "^User=root|^ExecStart[A-Za-z]*=[-@:]*[+!]|^ExecReload=[-@:]*[+!]" /usr/lib/systemd/system/credd*')" \
    '' 'nothing of it is started with more rights than the unit has'

# --- Its own filter, sharp: a call that is not let through is the end of credd, not an error

in_lab mkdir -p "$drop_ins"
printf '[Service]\nSystemCallErrorNumber=\n' | write_file "$drop_ins/sharp.conf" 0644
in_lab sh -ec 'systemctl daemon-reload; systemctl restart credd.service'
wait_until 20 in_lab credctl status
isnt "$(shows SystemCallErrorNumber)" 1 'the filter is sharp, it kills'
pid=$(shows MainPID) began=$(date +%s)

new_users walt wren asker
in_lab gpasswd -a wren credd-admin >/dev/null
write_file /etc/credd/roles.d/box.conf 0644 <<'ROLE'
[Role]
Requesters=asker
Approvers=root
Users=walt
Approvals=1
DefaultTTL=1h
MaxTTL=2h
MaxLifetime=3h
ROLE
write_file /etc/credd/roles.d/glass.conf 0644 <<'ROLE'
[Role]
Issuers=root
Users=walt
BreakGlass=yes
DefaultTTL=1h
MaxTTL=2h
MaxLifetime=3h
ROLE
configure Warn=2s
alive() { # WHAT
    is "$(shows MainPID)" "$pid" "$1: credd lives"
}
quietly() { in_lab credctl "$@" >/dev/null; }

# One function a method of the interface; a method without one fails below. Each must really have worked:
# an error could come before the call that the filter would not let through.
does_Status() { quietly status; }
does_Issue() { token=$(issue_token walt --ttl 20min --uses 9) && [[ $token ]]; }
does_List() { in_lab credctl list --json | jq -e '.credentials | length > 0' >/dev/null; }
does_Show() { quietly show "$(id_of "$token")"; }
does_Explain() { quietly explain --user walt; }
does_RoleList() { in_lab credctl role list | grep -q box; }
does_RoleShow() { quietly role show box; }
does_RoleDisable() { quietly role disable box --yes --reason why; }
does_RoleEnable() { quietly role enable box; }
does_Request() {
    asked=$(in_lab_as asker credctl request -q --role box --user walt --reason 'a reason') && [[ $asked ]] &&
        denied=$(in_lab_as asker credctl request -q --role box --user walt --reason 'a reason') && [[ $denied ]]
}
does_Requests() { in_lab credctl requests | grep -q "$asked"; }
does_Approve() { quietly approve "$asked"; }
does_Deny() { quietly deny "$denied" --reason no; }
does_Collect() { [[ $(in_lab_as asker credctl collect "$asked" --output token) == eph_* ]]; }
does_Extend() { quietly extend "$asked" --by 5min; }
does_Freeze() { quietly freeze --yes --reason why; }
does_Thaw() { quietly thaw; }
does_Ack() {
    local id
    id=$(id_of "$(issue_token walt --role glass --reason 'a reason')")
    in_lab_as wren credctl ack "$id" --reason seen
}
does_Time() { [[ $(ssh_with walt "$token" password 'credctl time -q && echo told' | tail -n 1) == told* ]]; }
does_Return() {
    local once
    once=$(issue_token walt)
    ssh_with walt "$once" password 'credctl done --yes || credctl done' >/dev/null
    wait_for_receipt "$(id_of "$once")"
    [[ $(show_of "$(id_of "$once")" .state) == returned ]]
}
does_Sessions() { in_lab credctl sessions --all --json | jq -e '.sessions | length > 0' >/dev/null; }
does_Revoke() { quietly revoke "$(id_of "$token")" --yes --reason why && quietly revoke "$asked" --yes; }
does_Events() { in_lab wire /run/credd/io.credd.Admin call '{"method":"io.credd.Admin.Events"}' | grep -q '^{"parameters"'; }
does_Verify() { in_lab sh -c 'journalctl --sync; exec credctl verify' >/dev/null; }
does_Audit() { quietly audit; }
does_Subscribe() { [[ $(in_lab sh -c 'timeout 60 credctl watch --after 0 | head -n 1') ]]; }
does_Backup() { quietly backup "/root/copy.$RANDOM"; }
does_Metrics() { [[ $(in_lab credctl metrics) == *credd_logins_asked* ]]; }

order='Status Issue List Show Explain RoleList RoleShow RoleDisable RoleEnable Request Requests Approve Deny Collect
    Extend Freeze Thaw Ack Time Return Sessions Revoke Events Verify Audit Subscribe Backup Metrics'
methods=$(sed -n 's/^method \([A-Za-z]*\)(.*/\1/p' "$source_dir/common/io.credd.Admin.varlink" | sort)
# shellcheck disable=SC2086
is "$(printf '%s\n' $order | sort | paste -sd' ')" "$(paste -sd' ' <<<"$methods")" \
    'each method of the interface is tried in the sandbox'
for method in $order; do
    status=0
    "does_$method" >"$work/said" 2>&1 || status=1 # in this shell: some go on from what others made
    tap_result "$status" "$method works in the sandbox" "$(cat "$work/said")"
    [[ $(shows MainPID) == "$pid" ]] || { alive "$method"; break; }
done
alive 'the methods of the Admin socket'

# Logins, by each way, and refusals.
write_console
token=$(issue_token walt --uses 9 --max-sessions 9 2>/dev/null || issue_token walt --uses 9)
for method in password keyboard-interactive; do
    is "$(ssh_with walt "$token" "$method" echo in | tr -d '\r')" in "a login by $method"
done
code=$(in_lab credctl issue --user wren --kind code --json | jq -r '.credentials[0].token')
like "$(console wren "$code" 'echo I am $USER; exit')" 'I am wren' 'a login on a console, with a code'
isnt "$(ssh_with walt eph_00000000000000000000000000000000000 password echo in)" in 'a refused login'
in_lab sh -c 'groupadd gated; usermod -aG gated wren
    sed -i "s/\(pam_ephemeral\.so\).*/\1 require_credential=@gated/" /etc/pam.d/common-account /etc/pam.d/common-session'
issue_token wren >/dev/null
is "$(ssh_with wren "$LAB_PASSWORD" password echo in)" in 'a login without a token, by a credential'
in_lab sed -i 's/\(pam_ephemeral\.so\).*/\1/' /etc/pam.d/common-account /etc/pam.d/common-session
alive 'logins'

# Ends: by logind, in a scope; by credd's own signals, outside; with the user's manager; at the terminal.
new_users term deaf tree mana
METHOD=keyboard-interactive open term 9s 'echo ready; sleep 7711'
open deaf 8s 'trap "" TERM HUP; echo ready; while :; do sleep 7712; done'
open mana 8s 'systemd-run --user --quiet sleep 7713; echo ready; sleep 7714'
wait_ready term deaf mana
for user in term deaf mana; do
    wait_for_receipt "${ids[$user]}" 60
    like "$(receipt_of "${ids[$user]}" .verdict)" 'confirmed|late' "$user: ended"
done
like "$(output_of term)" "access with credential ${ids[term]} ends in" 'term: was warned on the terminal'
# A stack that hangs before pam_systemd: there is no scope yet, so credd kills the tree itself.
in_lab sed -i '0,/pam_systemd.so/s//pam_exec.so \/bin\/sleep 60\nsession optional pam_systemd.so/' /etc/pam.d/common-session
open tree 6s 'echo ready'
wait_for_receipt "${ids[tree]}" 60
like "$(receipt_of "${ids[tree]}" .verdict)" 'confirmed|late' 'tree: ended without a scope'
is "$(in_lab pgrep -u tree -x sleep)" '' 'tree: and nothing of it is left'
in_lab sed -i '/pam_exec.so .bin.sleep/d' /etc/pam.d/common-session
alive 'ends'

# What the timers start, and what the loop does by itself.
new_users canary
like "$(in_lab credctl drill --user canary 2>&1)" 'receipt: confirmed' 'a drill'
ok 'credd-drill@canary.service' in_lab systemctl start credd-drill@canary.service
ok 'credd-audit.service' in_lab systemctl start credd-audit.service
ok 'systemctl reload' in_lab systemctl reload "$service"
in_lab systemctl restart systemd-journald.service
is "$(in_lab credctl status --json | jq -r .status.store)" ok 'the status, after a restart of journald'
alive 'drill, audit, reload'
is "$(in_lab journalctl -q -o cat --since "@$began" -u "$service" -g 'SIGSYS|status=31|core|dumped')" '' \
    'the journal has no SIGSYS and no core'
is "$(shows NRestarts)" 0 'credd was not restarted'
in_lab sh -ec "rm $drop_ins/sharp.conf; systemctl daemon-reload; systemctl restart $service"

# --- A probe in credd's place: the unit's own lines, but for what is not the sandbox

# The program that ExecStart= names is another one in there; everything else is as in the unit.
probe() { # NAME ARGUMENT...; prints what it said
    local name=$1
    shift
    in_lab cat "$installed" | sed -e '/^\[Install\]/,$d' -e '/^Exec[RS][a-z]*=/d' \
        -e '/^\(Restart\|RestartSec\|WatchdogSec\|Sockets\|Wants\|After\|Type\|StartLimit[A-Za-z]*\)=/d' >"$work/unit"
    printf '%s\n' 'Type=oneshot' "ExecStart=/usr/sbin/credd $*" 'BindReadOnlyPaths=/usr/local/bin/probe:/usr/sbin/credd' \
        "StandardOutput=truncate:/run/$name.out" ${EXTRA:+"$EXTRA"} >>"$work/unit"
    write_file "/run/systemd/system/$name.service" 0644 <"$work/unit"
    in_lab sh -c 'systemctl daemon-reload; systemctl start "$1.service"' sh "$name" >"$work/$name.start" 2>&1
    in_lab cat "/run/$name.out"
}
in_lab_as alice sh -c 'sleep 7720 & echo $!' >"$work/sleeper"
in_lab systemd-run -q --unit=sleeper --uid=alice sleep 7720
wait_until 20 in_lab credctl status
others=$(shows MainPID sleeper.service)
probe probe "$others" "$(shows MainPID)" >"$work/inside"
in_lab setpriv --reuid=credd --regid=credd --groups=tty probe "$others" "$(shows MainPID)" >"$work/outside" 2>/dev/null
is "$(tail -n 1 "$work/inside")-$(tail -n 1 "$work/outside")" end-end 'the probe went through, in the sandbox and outside'

got() { sed -n "s|^$1: ||p" "$work/$2"; }
can() { is "$(got "$1" inside)" 'done' "it can: $1${2:+, $2}"; }
cannot() { # ATTEMPT
    like "$(got "$1" inside)" '^E[A-Z]+$' "it cannot: $1"
}
# Outside it could, so the sandbox is what refuses it, and the attempt is one.
by_sandbox() {
    cannot "$1"
    is "$(got "$1" outside)" 'done' '  but could without the sandbox'
}

can 'socket AF_UNIX' 'which is how it is talked to'
can 'connect bus' 'and so logind; what it may ask there is below'
can 'write own state' 'so it can forge the record'
can 'signal another' 'by CAP_KILL'
for attempt in 'socket AF_INET' 'socket AF_INET6' 'socket AF_NETLINK' 'socket AF_VSOCK'; do by_sandbox "$attempt"; done
for attempt in 'socket AF_PACKET' 'socket AF_ALG' 'connect Login' 'connect systemd'; do cannot "$attempt"; done
for attempt in 'read home' 'read /run/user' 'read /var/log'; do by_sandbox "$attempt"; done
for attempt in 'read shadow' 'read host key' "read root's home" 'read a home' 'read kmsg' 'read mem' 'write /etc/credd' \
    'write /run/credd' 'write credd' 'write sysctl' 'write cgroup' 'device node'; do cannot "$attempt"; done
for whom in another 'its like'; do
    for attempt in ptrace 'read memory of' 'open memory of' 'read environment of' 'limits of'; do cannot "$attempt $whom"; done
done
for attempt in fork 'writable code' 'data made code' memfd 'map a program' 'execute a shell' 'execute su' 'execute credctl' \
    'execute from own state' 'execute from /tmp' 'execute from /var/tmp' 'execute from /dev/shm'; do
    by_sandbox "$attempt"
done
for attempt in 'privileges by exec' 'setuid file' 'user name space' 'mount name space' 'enter name space'; do by_sandbox "$attempt"; done
for attempt in 'setuid 0' 'setgid 0' setgroups mount 'bind mount' umount chroot module bpf perf io_uring userfaultfd keyring \
    clock 'host name' reboot swap 'real time' priority 'shared memory' 'lock memory'; do cannot "$attempt"; done

# Every path that it could write to, of all there are; /tmp and /var/tmp are its own.
writable=$(sed -n 's|^writable /|/|p' "$work/inside" |
    grep -vE '^/var/lib/credd(/|$)|^/(var/)?tmp$|^/dev/(tty|null|zero|full|u?random|pts/(ptmx|[0-9]+))$|/probe.service/memory.pressure$')
is "$writable" '' 'it can write nowhere but to its state, to terminals and to devices that keep nothing'
is "$(in_lab find /tmp /var/tmp -maxdepth 1 -user credd)" '' 'what it calls /tmp is not the one of the others'

# The way the test looks for it does see a violation.
EXTRA='SystemCallErrorNumber=' probe sharp >/dev/null
is "$(shows ExecMainStatus sharp.service)" 31 'with the sharp filter the first call too many is SIGSYS'

# --- On the bus: what polkit and the bus let user credd ask for

bus() { in_lab setpriv --reuid=credd --regid=credd --clear-groups busctl --timeout=20 --allow-interactive-authorization=no call "$@" 2>&1; }
login1='org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager'
systemd1='org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager'
# shellcheck disable=SC2086
{
    like "$(bus $login1 TerminateSession s nosuch)" 'No session' 'it can end sessions through logind'
    for call in 'PowerOff b false' 'Reboot b false' 'SetUserLinger ubb 1001 true false' 'FlushDevices b false' \
        'AttachDevice ssb seat0 /sys/devices/none false' 'SetWallMessage sb hello true'; do
        like "$(bus $login1 $call)" '[Dd]enied|authentication required|not permitted' "of logind, it cannot ask for ${call%% *}"
    done
    for call in 'StartUnit ss sleeper.service replace' 'StopUnit ss sleeper.service replace' 'Reload' \
        'StartTransientUnit ssa(sv)a(sa(sv)) evil.service fail 0 0' 'SetEnvironment as 1 A=B' 'KillUnit ssi sleeper.service all 9'; do
        like "$(bus $systemd1 $call)" '[Dd]enied|authentication required|not permitted' "of systemd, it cannot ask for ${call%% *}"
    done
}
is "$(shows ActiveState sleeper.service)" active 'and what it asked for was not done'

# --- A credd that says yes to everything

in_lab bash -c 'useradd -r -m -s /bin/bash sysop && echo "sysop:$1" | chpasswd && echo "root:$1" | chpasswd' sh "$LAB_PASSWORD"
in_lab sh -c 'echo "PermitRootLogin yes" >/etc/ssh/sshd_config.d/0.conf; systemctl reload ssh'
printf '%s\n' '[Service]' 'Type=simple' 'WatchdogSec=0' 'BindReadOnlyPaths=/usr/local/bin/yes-credd:/usr/sbin/credd' |
    write_file "$drop_ins/yes.conf" 0644
in_lab sh -c "systemctl daemon-reload; systemctl restart $service"
wait_until 20 in_lab pgrep -u credd
any=$token
said_yes() { in_lab journalctl -q -o cat --since "@$began" -u "$service" | grep -c "^yes to .*\"user\":\"$1\""; }
is "$(ssh_with alice "$any" password id -un | tail -n 1)" alice 'it can let in a user of its choice'
ok '  as it was asked' test "$(said_yes alice)" -gt 0
for user in root sysop daemon; do
    for secret in "$any" eph_0000000000000000000000000000000000000000; do
        unlike "$(ssh_with "$user" "$secret" password id -un)" "^$user\$" "but not $user, with a token"
    done
    unlike "$(ssh_with "$user" "$any" keyboard-interactive id -un)" "^$user\$" '  nor by keyboard-interactive'
    unlike "$(in_lab timeout 60 sh -c 'printf "%s\n" "$1" | pamtester login "$2" authenticate acct_mgmt open_session 2>&1' sh "$any" "$user")" \
        'successfully' '  nor through login'
    is "$(said_yes "$user")" 0 '  and it was not even asked'
done
is "$(ssh_with root "$LAB_PASSWORD" password id -un | tail -n 1)" root 'root comes in with the password'
is "$(ssh_with sysop "$LAB_PASSWORD" password id -un | tail -n 1)" sysop 'and so does a system user'
like "$(in_lab_as alice timeout 60 sh -c 'printf "%s\n" "$1" | su bob -c "id -un" 2>&1' sh "$any")" 'failure' \
    'and a service that is none of ours does not ask it'
in_lab sh -c "rm -r $drop_ins; systemctl daemon-reload; systemctl restart $service"
ok 'credd itself is back' wait_until 20 in_lab credctl status

plan

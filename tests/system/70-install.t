#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What an installation lays down and what it leaves alone; what credd may do while it runs, and how
# it takes a configuration with a mistake.
# shellcheck disable=SC2016,SC2317  # commands for the lab's shells; functions called by name

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=others.sh
. "$(dirname "$0")/others.sh"

service=credd.service
shows() { in_lab systemctl show -P "$1" "$service"; } # PROPERTY
main_pid() { shows MainPID; }

wait_until 10 in_lab credctl status
pid=$(main_pid)

# --- The files: mode, owner and path of each, as the system has them

module_dir=$(in_lab sh -c 'echo /usr/lib/*-linux-gnu/security')
declare -A wanted=(
    [/usr/sbin/credd]=755 [/usr/bin/credctl]=755 ["$module_dir/pam_ephemeral.so"]=644
    [/usr/lib/systemd/system/credd.service]=644 [/usr/lib/systemd/system/credd-login.socket]=644
    [/usr/lib/systemd/system/credd-admin.socket]=644 [/usr/lib/sysusers.d/credd.conf]=644
    [/usr/lib/systemd/system/credd-audit.service]=644 [/usr/lib/systemd/system/credd-audit.timer]=644
    [/usr/libexec/credd-audit-daily]=755 [/usr/libexec/credd-drill]=755
    [/usr/lib/systemd/system/credd-drill@.service]=644 [/usr/lib/systemd/system/credd-drill@.timer]=644
    [/usr/lib/tmpfiles.d/credd.conf]=644 [/usr/share/polkit-1/rules.d/50-credd.rules]=644
    [/usr/lib/systemd/catalog/credd.catalog]=644 [/usr/share/pam-configs/ephemeral]=644
    [/usr/share/bash-completion/completions/credctl]=644 [/usr/share/zsh/vendor-completions/_credctl]=644
    [/etc/credd]=755 [/etc/credd/credd.conf]=644 [/etc/credd/roles.d]=755
    [/usr/share/credd/io.credd.Admin.varlink]=644 [/usr/share/credd/io.credd.Login.varlink]=644
    [/usr/share/credd/org.varlink.service.varlink]=644
)
conf=/etc/credd/credd.conf
for path in "${!wanted[@]}"; do
    is "$(in_lab stat -c '%a %U:%G' "$path" 2>&1)" "${wanted[$path]} root:root" "$path"
done
is "$(in_lab find / -xdev \( -name '*credd*' -o -name 'pam_ephemeral*' -o -name credctl \) -type f -perm /6022)" '' \
    'none is setuid, setgid or writable by others'

# --- Where it listens and what it keeps

modes() { in_lab stat -c '%a %U:%G %F' "$1" 2>&1; } # PATH
is "$(modes /run/credd)" '755 root:root directory' '/run/credd is root'\''s'
is "$(modes /run/credd/io.credd.Login)" '600 root:root socket' 'the Login socket is for root alone'
is "$(modes /run/credd/io.credd.Admin)" '666 root:root socket' 'the Admin socket is for everybody'
is "$(modes /var/lib/credd)" '700 credd:credd directory' '/var/lib/credd is credd'\''s alone'
is "$(modes /var/lib/credd/key)" '600 credd:credd regular file' 'so is the key'
is "$(in_lab find /var/lib/credd -type f \( -perm /077 -o ! -user credd \))" '' 'and all else there'
is "$(in_lab getent passwd credd | cut -d: -f1,6-)" 'credd:/:/usr/sbin/nologin' 'user credd has no home and no shell'
is "$(in_lab getent shadow credd | cut -d: -f2 | tr -d '!*')" '' 'and no password'
is "$(in_lab getent group credd-admin | cut -d: -f1,4)" credd-admin: 'credd-admin is there, and empty'
is "$(in_lab ls -A /run/credd | sort | paste -sd' ')" 'io.credd.Admin io.credd.Login' 'nothing else is in /run/credd'

# --- What the process may do

in_lab cat "/proc/$pid/status" >"$work/status"
status_line() { sed -n "s/^$1:[[:space:]]*//p" "$work/status"; }
uid=$(in_lab id -u credd) gid=$(in_lab id -g credd) tty=$(in_lab sh -c 'getent group tty | cut -d: -f3')
is "$(status_line Uid)" "$uid"$'\t'"$uid"$'\t'"$uid"$'\t'"$uid" 'credd runs as user credd'
is "$(status_line Gid)" "$gid"$'\t'"$gid"$'\t'"$gid"$'\t'"$gid" 'and group credd'
is "$(status_line Groups | tr ' ' '\n' | sort -n | sed '/^$/d' | paste -sd,)" \
    "$(printf '%s\n' "$tty" "$gid" | sort -n | paste -sd,)" 'and in group tty, and in no other'
for set in CapEff CapPrm CapBnd; do
    is "$(status_line "$set")" 0000000000000020 "$set is CAP_KILL alone"
done
is "$(status_line NoNewPrivs)" 1 'it gains no privileges'
is "$(status_line Seccomp)" 2 'its system calls are filtered'
is "$(in_lab sed -n 's/^Max core file size *\([^ ]*\) *\([^ ]*\).*/\1 \2/p' "/proc/$pid/limits")" '0 0' \
    'it leaves no core file'
is "$(in_lab stat -c %U "/proc/$pid/environ")" root 'its memory is closed to processes of its own user'
is "$(in_lab nsenter -t "$pid" -n ip -o link show | grep -vc ' lo:')" 0 'it sees no network'
is "$(shows Restart)" always 'it is always started again'
is "$(shows StartLimitIntervalUSec)" 0 'however often'
for socket in credd-login.socket credd-admin.socket; do
    is "$(in_lab systemctl show -P TriggerLimitIntervalUSec "$socket")" 0 "$socket has no trigger limit"
done
is "$(shows LogRateLimitIntervalUSec)" 0 'its journal entries are not limited'

like "$(shows StatusText)" . "it tells systemd how it is: $(shows StatusText)"
like "$(shows WatchdogUSec)" '^[0-9]+(s|min)' 'it is watched'
like "$(shows WatchdogTimestamp)" 20 'and has reported to the watchdog'
is "$(shows Type)-$(shows NotifyAccess)" notify-main 'it says when it is ready'

# --- What others see of the module

symbols=$(readelf --dyn-syms --wide "$source_dir/build/pam_ephemeral/pam_ephemeral.so" 2>/dev/null |
    awk '$7 != "UND" && $8 != "" && $1 ~ /^[0-9]+:$/ && $5 != "LOCAL" { print $8 }' | sed 's/@.*//' | sort)
if [[ $symbols ]]; then
    is "$(paste -sd' ' <<<"$symbols")" \
        'pam_sm_acct_mgmt pam_sm_authenticate pam_sm_chauthtok pam_sm_close_session pam_sm_open_session pam_sm_setcred' \
        'the module exports pam_sm_* and nothing else'
else
    skip 'there is no readelf here' 'the module exports pam_sm_* and nothing else'
fi
is "$(in_lab ldd "$module_dir/pam_ephemeral.so" | awk '{ print $1 }' | grep -vE '^(linux-vdso|libpam|libc|libaudit|libcap-ng|/lib)' | paste -sd' ')" \
    '' 'it is linked with libpam and libc alone'

# --- PAM as it was

profile() { in_lab env DEBIAN_FRONTEND=noninteractive pam-auth-update "$@"; }
ready_others
profile --package --remove ephemeral
pam_files >"$work/pam.before"
is "$(in_lab grep -rl pam_ephemeral /etc/pam.d)" '' 'without the profile no PAM file names the module'
profile --enable ephemeral
pam_files >"$work/pam.with"
is "$(diff "$work/pam.before" "$work/pam.with" | sed -n 's/^> .*  //p' | paste -sd' ')" \
    'common-account common-auth common-session' 'with it those three do that a login reads'
is "$(in_lab grep -c pam_ephemeral /etc/pam.d/common-session-noninteractive)" 0 'cron and the like open no session with it'
# What the unit tests and `make fault` take for the stacks of this release is what pam-auth-update wrote just now.
release=$(in_lab sh -c '. /etc/os-release; echo "$VERSION_CODENAME"')
without_comments() { sed '/^#/d; /^$/d'; }
for part in auth account password session; do
    is "$(in_lab cat "/etc/pam.d/common-$part" | without_comments)" \
        "$(without_comments <"$system_dir/../unit/stacks/$release/common-$part")" \
        "common-$part is the one that the other tests know, on $release"
done
profile --enable ephemeral
pam_files >"$work/pam.again"
ok 'enabling it twice changes nothing more' cmp "$work/pam.with" "$work/pam.again"

# --- Services that are not ours behave as ever, with the profile and without

profile_of_others >"$work/others.with"
asked=$(status_of_credd logins_asked)
in_lab systemctl stop credd-login.socket credd-admin.socket "$service"
profile_of_others >"$work/others.stopped"
in_lab systemctl start credd-login.socket credd-admin.socket "$service"
wait_until 10 in_lab credctl status
profile --package --remove ephemeral
profile_of_others >"$work/others.without"
ok 'su, sudo, cron and passwords with the profile as without it' diff "$work/others.without" "$work/others.with"
ok 'and with credd stopped' diff "$work/others.without" "$work/others.stopped"
is "$asked" "$(status_of_credd logins_asked)" 'credd was asked nothing of it'
like "$(cat "$work/others.with")" $'\nssh: in\n' 'and a password logs in over SSH'
like "$(cat "$work/others.with")" 'sudo, password: Password: pamtester: successfully authenticated' 'as it does with sudo'

pam_files >"$work/pam.after"
ok 'removing the profile leaves every PAM file byte for byte as it was' cmp "$work/pam.before" "$work/pam.after"
profile --enable ephemeral

# --- The catalog

token=$(issue_token alice)
wait_for_event "$(id_of "$token")" credential-issued
explained=$(in_lab journalctl --no-pager -q -x "CREDD_CREDENTIAL=$(id_of "$token")")
like "$explained" "Subject: Credential $(id_of "$token") issued for alice" 'journalctl -x explains an entry'
like "$explained" "credctl revoke $(id_of "$token")" 'and says what can be done'
explained=$(in_lab journalctl --no-pager -q -x CREDD_EVENT=daemon-started | tail -n 40)
like "$explained" 'Defined-By: credd' 'the start of the daemon is explained too'
unlike "$(in_lab journalctl --no-pager -q -x "_UID=$uid" CREDD_SEQ=1)" '@[A-Z_]+@' 'nothing in it is left to be filled in'
in_lab journalctl --sync
in_lab journalctl -q -o json --no-pager "_UID=$uid" >"$work/journal"
seen=$(jq -r 'select(.CREDD_EVENT) | .MESSAGE_ID' <"$work/journal" | sort -u)
known=$(in_lab journalctl --list-catalog | cut -d' ' -f1 | sort -u)
is "$(comm -23 <(echo "$seen") <(echo "$known"))" '' 'every event that this lab has seen is in the catalog'

# --- A configuration with a mistake

in_lab cat "$conf" >"$work/credd.conf"
pid=$(main_pid)
ok 'credd --check finds no mistake in what is installed' in_lab credd --check
configure MaxTTL=2h
like "$(in_lab credctl issue --user alice --ttl 3h 2>&1)" 'at most 2h' 'a reload takes a new limit'
is "$(main_pid)" "$pid" 'without a restart'

refuses() { # DESCRIPTION PATTERN, the file on stdin
    write_file "$conf" 0644
    out=$(in_lab credd --check 2>&1)
    is $? 1 "$1: credd --check fails"
    like "$out" "^$conf:$2" "$1: it names file, line and key"
    is "$(wc -l <<<"$out")" "${3:-1}" "$1: one line a mistake"
    reload_credd
    event=$(credd_journal CREDD_EVENT=config-refused | tail -n 1)
    like "$(jq -r .CREDD_REASON <<<"$event")" "$conf:$2" "$1: so does the journal"
    is "$(jq -r .PRIORITY <<<"$event")" 3 "$1: as an error"
    like "$(in_lab credctl issue --user alice --ttl 3h 2>&1)" 'at most 2h' "$1: what was in effect stays"
}
refuses 'no length of time' '3: DefaultTTL: ' <<'CONF'
[Credd]
MaxTTL=9h
DefaultTTL=banana
CONF
refuses 'a key that is none' '2: MaxTtl: ' <<'CONF'
[Credd]
MaxTtl=9h
CONF
refuses 'a section that is none' '3: \[Roles\]: ' <<'CONF'
[Credd]
MaxTTL=9h
[Roles]
CONF
refuses 'two mistakes' '2: DefaultTTL: .*'$'\n'"$conf:3: ReasonRequired: " 2 <<'CONF'
[Credd]
DefaultTTL=
ReasonRequired=perhaps
CONF
refuses 'limits out of order' '[0-9]+: (MaxTTL|DefaultTTL): ' <<'CONF'
[Credd]
DefaultTTL=10h
MaxTTL=9h
CONF
printf '[Credd]\nMaxTTL=9h\n' | write_file "$conf" 0666
out=$(in_lab credd --check 2>&1)
is $? 1 'a file that others may write: credd --check fails'
like "$out" "^$conf: .*writable" 'and says why'
write_file "$conf" 0644 <"$work/credd.conf"
in_lab chown alice "$conf"
like "$(in_lab credd --check 2>&1)" "^$conf: .*uid 1001" 'a file that is not root'\''s is refused'
in_lab chown root "$conf"
reload_credd
is "$(main_pid)" "$pid" 'after all of that it is the same process'
ok 'and takes the right file again' in_lab credctl issue --user alice --ttl 3h

# A restart with a mistake: it does not come up on half of a configuration, and comes up by itself
# as soon as the file is right.
printf '[Credd]\nMaxTTL=banana\n' | write_file "$conf" 0644
in_lab systemctl --no-block restart "$service"
tried_again() { (($(shows NRestarts) >= 2)); }
wait_until 20 tried_again
isnt "$(shows ActiveState)" active 'it does not start with a mistake'
write_file "$conf" 0644 <"$work/credd.conf"
ok 'and starts by itself once the file is right' wait_until 20 in_lab credctl status

# --- A tree of its own: all that is installed is in the list above, or is there to be read

if [[ -n ${SYSTEM_TREE:-} ]]; then
    laid=$(cd "$SYSTEM_TREE" && find . -type f -printf '/%P\n' | grep -vE '^/usr/share/(man/man[1-8]|doc/credd)/' | sort)
    is "$laid" "$(printf '%s\n' "${!wanted[@]}" | grep -vxE '/etc/credd(/roles\.d)?' | sort)" 'make install lays down these files and no others'
    cp -a "$SYSTEM_TREE" "$work/tree"
    installer() { (cd "$source_dir" && DESTDIR="$work/tree" PAMDIR="$module_dir" packaging/install-files "$1"); }
    echo '# the admin was here' >>"$work/tree$conf"
    ok 'installing again' installer install
    is "$(tail -n 1 "$work/tree$conf")" '# the admin was here' 'leaves the configuration as the admin has it'
    ok 'uninstalling' installer uninstall
    is "$(cd "$work/tree" && find . -type f -printf '/%P\n')" "$conf" 'leaves the configuration alone'
else
    skip 'not started by tests/system/run' 'make install lays down these files and no others'
fi

# --- Removal from a running system: first PAM, then the module

tar -C "$source_dir" -cf - packaging common LICENSE doc 2>/dev/null | write_file /root/source.tar 0600
in_lab sh -c 'mkdir -p /root/source && tar -C /root/source -xf /root/source.tar'
removal() { in_lab env PAMDIR="$module_dir" sh /root/source/packaging/install-files uninstall; }
in_lab sh -c 'echo "auth optional pam_ephemeral.so" >/etc/pam.d/odd'
not_ok 'while a PAM file of the admin names the module, nothing is removed' removal
like "$(removal 2>&1)" '/etc/pam.d/odd' 'and that file is named'
ok 'credctl is still there' in_lab credctl --version
is "$(in_lab grep -l pam_ephemeral /etc/pam.d -r)" /etc/pam.d/odd 'the profile is not in use any more'
in_lab rm /etc/pam.d/odd
ok 'without it credd is removed' removal
pam_files >"$work/pam.removed"
ok 'every PAM file is as it was before' cmp "$work/pam.before" "$work/pam.removed"
left=$(for path in "${!wanted[@]}"; do [[ $path == /etc/* ]] || echo "$path"; done | sort)
# shellcheck disable=SC2086
is "$(in_lab ls -d $left 2>/dev/null)" '' 'none of the files is left'
is "$(in_lab systemctl list-unit-files --no-legend 'credd*' 2>/dev/null)" '' 'nor a unit'
# the lab has a drop-in of its own
is "$(in_lab find /etc/systemd /run/credd -name '*credd*' -not -name credd.service.d 2>/dev/null)" '' 'nor a link to one, nor a socket'
not_ok 'nor the process' in_lab pgrep -u credd
is "$(modes /var/lib/credd/key)" '600 credd:credd regular file' 'what is its record stays'
ok 'and the configuration' in_lab test -e "$conf"
is "$(ssh_with alice "$LAB_PASSWORD" password echo in)" in 'and a password logs in'

plan

#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The Debian packages, by apt, on a system that has never seen credd: installed, upgraded, removed, put
# back, purged, without a file edited. All the while somebody logs in with a password, again and again.
# lab: bare
# shellcheck disable=SC2016,SC2317  # commands for the lab's shells; functions called by name

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=others.sh
. "$(dirname "$0")/others.sh"

release=$(in_lab sh -c '. /etc/os-release; echo "$VERSION_CODENAME"')
packages=$source_dir/build/deb/$release
version=$(<"$source_dir/VERSION") again=$(<"$source_dir/VERSION")+again

if ! compgen -G "$packages/$again/*.deb" >/dev/null; then
    echo "Bail out! no packages; packaging/build-deb --also $again $release makes them"
    exit 1
fi

# --- apt, and what it says

tar -C "$packages" -cf - . | "$source_dir/tests/lab/lab" run "$LAB" tar -C /srv -xf -

apt() { # WORD...
    in_lab env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" >"$work/apt" 2>&1
}
apt_ok() { # DESCRIPTION WORD...
    local status=0
    phase "$1"
    apt "${@:2}" || status=$?
    phase 'between two operations'
    tap_result "$status" "$1" "$(tail -n 30 "$work/apt")"
}
# shellcheck disable=SC2046  # one word a package
install_ok() { # DESCRIPTION FOLDER
    apt_ok "$1" install --reinstall $(in_lab sh -c "echo $2/*.deb")
}
installed() { in_lab dpkg-query -W -f '${db:Status-Status} ${Version}' "$1" 2>/dev/null; } # PACKAGE

# --- Somebody who logs in all the time, and says when it did not work

# Without a pause while something is done to the packages; the rest of the time it is enough to look in.
log_in_forever() { # USER PASSWORD; what was going on stands in /run/phase
    local method=password out
    while [ ! -e /run/enough ]; do
        out=$(timeout 60 sshpass -p "$2" ssh -o NumberOfPasswordPrompts=1 -o ConnectTimeout=20 \
            -o PreferredAuthentications="$method" "$1@127.0.0.1" echo in 2>&1 </dev/null)
        [ "$out" = in ] && echo in || echo "refused, $method, $(cat /run/phase): $out"
        [ "$method" = password ] && method=keyboard-interactive || method=password
        case $(cat /run/phase) in between*) sleep 2 ;; *) sleep 0.1 ;; esac
    done
}
phase() { in_lab sh -c 'echo "$1" >/run/phase' sh "$1"; }

# --- The system as it was: without what the packages are to bring along, for apt to find it

new_users dora emil fay gus hal ida jan
ready_others
in_lab sh -euc '
    apt-get -q -y purge --autoremove polkitd libsodium23 libjansson4 libinih1
    rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*
    echo "deb [trusted=yes] file:/srv/packages ./" >/etc/apt/sources.list.d/lab.list
    apt-get -q update' >"$work/apt" 2>&1 || diag "$(cat "$work/apt")"
is "$(in_lab sh -c 'find /usr/lib /usr/sbin -name "libsodium*" -o -name "libjansson*" -o -name "libinih.*" -o -name polkitd')" '' \
    'the system lacks what credd depends on'
pam_files >"$work/pam.before"
profile_of_others >"$work/others.before"

phase 'before it all'
guest log_in_forever log_in_forever bob "$LAB_PASSWORD" >"$work/logins" 2>&1 &
logins=$!
start_session standing alice "$LAB_PASSWORD" password 'echo ready; sleep 3600'
wait_until 20 is_ready standing || diag 'no open password session'
stands() { in_lab pgrep -u alice -x sleep >/dev/null && [[ ! -e $work/standing.status ]]; }
token_session_stands() { # USER DESCRIPTION
    ok "$2" in_lab pgrep -u "$1" -x sleep
}
password_session_stands() { # DESCRIPTION
    ok "the password session that is open survives $1" stands
}

# --- Installed

install_ok "apt-get install ./*.deb" /srv
is "$(installed credd), $(installed libpam-ephemeral)" "installed $version, installed $version" 'both packages are in place'
is "$(in_lab dpkg --verify credd libpam-ephemeral)" '' 'as they were packed'
units='credd.service credd-login.socket credd-admin.socket credd-audit.timer'
# shellcheck disable=SC2086
is "$(in_lab systemctl is-enabled $units | sort -u)" enabled 'daemon, sockets and the daily report are enabled'
# shellcheck disable=SC2086
is "$(in_lab systemctl is-active $units | sort -u)" active 'and run'
is "$(in_lab stat -c '%a %U:%G' /var/lib/credd /run/credd/io.credd.Login | paste -sd' ')" '700 credd:credd 600 root:root' \
    'the state is credd'\''s, the socket root'\''s'
pam_files >"$work/pam.with"
is "$(diff "$work/pam.before" "$work/pam.with" | sed -n 's/^> .*  //p' | paste -sd' ')" \
    'common-account common-auth common-session' 'those PAM files have changed that a login reads, and no others'
doctor=$(in_lab credctl doctor 2>&1)
is $? 0 'credctl doctor finds no error'
unlike "$doctor" $'(^|\n) *error' 'nor names one' || diag "$doctor"
like "$(in_lab journalctl -q -x --no-pager -n 40 CREDD_EVENT=daemon-started)" 'Defined-By: credd' 'journalctl -x knows its events'
profile_of_others >"$work/others.with"
ok 'su, sudo, polkit, chsh, a locker, cron, root, passwords and keys are as before' diff "$work/others.before" "$work/others.with"

# --- A token, from its issue to the audit

token=$(issue_token dora --ttl 10min)
is "$(ssh_with dora "$token" password 'echo in; exit' | tr -d '\r' | grep -x in)" in 'a token logs in over SSH'
token=$(issue_token dora --ttl 10min)
is "$(ssh_with dora "$token" keyboard-interactive 'echo in; exit' | tr -d '\r' | grep -x in)" in 'where it is asked for, too'
write_console
token=$(issue_token dora --ttl 10min)
like "$(console dora "$token" 'echo "in: $CREDD_CREDENTIAL"; exit')" "in: $(id_of "$token")" 'and at the console'
open dora 12s 'echo ready; sleep 600'
wait_ready dora
expired=${ids[dora]}
wait_for_receipt "$expired"
is "$(show_of "$expired" '.state + " " + .receipt.verdict')" 'expired confirmed' 'a session ends at its deadline, with a receipt'
is "$(processes_of dora)" '' 'and nothing of it is left'
audit=$(in_lab credctl audit 2>&1)
is $? 0 'credctl audit reports'
like "$audit" "$expired" 'it names that credential'

# --- Without credd, and with an option that is wrong: the others take no notice

# shellcheck disable=SC2086
in_lab systemctl stop credd-login.socket credd-admin.socket credd.service
profile_of_others >"$work/others.away"
in_lab systemctl start credd-login.socket credd-admin.socket credd.service
ok 'with credd away all that is no token is as before' diff "$work/others.before" "$work/others.away"
wait_until 20 in_lab credctl status

# A session of those who log in meanwhile would be refused, as it should be: they stop for a while.
in_lab sh -c 'touch /run/enough'
wait "$logins"
in_lab sed -i '/pam_ephemeral/s/$/ timeuot=5s/' /etc/pam.d/common-auth /etc/pam.d/common-account /etc/pam.d/common-session
services_of_others >"$work/services.misspelt"
in_lab sed -i '/pam_ephemeral/s/ timeuot=5s$//' /etc/pam.d/common-auth /etc/pam.d/common-account /etc/pam.d/common-session
ok 'with a misspelt option services that are not ours are as before' \
    diff <(grep -v ^ssh "$work/others.before") "$work/services.misspelt"
pam_files >"$work/pam.again"
ok 'the PAM files are those of the installation' cmp "$work/pam.with" "$work/pam.again"
in_lab rm /run/enough
guest log_in_forever log_in_forever bob "$LAB_PASSWORD" >>"$work/logins" 2>&1 &
logins=$!

# --- Upgraded, with a token session open

open emil 100s 'echo ready; sleep 600'
wait_ready emil
pid=$(pid_of_credd)
in_lab sh -c 'echo "# the admin was here" >>/etc/credd/credd.conf'
install_ok 'an upgrade' "/srv/$again"
is "$(installed credd), $(installed libpam-ephemeral)" "installed $again, installed $again" 'both packages are new'
isnt "$(pid_of_credd)" "$pid" 'the daemon is, too'
wait_until 20 in_lab credctl status
is "$(in_lab tail -n 1 /etc/credd/credd.conf)" '# the admin was here' 'the configuration is the admin'\''s'
ok 'the token session is found again' has_session "${ids[emil]}"
ok 'and goes on' in_lab pgrep -u emil -x sleep
is "$(show_of "$expired" .state)" expired 'the record is kept'
pam_files >"$work/pam.again"
ok 'the PAM files are as they were' cmp "$work/pam.with" "$work/pam.again"
password_session_stands 'the upgrade'
in_lab env DEBIAN_FRONTEND=noninteractive pam-auth-update --disable ephemeral
install_ok 'the same once more' "/srv/$again"
is "$(in_lab grep -l pam_ephemeral -r /etc/pam.d)" '' 'who has disabled the profile keeps it so'
in_lab env DEBIAN_FRONTEND=noninteractive pam-auth-update --enable ephemeral
wait_for_receipt "${ids[emil]}" 120
is "$(verdict_of "${ids[emil]}")" confirmed 'the token session has lasted until its deadline, and not longer'

# --- Removed, with token sessions open: one that ends meanwhile, one that sees all that follows

open hal 1h 'echo ready; sleep 3600'
open fay 40s 'echo ready; sleep 600'
wait_ready hal fay
deadline=$(show_of "${ids[fay]}" '.sessions[0].deadline_usec')
apt_ok 'apt-get remove' remove credd libpam-ephemeral
gone_after fay "$deadline" >"$work/gone" &
looking=$!
like "$(cat "$work/apt")" 'open sessions of credentials: 2' 'it says that sessions are open'
pam_files >"$work/pam.removed"
ok 'every PAM file is byte for byte as before the installation' cmp "$work/pam.before" "$work/pam.removed"
is "$(in_lab systemctl list-units --all --plain --no-legend 'credd*' | grep -v not-found)" '' 'no unit is left'
not_ok 'nor a process of credd' in_lab pgrep -u credd
(($(now_usec) > deadline)) || token_session_stands fay 'the token session goes on'
token_session_stands hal 'the other one does'
password_session_stands 'the removal'
profile_of_others >"$work/others.removed"
ok 'all others are as before' diff "$work/others.before" "$work/others.removed"
wait "$looking"
at_most "$(<"$work/gone")" 120000 "without credd, systemd ends the token session, $(<"$work/gone") ms after its deadline"
ok 'the record stays' in_lab test -s /var/lib/credd/key

# --- Put back

install_ok 'apt-get install once more' /srv
wait_until 20 in_lab credctl status
pam_files >"$work/pam.again"
ok 'the PAM files are those of the first installation' cmp "$work/pam.with" "$work/pam.again"
is "$(show_of "$expired" '.receipt.verdict')" confirmed 'credd remembers what was'
ok 'the session that is still open is found again' has_session "${ids[hal]}"
token_session_stands hal 'and goes on'
wait_for_receipt "${ids[fay]}"
like "$(receipt_of "${ids[fay]}" .verdict)" . "and writes the receipt of the session that ended meanwhile: $(receipt_of "${ids[fay]}" .verdict)"
verified=$(in_lab credctl verify 2>&1)
is $? 0 'record and journal agree' || diag "$verified"
token=$(issue_token gus)
is "$(ssh_with gus "$token" password 'echo in; exit' | tr -d '\r' | grep -x in)" in 'a token logs in'

# --- Another package takes credd's place: dpkg takes ours apart by itself

in_lab sh -euc '
    mkdir -p /root/other/DEBIAN
    printf "%s\n" "Package: other" "Version: 1" "Architecture: all" "Maintainer: root <root@localhost>" \
        "Conflicts: credd" "Replaces: credd" "Description: takes the place of credd" >/root/other/DEBIAN/control
    dpkg-deb -b /root/other /root/other.deb' >/dev/null
phase 'deconfiguration'
in_lab env DEBIAN_FRONTEND=noninteractive dpkg --auto-deconfigure -i /root/other.deb >"$work/apt" 2>&1
is "$(installed other)" 'installed 1' 'dpkg puts another package in the place of credd' || diag "$(cat "$work/apt")"
isnt "$(installed libpam-ephemeral)" "installed $version" 'libpam-ephemeral is not configured any more'
pam_files >"$work/pam.again"
ok 'the PAM files do not name the module' cmp "$work/pam.before" "$work/pam.again"
ok 'nor after its removal' in_lab dpkg -r libpam-ephemeral other
pam_files >"$work/pam.again"
ok 'the PAM files are as before' cmp "$work/pam.before" "$work/pam.again"

# --- Unpacked and never configured: dpkg runs no prerm

in_lab cp /etc/pam.d/common-auth /root/common-auth.before
in_lab sh -c 'dpkg -i /srv/*.deb && dpkg --unpack /srv/libpam-ephemeral_*.deb && dpkg -r libpam-ephemeral' >"$work/apt" 2>&1
pam_files >"$work/pam.again"
ok 'a package that is only unpacked leaves no line behind' cmp "$work/pam.before" "$work/pam.again" || diag "$(cat "$work/apt")"
install_ok 'apt-get install' /srv

# --- What the admin wrote into the stacks

in_lab sh -c 'echo "auth	optional	pam_faildelay.so delay=0" >>/etc/pam.d/common-auth'
apt_ok 'a line of the admin'\''s below the managed part: removal' remove libpam-ephemeral
is "$(in_lab grep -c pam_ephemeral /etc/pam.d/common-auth)-$(in_lab tail -n 1 /etc/pam.d/common-auth)" \
    '0-auth	optional	pam_faildelay.so delay=0' 'takes ours, and leaves that one'
in_lab sed -i '$d' /etc/pam.d/common-auth

# Above ours, because one in between would make its jump one line short.
edit_stack() { in_lab sed -i '0,/^auth/s//auth	optional	pam_faildelay.so delay=1\n&/' /etc/pam.d/common-auth; }
edit_stack
pam_files >"$work/pam.local"
install_ok 'a line inside it: installation' /srv
pam_files >"$work/pam.again"
ok 'leaves all as the admin has it' cmp "$work/pam.local" "$work/pam.again"
like "$(cat "$work/apt")" 'Local modifications' 'and says so'
in_lab credctl doctor >"$work/doctor" 2>&1
is $? 5 'credctl doctor says that tokens log nobody in'
is "$(ssh_with alice "$LAB_PASSWORD" password echo in)" in 'a password does'
apt_ok 'removal' remove libpam-ephemeral
pam_files >"$work/pam.again"
ok 'leaves it so, too' cmp "$work/pam.local" "$work/pam.again"
in_lab sed -i '/pam_faildelay.so delay=1/d' /etc/pam.d/common-auth
pam_files >"$work/pam.again"
ok '(that was all)' cmp "$work/pam.before" "$work/pam.again"

install_ok 'apt-get install' /srv
edit_stack
phase 'a removal that must not be'
apt remove libpam-ephemeral && removed=0 || removed=1
is "$removed" 1 'a line inside it after the installation: our lines cannot be taken out, and nothing is removed'
like "$(cat "$work/apt")" '/etc/pam.d/common-auth' 'the file is named'
is "$(ssh_with alice "$LAB_PASSWORD" password echo in)" in 'a password logs in'
in_lab sed -i '/pam_faildelay.so delay=1/d' /etc/pam.d/common-auth

# --- Purged, with token sessions open, put back on an empty host, and purged

token_session_stands hal 'the token session has gone through all of this'
open ida 60s 'echo ready; sleep 600'
wait_ready ida
deadline=$(show_of "${ids[ida]}" '.sessions[0].deadline_usec')
old=$(issue_token jan --ttl 1h)
apt_ok 'apt-get purge' purge credd libpam-ephemeral
gone_after ida "$deadline" >"$work/gone" &
looking=$!
(($(now_usec) > deadline)) || token_session_stands ida 'a token session goes on after the purge'
token_session_stands hal 'and so does the other one'
is "$(in_lab ls -d /var/lib/credd /etc/credd 2>/dev/null)" '' 'record and configuration are gone'
install_ok 'apt-get install after the purge' /srv
wait_until 20 in_lab credctl status
pam_files >"$work/pam.again"
ok 'the PAM files are those of the first installation' cmp "$work/pam.with" "$work/pam.again"
is "$(in_lab credctl list --all --json | jq '.credentials | length')" 0 'the record begins anew'
ok 'credctl doctor finds no error' in_lab credctl doctor
like "$(ssh_with jan "$old" password 'echo in; exit')" 'Permission denied' 'a token of before the purge logs nobody in'
token=$(issue_token jan)
is "$(ssh_with jan "$token" password 'echo in; exit' | tr -d '\r' | grep -x in)" in 'a new one does'
wait "$looking"
at_most "$(<"$work/gone")" 120000 "the token session ended by systemd, $(<"$work/gone") ms after its deadline"
apt_ok 'apt-get purge once more' purge credd libpam-ephemeral
pam_files >"$work/pam.again"
ok 'every PAM file is byte for byte as before the installation' cmp "$work/pam.before" "$work/pam.again"
is "$(in_lab find / -xdev \( -path /proc -o -path /sys -o -path /srv -o -path /root \) -prune -o \
    \( -name '*credd*' -o -name '*credctl*' -o -name '*pam[_-]ephemeral*' -o -name ephemeral \) -print | grep -vxF -e /etc/systemd/system/credd.service.d)" '' \
    'no file of credd is left, no state, no configuration, no link' # but the lab's drop-in
is "$(in_lab getent passwd credd | cut -d: -f1) $(in_lab getent group credd-admin | cut -d: -f1)" 'credd credd-admin' \
    'user and group stay: files and journal entries elsewhere may bear their numbers'
token_session_stands hal 'a token session whose time is not over survives all of it'
password_session_stands 'all of it'

# --- The one who logged in all the time

in_lab touch /run/enough
wait "$logins"
diag "$(grep -c '^in$' "$work/logins") logins with a password meanwhile"
at_most 20 "$(grep -c '^in$' "$work/logins")" 'somebody logged in with a password all the time'
is "$(grep -v '^in$' "$work/logins")" '' 'and was never refused'

# --- The same files as those of make install

list_packed() { # PACKAGE-FILE...: mode and path of each file; /lib is /usr/lib
    local package
    for package; do
        dpkg-deb --fsys-tarfile "$package" | tar -tvf - |
            sed -nE 's|^-([rwx-]{9}) .* \./(usr/)?(.*)$|\1 /\2\3|p' | sed 's| /lib/| /usr/lib/|; s|\.gz$||'
    done
}
list_laid() { (cd "$1" && find . -type f -printf '%M /%P\n' | sed 's/^-//'); } # TREE
if [[ -n ${SYSTEM_TREE:-} ]]; then
    of_debian='/usr/share/(doc/(credd|libpam-ephemeral)/(changelog|copyright)|lintian/overrides/.*)$'
    ok 'the packages hold what make install lays down, with the same modes, and nothing else' \
        diff <(list_laid "$SYSTEM_TREE" | grep -v '/doc/credd/LICENSE$' | sort) \
        <(list_packed "$packages"/*.deb | grep -vE "$of_debian" | sort)
else
    skip 'not started by tests/system/run' 'the packages hold what make install lays down'
fi

plan

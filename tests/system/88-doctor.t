#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# credctl doctor: a sound host is found sound; then one thing after the other is broken, named with
# what to do about it, and mended.
# shellcheck disable=SC2016,SC2317  # commands for the lab's shells; functions called by name

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# Sets out, err, findings (CHECK LEVEL FINDING / MEND, a line each) and status.
examine() { # [USER]
    status=0
    if (($# > 0)); then
        out=$(in_lab_as "$1" credctl doctor --output json 2>"$work/err") || status=$?
    else
        out=$(in_lab credctl doctor --output json 2>"$work/err") || status=$?
    fi
    err=$(cat "$work/err")
    findings=$(jq -r '.checks[] | "\(.check) \(.level) \(.finding) / \(.mend)"' <<<"$out")
}

# Nothing is an error, which is all the exit status tells.
sound() { # WHEN
    examine
    is "$status" 0 "$1: exit status 0"
    is "$(grep -E '^[^ ]+ error ' <<<"$findings")" '' "$1: no error"
}

named() { grep -qE "$1" <<<"$findings"; } # REGEX
says() { # REGEX DESCRIPTION
    local result=0
    named "$1" || result=1
    tap_result "$result" "$2" "not like: $1" "$findings"
}

# It is named with what to do.
finds() { # STATUS "CHECK LEVEL" FINDING MEND WHAT; FINDING and MEND are regular expressions
    examine
    is "$status" "$1" "$5: exit status $1"
    says "^$2 .*($3).* / .*($4)" "$5: named, with what to do"
}

edit() { in_lab sh -c 'cp -p "$1" "/root/kept" && sed -i "$2" "$1"' sh "$1" "$2"; } # FILE SED
put_back() { in_lab cp -p /root/kept "$1"; }                                     # FILE

wait_until 10 in_lab credctl status

# --- A host as it should be

sound 'as installed'
is "$err" '' 'nothing is on standard error'
is "$(jq .schema <<<"$out")" 1 'JSON has its schema'
is "$(jq -r '.checks[] | keys | join(" ")' <<<"$out" | sort -u)" 'check finding level mend' \
    'and of each finding these four'
is "$(jq -r '[.checks[].check] | unique | length' <<<"$out")" 15 'each check says something'
is "$(jq -r '.checks[] | select(.level != "ok" and .mend == null) | .finding' <<<"$out")" '' \
    'each finding says what to do'
for check in daemon version state polkit logind pam-sshd pam-login pam-files sshd nss users journal; do
    says "^$check ok " "$check is well"
done
synchronised=$(in_lab timedatectl show -p NTPSynchronized --value)
case $synchronised in
    yes) says '^clock ok ' 'the clock is synchronised, as timedatectl says' ;;
    *) says '^clock warning .*not synchronised.* / .*set-ntp' 'the clock is not, as timedatectl says' ;;
esac
out=$(in_lab credctl doctor)
like "$out" '(^|'$'\n'')ok      polkit    ' 'for people: a line a check'
like "$out" $'\n''                  mend: ' 'and below it what to do'
unlike "$(in_lab credctl doctor -q)" '(^|'$'\n'')(ok|note) ' '-q shows what is wrong and nothing else'
wide=$(in_lab script -qec 'stty cols 80; credctl doctor' /dev/null | tr -d '\r' | sed 's/\x1b\[[0-9;]*m//g' | awk 'length > 80')
is "$wide" '' 'on a terminal every line has 80 columns at most'

# --- Without root

examine alice
is "$status" 0 'as anybody: exit status 0'
says '^polkit note not looked at.* / run this as root' 'what cannot be seen is said'
says '^sshd note not looked at' 'sshd -T, too'
says '^users note not looked at' 'and the users'
says '^pam-sshd ok ' 'PAM files are for all to read'

# --- Without credd

in_lab systemctl stop credd-login.socket credd-admin.socket credd.service
finds 5 'daemon error' 'credd.service is inactive' 'systemctl enable --now' 'credd stopped'
says '^daemon error .*does not answer' 'that it does not answer, too'
says '^daemon error .*no socket at /run/credd/io.credd.Login' 'and that its socket is away'
says '^polkit note not looked at' 'polkit cannot be asked'
says '^pam-sshd ok ' 'the rest is looked at'
is "$err" '' 'nothing is on standard error'
examine alice
is "$status" 5 'as anybody, too'
in_lab systemctl start credd-login.socket credd-admin.socket credd.service
wait_until 10 in_lab credctl status
sound 'credd started'
in_lab systemctl --quiet disable credd-login.socket
finds 0 'daemon warning' 'credd-login.socket is disabled' 'systemctl enable' 'a socket disabled'
in_lab systemctl --quiet enable credd-login.socket
in_lab credctl freeze
finds 0 'daemon note' 'is frozen' 'credctl thaw' 'a frozen host'
in_lab credctl thaw
in_lab sh -c 'cp -p /usr/sbin/credd /usr/sbin/credd.new && mv -f /usr/sbin/credd.new /usr/sbin/credd'
finds 0 'version warning' 'not run from the installed file' 'systemctl restart credd' 'a credd installed anew'
in_lab sh -c 'mv /usr/sbin/credd /usr/sbin/credd.kept && printf "#!/bin/sh\necho credd 9.9\n" >/usr/sbin/credd && chmod 0755 /usr/sbin/credd'
finds 0 'version warning' 'credctl is [0-9.]+, but /usr/sbin/credd is 9.9' 'install both from one version' 'a credd of another version'
says '^version warning .*credd [0-9.]+ runs, but 9.9 is installed.* / .*systemctl restart credd' 'and that another one runs'
in_lab sh -c 'mv -f /usr/sbin/credd.kept /usr/sbin/credd && systemctl restart credd.service'
wait_until 10 in_lab credctl status
sound 'credd restarted'
in_lab groupmod -n others credd-admin
finds 5 'accounts error' 'no group credd-admin' 'systemd-sysusers' 'no group of admins'
in_lab groupmod -n credd-admin others

# --- What it keeps

in_lab chmod 0640 /var/lib/credd/key
finds 5 'state error' '/var/lib/credd/key has mode 0640' 'chmod 0600 /var/lib/credd/key' 'a key that others may read'
in_lab chmod 0600 /var/lib/credd/key
in_lab chown root /var/lib/credd
finds 5 'state error' '/var/lib/credd belongs to uid 0' 'chown credd:credd /var/lib/credd' 'a folder of another'
in_lab chown credd /var/lib/credd
sound 'the state put right'
on_small_disk() { # SIZE
    in_lab sh -c 'systemctl stop credd-login.socket credd-admin.socket credd.service
        mkdir -p /root/aside && cp -a /var/lib/credd/. /root/aside
        mount -t tmpfs -o "size=$1,mode=0700,uid=credd,gid=credd" tmpfs /var/lib/credd
        cp -a /root/aside/. /var/lib/credd
        systemctl start credd-login.socket credd-admin.socket credd.service' sh "$1"
    wait_until 20 in_lab credctl status
}
on_small_disk 100m
finds 0 'state warning' '[0-9]+ MiB are left for /var/lib/credd' 'make room' 'a disk that fills up'
in_lab fallocate -l 85M /var/lib/credd/filler
finds 5 'state error' '[0-9]+ MiB are left' 'make room' 'one that is nearly full'
in_lab sh -c 'systemctl stop credd-login.socket credd-admin.socket credd.service
    umount /var/lib/credd; systemctl start credd-login.socket credd-admin.socket credd.service'
wait_until 20 in_lab credctl status
sound 'room again'

# --- polkit and logind

rule=/usr/share/polkit-1/rules.d/50-credd.rules
in_lab sh -c "mv $rule /root/ && systemctl restart polkit"
finds 5 'polkit error' 'does not let credd end sessions' '50-credd.rules is in no folder' 'the rule away'
in_lab sh -c "mv /root/50-credd.rules $rule && systemctl restart polkit"
sound 'the rule back'
in_lab sh -c 'mkdir -p /run/systemd/logind.conf.d &&
    printf "[Login]\nKillUserProcesses=yes\nStopIdleSessionSec=2h\n" >/run/systemd/logind.conf.d/test.conf &&
    systemctl restart systemd-logind'
finds 0 'logind note' 'KillUserProcesses=yes' 'logind.conf' 'a logind that kills'
says '^logind note .*StopIdleSessionSec=7200' 'and one that ends idle sessions'
in_lab sh -c 'rm /run/systemd/logind.conf.d/test.conf && systemctl mask --runtime --now systemd-logind'
finds 5 'logind error' 'not on the bus' 'systemctl restart systemd-logind' 'no logind'
in_lab sh -c 'systemctl unmask --runtime systemd-logind; systemctl start systemd-logind'
logind_is_back() { in_lab credctl doctor -q >/dev/null; }
wait_until 20 logind_is_back
sound 'logind back'

# --- PAM

session=/etc/pam.d/common-session auth=/etc/pam.d/common-auth
edit $session /pam_ephemeral/d
finds 5 'pam-sshd error' 'no session line' 'pam-auth-update --enable ephemeral' 'no session line'
says '^pam-login error .*no session line' 'of login, too'
put_back $session
edit $session '/pam_ephemeral/{h;d};${p;x}'
finds 5 'pam-sshd error' 'behind pam_systemd' 'before pam_systemd' 'a session line at the end'
put_back $session
edit $auth '0,/^auth/s//auth sufficient pam_unix.so\nauth/'
finds 5 'pam-sshd error' 'pam_unix.so lets people in before credd is asked' 'before it' 'sufficient before us'
put_back $auth
edit $auth '/pam_deny/d'
finds 5 'pam-sshd error' 'lets in, though no module|a right token does not' 'pam_ephemeral' 'a jump that misses'
put_back $auth
edit $auth 's/pam_ephemeral.so/& debugg/'
finds 5 'pam-sshd error' 'no option debugg' 'man pam_ephemeral' 'a misspelt option'
put_back $auth
sound 'the stacks put right'
edit /etc/pam.d/su '$a auth optional pam_ephemeral.so'
finds 5 'pam-files error' '/etc/pam.d/su names pam_ephemeral' 'take the line out' 'a line in su'
put_back /etc/pam.d/su
in_lab cp $auth $auth.dpkg-old
finds 0 'pam-files warning' 'common-auth.dpkg-old is a copy' 'remove it' 'a stale copy'
in_lab rm $auth.dpkg-old
edit $auth '/^#/d'
finds 0 'pam-files warning' 'common-auth names pam_ephemeral, and pam-auth-update does not' 'pam-auth-update --force' \
    'a file that pam-auth-update lost'
put_back $auth
background=/etc/pam.d/common-session-noninteractive
edit $background '$a session optional pam_ephemeral.so'
finds 5 'pam-files error' 'systemd-user has a session line of pam_ephemeral \(common-session-noninteractive' 'common-session-noninteractive' \
    'a line that systemd-user includes'
put_back $background
edit $auth '/pam_deny/s/.*/auth required pam_permit.so/'
finds 5 'pam-sshd error' 'a refused token.* lets in|lets in, though no module says yes' 'disable password logins' 'pam_permit behind us'
put_back $auth
module=$(in_lab sh -c 'echo /usr/lib/*-linux-gnu/security/pam_ephemeral.so')
in_lab mv "$module" /root/
finds 5 'pam-sshd error' 'pam_ephemeral.so is not there' 'install the module' 'the module away'
in_lab mv /root/pam_ephemeral.so "$module"
sound 'PAM put right'

# --- sshd

sshd_says() { printf '%s\n' "$@" | write_file /etc/ssh/sshd_config.d/00-doctor.conf 0644; }
sshd_says 'UsePAM no'
finds 5 'sshd error' 'UsePAM is off' 'UsePAM yes' 'UsePAM no'
sshd_says 'PasswordAuthentication no' 'KbdInteractiveAuthentication no'
finds 5 'sshd error' 'a token cannot be given' 'KbdInteractiveAuthentication yes' 'no passwords'
sshd_says 'AuthenticationMethods publickey'
finds 5 'sshd error' 'AuthenticationMethods' 'keyboard-interactive' 'keys alone'
sshd_says 'PermitRootLogin yes'
finds 0 'sshd note' 'PermitRootLogin yes' 'PermitRootLogin no' 'root may'
sshd_says 'Nonsense yes'
finds 0 'sshd warning' 'sshd -T fails: .*Nonsense' 'mend' 'a configuration that sshd does not take'
in_lab rm /etc/ssh/sshd_config.d/00-doctor.conf
sound 'sshd put right'

# --- Names

edit /etc/nsswitch.conf 's/^passwd:.*/& sss/'
finds 0 'nss warning' 'passwd names sss, whose libnss_sss.so.2 is not there' 'nsswitch.conf' 'a name service that is not installed'
put_back /etc/nsswitch.conf
sound 'the names put right'

# --- Users of live credentials

new_users dora emil
id=$(id_of "$(issue_token dora --ttl 10min)")
finds 0 'users warning' 'dora has a usable password' 'passwd -l dora' 'a password'
in_lab sh -c 'passwd -ql dora; mkdir -p ~dora/.ssh && echo key >~dora/.ssh/authorized_keys'
finds 0 'users warning' 'dora has keys in /home/dora/.ssh/authorized_keys' 'require_credential' 'a key'
unlike "$findings" 'dora has a usable password' 'and no usable password any more'
unlike "$findings" 'emil' 'who has no credential is not spoken of'
in_lab usermod -u 2345 dora
finds 5 'users error' 'dora is uid 2345 now' 'credctl revoke --user dora' 'a user with another uid'
in_lab userdel dora
finds 0 'users warning' 'dora has live credentials and is no user' 'credctl revoke --user dora' 'a user that is gone'
in_lab credctl revoke "$id"
sound 'it revoked'

# --- The journal's limit, failed units, admins

in_lab sh -c 'mkdir -p /run/systemd/system/credd.service.d &&
    printf "[Service]\nLogRateLimitIntervalSec=30s\n" >/run/systemd/system/credd.service.d/test.conf &&
    systemctl daemon-reload'
finds 0 'journal warning' 'has a rate limit' 'LogRateLimitIntervalSec=0' 'a rate limit'
in_lab sh -c 'rm -r /run/systemd/system/credd.service.d && systemctl daemon-reload'
in_lab mv /var/log/journal /var/log/journal.away
finds 0 'journal warning' 'not kept over a boot' 'mkdir -p /var/log/journal' 'a journal that is lost at the next boot'
in_lab mv /var/log/journal.away /var/log/journal
examine
says '^journal ok ' 'and one that is kept'
says '^accounts note .*no members' 'that nobody is in credd-admin is a note'
in_lab usermod -aG credd-admin carol
examine
says '^accounts ok ' 'and with a member it is not'
says '^timers note no drill' 'that no drill runs is a note'
in_lab systemctl --quiet enable credd-drill@emil.timer
examine
unlike "$findings" 'no drill' 'and with a timer it is not'
sound 'in the end'

plan

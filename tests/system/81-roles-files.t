#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Roles from files: how they come into effect with credd.conf or not at all, what the journal says of each
# load, and how a file is checked by anybody, without the daemon.
# shellcheck disable=SC2016,SC2317  # commands for the lab's shells; functions called by name

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

roles=/etc/credd/roles.d conf=/etc/credd/credd.conf
wait_until 10 in_lab credctl status
new_users sre1 stranger
in_lab groupadd sre
main_pid() { in_lab systemctl show -P MainPID credd.service; }
pid=$(main_pid)

last_load() { # FILTER
    credd_journal CREDD_EVENT=config-loaded + CREDD_EVENT=config-refused | tail -n 1 | jq -r "$1"
}
roles_now() { last_load .CREDD_ROLES | jq -r "$1"; } # FILTER
put_role() { write_file "$roles/$1.conf" "${2:-0644}"; } # NAME [MODE]
problems() { in_lab credctl status --json | jq -r '.status.problems[]'; }

# --- Into effect

is "$(roles_now length)" 0 'without a file there is no role'
put_role deploy <<'CONF'
[Role]
Description=On-call access to the deploy account
Issuers=@sre sre1           # may issue without asking
Users=deploy app-*
From=10.0.0.0/8 ::1/128 local
MaxTTL=4h
CONF
put_role spare <<<$'[Role]\nUsers=spare'
echo nonsense | write_file "$roles/deploy.conf~" 0644
echo nonsense | write_file "$roles/.deploy.conf" 0644
out=$(in_lab credd --check 2>&1)
is "$?-$out" "0-$conf: no mistakes; 2 roles" 'credd --check reads the roles, too'
reload_credd
is "$(last_load .CREDD_EVENT)" config-loaded 'a reload takes them'
is "$(roles_now 'keys | join(" ")')" 'deploy spare' 'the journal names them'
is "$(roles_now '.deploy | .issuers, .max_ttl_usec, .default_ttl_usec')" \
    $'@sre sre1\n14400000000\n3600000000' 'with their settings, and those of credd.conf where they say nothing'
digest() { in_lab sh -c 'b2sum -l 256 <"$1"' sh "$1" | cut -d' ' -f1; } # FILE
is "$(last_load .CREDD_FILES | jq -r '."roles.d/deploy.conf"')" "$(digest "$roles/deploy.conf")" \
    'and the digest of the file as b2sum has it'
is "$(last_load .CREDD_FILES | jq -r '."credd.conf"')" "$(digest "$conf")" 'of credd.conf as well'

put_role deploy <<<$'[Role]\nUsers=deploy\nMaxTTL=2h'
in_lab rm "$roles/spare.conf"
configure DefaultTTL=20min Auditors=@sre
is "$(roles_now 'keys | join(" ")')" deploy 'a role whose file is gone is gone'
is "$(roles_now '.deploy | .default_ttl_usec, .issuers')" $'1200000000\nnull' 'a change of one shows'
is "$(main_pid)" "$pid" 'all of that without a restart'

# --- Not into effect

refuses() { # DESCRIPTION FILE-AND-PATTERN
    out=$(in_lab credd --check 2>&1)
    is $? 1 "$1: credd --check fails"
    like "$out" "^$2" "$1: it says where and what"
    reload_credd
    is "$(last_load '.CREDD_EVENT + " " + .PRIORITY')" 'config-refused 3' "$1: the reload is refused"
    like "$(last_load .CREDD_REASON)" "^$2" "$1: the journal says why"
}
put_role good <<<$'[Role]\nUsers=good'
put_role bad <<<$'[Role]\nUsers=x\nMaxTtl=1h'
refuses 'a key that is none' "$roles/bad.conf:3: MaxTtl: unknown key"
like "$(problems)" 'configuration has a mistake' 'the status tells of it'
put_role bad <<<$'[Role]\nUsers=x\nDefaultTTL=3h\nMaxTTL=1h'
refuses 'a default past the limit' "$roles/bad.conf:3: DefaultTTL: 3h is longer than MaxTTL=1h"
put_role bad <<<$'[Role]\nUsers=x\nIssuers=@no-such-group'
refuses 'a group that is none' "$roles/bad.conf:3: Issuers: there is no group @no-such-group"
put_role bad <<<$'[Role]\nUsers=x\nFrom=10.0.0.1/8'
refuses 'a network that is none' "$roles/bad.conf:3: From: \"10.0.0.1/8\""
put_role bad <<<$'[Role]\nUsers=root'
refuses 'a role for root' "$roles/bad.conf:2: Users: \"root\""
put_role bad 0666 <<<$'[Role]\nUsers=x'
refuses 'a file that others may write' "$roles/bad.conf: the file is writable by others"
in_lab sh -c 'chmod 0644 "$1" && chown stranger "$1"' sh "$roles/bad.conf"
refuses 'a file that is not root'\''s' "$roles/bad.conf: the file belongs to uid"
in_lab ln -sf /etc/hostname "$roles/bad.conf"
refuses 'a link' "$roles/bad.conf: a symbolic link"
in_lab rm "$roles/bad.conf"
in_lab chmod 0775 "$roles"
refuses 'a folder that others may write' "$roles: the folder is writable by others"
in_lab chmod 0755 "$roles"
in_lab chown stranger /etc/credd
refuses 'a folder above that is not root'\''s' "$conf: the folder belongs to uid"
in_lab chown root /etc/credd
printf '[Credd]\nDefaultTTL=never\n' | write_file "$conf" 0644
refuses 'a mistake in credd.conf' "$conf:2: DefaultTTL: "
is "$(credd_journal CREDD_EVENT=config-loaded | tail -n 1 | jq -r .CREDD_ROLES | jq -r 'keys | join(" ")')" deploy \
    'through all of that no role came into effect'
is "$(main_pid)" "$pid" 'and it was the same process'
configure DefaultTTL=20min
is "$(roles_now 'keys | join(" ")')" 'deploy good' 'once all is right, all of it is in effect'
unlike "$(problems)" 'configuration has a mistake' 'and the status has nothing to say of it'

# --- At the start there is nothing that could stay

put_role bad <<<$'[Role]\nUsers=root'
in_lab systemctl restart credd.service
ok 'a mistake in a role does not keep credd from running' wait_until 20 in_lab credctl issue --user sre1
is "$(last_load .CREDD_EVENT)" config-refused 'it says so'
is "$(credd_journal CREDD_EVENT=config-loaded | tail -n 1 | jq -r .CREDD_ROLES)" '{}' 'no role is in effect then'
is "$(credd_journal CREDD_EVENT=config-loaded | tail -n 1 | jq -r '.CREDD_FILES | fromjson | keys | join(" ")')" \
    credd.conf 'but credd.conf is'
in_lab rm "$roles/bad.conf"
reload_credd
is "$(roles_now 'keys | join(" ")')" 'deploy good' 'a reload brings them once they are right'

# --- One file, by anybody

in_lab systemctl stop credd-login.socket credd-admin.socket credd.service
checks() { in_lab_as stranger credctl role check "$@" 2>&1; }
printf '[Role]\nUsers=deploy\nIssuers=@sre\n' | write_file /tmp/new-role.conf 0666
out=$(checks /tmp/new-role.conf)
is "$?-$out" '0-/tmp/new-role.conf: no mistakes; this is role new-role' 'a stranger checks a file without the daemon'
is "$(checks -q /tmp/new-role.conf)" '' 'quietly if it is to be so'
printf '[Role]\nUsers=deploy\nDefaultTTL=10min\nMaxTTL=5min\nIssuers=@nobody-here\n' | write_file /tmp/new-role.conf 0666
out=$(checks /tmp/new-role.conf)
is $? 1 'one with a mistake'
like "$out" '^/tmp/new-role.conf:5: Issuers: there is no group @nobody-here' 'fails with the reason'
printf '[Role]\nUsers=deploy\nDefaultTTL=10min\nMaxTTL=5min\n' | write_file /tmp/new-role.conf 0666
like "$(checks /tmp/new-role.conf)" '^/tmp/new-role.conf:3: DefaultTTL: 10min is longer than MaxTTL=5min' \
    'limits among each other as well'
printf '[Role]\nUsers=deploy\nDefaultTTL=13h\n' | write_file /tmp/new-role.conf 0666
like "$(checks /tmp/new-role.conf)" 'longer than MaxTTL=12h of credd.conf' 'and against those of credd.conf'
out=$(checks /tmp/none.conf)
is "$?-$out" '1-/tmp/none.conf: No such file or directory' 'a file that is not there'
out=$(checks)
is "$?-$out" '2-credctl: role check wants FILE; see credctl role --help' 'no file is wrong usage'
out=$(in_lab_as stranger credd --check 2>&1)
is "$?-$out" "0-$conf: no mistakes; 2 roles" 'a stranger may check all of it, too'
in_lab mv /usr/sbin/credd /usr/sbin/credd.away
out=$(checks /tmp/new-role.conf)
is $? 1 'without the program of credd it fails'
like "$out" '^credctl: cannot run /usr/sbin/credd' 'and says why'
in_lab mv /usr/sbin/credd.away /usr/sbin/credd
in_lab systemctl start credd-login.socket credd-admin.socket credd.service

plan

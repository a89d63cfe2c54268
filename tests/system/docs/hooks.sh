# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# hooks.sh - what the documents suppose: the functions that <!-- test: ... --> in them call. Each brings about
# the situation of its block and says by replace() what stands for the id that is printed there. Sourced by 89-docs.t.
# shellcheck disable=SC2034,SC2154  # wanted, prefix and secret are 89-docs.t's; so are last_id and last_token

sample=k7m2q9xd # the id in all documents
conf=/etc/credd/credd.conf roles=/etc/credd/roles.d

# --- How a block is run

status() { wanted=$*; } # any of these
for_a_moment() { prefix='timeout 3' wanted=124; }
with_token() { secret=$last_token; }
refused_login() { secret=$last_token wanted='5 255'; }

# --- Between documents

# Everybody is who they were, nobody has anything, and the configuration is the shipped one, but for a long grace:
# a loaded machine must not make an end late.
reset_host() {
    local user
    ! mountpoint -q /var/lib/credd || {
        systemctl stop credd-login.socket credd-admin.socket credd.service
        umount /var/lib/credd
    }
    systemctl start credd-login.socket credd-admin.socket credd.service
    credctl thaw
    rm -f "$2"/*.conf /root/*.db
    { echo 'KillGrace=30s' | cat "$1.shipped" -; } >"$1"
    systemctl reload credd
    credctl revoke --all --yes -q --wait
    for user in alice bob carol deploy; do
        ! loginctl show-user "$user" || loginctl terminate-user "$user"
        usermod --unlock --expiredate '' "$user"
        ! id -nG "$user" | grep -qw credd-admin || gpasswd -d "$user" credd-admin
    done
    grep -q pam_ephemeral /etc/pam.d/common-auth || DEBIAN_FRONTEND=noninteractive pam-auth-update --enable ephemeral
} >/dev/null 2>&1

reset() {
    replacements=() secret=''
    guest reset_host reset_host "$conf" "$roles"
    wait_until 20 in_lab credctl list
}

role() { # NAME; the lines on stdin
    { echo '[Role]'; cat; } | write_file "$roles/$1.conf" 0644
    reload_credd
}

# --- Situations

no_canary() { in_lab sh -c 'pkill -KILL -u canary; loginctl terminate-user canary; sleep 1; userdel -r canary' >/dev/null 2>&1; }
canary() {
    no_canary
    new_users canary
}

in_session() {
    open alice 20min 'echo ready; sleep 900' --session-ttl 1h --max-lifetime 100min
    wait_ready alice
    replace "$sample" "${ids[alice]}"
}

issued() { replace "$sample" "$last_id"; }
requested() { issued; }
glass_broken() { issued; }

deploy_role() {
    write_file /root/deploy.conf 0644 < <(sed -n '/^\[Role\]/,/^```/p' "$source_dir/doc/admin-guide.md" | sed '/^```/d')
}

training_role() {
    write_file /root/training.conf 0644 < <(sed -n '/^\[Role\]/,/^```/p' "$source_dir/doc/training.md" | sed '/^```/d')
}

emergency_role() {
    in_lab gpasswd -a bob oncall >/dev/null
    in_lab gpasswd -a carol credd-admin >/dev/null
    write_file /root/emergency.conf 0644 < <(sed -n '/^\[Role\]/,/^```/p' "$source_dir/doc/runbooks/break-glass.md" | sed '/^```/d')
}

bob_has_access() {
    role deploy <<<$'Requesters=alice\nApprovers=bob carol\nUsers=deploy'
    in_lab gpasswd -a bob credd-admin >/dev/null
    in_lab sh -c 'mkdir -p /home/bob/.ssh; : >/home/bob/.ssh/authorized_keys; echo "0 0 1 1 * true" | crontab -u bob -'
    start_session bob-password bob "$LAB_PASSWORD" password 'echo ready; sleep 900'
    wait_until 20 is_ready bob-password
    open bob 1h 'echo ready; sleep 900'
    wait_ready bob
    ids[shared]=$(id_of "$(issue_token deploy --holder bob)")
}
shared() { replace "$sample" "${ids[shared]}"; }
admin_bob() { in_lab test -e $roles/deploy.conf; }
gone() { wait_until 40 not_there bob; }
not_there() { ! in_lab pgrep -u "$1" >/dev/null; }

stubborn() {
    in_lab sh -c "printf 'KillGrace=1min\nVerifyTimeout=1s\n' | cat $conf.shipped - >$conf"
    reload_credd
    open carol 1h 'trap "" HUP TERM INT; echo ready; while :; do sleep 1; done'
    wait_ready carol
    replace "$sample" "${ids[carol]}"
    in_lab credctl revoke -q "${ids[carol]}"
    wait_until 30 has_event "${ids[carol]}" deprovision-missed
}
receipt() { wait_for_receipt "${replacements[$sample]}" 90; }

credd_down() { in_lab systemctl stop credd-login.socket credd-admin.socket credd.service; }

disk_full() {
    replace "$sample" "$(id_of "$(issue_token alice --ttl 1h)")"
    in_lab sh -c 'systemctl stop credd-login.socket credd-admin.socket credd.service
        rm -rf /root/aside; mkdir /root/aside && cp -a /var/lib/credd/. /root/aside
        mount -t tmpfs -o size=24m,mode=0700,uid=credd,gid=credd tmpfs /var/lib/credd
        cp -a /root/aside/. /var/lib/credd
        systemctl start credd-login.socket credd-admin.socket credd.service'
    wait_until 20 in_lab credctl list
    in_lab sh -c 'cat /dev/zero >/var/lib/credd/filler' 2>/dev/null
    wait_until 30 is_full
}
is_full() {
    in_lab credctl issue -q --user alice >/dev/null 2>&1
    in_lab credctl status 2>/dev/null | grep -q 'disk is full'
}
room() { in_lab rm /var/lib/credd/filler; }

waiting_request() {
    role deploy <<<$'Requesters=bob\nApprovers=carol\nUsers=deploy'
    request_by_bob
}
request_by_bob() {
    replace "$sample" "$(in_lab_as bob credctl request --role deploy --user deploy --reason x --json | jq -r '.requests[0].id')"
}

some_history() {
    role deploy <<<$'Requesters=bob\nApprovers=carol\nUsers=deploy'
    in_session
    in_lab credctl revoke -q --wait "${ids[alice]}"
}
missed_or_glass() {
    in_lab gpasswd -a carol credd-admin >/dev/null
    role emergency <<<$'Issuers=bob\nUsers=alice\nBreakGlass=yes'
    replace "$sample" "$(id_of "$(in_lab_as bob credctl issue --role emergency --user alice --reason x --output token)")"
}

dated_backup() { in_lab credctl backup /root/credd-2030-01-31.db >/dev/null; }

# The examples of the manual pages, each as if it stood alone.
manual() {
    role deploy <<<$'Requesters=bob\nApprovers=carol\nUsers=deploy'
    in_lab sh -c "cp $roles/deploy.conf /root/deploy.conf"
    in_session
}

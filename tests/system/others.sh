# shellcheck shell=bash disable=SC2154  # work and ssh_options are lib.sh's
# SPDX-License-Identifier: LGPL-2.1-or-later
# others.sh - what is not credd's business and must be as ever: the PAM files, and all services but the
# logins with a token. Compared with the module in the stacks and without. Sourced after lib.sh.

# Each file below /etc/pam.d: mode, owner, name, digest.
pam_files() {
    # shellcheck disable=SC2016
    in_lab sh -c 'cd /etc/pam.d && for file in *; do echo "$(stat -c "%a %U %G" "$file") $(md5sum -- "$file")"; done'
}

# Keys of alice and of root, a password of root's, and a screen locker, which asks PAM in its user's name.
ready_others() {
    write_file /etc/pam.d/locker 0644 <<'END_OF_FILE'
@include common-auth
@include common-account
END_OF_FILE
    # shellcheck disable=SC2016
    in_lab sh -euc '
        echo "root:$1" | chpasswd
        mkdir -p /root/.ssh
        ssh-keygen -q -t ed25519 -N "" -f /root/.ssh/id_ed25519
        for home in /root /home/alice; do
            install -d -m 0700 "$home/.ssh"
            install -m 0600 /root/.ssh/id_ed25519.pub "$home/.ssh/authorized_keys"
        done
        chown -R alice: /home/alice/.ssh
    ' sh "$LAB_PASSWORD"
}

answer() { # USER PASSWORD PAMTESTER-ARGUMENT...; the last line that it says
    local user=$1 out
    # shellcheck disable=SC2016
    out=$(in_lab_as "$user" sh -c 'secret=$1; shift; printf "%s\n" "$secret" | timeout 20 pamtester "$@" 2>&1' sh "${@:2}")
    echo "${out##*$'\n'}"
}

# --- What each of them says, a line each. They are asked side by side: each refusal takes its two seconds.

lines=() askers=()
line() { # LABEL COMMAND...
    local label=$1 file
    shift
    file=$(mktemp -p "$work" line.XXXXXX)
    lines+=("$file")
    (echo "$label: $("$@" 2>&1)" >"$file") &
    askers+=($!)
}
print_lines() {
    wait "${askers[@]}"
    cat "${lines[@]}"
    rm -f "${lines[@]}"
    lines=() askers=()
}

status_of() { # COMMAND...
    "$@" >/dev/null 2>&1
    echo $?
}

ask_services_of_others() {
    local name
    line su in_lab su alice -c 'echo in'
    line 'su as alice' in_lab_as alice timeout 20 su bob -c 'echo in'
    line sudo in_lab sudo -n -u alice echo in
    line 'sudo as alice' status_of in_lab_as alice sudo -n true
    for name in sudo polkit-1 chsh; do
        line "$name, password" answer root "$LAB_PASSWORD" "$name" alice authenticate
        line "$name, wrong password" answer root wrong "$name" alice authenticate
    done
    for name in chsh locker; do
        line "$name as alice" answer alice "$LAB_PASSWORD" "$name" alice authenticate acct_mgmt
        line "$name as alice, wrong" answer alice wrong "$name" alice authenticate
    done
    line 'login of root' answer root "$LAB_PASSWORD" login root authenticate acct_mgmt
    line 'login of root, wrong' answer root wrong login root authenticate
    for name in cron sudo su; do
        line "$name" in_lab timeout 20 pamtester "$name" alice acct_mgmt
    done
    line cron in_lab timeout 20 pamtester cron alice open_session close_session
    line "root's key" in_lab ssh "${ssh_options[@]}" root@127.0.0.1 echo in
}

ask_logins_of_others() {
    line ssh ssh_with alice "$LAB_PASSWORD" password echo in
    line 'ssh, asked' ssh_with alice "$LAB_PASSWORD" keyboard-interactive echo in
    line 'ssh, wrong' ssh_with alice wrong password echo in
    line 'ssh, key' in_lab ssh "${ssh_options[@]}" -o PasswordAuthentication=no alice@127.0.0.1 echo in
}

services_of_others() {
    ask_services_of_others
    print_lines
}

profile_of_others() {
    ask_services_of_others
    ask_logins_of_others
    print_lines
}

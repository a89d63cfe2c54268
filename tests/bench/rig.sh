# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154  # bench says where things are
# What the logins are measured on: mounts of our own, in which there are users that nobody has, a /run
# without a bus, somebody who takes journal entries, and credd; and the stacks of all modules that are compared.
# Sourced by bench, which sets folder, built and module_dir, and has made the mounts private.

people=8 # one for each process, because some peers lock by person
hotp_hex=3132333435363738393031323334353637383930
hotp_base32=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ # the same secret
password=correct-horse-9

# --- Users, in a passwd and a shadow of our own

hash_of() { # SETTING
    # shellcheck disable=SC2016  # $ is perl's
    perl -e '$h = crypt($ARGV[0], $ARGV[1]) // ""; print $h if length($h) > 20' "$password" "$1"
}

make_users() {
    local i
    mkdir "$folder/etc"
    cp /etc/passwd /etc/shadow "$folder/etc/"
    for ((i = 0; i < people; i++)); do
        echo "bench$i:x:$((54000 + i)):54000::/nonexistent:/bin/false" >>"$folder/etc/passwd"
        echo "bench$i:!:19000:0:99999:7:::" >>"$folder/etc/shadow"
    done
    printf '%s:x:%s:54000::/nonexistent:/bin/false\n' bsha 54100 byes 54101 >>"$folder/etc/passwd"
    # The settings that Debian's own chpasswd would choose.
    # shellcheck disable=SC2016  # $ is crypt's
    printf '%s:%s:19000:0:99999:7:::\n' bsha "$(hash_of '$6$benchbenchbench0')" \
        byes "$(hash_of '$y$j9T$benchbenchbenchbench.0')" >>"$folder/etc/shadow"
    mount --bind "$folder/etc/passwd" /etc/passwd
    mount --bind "$folder/etc/shadow" /etc/shadow
}

make_run() {
    mount -t tmpfs -o mode=0755 bench /run
    mkdir -p /run/systemd/journal
    "$built/echo" sink /run/systemd/journal/socket &
    "$built/echo" stream /run/bench-floor &
}

# --- credd

daemons=()

# On the state folder that is there or will be, and with sockets of its own, which are handed over as systemd
# would. credctl talks to the one that was started last.
start_credd() { # NAME
    local tries
    mkdir -p -m 0700 "$folder/state-$1"
    mkdir "/run/credd-$1"
    ln -sfn "credd-$1" /run/credd
    # Nobody opens sessions here: a login must not fall due as unclaimed.
    printf '[Credd]\nBindTimeout=1h\n' >"$folder/credd.conf"
    systemd-socket-activate --fdname=credd-login:credd-admin -l "/run/credd-$1/io.credd.Login" \
        -l "/run/credd-$1/io.credd.Admin" -E STATE_DIRECTORY="$folder/state-$1" \
        "$build/credd/credd" --config="$folder/credd.conf" >"$folder/credd.log" 2>&1 &
    daemons+=($!)
    for ((tries = 0; tries < 100; tries++)); do
        "$build/credctl/credctl" status >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    fail "credd does not answer: $(tail -n 3 "$folder/credd.log")"
}

stop_daemons() {
    ((${#daemons[@]} == 0)) || { kill "${daemons[@]}" && wait "${daemons[@]}"; }
}

# Of one person, in a file of its own; several at once, so that the commits are shared.
issue_for() { # PERSON N
    local left=$2 n
    while ((left > 0)); do
        n=$((left < 1000 ? left : 1000))
        "$build/credctl/credctl" issue --user "bench$1" --ttl 10h --count "$n" --output token \
            >>"$folder/tokens.$1" || return
        left=$((left - n))
    done
}

# Lines "user token", the persons in turns; and the stack that asks the same credd.
issue_tokens() { # NAME N
    local i each=$((($2 + people - 1) / people)) jobs=()
    stack "$1" "$build/pam_ephemeral/pam_ephemeral.so" "socket=/run/credd-$1/io.credd.Login"
    for ((i = 0; i < people; i++)); do
        issue_for "$i" "$each" &
        jobs+=($!)
    done
    wait "${jobs[@]}" || fail "no tokens: $(tail -n 3 "$folder/credd.log")"
    for ((i = 0; i < people; i++)); do
        sed "s/^/bench$i /" "$folder/tokens.$i" >"$folder/lines.$i"
    done
    paste -d '\n' "$folder"/lines.? | sed '/^$/d' >"$folder/secrets/$1"
    rm "$folder"/tokens.? "$folder"/lines.?
}

# --- Stacks

stack() { # NAME AUTH-MODULE... ; what has no account of its own gets pam_permit
    local account=pam_permit.so
    case $1 in
        ours | refused | few | many | sha512 | yescrypt) account="${*:2}" ;;
        floor) account=$2 ;;
    esac
    mkdir "$folder/pam/$1"
    printf 'auth required %s\naccount required %s\n' "${*:2}" "$account" >"$folder/pam/$1/sshd"
}

has_module() { # NAME
    [[ -e $module_dir/$1.so ]]
}

make_stacks() {
    mkdir "$folder/pam" "$folder/secrets"
    stack permit pam_permit.so
    stack floor "$built/pam_echo_floor.so" /run/bench-floor
    stack sha512 pam_unix.so
    stack yescrypt pam_unix.so
    stack exec pam_exec.so quiet /bin/true
}

# The same line again and again, for what does not use its secrets up.
repeat() { # USER SECRET
    yes "$1 $2" | head -n 5000
}

# Codes in the order in which they are good, the persons in turns.
hotp_lines() { # FIRST-COUNTER N
    oathtool --counter="$1" --window="$2" "$hotp_hex" |
        awk -v people="$people" '{ for (i = 0; i < people; i++) print "bench" i " " $1 }'
}

make_plain_secrets() {
    repeat bench0 x >"$folder/secrets/permit"
    cp "$folder/secrets/permit" "$folder/secrets/floor"
    cp "$folder/secrets/permit" "$folder/secrets/exec"
    repeat bsha "$password" >"$folder/secrets/sha512"
    repeat byes "$password" >"$folder/secrets/yescrypt"
}

make_google() { # CODES
    local i
    mkdir "$folder/hotp" "$folder/scratch"
    stack hotp pam_google_authenticator.so user=root "secret=$folder/hotp/\${USER}"
    stack scratch pam_google_authenticator.so user=root "secret=$folder/scratch/\${USER}"
    for ((i = 0; i < people; i++)); do
        printf '%s\n" HOTP_COUNTER 1\n" WINDOW_SIZE 100\n' "$hotp_base32" >"$folder/hotp/bench$i"
        chmod 0400 "$folder/hotp/bench$i"
    done
    hotp_lines 1 "$1" >"$folder/secrets/hotp"
}

# Ten for each person, as the tool makes them; anew before each measurement.
make_scratch() { # PERSONS
    local i
    rm -f "$folder"/scratch/*
    for ((i = 0; i < $1; i++)); do
        { printf '%s\n" HOTP_COUNTER 1\n' "$hotp_base32"; seq 10000000 10000009; } >"$folder/scratch/scratch$i"
        chmod 0400 "$folder/scratch/scratch$i"
    done
    for ((i = 0; i < $1; i++)); do
        seq -f "scratch$i %.0f" 10000000 10000009
    done >"$folder/secrets/scratch"
}

# Ours stand in the middle of the others.
make_oath() { # USERS CODES
    stack "oath$1" pam_oath.so "usersfile=$folder/oath$1.users" window=1000
    {
        seq -f "HOTP other%.0f - $hotp_hex" 1 $((($1 - people) / 2))
        seq -f "HOTP bench%.0f - $hotp_hex" 0 $((people - 1))
        seq -f "HOTP another%.0f - $hotp_hex" 1 $((($1 - people + 1) / 2))
    } >"$folder/oath$1.users"
    chmod 0600 "$folder/oath$1.users"
    hotp_lines 0 "$2" >"$folder/secrets/oath$1"
}

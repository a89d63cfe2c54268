# shellcheck shell=bash disable=SC2154  # lib.sh sets what is not set here
# SPDX-License-Identifier: LGPL-2.1-or-later
# clocks.sh - for the tests in which time jumps: sourced after lib.sh. The clocks of credd alone are
# moved, by a library that is preloaded into it (preload/clock-shim.c); the machine's are left alone.

clocks_folder=/usr/local/lib/clock-shim
drop_in=/etc/systemd/system/credd.service.d/time.conf
# Before a command of the lab: it is to see the clocks that credd sees.
# shellcheck disable=SC2034  # for the test files
shimmed=(env "LD_PRELOAD=$clocks_folder/clock-shim.so" "CLOCK_SHIM=$clocks_folder/clocks")

# What is added to the wall clock and to CLOCK_BOOTTIME.
wall_by=0
move_clocks() { # WALL BOOT, in seconds
    wall_by=$1
    echo "$1 $2" | write_file "$clocks_folder/clocks" 0644
}
shimmed_usec() { echo $(($(now_usec) + wall_by * 1000000)); }

unit_with() { # LINE...
    in_lab mkdir -p "$(dirname "$drop_in")"
    { echo '[Service]'; printf '%s\n' "$@"; } | write_file "$drop_in" 0644
    in_lab systemctl daemon-reload
}
start_credd() { # WHEN
    in_lab systemctl start credd-login.socket credd-admin.socket credd.service
    ok "credd runs $1" wait_until 20 in_lab credctl list
}
stop_credd() {
    in_lab systemctl stop credd-login.socket credd-admin.socket credd.service
}
shim_credd() {
    in_lab mkdir -p "$clocks_folder"
    write_file "$clocks_folder/clock-shim.so" 0755 <"$source_dir/build/tests/system/preload/clock-shim.so"
    move_clocks 0 0
    # It looks at its file in a thread of its own, which credd may not have.
    unit_with "Environment=LD_PRELOAD=$clocks_folder/clock-shim.so CLOCK_SHIM=$clocks_folder/clocks" \
        'SystemCallFilter=clone clone3'
    in_lab systemctl restart credd.service
    ok "credd runs on clocks of its own" wait_until 20 in_lab credctl status
}

steps() { credd_journal CREDD_EVENT=clock-stepped | wc -l; }

# Microseconds as whole seconds, rounded, and how far two moments are apart in them.
seconds_of() { echo $((($1 + ($1 < 0 ? -500000 : 500000)) / 1000000)); }
apart() {
    local usec=$(($1 - $2))
    seconds_of "${usec#-}"
}

deadline_of() { show_of "${ids[$1]}" '.sessions[0].deadline_usec'; }
state_of() { show_of "$1" .state; }
log_in() { ssh_with "$1" "$2" password echo in; } # USER TOKEN
wait_ready() { # USER...
    local user
    for user; do
        wait_until 30 is_ready "$user" || diag "$user is not ready: $(output_of "$user")"
        wait_for_session "${ids[$user]}"
    done
}
refused_for() { # USER TOKEN REASON WHEN
    like "$(log_in "$1" "$2")" 'Permission denied' "$4 is refused"
    wait_for_event "$(id_of "$2")" login-refused
    is "$(event_field "$(id_of "$2")" login-refused CREDD_REASON | tail -n 1)" "$3" "... for that reason"
}

# USERs whose deadlines have passed together: each is ended, and told of, once, in the order of these.
ended_in_order() { # WHEN USER...
    local when=$1 user order wanted
    shift
    for user; do
        wait_for_receipt "${ids[$user]}" 60
        is "$(receipt_of "${ids[$user]}" .verdict)" late "$when: the receipt of $user says late"
        is "$(count_events "${ids[$user]}" credential-deprovisioned)" 1 "... and is the only one"
    done
    wanted=$(for user; do echo "$(deadline_of "$user") $user"; done | sort -n | cut -d' ' -f2 | paste -sd' ')
    order=$(credd_journal CREDD_EVENT=session-terminating |
        jq -r .CREDD_USER | grep -xE "$(IFS='|'; echo "$*")" | paste -sd' ')
    is "$order" "$wanted" "$when: the ends came in the order of the deadlines"
}
# Lateness counts from the deadline: none of it may be left out, and it is an upper bound.
late_by() { # USER SECONDS
    local late
    late=$(receipt_of "${ids[$1]}" .late_usec)
    at_most "$(($2 * 1000000 - late))" 0 "$1 is late by no less than $2 s"
    at_most "$((late - $2 * 1000000))" 60000000 "... and by little more: $((late / 1000)) ms"
}

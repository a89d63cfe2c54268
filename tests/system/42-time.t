#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The wall clock set by a year, forth and back, and a boot in 1970: within a boot nothing ends early or
# lives longer for it, and after a boot nobody logs in until the clock is right.
# shellcheck disable=SC2016,SC2317  # $ in a session's command is the session's; functions called by name
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=clocks.sh
. "$system_dir/clocks.sh"

year=31536000
hour=3600
before=0
more_steps_than() { (($(steps) > $1)); }
# Moves the wall clock under a running credd, and waits until it has noticed.
step_to() { # WALL
    before=$(steps)
    move_clocks "$1" 0
    wait_until 20 more_steps_than "$before" || diag "the step to $1 s is not in the journal"
}
last_step() { seconds_of "$(credd_journal CREDD_EVENT=clock-stepped | tail -n 1 | jq -r .CREDD_BY_USEC)"; }
limit_of() { show_of "$1" .login_limit_usec; }
left_of() { show_of "${ids[$1]}" '.sessions[0].left_usec'; }

shim_credd
new_users stays short brief spare after

# --- Set by a year

open stays 4h 'echo ready; sleep 7301'
open short 25s 'echo ready; sleep 7302'
wait_ready stays short
spare=$(issue_token spare --ttl 3h --uses 6)
deadline=$(deadline_of stays)
spare_limit=$(limit_of "$(id_of "$spare")")
gone_after_deadline short "${ids[short]}" >"$work/short.gone" &
look=$!

all_as_it_was() { # WHEN
    is "$(show_of "${ids[stays]}" '.sessions[0].state')" open "$1: a session with time left stays"
    at_most "$(apart "$(($(left_of stays) + $(now_usec)))" "$deadline")" 5 "... and has what it had left"
    is "$(apart "$(deadline_of stays)" $((deadline + wall_by * 1000000)))" 0 "... shown by the clock on the wall"
    like "$(in_lab "${shimmed[@]}" credctl show "${ids[stays]}")" 'in 3h 5[0-9]min' "... and in words"
    is "$(apart "$(limit_of "$(id_of "$spare")")" $((spare_limit + wall_by * 1000000)))" 0 "... and so is an unspent token"
    is "$(log_in spare "$spare")" in "... which logs in"
    is "$(status_of_credd 'problems | length')" 0 "... and credd has no problem with it"
}

step_to $year
is "$(last_step)" $year "the wall clock is set a year ahead: clock-stepped says so"
is "$(steps)" 1 "... once"
all_as_it_was "a year ahead"
issued=$(issue_token after --ttl 30min)
at_most "$(apart "$(limit_of "$(id_of "$issued")")" $(($(shimmed_usec) + 1800000000)))" 10 "what is issued then ends by that clock"
issued_limit=$(limit_of "$(id_of "$issued")")
step_to -$year
is "$(last_step)" $((-2 * year)) "the wall clock is set back by two years: clock-stepped says so"
all_as_it_was "a year behind"
is "$(apart "$(limit_of "$(id_of "$issued")")" $((issued_limit - 2 * year * 1000000)))" 0 \
    "what was issued a year ahead has the time that it had"
wait "$look"
gone_at_most "$(cat "$work/short.gone")" 3000 "the clock set forth and back: a session ends when it would have"
wait_for_receipt "${ids[short]}"
is "$(verdict_of "${ids[short]}")" confirmed "... and its receipt says confirmed"

# --- And over a restart

stop_credd
start_credd "after a restart a year behind"
all_as_it_was "a year behind, restarted"
stop_credd
move_clocks $year 0
start_credd "after the clock was set by two years while it was down"
all_as_it_was "set while credd was down"
open brief 10s 'echo ready; sleep 7303'
wait_until 20 is_ready brief || diag "brief is not ready: $(output_of brief)"
gone_at_most "$(gone_after brief $(($(deadline_of brief) - year * 1000000)))" 3000 \
    "a session that began a year ahead ends at its deadline"
step_to 0
is "$(last_step)" -$year "the clock is right again, and clock-stepped says so"
is "$(log_in after "$issued")" in "a token that was issued a year ahead logs in"

# --- A boot in 1970: its battery is empty, the machine was off for an hour, and the network is slow

new_users within past beyond
past=$(issue_token past --ttl 50min)
within=$(issue_token within --ttl 3h)
limit=$(limit_of "$(id_of "$within")")
stop_credd
move_clocks "-$(date +%s)" 0
"$source_dir/tests/lab/lab" reboot "$LAB" 2>/dev/null
is $? 0 "the lab boots again, in 1970 as credd sees it"
start_credd "in 1970"
wait_for_receipt "${ids[stays]}"
is "$(show_of "${ids[stays]}" '.sessions[0].state')" ended "the session of the boot before is closed"
like "$(status_of_credd 'problems[0]')" 'wall clock stands before' "status says that the wall clock is behind"
like "$(in_lab credctl status)" 'wall clock stands before' "... to people, too"
refused_for within "$within" clock-behind "in 1970 a token with hours left"
refused_for past "$past" clock-behind "one with less than the machine was off"
beyond=$(issue_token beyond --ttl 1h)
refused_for beyond "$beyond" clock-behind "one that is issued then"
stop_credd
start_credd "after a restart, still in 1970"
refused_for within "$within" clock-behind "after a restart in 1970 a token with hours left"
is "$(state_of "$(id_of "$past")")" active "nothing is known to have expired"

before=$(steps)
step_to $hour
is "$(status_of_credd 'problems | length')" 0 "the clock is set, an hour on: status has nothing to say"
wait_for_receipt "$(id_of "$past")"
is "$(state_of "$(id_of "$past")")" expired "what fell due while the machine was off is expired"
refused_for past "$past" expired "what has expired"
is "$(apart "$(limit_of "$(id_of "$within")")" "$limit")" 0 "what has time left ends when it was to end before the boot"
is "$(log_in within "$within")" in "... and logs in"
is "$(steps)" $((before + 1)) "clock-stepped says that the clock was set"
is "$(state_of "$(id_of "$beyond")")" expired "what was issued in 1970 has run out with the hour"

plan

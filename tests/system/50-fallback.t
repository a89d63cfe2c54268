#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What goes wrong must not lock people out who have a password, nor let anybody in who has a token:
# credd away or hanging, a stack without our session line, an option misspelt; and who is none of
# our business is left alone through all of it.
# shellcheck disable=SC2317  # functions called by name
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

new_users lena mona nils otto paul
# shellcheck disable=SC2016
in_lab bash -c 'useradd -r -m -s /bin/bash sysop && echo "sysop:$1" | chpasswd' sh "$LAB_PASSWORD"
printf '%s\n' '@include common-auth' '@include common-account' '@include common-session' |
    write_file /etc/pam.d/other-service 0644

# --- Helpers

# What PAM itself says: pamtester's words for the code.
pam_says() { # SERVICE USER SECRET OPERATION...
    # shellcheck disable=SC2016
    in_lab timeout 30 bash -c 'printf "%s\n" "$0" | pamtester "${@}" 2>&1' "$3" "$1" "$2" "${@:4}" | tail -n 1
}

seconds() { # FILE COMMAND...; prints how long it took, what it said is in FILE
    local start=$SECONDS
    "${@:2}" >"$work/$1" 2>&1
    echo $((SECONDS - start))
}

none_of_ours() { # WHEN
    is "$(ssh_with sysop "$LAB_PASSWORD" password echo in)" in "$1: a system user's password works"
    is "$(ssh_with sysop "$LAB_PASSWORD" keyboard-interactive echo in)" in "$1: ... by keyboard-interactive, too"
    like "$(pam_says other-service otto "$LAB_PASSWORD" authenticate acct_mgmt open_session close_session)" \
        'session has successfully been closed' "$1: another service works"
    # shellcheck disable=SC2016
    is "$(in_lab_as paul timeout 30 sh -c 'printf "%s\n" "$1" | su otto -c "id -un" 2>/dev/null' sh "$LAB_PASSWORD")" \
        otto "$1: su works"
}

passwords_go_on() { # WHEN
    is "$(ssh_with nils "$LAB_PASSWORD" password echo in)" in "$1: a password works"
    is "$(ssh_with nils "$LAB_PASSWORD" keyboard-interactive echo in)" in "$1: ... by keyboard-interactive, too"
    unlike "$(ssh_with nils 'no password of mine' password echo inside)" inside "$1: a wrong one does not"
}

tokens_fail() { # WHEN [COMMAND-BETWEEN]; each with a token that was issued before
    local method took
    for method in password keyboard-interactive; do
        took=$(seconds out ssh_with lena "$(cat "$work/spare-$method")" "$method" echo inside)
        unlike "$(cat "$work/out")" inside "$1: a token does not work ($method)"
        at_most "$took" 40 "$1: ... and fails within the limit"
        "${2:-true}"
    done
    like "$(pam_says sshd lena "$(cat "$work/spare-pamtester")" authenticate)" \
        'cannot retrieve authentication info' "$1: PAM is told that there is no answer, not that it is no"
}

issue_spares() {
    local name
    for name in password keyboard-interactive pamtester; do
        issue_token lena --ttl 30min >"$work/spare-$name"
    done
}

# --- credd away

issue_spares
in_lab systemctl stop credd-login.socket credd-admin.socket credd.service
tokens_fail 'credd away'
passwords_go_on 'credd away'
none_of_ours 'credd away'
like "$(in_lab journalctl -q --no-pager -t sshd -t sshd-session -t pamtester -p err)" 'no answer from credd' \
    "the log of the service says that credd did not answer"
in_lab credctl status >/dev/null 2>&1
is $? 3 "credctl says that credd is not reachable"
in_lab systemctl start credd-login.socket credd-admin.socket credd.service
ok "credd is back" wait_until 20 in_lab credctl status

# --- credd hanging; its watchdog ends that after 30 s, so never for long

hang() { in_lab pkill -STOP -x credd; }
go_on() {
    in_lab pkill -CONT -x credd
    wait_until 40 in_lab credctl status || diag "credd does not go on"
}
rest() { go_on; hang; }

for method in password keyboard-interactive; do
    is "$(ssh_with lena "$(cat "$work/spare-$method")" "$method" echo in)" in \
        "what could not be used while credd was away can be used now ($method)"
done
issue_spares
starts=$(credd_journal CREDD_EVENT=daemon-started | wc -l)
hang
passwords_go_on 'credd hanging'
rest
tokens_fail 'credd hanging' rest
rest
none_of_ours 'credd hanging'
go_on
is "$(credd_journal CREDD_EVENT=daemon-started | wc -l)" "$starts" "it was one credd that hung all the time"
# credd may have answered, when it went on, to those who no longer waited: then a use is spent.
for name in password keyboard-interactive pamtester; do
    unlike "$(journal_of "$(id_of "$(cat "$work/spare-$name")")")" session-opened \
        "a login that was given up opens no session ($name)"
done

# --- The store damaged, or taken away: credd ends as often as it is started, or serves and promises nothing

store=/var/lib/credd/credd.db
stop_credd() { in_lab systemctl stop credd-login.socket credd-admin.socket credd.service; }
start_credd() { # whether it comes up or not
    in_lab systemctl start credd-login.socket credd-admin.socket
    in_lab systemctl start --no-block credd.service
}
said_lately() { in_lab journalctl -q --no-pager -u credd.service -p crit -n 20 | grep -q "$1"; }
sum_of_store() { in_lab sha256sum "$store" 2>/dev/null | cut -d' ' -f1; }
comes_back() { wait_until 40 in_lab credctl status; }
tries_again() { # WHEN; the spares were not spent
    is "$(ssh_with lena "$(cat "$work/spare-password")" password echo in)" in "$1: a token works again"
}

issue_spares
stop_credd
in_lab cp -a "$store" /root/sound.db
in_lab sh -c "printf '\\377' | dd of=$store bs=1 seek=100 conv=notrunc status=none"
damaged=$(sum_of_store)
start_credd
ok 'damaged: the journal says so, with priority critical' wait_until 20 said_lately 'Cannot open the store'
tokens_fail damaged
passwords_go_on damaged
not_ok 'damaged: credctl has no answer' in_lab timeout 60 credctl status
is "$(sum_of_store)" "$damaged" 'damaged: the file is as it was'
in_lab cp -a /root/sound.db "$store"
ok 'damaged: a sound one is taken at once' comes_back
tries_again damaged

issue_spares
in_lab mv "$store" /root/away.db
not_ok 'taken away under credd: nothing is issued' in_lab credctl issue --user lena -q
like "$(in_lab credctl status 2>&1)" 'removed or replaced' 'taken away under credd: the status says so'
ok '... and the journal' wait_until 20 said_lately 'removed or replaced'
tokens_fail 'taken away under credd'
in_lab mv /root/away.db "$store"
tries_again 'put back'

issue_spares
stop_credd
in_lab mv "$store" /root/away.db
start_credd
ok 'taken away: the journal says so' wait_until 20 said_lately 'took the store away'
tokens_fail 'taken away'
not_ok 'taken away: no other is made' in_lab test -e "$store"
in_lab mv /root/away.db "$store"
ok 'put back: credd takes it' comes_back
tries_again 'put back'

# --- One row damaged: nothing begins, and what ends, ends

open mona 30s 'echo ready; sleep 7400'
wait_ready mona
issue_spares
torn=$(id_of "$(issue_token lena --ttl 20s)") whole=$(id_of "$(issue_token lena --ttl 21s)")
stop_credd
in_lab sqlite3 "$store" "UPDATE credential SET services = '[' WHERE id = '$torn'"
start_credd
ok 'a row damaged: credd serves' comes_back
ok 'a row damaged: the journal says which, with priority critical' wait_until 40 said_lately 'of credential number [0-9]* is damaged'
wait_for_receipt "$whole"
is "$(receipt_of "$whole" .verdict)" confirmed 'a row damaged: who is behind it in the queue expires all the same'
wait_for_receipt "${ids[mona]}"
is "$(verdict_of "${ids[mona]}")" confirmed '... and a session ends at its deadline'
like "$(in_lab credctl status 2>&1)" 'damaged' 'a row damaged: the status says so'
not_ok 'a row damaged: nothing is issued' in_lab credctl issue --user lena -q
tokens_fail 'a row damaged'
passwords_go_on 'a row damaged'
stop_credd
in_lab sqlite3 "$store" "UPDATE credential SET services = '[]' WHERE id = '$torn'"
start_credd
ok 'a row mended: credd serves' comes_back
tries_again 'a row mended'

# --- A stack without our session line: nobody but credd can end what it opens

configure BindTimeout=3s
in_lab cp /etc/pam.d/sshd /root/sshd.pam
in_lab bash -c 'grep -v pam_ephemeral /etc/pam.d/common-session >/etc/pam.d/common-session-bare
    sed -i "s/@include common-session$/@include common-session-bare/" /etc/pam.d/sshd
    grep -q common-session-bare /etc/pam.d/sshd' || diag "the stack was not changed"
for method in password keyboard-interactive; do
    token=$(issue_token mona --ttl 30min)
    id=$(id_of "$token")
    start_session "bare-$method" mona "$token" "$method" 'echo ready; sleep 7301'
    wait_for_event "$id" login-accepted
    accepted=$(now_usec)
    wait_until 10 grep -q ready "$work/bare-$method.out"
    gone_at_most "$(gone_after mona "$accepted")" 8000 "without our session line a session is ended ($method)"
    wait_for_event "$id" login-unclaimed
    is "$(event_field "$id" login-unclaimed PRIORITY)" 2 "... and the journal says so, with priority critical"
    like "$(event_field "$id" login-unclaimed CREDD_REASON)" 'session line' "... and what is missing"
    wait_for_receipt "$id"
    is "$(count_events "$id" credential-deprovisioned)" 1 "... and its receipt is written"
    like "$(output_of "bare-$method")" ready "... it was a session that worked"
done
in_lab cp /root/sshd.pam /etc/pam.d/sshd
configure

token=$(issue_token mona)
is "$(ssh_with mona "$token" password echo in)" in "with the line back again a token works"

# --- An option misspelt: tokens are refused; all others do not notice

misspell() { # FILE...
    in_lab sed -i 's/pam_ephemeral\.so.*/& timeuot=5s/' "$@"
    in_lab grep -q timeuot "$@" || diag "nothing was misspelt in $*"
}

misspell /etc/pam.d/common-auth
token=$(issue_token lena)
asked=$(status_of_credd logins_asked)
unlike "$(ssh_with lena "$token" password echo inside)" inside "misspelt: a token does not work"
is "$(status_of_credd logins_asked)" "$asked" "misspelt: ... and is not sent"
passwords_go_on misspelt
misspell /etc/pam.d/common-account /etc/pam.d/common-session
none_of_ours 'misspelt everywhere'
like "$(in_lab journalctl -q --no-pager -p err)" 'unknown or wrong option.*timeuot' "the log names the option"

wait
plan

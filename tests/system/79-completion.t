#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What bash and zsh offer after the words that were typed: for every verb its options, and for values and
# operands what credd lets this person see; nothing, and at once, if it does not answer. That the lists of
# verbs and options are those of the help is looked at by `make lint`, too, for bash and without a lab.
# shellcheck disable=SC2016,SC2317  # commands for the lab's shells; functions called by name

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

wait_until 10 in_lab credctl status
new_users zoe
write_file /etc/credd/roles.d/deploy.conf 0644 <<'CONF'
[Role]
Users=zoe
Requesters=zoe
Approvers=alice
CONF
reload_credd
write_file /root/complete.zsh 0644 <"$source_dir/tests/system/tools/complete.zsh"
write_file /root/complete.bash 0644 <<'BASH'
# LINE...: the words of a LINE are parted by one blank; one at the end begins a new word.
. /usr/share/bash-completion/completions/credctl
for line; do
    mapfile -d ' ' -t COMP_WORDS < <(printf %s "$line")
    COMP_WORDS=("${COMP_WORDS[@]/%$'\n'/}")
    [[ $line != *' ' ]] || COMP_WORDS+=('')
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    $(complete -p credctl | sed 's/.*-F \([^ ]*\).*/\1/') credctl "${COMP_WORDS[COMP_CWORD]}"
    echo "$line => $(printf '%s\n' "${COMPREPLY[@]}" | sed '/^$/d' | sort -u | tr '\n' ' ')"
done
BASH
in_lab chmod 755 /root
bash_offers() { in_lab_as "${as:-root}" bash /root/complete.bash "$@"; }
zsh_offers() { in_lab_as "${as:-root}" env HOME=/nonexistent zsh -f /root/complete.zsh /usr/share/zsh/vendor-completions "$@"; }

open=$(id_of "$(issue_token zoe --ttl 1h)")
over=$(id_of "$(issue_token zoe --ttl 1h)")
in_lab credctl revoke -q --wait "$over"
asked=$(in_lab_as zoe credctl request --role deploy --user zoe --reason r --json | jq -r '.. | .id? // empty' | head -n 1)

# shellcheck disable=SC2086  # verbs is a list
expected() { # the lines that both shells must give
    local all
    all=$(printf '%s\n' "$open" "$over" "$asked" | sort | tr '\n' ' ')
    echo "credctl  => $(in_lab credctl help | sed -nE '/^Everywhere/q; s/^  ([a-z-]+) .*/\1/p' | sort | tr '\n' ' ')"
    in_lab sh -c 'for verb; do
        echo "credctl $verb -- => $(credctl "$verb" --help | sed -nE "s/^  (-[a-z], )?(--[a-z-]+).*/\2/p" | sort | tr "\n" " ")"
    done' sh $verbs
    cat <<END
credctl iss => issue 
credctl show  => $all
credctl show ${over:0:5} => $over 
credctl show $over  => 
credctl revoke --wait  => $(printf '%s\n' "$open" "$asked" | sort | tr '\n' ' ')
credctl approve  => $asked 
credctl issue --user zo => zoe 
credctl issue --role  => deploy 
credctl issue --ttl  => 
credctl issue --service s => sshd 
credctl issue --from  => local 
credctl issue --kind  => code token 
credctl -q list --state p => pending 
credctl role  => check disable enable list show 
credctl role disable  => deploy 
credctl role disable deploy  => 
credctl list --output  => json table 
credctl collect --output  => json table token 
credctl audit --output  => csv html json table 
credctl help st => status 
credctl frobnicate  => 
END
}

verbs=$(in_lab credctl help | sed -nE '/^Everywhere/q; s/^  ([a-z-]+) .*/\1/p')
wanted=$(expected)
mapfile -t lines <<<"$wanted"
lines=("${lines[@]/ => */}")
is "$(diff <(bash_offers "${lines[@]}") - <<<"$wanted")" '' "bash: ${#lines[@]} lines, each offered what there is"
is "$(diff <(zsh_offers "${lines[@]}") - <<<"$wanted")" '' 'zsh: the same'
is "$(bash_offers 'credctl issue --user = zo' 'credctl audit --fail-on late,re')" \
    $'credctl issue --user = zo => zoe \ncredctl audit --fail-on late,re => late,refused-burst late,residue ' 'bash: behind =, and in a list'
is "$(zsh_offers 'credctl issue --user=zo' 'credctl audit --fail-on late,re')" \
    $'credctl issue --user=zo => zoe \ncredctl audit --fail-on late,re => refused-burst residue ' 'zsh: likewise'
is "$(as=bob bash_offers 'credctl show ' 'credctl role disable ' 2>&1)" $'credctl show  => \ncredctl role disable  => ' \
    'who may see nothing is offered nothing, and no error'
like "$(bash_offers 'credctl role check /etc/credd/ro' 'credctl backup /etc/host')" '/etc/credd/roles.d .*/etc/hosts' 'files'

# Without credd there is nothing to offer, and no word about it; one that does not answer is not waited for.
in_lab systemctl stop credd-login.socket credd-admin.socket credd.service
is "$(bash_offers 'credctl show ' 'credctl issue --role ' 2>&1)" $'credctl show  => \ncredctl issue --role  => ' 'bash: credd away'
is "$(zsh_offers 'credctl show ' 'credctl issue --role ' 2>&1)" $'credctl show  => \ncredctl issue --role  => ' 'zsh: credd away'
in_lab systemctl start credd-login.socket credd-admin.socket credd.service
wait_until 10 in_lab credctl status
in_lab systemctl kill --signal=STOP credd.service
start=$(now_usec)
is "$(bash_offers 'credctl show ' 2>&1)" 'credctl show  => ' 'bash: a credd that does not answer'
at_most $((($(now_usec) - start) / 1000000)) 15 'is not waited for' # a second here; this may be a loaded machine
in_lab systemctl kill --signal=CONT credd.service

plan

# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of credctl for bash. Verbs, commands and options are read from `credctl --help` and
# `credctl VERB --help`, which credctl makes of its own tables, so there is no list here that could
# fall behind. Ids and roles are asked of credd: those that the person may see, and none if there is no
# answer at once. Lists of words that the help does not have are held against the source by `make lint`.

# What credctl says, and nothing if it takes long or may not.
_credctl_ask() { # ARGUMENT...
    timeout 1 "$_credctl_program" "$@" 2>/dev/null </dev/null
}

_credctl_verbs() {
    _credctl_ask --help | sed -n '/^Everywhere/q; s/^  \([a-z][a-z-]*\) .*/\1/p'
}

# "--user USER" a line, as the help has it.
_credctl_options() { # HELP
    sed -n 's/^  \(-[a-z], \)\{0,1\}\(--[a-z-]\{1,\}\)\( [A-Z][A-Z,.]*\)\{0,1\}\( .*\)\{0,1\}$/\2\3/p' <<<"$1"
}

# "disable ROLE [--reason]" a line.
_credctl_commands() { # HELP
    sed -n '/^Commands:/,/^  -/ s/^  \([a-z].*\)/\1/p' <<<"$1"
}

_credctl_ids() { # VERB; only those with which the verb can do something
    case $1 in
        approve | deny | collect) _credctl_ask requests --no-legend -q ;;
        extend | revoke) _credctl_ask list --no-legend -q ;;
        *) _credctl_ask list --all --no-legend -q ;;
    esac | cut -d ' ' -f 1
}

_credctl_roles() {
    _credctl_ask role list --no-legend -q | cut -d ' ' -f 1
}

# The words that may stand for a value, by the name that the help gives it.
_credctl_values() { # VERB NAME
    case $2 in
        ID) _credctl_ids "$1" ;;
        ROLE) _credctl_roles ;;
        USER) compgen -u ;;
        VERB) _credctl_verbs ;;
        SVC) echo sshd login ;;
        CIDR) echo local ;;
        STATE)
            echo pending active in-use suspended ending used expired revoked returned locked denied lapsed
            ;;
        KIND) echo token code ;;
        KIND,...)
            echo missed unacknowledged role-off-live late residue refused-burst down \
                no-credential-session clock long-lived
            ;;
        FORM)
            echo table json
            case $1 in
                issue | collect | request) echo token ;;
                audit) echo csv html ;;
            esac
            ;;
    esac
}

_credctl_offer() { # WORDS
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

_credctl_offer_value() { # VERB NAME
    case $2 in
        FILE | PATH)
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
            ;;
        KIND,...) # a list: what stands before the last comma stays
            local before=''
            [[ $cur != *,* ]] || before=${cur%,*},
            compopt -o nospace 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -P "$before" -W "$(_credctl_values "$1" "$2")" -- "${cur##*,}")
            ;;
        *) _credctl_offer "$(_credctl_values "$1" "$2")" ;;
    esac
}

# Whatever COMP_WORDBREAKS says, "--user=al" comes in three words.
_credctl_words() {
    local i word
    words=()
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $word == = && ${words[-1]:-} == --* ]]; then
            words+=('')
            ((i < COMP_CWORD)) || return
            i=$((i + 1))
            words[-1]=${COMP_WORDS[i]}
        else
            words+=("$word")
        fi
    done
}

# Sets verb, operands, and value: what the word at the cursor is the value of.
_credctl_read() {
    local i word options
    options=$(_credctl_options "$(_credctl_ask --help)")$'\n--socket PATH'
    verb='' operands=() value=''
    for ((i = 0; i < ${#words[@]} - 1; i++)); do
        word=${words[i]}
        value=''
        if [[ $word == --* ]]; then
            value=$(sed -n "/^${word//[^a-z-]/} / { s/.* //p; q }" <<<"$options")
            [[ -z $value ]] || i=$((i + 1))
        elif [[ $word != -* && -z $verb ]]; then
            verb=$word
            help=$(_credctl_ask "$verb" --help)
            options+=$'\n'$(_credctl_options "$help")
        elif [[ $word != -* ]]; then
            operands+=("$word")
        fi
    done
    # The last option's value is still to come, or stood there already.
    ((i == ${#words[@]})) || value=''
    offered=$(sed '/^--socket /d; s/ .*//' <<<"$options" | sort -u)
}

_credctl_offer_operand() {
    local commands operand
    commands=$(_credctl_commands "$help")
    if [[ -n $commands && ${#operands[@]} -eq 0 ]]; then
        _credctl_offer "$(cut -d ' ' -f 1 <<<"$commands")"
    elif [[ -n $commands ]]; then
        operand=$(sed -n "s/^${operands[0]//[^a-z-]/} \([A-Z]*\).*/\1/p" <<<"$commands")
        ((${#operands[@]} > 1)) || _credctl_offer_value "$verb" "$operand"
    else
        # The usage ends with it, be it on a line of its own.
        operand=$(sed '/^$/q' <<<"$help" | tr -d '\n' | sed -n 's/.* \(\[\{0,1\}[A-Z]\{2,\}\(\.\.\.\)\{0,1\}\]\{0,1\}\)$/\1/p')
        [[ $operand == *...* || ${#operands[@]} -eq 0 ]] || operand=''
        _credctl_offer_value "$verb" "$(tr -d '[].' <<<"$operand")"
    fi
}

_credctl() {
    local _credctl_program=${1:-credctl} cur verb='' help='' value='' offered=''
    local -a words operands
    COMPREPLY=()
    _credctl_words
    cur=${words[-1]:-}
    _credctl_read
    if [[ -n $value ]]; then
        _credctl_offer_value "$verb" "$value"
    elif [[ $cur == -* ]]; then
        _credctl_offer "$offered"
    elif [[ -z $verb ]]; then
        _credctl_offer "$(_credctl_verbs)"
    else
        _credctl_offer_operand
    fi
}

complete -F _credctl credctl

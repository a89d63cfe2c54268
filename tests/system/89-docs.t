#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every command in the documents, typed as they say, one document after the other: a ```console block is run line
# by line as root (#) or as a person ($), and each line ends with exit status 0 or with what the document's hidden
# comment <!-- test: status N --> says. Other such comments call the functions of docs/hooks.sh. What cannot be run
# here is listed in docs/not-run, with the reason.
# shellcheck disable=SC2016,SC2317  # commands for the lab's shells; functions called by name

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=docs/hooks.sh
. "$(dirname "$0")/docs/hooks.sh"

# DOCS="README.md doc/training.md" takes those alone. The restore comes last: it leaves the witnesses at odds.
cd "$source_dir" || exit 1
documents=(README.md doc/man/*.[1-8] doc/admin-guide.md doc/training.md SECURITY.md doc/compliance.md doc/protocol.md
    doc/runbooks/[!r]*.md doc/runbooks/restore.md)
for_developers='^(CONTRIBUTING|NEWS|doc/architecture|doc/threat-model)\.md$'
if [[ -n ${DOCS:-} ]]; then
    read -ra documents <<<"$DOCS"
else
    is "$(comm -23 <(git ls-files '*.md' 'doc/man/*' 2>/dev/null | grep -vE "$for_developers" | sort) <(printf '%s\n' "${documents[@]}" | sort))" '' \
        'no document is left out'
fi

declare -A replacements=() used=()
wanted=0 prefix='' secret='' last_id='' last_token=''
replace() { replacements[$1]=$2; } # OLD NEW, in all that follows in this document

# The reason why it is not run, if there is one.
not_run() { # COMMAND
    local begin reason
    while IFS= read -r line; do
        begin=${line%%  *} reason=${line#*  }
        [[ $1 == "$begin" || $1 == "$begin "* ]] || continue
        used[$begin]=1
        [[ $begin != varlinkctl ]] || ! in_lab test -x /usr/bin/varlinkctl || return 1
        echo "${reason#"${reason%%[! ]*}"}" >"$work/reason"
        return 0
    done < <(grep -v '^#' "$system_dir/docs/not-run")
    return 1
}

filled_in() { # COMMAND
    local old text=$1
    for old in "${!replacements[@]}"; do
        text=${text//"$old"/${replacements[$old]}}
    done
    printf '%s' "$text"
}

# An ssh gets its password, and somebody who leaves at once.
type_it() { # PERSON COMMAND
    local line
    line=$(filled_in "$2")
    [[ $line != ssh\ * ]] || line="echo exit | timeout 60 sshpass -p '$secret' ssh -tt -o NumberOfPasswordPrompts=1 -o PreferredAuthentications=password ${line#ssh }"
    line="cd; $prefix $line"
    if [[ $1 == root ]]; then in_lab env HOME=/root bash -c "$line"; else in_lab_as "$1" env HOME="/home/$1" bash -c "$line"; fi
}

run_line() { # WHERE PERSON COMMAND
    local output result=0 good=1 prompt='$'
    [[ $2 != root ]] || prompt='#'
    if not_run "$3"; then
        skip "$(cat "$work/reason")" "$1: $prompt $3"
        return
    fi
    output=$(type_it "$2" "$3" 2>&1) || result=$?
    [[ " $wanted " != *" $result "* ]] || good=0
    tap_result "$good" "$1: $prompt $3" "gave $result, not $wanted" "$output"
    [[ ! $output =~ eph_[0-9a-z]{36} ]] || last_token=${BASH_REMATCH[0]}
    [[ ! $output =~ Credential\ ([0-9a-z]{8}) ]] || last_id=${BASH_REMATCH[1]}
}

run_document() { # FILE
    local line kind text
    reset
    [[ $1 != doc/man/* ]] || manual
    while IFS=$'\t' read -r line kind text; do
        case $kind in
            hook)
                # shellcheck disable=SC2086  # a function and its arguments
                $text || diag "$1:$line: $text failed"
                ;;
            end) wanted=0 prefix='' ;;
            *) run_line "$1:$line" "$kind" "$text" ;;
        esac
    done < <(awk -f "$system_dir/docs/extract.awk" "$1")
}

wait_until 10 in_lab credctl status
new_users deploy
in_lab sh -c 'groupadd dev; groupadd sre-leads; groupadd oncall; gpasswd -a bob dev; cp /etc/credd/credd.conf /etc/credd/credd.conf.shipped' >/dev/null
for document in "${documents[@]}"; do
    run_document "$document"
done
[[ -n ${DOCS:-} ]] || is "$(grep -v '^#' "$system_dir/docs/not-run" | sed 's/  .*//' | grep -vxF "$(printf '%s\n' "${!used[@]}")")" '' \
    'what is listed as not run is in a document'

plan

# SPDX-License-Identifier: LGPL-2.1-or-later
# complete.zsh FOLDER LINE... - what zsh offers at the end of each LINE, with the completions of FOLDER:
# "LINE => WORD WORD...". A zsh on a pseudo-terminal of its own completes; what it would add goes to a file.
zmodload zsh/zpty zsh/zselect
folder=$1 seen=$(mktemp)
shift
export SEEN=$seen
zpty -b inner zsh -f -i
type_line() { zpty -w -n inner "$1" }
type_line "PS1=; PS2=; fpath=($folder \$fpath); autoload -Uz compinit; compinit -u -D; bindkey '^I' complete-word
setopt no_auto_list no_auto_menu no_always_last_prompt; LISTMAX=100000; zstyle ':completion:*' verbose no
compadd() {
    local -a hits
    [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]] || { builtin compadd -O hits \"\$@\"; print -rl -- \$hits >>\$SEEN }
    builtin compadd \"\$@\"
}
finish() { print END >>\$SEEN; comppostfuncs=(finish) }
comppostfuncs=(finish)
print READY >>\$SEEN
"
await() { # WORD
    local -i i
    for ((i = 0; i < 3000; i++)); do
        [[ $(<$seen) != *$1* ]] || return 0
        zpty -r -t inner >/dev/null 2>&1
        zselect -t 1
    done
    return 1
}
await READY || { echo 'zsh does not come up' >&2; exit 1 }
for line; do
    : >$seen
    type_line "$line"$'\t'
    await END || echo "$line: no answer" >&2
    print -r -- "$line => $(sed '/^END$/d; /^$/d' $seen | sort -u | tr '\n' ' ')"
    type_line $'\C-u'
done
zpty -d inner
rm -f $seen

#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# make demo and make lab, which boot a host of their own: the demo goes through all of its steps, README shows
# what it prints, and the lab is what it says of itself.
# lab: own
# shellcheck disable=SC2016  # commands for the lab's shell

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

cd "$source_dir" || exit 1

# --- The demo

# It takes the verdict at its word, and on a busy machine an end may be late: that is no fault of the demo.
demo() {
    local try status
    for try in 1 2 3; do
        status=0
        NO_COLOR=1 RELEASE=$LAB_RELEASE tests/lab/demo >"$work/demo" 2>&1 </dev/null || status=$?
        ((status != 0)) && ((try < 3)) && grep -q 'late by' "$work/demo" || return "$status"
    done
}
demo
is $? 0 "make demo shows each of its steps, on $LAB_RELEASE" || diag "$(tail -n 30 "$work/demo")"
like "$(cat "$work/demo")" 'What was shown' 'and says what was shown'

# Of each line what is the same each time: without ids, names of the host, moments, lengths and numbers. What was seen
# and done in the end depends on who was quicker.
essence() {
    sed -E -e 's/^ +(\| ?)?//' -e 's/\r//g' -e 's/[ ]+$//' -e 's/eph_[0-9a-z]{36}/TOKEN/g' -e "s/\b$1\b/ID/g" \
        -e 's/demo-[0-9]+/demo/g' -e 's/\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +[0-9]+/DAY/g' \
        -e 's/[0-9]+/0/g' -e 's/0(us|ms|s|min|h)( ?0(us|ms|s|min|h))*/LENGTH/g' -e 's/[+-]0(:0)?\b/+0/g' \
        -e 's/(seen|done): .*/\1/' -e 's/ +/ /g'
}
# The lines of the transcript in README, in its order; [...] stands for what was left out.
transcript() {
    sed -n '/^### What the demo shows/,/^## Install it/p' README.md | sed -n 's/^    //p' | grep -vxF '[...]'
}
id=$(grep -oE 'Credential [0-9a-z]{8}:' "$work/demo" | head -n 1 | cut -c12-19)
written=$(transcript | grep -oE 'Credential [0-9a-z]{8}:' | head -n 1 | cut -c12-19)
essence "$id" <"$work/demo" >"$work/shown"
transcript | essence "$written" >"$work/written"
missing=$(awk 'NR == FNR { shown[NR] = $0; n = NR; next }
    { for (i = at + 1; i <= n && shown[i] != $0; i++); if (i > n) print; else at = i }' "$work/shown" "$work/written")
shows='README shows what it prints, line for line and in this order'
if [[ $LAB_RELEASE == bookworm ]]; then
    is "$missing" '' "$shows" || diag "$(cat "$work/shown")"
else
    skip 'what README shows is of Debian 12' "$shows"
fi

# --- The lab

lab() { tests/lab/enter "$LAB_RELEASE" >"$work/lab" 2>&1; }
lab <<'TYPED'
credctl status
echo "user: $(id -un)"
token=$(credctl issue --user alice --ttl 1min --uses 2 --output token)
echo "alice: $(sshpass -p "$token" ssh -n alice@localhost id -un)"
echo "alice: $(sshpass -p 'correct horse' ssh -n alice@localhost id -un)"
TYPED
is $? 0 'make lab gives a shell, and ends with it'
out=$(cat "$work/lab")
like "$out" 'Users: alice bob carol' 'it says who is there'
like "$out" $'\ncredd +[0-9.]+ on lab-' 'credd runs in it'
like "$out" $'\nuser: root\n' 'the shell is root'\''s'
is "$(grep -c '^alice: alice$' <<<"$out")" 2 'one logs in with a token, and with the password that it says'
# Those of the other release are another test's, which may run beside this one.
is "$(tests/lab/lab list | awk -v release="$LAB_RELEASE" '/^(demo|lab)-/ && $2 == release')" '' \
    'neither leaves anything behind'

plan

#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# credd as a Varlink service among others: what it says of itself, and whether systemd's own client,
# which takes every word of it apart, can work with it. Debian 12 has no such client.
# shellcheck disable=SC2317  # called by name

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

admin=/run/credd/io.credd.Admin
login=/run/credd/io.credd.Login
files=/usr/share/credd

write_file /usr/local/bin/wire 0755 <"$tools/wire"
new_users vera

# --- In raw messages

ask() { # SOCKET METHOD [PARAMETERS]
    in_lab wire "$1" call "{\"method\":\"org.varlink.service.$2\",\"parameters\":${3:-"{}"}}"
}

for socket in "$admin" "$login"; do
    name=${socket##*/}
    info=$(ask "$socket" GetInfo)
    is "$(jq -r '.parameters | keys_unsorted | sort | join(" ")' <<<"$info")" \
        'interfaces product url vendor version' "$name: GetInfo says all that it must"
    is "$(jq -r '.parameters.interfaces | join(" ")' <<<"$info")" "$name org.varlink.service" \
        "$name: and which interfaces there are"
    is "$(jq -r .parameters.version <<<"$info")" "$(in_lab credctl --version | sed 's/credctl //')" \
        "$name: its version is credctl's"
    for interface in "$name" org.varlink.service; do
        ask "$socket" GetInterfaceDescription "{\"interface\":\"$interface\"}" |
            jq -j .parameters.description >"$work/served"
        in_lab cat "$files/$interface.varlink" >"$work/installed"
        ok "$name: the text of $interface is the installed file's" cmp "$work/served" "$work/installed"
    done
done
for file in "$source_dir"/common/*.varlink; do
    in_lab cat "$files/${file##*/}" >"$work/installed"
    ok "${file##*/} is installed as it stands in the source" cmp "$file" "$work/installed"
done

# Every method in the text exists, and none is served that is not in it.
methods=$(sed -n 's/^method \([A-Za-z]*\)(.*/\1/p' "$source_dir/common/io.credd.Admin.varlink")
isnt "$methods" '' 'the text of io.credd.Admin names methods'
for method in $methods; do
    unlike "$(in_lab wire "$admin" call "{\"method\":\"io.credd.Admin.$method\",\"parameters\":{\"nonsense\":1}}")" \
        MethodNotFound "method $method of the text is served"
done

# --- With systemd's client

if ! in_lab sh -c 'command -v varlinkctl' >/dev/null; then
    skip 'this release of systemd has no varlinkctl' 'varlinkctl info'
    skip 'this release of systemd has no varlinkctl' 'varlinkctl introspect'
    skip 'this release of systemd has no varlinkctl' 'varlinkctl call'
    skip 'this release of systemd has no varlinkctl' 'varlinkctl validate-idl'
    plan
fi

ctl() { in_lab varlinkctl --no-pager "$@" 2>&1; }
knows() { # COMMAND; whether this varlinkctl has it
    ctl --help | grep -q "^  $1 "
}

out=$(ctl info "$admin")
like "$out" 'Product: credd' 'varlinkctl info: the product'
like "$out" 'Interfaces: io.credd.Admin' 'varlinkctl info: the interface'
like "$(ctl info "$login")" 'Interfaces: io.credd.Login' 'varlinkctl info of the Login socket'
is "$(ctl list-interfaces "$admin" | paste -sd' ')" 'io.credd.Admin org.varlink.service' \
    'varlinkctl list-interfaces'
if knows list-methods; then
    is "$(ctl list-methods "$admin" io.credd.Admin | sed 's/.*\.//' | sort)" "$(sort <<<"$methods")" \
        'varlinkctl list-methods'
else
    skip 'this varlinkctl has no list-methods' 'varlinkctl list-methods'
fi

# varlinkctl parses the text and prints what it understood. That again must be a text it can read,
# and must name all that ours names.
symbols() { grep -oE '^(interface|method|type|error) [A-Za-z.]+' | sort; }
for socket in "$admin" "$login"; do
    for interface in "${socket##*/}" org.varlink.service; do
        ctl introspect "$socket" "$interface" >"$work/understood"
        is "$(symbols <"$work/understood")" "$(symbols <"$source_dir/common/$interface.varlink")" \
            "varlinkctl introspect ${socket##*/} $interface understood all of it"
    done
done
write_file /tmp/understood.varlink 0644 <"$work/understood"
ok 'and what it prints is valid' ctl validate-idl /tmp/understood.varlink
for file in "$source_dir"/common/*.varlink; do
    ok "varlinkctl validate-idl ${file##*/}" ctl validate-idl "$files/${file##*/}"
done

is "$(ctl call "$admin" io.credd.Admin.Status '{}' | jq -r .store)" ok 'varlinkctl call Status'
id=$(id_of "$(issue_token vera --reason 'seen by varlinkctl')")
is "$(ctl call "$admin" io.credd.Admin.List '{"user":"vera"}' | jq -r '.credentials[].reason')" \
    'seen by varlinkctl' 'varlinkctl call List'
is "$(ctl call --more "$admin" io.credd.Admin.List '{"user":"vera"}' | tr -d '\036' | jq -r '.credentials[].id')" "$id" \
    'with --more it is one answer'
issued=$(ctl call "$admin" io.credd.Admin.Issue "{\"user\":\"vera\",\"uid\":$(in_lab id -u vera)}")
like "$(jq -r .token <<<"$issued")" '^eph_[0-9a-z]{36}$' 'varlinkctl call Issue gives a token'
is "$(ssh_with vera "$(jq -r .token <<<"$issued")" password echo in)" in 'and it logs in'
ok 'varlinkctl call --oneway Revoke' ctl call --oneway "$admin" io.credd.Admin.Revoke "{\"id\":\"$id\"}"
is_revoked() { [[ $(show_of "$id" .state) == revoked ]]; }
ok 'has revoked it' wait_until 10 is_revoked
not_ok 'an error of ours is one to varlinkctl' ctl call "$admin" io.credd.Admin.Show '{"id":"zzzzzzzz"}'
like "$(ctl call "$admin" io.credd.Admin.Show '{"id":"zzzzzzzz"}')" 'io.credd.Admin.NotFound' \
    'and it shows its name'
like "$(ctl call "$admin" io.credd.Admin.Show '{}')" 'InvalidParameter' 'and those of the protocol'
like "$(in_lab_as alice varlinkctl call "$admin" io.credd.Admin.Freeze '{}' 2>&1)" \
    'io.credd.Admin.PermissionDenied' 'alice is told that she may not'

plan

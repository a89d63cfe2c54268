# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# cache.sh - the cached root file system of a release: RELEASE-KEY.tar, and RELEASE-KEY, the same
# unpacked, which is the lower layer of the running labs and never written to. Sourced by `lab`.

cache_dir=${CREDD_LAB_CACHE:-/var/cache/credd-lab}
cache_sources=${BASH_SOURCE[0]%/*}

image_path() { # RELEASE
    local key
    key=$(cd "$cache_sources" && cat packages accounts image provision | sha256sum)
    printf '%s/%s-%s\n' "$cache_dir" "$1" "${key:0:16}"
}

known_release() {
    case ${1:-} in
        bookworm | trixie) ;;
        *) usage_error "unknown release '${1:-}'" ;;
    esac
}

# Holds the release's lock as descriptor 8, so that nobody builds the same or removes it meanwhile.
lock_image() { # RELEASE
    mkdir -p "$cache_dir"
    exec 8>"$cache_dir/$1.lock"
    flock -n 8 && return
    note "$1: waiting for another process that uses the cache"
    flock 8
}

make_image() { # RELEASE, locked
    local image
    image=$(image_path "$1")
    [[ ! -d $image ]] || return 0
    if [[ ! -e $image.tar ]]; then
        need_command mmdebstrap mmdebstrap
        note "$1: building the root file system, about a minute"
        "$cache_sources/image" "$1" "$image.tar.part" >&2
        mv "$image.tar.part" "$image.tar"
    fi
    note "$1: unpacking"
    rm -rf "$image.part"
    mkdir "$image.part"
    tar -C "$image.part" -xpf "$image.tar" --numeric-owner --xattrs --xattrs-include='*'
    mv "$image.part" "$image"
    remove_old_images "$1" "$image"
}

remove_old_images() { # RELEASE IMAGE
    local old
    for old in "$cache_dir/$1"-*; do
        [[ $old != "$2" && $old != "$2.tar" ]] || continue
        grep -q "lowerdir=$old," /proc/mounts || rm -rf "$old"
    done
}

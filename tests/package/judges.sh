#!/bin/sh
# Puts the built package before piuparts and autopkgtest:  judges.sh PACKAGE SUITE...   Needs root; minutes a suite.
set -eu
package=$1
shift
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/source"
cp -a "$here/../../packaging/debian" "$work/source/debian"

judge() { # name, log, command...
    name=$1 log=$2
    shift 2
    if "$@" >"$log" 2>&1; then
        echo "$name: PASS"
    else
        cat "$log"
        echo "$name: FAIL" >&2
        exit 1
    fi
}

for suite in "$@"; do
    # systemd and udev are in it because they leave files behind when they are purged.
    base=build/minimal-$suite.tar.gz
    "$here/debian.sh" "$suite" "$base" apt-utils dpkg-dev systemd udev
    # The ignored folder is apt-utils', which makes it when anything is installed at all.
    judge "piuparts $suite" "build/piuparts-$suite.log" \
        piuparts --basetgz="$base" --distribution="$suite" --keep-sources-list --ignore-regex=/var/cache/debconf/tmp.ci.* "$package"

    mkdir "$work/$suite"
    tar -xzf "$base" -C "$work/$suite"
    judge "autopkgtest $suite" "build/autopkgtest-$suite.log" \
        autopkgtest "$package" "$work/source" -- chroot "$work/$suite"
done

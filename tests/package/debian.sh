#!/bin/sh
# Makes a minimal Debian with some packages more:  debian.sh SUITE[:ARCHITECTURE] TARGET NAME...   Needs root.
# TARGET becomes a folder, or a tarball where its name says so. One that is there is kept, an unfinished one is not.
# The archive is the one that this machine's own apt uses. What is of another architecture is emulated meanwhile.
set -eu
suite=${1%:*} target=$2
architecture=$(dpkg --print-architecture)
case $1 in *:*) architecture=${1#*:} ;; esac
shift 2
[ ! -e "$target" ] || exit 0

archive() { # debian or debian-security
    # shellcheck disable=SC2016 # apt fills it in
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | sed 's#/*$##' | grep -E "/$1\$" | sort -u | head -n 1
}

main=$(archive debian) security=$(archive debian-security)
[ -n "$main" ] || {
    echo "there is no Debian archive among this machine's apt sources" >&2
    exit 2
}
# Debian sid has none. Of other architectures this machine's apt never asks, and a mirror may lag behind there.
if [ "$suite" = sid ] || [ "$architecture" != "$(dpkg --print-architecture)" ]; then security=; fi
echo "making a Debian $suite for $architecture in $target: about a minute and a half, emulated six"
mkdir -p "$(dirname "$target")"
work=$(mktemp -d "$(dirname "$target")/.making-XXXXXX")
trap 'rm -rf "$work"' EXIT
signed='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
{
    echo "deb $signed $main $suite main"
    [ -z "$security" ] || echo "deb $signed $security $suite-security main"
} >"$work/archive.list"
mmdebstrap --quiet --mode=root --variant=minbase --architectures="$architecture" --skip=cleanup/apt/lists \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io \
    --include="$(echo "$*" | tr ' ' ,)" "$suite" "$work/$(basename "$target")" "$work/archive.list"
mv "$work/$(basename "$target")" "$target"

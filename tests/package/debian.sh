#!/bin/sh
# Makes a minimal Debian with some packages more:  debian.sh SUITE TARGET NAME...   Needs root.
# TARGET becomes a folder, or a tarball where its name says so. One that is there is kept, an unfinished one is not.
# The archive is the one that this machine's own apt uses.
set -eu
suite=$1 target=$2
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
echo "making a Debian $suite in $target: about a minute and a half"
mkdir -p "$(dirname "$target")"
work=$(mktemp -d "$(dirname "$target")/.making-XXXXXX")
trap 'rm -rf "$work"' EXIT
signed='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
{
    echo "deb $signed $main $suite main"
    [ -z "$security" ] || echo "deb $signed $security $suite-security main"
} >"$work/archive.list"
mmdebstrap --quiet --mode=root --variant=minbase --skip=cleanup/apt/lists \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io \
    --include="$(echo "$*" | tr ' ' ,)" "$suite" "$work/$(basename "$target")" "$work/archive.list"
mv "$work/$(basename "$target")" "$target"

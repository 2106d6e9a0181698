#!/bin/sh
# Builds the .deb from this tree in a tree of its own, and puts it into FOLDER:  build.sh FOLDER
# The result depends on nothing but the files: times are those of debian/changelog.
set -eu
umask 022
folder=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")/.."
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir "$tree/source"
tar -c --exclude=__pycache__ agent docs/agent.toml.sample LICENSE packaging systemd udev | tar -xC "$tree/source"
cp -a packaging/debian "$tree/source/debian"
cd "$tree/source"
# Debian's own tools: another Python may come first in PATH.
env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="$tree" LC_ALL=C.UTF-8 \
    dpkg-buildpackage --no-sign --build=binary >"$tree/log" 2>&1 || {
    cat "$tree/log" >&2
    exit 1
}
cp "$tree"/edge-provisioner_*_all.deb "$folder"
for made in "$folder"/edge-provisioner_*_all.deb; do echo "$made"; done

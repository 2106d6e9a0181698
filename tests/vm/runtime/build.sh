#!/bin/sh
# Builds the stand-in runtime's packages and the index that apt wants, for tests only:  build.sh FOLDER
# A machine installs them with the line  deb [trusted=yes] file:FOLDER ./
set -eu
umask 022
folder=$(mkdir -p "$1" && cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
checkout=$(cd "$here/../../.." && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
code=$tree/source/trees/standin-runtime/usr/lib/standin-runtime/tests/standins
mkdir -p "$code"
cp -R "$here/debian" "$tree/source/debian"
cp "$checkout"/tests/standins/*.py "$checkout"/tests/standins/*.json "$code"
# These stand for what a booted machine has itself, or need what it has not.
cd "$code"
rm hotplug.py machine.py manager.py mock_devices.py service_unit.py software_tpm.py supervisor.py tpm_wire.py \
    udevadm.py units.py
cd "$tree/source"
# Debian's own tools: another Python may come first in PATH.
{
    env -i PATH=/usr/bin:/bin PYTHONPATH="$checkout" PYTHONDONTWRITEBYTECODE=1 \
        /usr/bin/python3 "$here/tree.py" trees
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="$tree" LC_ALL=C.UTF-8 \
        dpkg-buildpackage --no-sign --build=binary
} >"$tree/log" 2>&1 || {
    cat "$tree/log" >&2
    exit 1
}
cp "$tree"/*.deb "$folder"
cd "$folder"
dpkg-scanpackages --multiversion . 2>/dev/null >Packages
ls ./*.deb

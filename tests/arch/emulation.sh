#!/bin/sh
# Has the kernel run programs of arm64 and armhf by qemu-user:  emulation.sh   Needs root.
# A booted Debian does so as soon as qemu-user-static is installed; in a container or a bare machine nobody has mounted
# binfmt_misc, or registered anything there. What was registered stays, as after the package's installation.
set -eu
place=/proc/sys/fs/binfmt_misc
[ -e $place/register ] || mount -t binfmt_misc binfmt_misc $place
for processor in arm aarch64; do
    [ -e $place/qemu-$processor ] || cat /usr/lib/binfmt.d/qemu-$processor.conf >$place/register
done

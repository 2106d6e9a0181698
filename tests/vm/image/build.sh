#!/bin/sh
# Builds a Debian for qemu:  build.sh SUITE FOLDER   Needs root; about a minute.
# FOLDER gets root.ext4, vmlinuz, initrd and id, the key that root of the machine accepts.
set -eu
suite=$1 folder=$2
here=$(cd "$(dirname "$0")" && pwd)
# What a device has, and what our package and the runtime's depend on: the machine itself stays offline.
system="systemd systemd-sysv udev dbus kmod openssh-server iproute2 procps psmisc adduser ca-certificates hostname"
libraries="python3 python3-cryptography python3-pyudev python3-sdnotify python3-structlog python3-tomlkit python3-tpm2-pytss"
# Other witnesses than ourselves: tpm2-tools for the TPM, curl for the runtime's daemons; swtpm for the TPMs that the
# kernel's vtpm_proxy makes.
witnesses="tpm2-tools libtss2-tcti-device0 swtpm bsdutils curl"
# Of the kernel's modules only these: the others would only cost udev time.
modules='/(virtio[a-z_]*|virtio-rng|failover|net_failover|tpm_vtpm_proxy|overlay|qemu_fw_cfg|autofs4)\.ko'
# Nothing here waits for them, and each costs an emulated machine its time at every boot.
masked="systemd-networkd.service systemd-networkd.socket systemd-networkd-wait-online.service
    systemd-network-generator.service serial-getty@ttyS0.service getty@tty1.service getty.target
    systemd-ask-password-wall.path systemd-ask-password-console.path apt-daily.timer apt-daily-upgrade.timer
    e2scrub_all.timer e2scrub_reap.service fstrim.timer dpkg-db-backup.timer systemd-pcrphase.service
    systemd-pcrphase-initrd.service systemd-pcrphase-sysinit.service systemd-pcrmachine.service
    systemd-tpm2-setup.service systemd-tpm2-setup-early.service systemd-firstboot.service
    systemd-machine-id-commit.service systemd-binfmt.service proc-sys-fs-binfmt_misc.automount
    modprobe@configfs.service modprobe@drm.service modprobe@efi_pstore.service modprobe@fuse.service
    modprobe@dm_mod.service modprobe@loop.service sys-fs-fuse-connections.mount sys-kernel-config.mount
    sys-kernel-debug.mount sys-kernel-tracing.mount dev-hugepages.mount dev-mqueue.mount
    systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-pstore.service systemd-repart.service"

rm -rf "$folder"
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
root=$folder/root

unpack_kernel() { # the package itself would bring initramfs-tools and its hooks
    image=$(chroot "$root" apt-cache depends --no-recommends --no-suggests linux-image-cloud-amd64 | sed -n 's/.*Depends: //p' | head -n 1)
    mkdir "$folder/kernel" "$root/kernel"
    chroot "$root" sh -c "cd /kernel && apt-get -qq -o APT::Sandbox::User=root download $image"
    dpkg-deb --fsys-tarfile "$root"/kernel/*.deb | tar -xC "$folder/kernel"
    rm -r "$root/kernel"
    cp "$folder"/kernel/boot/vmlinuz-* "$folder/vmlinuz"
    release=$(basename "$folder"/kernel/boot/vmlinuz-* | sed 's/^vmlinuz-//')
    tree=$(find "$folder/kernel" -path "*/modules/$release" -type d)
    mkdir -p "$root/usr/lib/modules"
    cp -a "$tree" "$root/usr/lib/modules/"
    (cd "$root/usr/lib/modules/$release" && find kernel -name '*.ko*' | grep -vE "$modules" | xargs -r rm -f)
    depmod -b "$root" "$release"
    rm -r "$folder/kernel"
}

write_initrd() {
    mkdir -p "$folder/initial/bin" "$folder/initial/dev" "$folder/initial/modules" "$folder/initial/root"
    cp /bin/busybox "$folder/initial/bin/busybox"
    cp "$here/init" "$folder/initial/init"
    number=100 loaded=" "
    for wanted in virtio_pci virtio_blk; do
        for file in $(modprobe -d "$root" -S "$release" --show-depends "$wanted" | sed -n 's/^insmod \([^ ]*\).*/\1/p'); do
            name=$(basename "${file%%.ko*}")
            case $loaded in *" $name "*) continue ;; esac
            loaded="$loaded$name "
            case $file in *.xz) xz -dc "$file" ;; *.zst) zstd -dc "$file" ;; *) cat "$file" ;; esac \
                >"$folder/initial/modules/$number-$name.ko"
            number=$((number + 1))
        done
    done
    (cd "$folder/initial" && find . | sort | cpio --quiet -o -H newc) >"$folder/initrd"
    rm -r "$folder/initial"
}

configure() {
    rm -f "$root/etc/resolv.conf" "$root/etc/hostname"
    cp -R "$here/overlay/." "$root/"
    cat /proc/sys/kernel/random/uuid | tr -d - >"$root/etc/machine-id"
    chroot "$root" systemctl -q enable test-network.service test-found.service test-ready.service ssh.service 2>/dev/null
    # shellcheck disable=SC2086 # a list of words
    chroot "$root" systemctl -q mask $masked 2>/dev/null
    rm -rf "$root"/etc/ssh/ssh_host_* "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/archives/*.deb
    mkdir -p "$root/var/log/journal" "$root/root/.ssh"
    ssh-keygen -q -t ed25519 -N '' -C test -f "$root/etc/ssh/ssh_host_ed25519_key"
    ssh-keygen -q -t ed25519 -N '' -C test -f "$folder/id"
    install -m 600 "$folder/id.pub" "$root/root/.ssh/authorized_keys"
    chmod 700 "$root/root/.ssh"
    # The local archive of what the tests bring along is the only one.
    rm -f "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/*
    echo 'deb [trusted=yes] file:/srv/packages ./' >"$root/etc/apt/sources.list"
}

# shellcheck disable=SC2086 # lists of words
"$here/../../package/debian.sh" "$suite" "$root" $system $libraries $witnesses
unpack_kernel
write_initrd
configure
mke2fs -q -t ext4 -m 0 -O ^metadata_csum_seed,^orphan_file -E lazy_itable_init=0,lazy_journal_init=0,nodiscard \
    -d "$root" "$folder/root.ext4" 3G >/dev/null
rm -r "$root"
touch "$folder/complete"

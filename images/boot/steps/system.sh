#!/bin/sh
# What the nodes run: kernel, initrd and system image, from the root file system of node-root.sh.
#
# Usage: system.sh NODE_ROOT_TAR OUTPUT_FOLDER    with the settings of build.sh in the environment
#
# Writes vmlinuz, initrd.base, root.squashfs, `kernel`, the kernel's version, and `programs`, what is not Debian's.
set -eu
tar=$1 output=$2
here=$(cd "$(dirname "$0")/.." && pwd)
root=$output/root

main() {
    mkdir "$root"
    # Devices are for what runs in the root here, and a user namespace may not make any.
    tar -C "$root" --exclude='./dev/*' --xattrs --xattrs-include=security.capability -xpf "$tar"
    add_null
    add_files
    run_hooks
    sign_modules
    leave_out
    forget_identity
    make_initrd
    make_image
    umount "$root/dev/null" 2>/dev/null || true
    rm -rf "$root"
}

# Scripts of packages write into it. Builders of images may allow neither a device nor a mount; then it is a file.
add_null() {
    mknod -m 0666 "$root/dev/null" c 1 3 2>/dev/null || {
        : >"$root/dev/null"
        mount --bind /dev/null "$root/dev/null" 2>/dev/null || chmod 0666 "$root/dev/null"
    }
}

add_files() {
    cp -R "$here/node/." "$root/"
    for program in kubelet kubeadm; do
        install -m 0755 "$PROGRAMS/$program" "$root/usr/bin/$program"
        # Both say `Kubernetes v1…` or `v1…`, each in its own way.
        version=$("$PROGRAMS/$program" "$(flag_of "$program")" | grep -o 'v[0-9][^ "]*' | head -n 1)
        echo "$program ${version:-unknown} Apache-2.0" >>"$output/programs"
    done
    # The folders that network plugins are installed into, and where containerd looks.
    mkdir -p "$root/opt/cni" "$root/etc/cni/net.d"
    mv "$root/usr/lib/cni" "$root/opt/cni/bin"
    ln -s ../../opt/cni/bin "$root/usr/lib/cni"
    # NVMe over a network is for those who ask for it.
    in_root systemctl disable --quiet nvmf-autoconnect.service
    # Checks of file systems that a machine without disks does not have.
    in_root systemctl disable --quiet e2scrub_reap.service e2scrub_all.timer
    # netplan's results are networkd's to read.
    in_root systemctl enable --quiet systemd-networkd.service systemd-timesyncd.service kubelet.service \
        containerd.service ssh.service
}

# flag_of PROGRAM: what makes it print its version.
flag_of() {
    case $1 in
    kubelet) echo --version ;;
    *) echo version ;;
    esac
}

# What users add: each file of the folder runs in their order, with the root's path.
run_hooks() {
    test -n "$HOOKS" || return 0
    for hook in "$HOOKS"/*; do
        if [ -f "$hook" ] && [ -x "$hook" ]; then
            echo "hook ${hook##*/}" >&2
            "$hook" "$root"
        fi
    done
}

# What DKMS and hooks added. Debian's own modules are signed.
sign_modules() {
    test -n "${MODULE_KEY:-}" || return 0
    find "$root/usr/lib/modules" '(' -path '*/updates/*' -o -path '*/extra/*' ')' -name '*.ko*' >"$output/modules"
    while read -r module; do
        case $module in
        *.ko) ;;
        *.ko.xz) xz -d "$module" ;;
        *.ko.zst) zstd -q -d --rm "$module" ;;
        *)
            echo "$0: no way to sign $module" >&2
            exit 1
            ;;
        esac
        "$here/steps/sign-module.sh" "$MODULE_KEY" "$MODULE_CERTIFICATE" "${module%.ko*}.ko"
        echo "signed ${module#"$root"}" >&2
    done <"$output/modules"
    rm "$output/modules"
}

# Folders of modules that servers do not need, and what only builds and people at a desk do.
leave_out() {
    kernel=$(ls "$root/usr/lib/modules")
    test "$(echo "$kernel" | wc -l)" -eq 1 || {
        echo "$0: more than one kernel: $kernel" >&2
        exit 1
    }
    echo "$kernel" >"$output/kernel"
    sed -e 's/#.*//' -e '/^ *$/d' "$here/lists/modules-left-out" | while read -r folder; do
        rm -rf "$root/usr/lib/modules/$kernel/kernel/$folder"
    done
    in_root depmod "$kernel"
    # kubeadm looks here, and in no other place that is in the image.
    cp "$root/boot/config-$kernel" "$root/usr/lib/modules/$kernel/config"
    # Two network plugins that need a daemon or a kernel of their own, character sets, the text that hwdb.bin is made of.
    rm -rf "$root"/opt/cni/bin/dhcp "$root"/opt/cni/bin/cni-bridge-fp "$root"/usr/lib/*/gconv "$root"/usr/lib/udev/hwdb.d
    rm -rf "$root"/usr/bin/containerd-stress "$root"/usr/share/bash-completion "$root"/usr/share/zsh \
        "$root"/usr/share/lintian "$root"/usr/share/doc-base "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* \
        "$root"/var/cache/debconf/*-old "$root"/var/lib/dpkg/*-old
}

# Each node makes its own keys and its own machine-id.
forget_identity() {
    : >"$root/etc/machine-id"
    rm -rf "$root"/var/lib/dbus/machine-id "$root"/etc/ssh/ssh_host_* "$root"/etc/hostname "$root"/etc/resolv.conf \
        "$root"/etc/nvme/hostid "$root"/etc/nvme/hostnqn \
        "$root"/var/lib/systemd/random-seed "$root"/var/log/*.log "$root"/var/log/apt "$root"/var/cache/ldconfig/aux-cache
    # systemd would otherwise take the first boot for an update, and do for a while what was done here.
    touch "$root/etc/.updated" "$root/var/.updated"
}

make_initrd() {
    install -D -m 0755 "$FETCH" "$root/usr/lib/kubefarm/kubefarm-fetch"
    cp -R "$here/initramfs/." "$root/"
    # Nothing of the boot is on a disk.
    for hook in dmsetup fsck keymap lvm2 mdadm resume thermal; do
        rm -f "$root/usr/share/initramfs-tools/hooks/$hook"
    done
    in_root update-initramfs -u -k "$kernel" >&2
    mv "$root/boot/initrd.img-$kernel" "$output/initrd.base"
    cp "$root/boot/vmlinuz-$kernel" "$output/vmlinuz"
    chmod 0644 "$output/vmlinuz" "$output/initrd.base"
}

make_image() {
    find "$root" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" '{}' +
    # shellcheck disable=SC2086 # flags
    mksquashfs "$root" "$output/root.squashfs" $COMPRESSION -b 256K -noappend -no-progress -quiet \
        -wildcards -e boot 'tmp/*' 'proc/*' 'sys/*' 'dev/*' 'run/*' >&2
}

# Starts nothing: systemctl and update-initramfs work on files there.
in_root() {
    chroot "$root" env PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C "$@"
}

main

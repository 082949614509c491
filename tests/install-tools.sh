#!/bin/sh
# Installs from Debian's packages the programs that the tests hand the output to, and one from npm, as far as they are
# missing.
#
# Usage: install-tools.sh [cluster]    with it, also what the machines of an admin cluster run
#
# Needs root or sudo where something is missing, and does nothing where all is there.
set -eu

missing=''

# need PROGRAM PACKAGE: the package, unless the program is on PATH or where the system's programs are.
need() {
    PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null || missing="$missing $2"
}

# need_module MODULE PACKAGE: a module of Debian's own Python, which is not always the first on PATH.
need_module() {
    for python in /usr/bin/python3 python3; do
        ! "$python" -c "import $1" 2>/dev/null || return 0
    done
    missing="$missing $2"
}

# need_file FILE PACKAGE: what is not a program.
need_file() {
    test -e "$1" || missing="$missing $2"
}

need kubectl kubernetes-client
need python3 python3-minimal
need_module yaml python3-yaml
need_module jsonschema python3-jsonschema
need shellcheck shellcheck
need dash dash
need bash bash
need busybox busybox
need dnsmasq dnsmasq-base
need ip iproute2
need unshare util-linux
need netplan netplan.io
need systemd-analyze systemd
need ssh-keygen openssh-client
need usermod passwd
need cpio cpio
need openssl openssl
need curl curl
need faketime faketime
need valgrind valgrind
need tinyproxy tinyproxy
need go golang-go
need nginx nginx-light
need_file /usr/share/zoneinfo/tzdata.zi tzdata
need zsh zsh
need fish fish
need node nodejs
need npm npm
if [ "${1:-}" = cluster ]; then
    need containerd containerd
    need runc runc
    need_file /usr/lib/cni/bridge containernetworking-plugins
    need nft nftables
    need iptables iptables
    need conntrack conntrack
    need ipset ipset
    need setcap libcap2-bin
    need curl curl
    need findmnt util-linux
    need nsenter util-linux
    need strip binutils
    need mmdebstrap mmdebstrap
    need cc gcc
fi
# What builds the boot image, and the machines that it boots.
if [ "${1:-}" = cluster ]; then
    need mmdebstrap mmdebstrap
    need mksquashfs squashfs-tools
    need zstd zstd
    need qemu-system-x86_64 qemu-system-x86
    need_file /usr/share/OVMF/OVMF_CODE_4M.fd ovmf
    # Kernels that the operator has signed, and firmware that knows his key.
    need sbsign sbsigntool
    need_file /usr/lib/systemd/boot/efi/linuxx64.efi.stub systemd-boot-efi
    need pip3 python3-pip
    need_file /usr/lib/ipxe/qemu/efi-e1000.rom ipxe-qemu
    need ssh openssh-client
fi
need_file /usr/share/ltsp/common/ltsp/55-config.sh ltsp

if [ -z "$missing" ]; then
    exec "$(dirname "$0")/language-server.sh" install >/dev/null
fi
echo "Installing:$missing"
as_root=''
if [ "$(id -u)" -ne 0 ]; then
    as_root=sudo
fi
# No server starts because its program is here (https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt).
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap '$as_root rm -f $policy' EXIT
    printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
    $as_root chmod 0755 $policy
fi
$as_root apt-get update
# shellcheck disable=SC2086 # one word a package
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $missing
"$(dirname "$0")/language-server.sh" install >/dev/null

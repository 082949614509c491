#!/bin/sh
# Boot loaders: GRUB for BIOS and UEFI, and the distribution's signed shim and GRUB for machines with Secure Boot.
#
# Usage: loaders.sh OUTPUT_FOLDER    with the settings of build.sh in the environment
#
# Where they lie is where they look for one another:
#
#   grubx64.efi, grub/grub.cfg        shim by PXE looks in the TFTP root; the signed GRUB has the prefix /grub
#   ltsp/grub/x86_64-efi/shimx64.efi  shim by HTTP looks beside itself
#   ltsp/grub/PLATFORM/core.*         GRUB with the modules it needs built in, unsigned
set -eu
output=$1
here=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=debian.sh
. "$here/steps/debian.sh"
root=$output/.root
grub=$output/ltsp/grub
# All that grub.cfg uses: with modules in the core, no request is needed for one.
modules='configfile echo http linux net normal reboot regexp serial sleep terminal test tftp'

# Unpacked and not installed: nothing of it runs but grub-mknetdir.
unpack() {
    mkdir -p "$root"
    sources | debian "$root" "base-files $(packages loaders)" --variant=extract --architectures=amd64,arm64 \
        --extract-hook="ls \"\$1\"/var/cache/apt/archives >$output/archives"
}

# For the list of what is in the image: name, version and licence of what files come from.
programs() {
    for package in grub-pc-bin grub-efi-amd64-bin grub-efi-amd64-signed shim-signed grub-efi-arm64-bin; do
        version=$(sed -n "s/^${package}_\(.*\)_[a-z0-9]*\.deb$/\1/p" "$output/archives" | sed 's/%3a/:/')
        case $package in
        grub*) licence=GPL-3.0-or-later ;;
        *) licence=BSD-2-Clause ;;
        esac
        echo "$package ${version:-unknown} $licence"
    done
}

# core PLATFORM MODULE...
core() {
    platform=$1
    shift
    chroot "$root" /usr/bin/grub-mknetdir --net-directory=/srv --subdir=/ltsp/grub --locales= --fonts= \
        --directory="/usr/lib/grub/$platform" --modules="$modules $*" >&2
}

signed() {
    mkdir -p "$output/grub"
    install -m 0644 "$root/usr/lib/shim/shimx64.efi.signed" "$grub/x86_64-efi/shimx64.efi"
    install -m 0644 "$root/usr/lib/shim/mmx64.efi.signed" "$grub/x86_64-efi/mmx64.efi"
    install -m 0644 "$root/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed" "$grub/x86_64-efi/grubx64.efi"
    cp "$grub/x86_64-efi/grubx64.efi" "$output/grubx64.efi"
    cat >"$output/grub/grub.cfg" <<'END'
# The signed GRUB begins here; the menu is where the other ones have it.
set prefix=($root)/ltsp/grub
export prefix
source $prefix/grub.cfg
END
}

unpack
mkdir -p "$root/srv" "$root/dev" "$root/proc" "$root/tmp"
core i386-pc pxe
core x86_64-efi efinet all_video
core arm64-efi efinet all_video
# grub.cfg of a platform is what its core begins with.
for file in i386-pc/core.0 i386-pc/grub.cfg x86_64-efi/core.efi x86_64-efi/grub.cfg arm64-efi/core.efi arm64-efi/grub.cfg; do
    install -D -m 0644 "$root/srv/ltsp/grub/$file" "$grub/$file"
done
signed
programs >"$output/programs"
rm -rf "$root" "$output/archives"

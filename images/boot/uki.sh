#!/bin/sh
# Makes the unified kernel image of one farm: kernel, initrd and command line in one file that UEFI starts, signed with
# the operator's own key (docs/hardened-boot.md). Takes seconds, and builds nothing.
#
# Usage: uki.sh --release FOLDER --server ADDRESS --config-key KEY --key FILE --certificate FILE [OPTION...]
#
#   --release FOLDER        has vmlinuz and initrd.img: /srv/tftp/ltsp/x86_64/RELEASE of the boot image, or the folder
#                           x86_64 above it, whose file `release` names one
#   --server ADDRESS        the boot server's address, where machines load configuration and system image
#   --config-key KEY        the public key of the farm's configuration, as `kubefarm pki keys FARM` prints it; repeated,
#                           while it is replaced
#   --key FILE              the private key for Secure Boot, as PEM: RSA with 2048 bits is what all firmware knows
#   --certificate FILE      its certificate, as PEM, which is enrolled in the machines' db
#   --parameters TEXT       more for the kernel, the same for all machines of the farm
#   --stub FILE             systemd's stub (default: /usr/lib/systemd/boot/efi/linuxx64.efi.stub)
#   --output FILE           (default: kubefarm.efi)
#
# Needs objcopy, sbsign and the stub (Debian: binutils sbsigntool systemd-boot-efi).
set -eu

release='' server='' keys='' key='' certificate='' parameters='' output=kubefarm.efi
stub=/usr/lib/systemd/boot/efi/linuxx64.efi.stub

fail() {
    echo "$0: $*" >&2
    exit 1
}

usage() {
    sed -n 's/^# \{0,1\}//; 2,/^set -eu/p' "$0" | sed '$d'
}

parse() {
    while [ $# -gt 0 ]; do
        case $1 in
        -h | --help) usage && exit ;;
        esac
        [ $# -ge 2 ] || fail "$1 needs a value; --help lists the options"
        case $1 in
        --release) release=$2 ;;
        --server) server=$2 ;;
        --config-key) keys="$keys $2" ;;
        --key) key=$2 ;;
        --certificate) certificate=$2 ;;
        --parameters) parameters=$2 ;;
        --stub) stub=$2 ;;
        --output) output=$2 ;;
        *) fail "unknown option $1; --help lists them" ;;
        esac
        shift 2
    done
}

check() {
    for program in objcopy objdump sbsign sbverify; do
        command -v "$program" >/dev/null || fail "needs $program (Debian: binutils sbsigntool)"
    done
    [ -f "$stub" ] || fail "there is no $stub (Debian: systemd-boot-efi)"
    [ -f "$key" ] || fail "--key: there is no private key ${key:-given}"
    [ -f "$certificate" ] || fail "--certificate: there is no certificate ${certificate:-given}"
    [ ! -f "$release/release" ] || release=$release/$(cat "$release/release")
    for file in vmlinuz initrd.img; do
        [ -f "$release/$file" ] || fail "--release: there is no $release/$file"
    done
    # The initrd knows no names.
    case $server in
    '' | *[!0-9.]*) fail "--server is an IPv4 address, not '$server'" ;;
    esac
    [ -n "$keys" ] || fail '--config-key is missing: without it machines would run any configuration'
    for one in $keys; do
        [ "$(echo "$one" | base64 -d 2>/dev/null | wc -c)" -eq 44 ] ||
            fail "--config-key is an Ed25519 key in base64, as kubefarm prints publicKey, not $one"
    done
    # What decides which system runs is said here once.
    case " $parameters" in
    *' kubefarm.'* | *' ltsp.'* | *' boot='* | *' init='* | *' rdinit='* | *' break'* | *"
"*)
        fail "--parameters: what to load is not for them to say: $parameters"
        ;;
    esac
}

# The command line. There is no boot loader that could add to it: the initrd asks DHCP itself, on every port with a link.
command_line() {
    printf 'boot=kubefarm ltsp.server=%s ltsp.image=/run/kubefarm/root.squashfs' "$server"
    printf ' kubefarm.configuration=http://%s/ltsp/current/ltsp.img.signed' "$server"
    for one in $keys; do
        printf ' kubefarm.config_key=%s' "$one"
    done
    printf ' panic=60%s' "${parameters:+ $parameters}"
}

# Where the next section may begin: behind the last one, at a page.
end_of() {
    objdump -h "$1" | awk '$1 ~ /^[0-9]+$/ { print $3, $4 }' | while read -r size address; do
        echo $(((0x$size + 0x$address + 4095) / 4096 * 4096))
    done | sort -n | tail -n 1
}

# The sections that the stub looks for, one behind the other (UAPI group, Unified Kernel Image). The kernel is last: it
# may need room behind it.
assemble() {
    address=$(end_of "$stub")
    set --
    for section in osrel cmdline initrd linux; do
        file=$scratch/$section
        set -- "$@" --add-section ".$section=$file" --change-section-vma ".$section=$address"
        address=$(((address + $(stat -L -c %s "$file") + 4095) / 4096 * 4096))
    done
    objcopy "$@" "$stub" "$scratch/unsigned"
}

parse "$@"
check
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
command_line >"$scratch/cmdline"
printf 'ID=kubefarm\nPRETTY_NAME="kubefarm, for the boot server %s"\n' "$server" >"$scratch/osrel"
ln -s "$(realpath "$release/initrd.img")" "$scratch/initrd"
ln -s "$(realpath "$release/vmlinuz")" "$scratch/linux"
assemble
sbsign --key "$key" --cert "$certificate" --output "$scratch/signed" "$scratch/unsigned" >&2
sbverify --cert "$certificate" "$scratch/signed" >&2
mv "$scratch/signed" "$output"
chmod 0644 "$output"
echo "$output: $(stat -c %s "$output") bytes; the kernel is told: $(cat "$scratch/cmdline")" >&2

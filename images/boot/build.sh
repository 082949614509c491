#!/bin/sh
# Builds the image of the boot server with the system that nodes run, without a container engine.
#
# Usage: build.sh --programs FOLDER [OPTION...]    as root, or in a user namespace (`unshare --map-root-user --map-auto
#                                                  --mount --pid --fork --kill-child build.sh ...`)
#
#   --programs FOLDER       has kubelet and kubeadm of the farms' kubernetes.version
#   --output FOLDER         where the result goes (default: ./boot-image): boot.tar, an OCI archive; layout, the same as
#                           an OCI layout; sbom.spdx.json; srv, what nodes load; kubefarm-fetch, which signs it
#   --image NAME            the image's name and tag (default: ghcr.io/kubefarm/boot:latest)
#   --suite SUITE           Debian's suite (default: trixie)
#   --mirror URL            its archive (default: http://deb.debian.org/debian)
#   --security-mirror URL   that of SUITE-security (default: the archive's with -security behind it)
#   --components LIST       parts of the archive, separated by commas (default: main)
#   --runtime-suite SUITE   where containerd 2 and runc come from (default: forky)
#   --apt-options OPTIONS   of every line of sources.list, such as check-valid-until=no for a frozen archive
#   --kernel PACKAGE        (default: linux-image-amd64)
#   --package NAME          one more package for nodes; may be repeated
#   --firmware NAME         the same from non-free-firmware
#   --hooks FOLDER          programs that change the nodes' root, whose path is their only argument
#   --key FILE              the ed25519 key that signs the system image, as PEM (default: key.pem of the output folder,
#                           which is made where it is missing)
#   --module-key FILE       signs what DKMS and hooks put among the kernel's modules, for kernels that Secure Boot started;
#   --module-certificate FILE   its certificate, which is in the machines' db. Both as PEM
#   --uki FILE              the unified kernel image of a farm, as uki.sh makes it of this build's result
#   --version NUMBER        of the system image; nodes take none older than their initrd (default: from the date)
#   --compression fast|small  of the system image: zstd in seconds, or xz in minutes (default: small)
#   --fetch FILE            the built helper of the initrd (default: it is built from fetch/, which needs Rust)
#   --previous FOLDER       the output folder of the build before, whose release is served on
#
# Every step is kept in a cache, under a hash of all that goes into it:
#
#   KUBEFARM_BOOT_CACHE     the cache (default: ~/.cache/kubefarm/boot); what is in it may be removed at any time
#   SOURCE_DATE_EPOCH       the date of all files (default: that of the archive)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${KUBEFARM_BOOT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kubefarm/boot}
output=boot-image IMAGE=ghcr.io/kubefarm/boot:latest PREVIOUS='' KEY='' VERSION='' compression=small
SUITE=trixie MIRROR=http://deb.debian.org/debian SECURITY_MIRROR='' COMPONENTS=main RUNTIME_SUITE=forky APT_OPTIONS=''
KERNEL=linux-image-amd64 PACKAGES='' HOOKS='' PROGRAMS='' FETCH=''
MODULE_KEY='' MODULE_CERTIFICATE='' UKI=''

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
        --programs) PROGRAMS=$2 ;;
        --output) output=$2 ;;
        --image) IMAGE=$2 ;;
        --suite) SUITE=$2 ;;
        --mirror) MIRROR=$2 ;;
        --security-mirror) SECURITY_MIRROR=$2 ;;
        --components) COMPONENTS=$2 ;;
        --runtime-suite) RUNTIME_SUITE=$2 ;;
        --apt-options) APT_OPTIONS=$2 ;;
        --kernel) KERNEL=$2 ;;
        --package) PACKAGES="$PACKAGES $2" ;;
        --firmware) PACKAGES="$PACKAGES $2" firmware=1 ;;
        --hooks) HOOKS=$2 ;;
        --key) KEY=$2 ;;
        --module-key) MODULE_KEY=$2 ;;
        --module-certificate) MODULE_CERTIFICATE=$2 ;;
        --uki) UKI=$2 ;;
        --version) VERSION=$2 ;;
        --compression) compression=$2 ;;
        --fetch) FETCH=$2 ;;
        --previous) PREVIOUS=$2 ;;
        *) fail "unknown option $1; --help lists them" ;;
        esac
        shift 2
    done
}

check() {
    [ "$(id -u)" -eq 0 ] || fail 'needs root: it unpacks the files of other users'
    for program in mmdebstrap mksquashfs cpio zstd python3; do
        command -v "$program" >/dev/null || fail "needs $program (Debian: mmdebstrap squashfs-tools cpio zstd python3)"
    done
    for program in kubelet kubeadm; do
        [ -x "${PROGRAMS:?"--programs FOLDER is missing: it has kubelet and kubeadm"}/$program" ] ||
            fail "there is no program $PROGRAMS/$program"
    done
    case $compression in
    fast) COMPRESSION='-comp zstd -Xcompression-level 3' ;;
    small) COMPRESSION='-comp xz -Xbcj x86' ;;
    *) fail "--compression is fast or small, not $compression" ;;
    esac
    [ -z "$HOOKS" ] || [ -d "$HOOKS" ] || fail "there is no folder $HOOKS"
    [ -z "$KEY" ] || [ -f "$KEY" ] || fail "there is no key $KEY"
    [ -z "$UKI" ] || [ -f "$UKI" ] || fail "there is no $UKI"
    case ${MODULE_KEY:+key}${MODULE_CERTIFICATE:+certificate} in
    '') ;;
    keycertificate)
        for file in "$MODULE_KEY" "$MODULE_CERTIFICATE"; do
            [ -f "$file" ] || fail "there is no $file"
        done
        command -v openssl >/dev/null || fail 'needs openssl, to sign modules'
        ;;
    *) fail '--module-key and --module-certificate belong together' ;;
    esac
    [ -z "$PREVIOUS" ] || [ -f "$PREVIOUS/srv/tftp/ltsp/x86_64/release" ] || fail "$PREVIOUS has no release"
    case $VERSION in
    *[!0-9]*) fail "--version is a number, not $VERSION" ;;
    esac
    SECURITY_MIRROR=${SECURITY_MIRROR:-$MIRROR-security}
    COMPONENTS="$(echo "$COMPONENTS" | tr ',' ' ')${firmware:+ non-free-firmware}"
}

# key INPUT...: a hash of files, of all files of folders, and of texts.
key() {
    for input; do
        if [ -d "$input" ]; then
            (cd "$input" && find . -path ./target -prune -o -type f -print | LC_ALL=C sort | while read -r file; do
                echo "$file $(stat -c %a "$file") $(sha256sum <"$file")"
            done)
        elif [ -f "$input" ]; then
            sha256sum <"$input"
        else
            echo "$input"
        fi
    done | sha256sum | cut -c1-16
}

# step NAME INPUTS COMMAND...: does the step unless it was done with these inputs, and sets $made to its folder. The
# command gets a folder to fill behind its arguments; the step is there once all of it is.
step() {
    made=$cache/$1-$2
    name=$1
    shift 2
    if [ -d "$made" ]; then
        echo "$name: done before" >&2
        return
    fi
    began=$(date +%s)
    rm -rf "$made.new"
    mkdir -p "$made.new"
    # What a step leaves running must not hold the lock.
    "$@" "$made.new" 9>&- || fail "$name failed"
    mv "$made.new" "$made"
    echo "$name: $(($(date +%s) - began)) s" >&2
}

# The state of the archive: a build takes what it is now, and the next one takes the same until it changes.
archive() {
    lists=$cache/archive
    mkdir -p "$lists/partial"
    # shellcheck source=steps/debian.sh
    (. "$here/steps/debian.sh" && runtime_sources) >"$lists/sources.list"
    apt-get -qq -o Acquire::Retries=5 -o Dir::State::Lists="$lists" -o Dir::Etc::SourceList="$lists/sources.list" \
        -o Dir::Etc::SourceParts=/dev/null -o APT::Sandbox::User=root -o Acquire::Languages=none \
        -o Acquire::IndexTargets::deb::Packages::DefaultEnabled=false update ||
        fail "the archive $MIRROR cannot be read"
    ARCHIVE=$(cat "$lists"/*InRelease | sha256sum | cut -c1-16)
    newest=$(sed -n 's/^Date: //p' "$lists"/*InRelease | while read -r date; do date -d "$date" +%s; done | sort -n | tail -n 1)
    SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$newest}
    VERSION=${VERSION:-$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S)}
    export SUITE MIRROR SECURITY_MIRROR COMPONENTS RUNTIME_SUITE APT_OPTIONS KERNEL PACKAGES HOOKS PROGRAMS FETCH \
        COMPRESSION KEY VERSION IMAGE PREVIOUS MODULE_KEY MODULE_CERTIFICATE UKI SOURCE_DATE_EPOCH
}

# The helper as one file that needs no library.
build_fetch() {
    target=$cache/target
    # Not as the build around this one wants its own programs.
    env -u RUSTC_WRAPPER -u RUSTC_WORKSPACE_WRAPPER RUSTFLAGS='-C target-feature=+crt-static' CARGO_TARGET_DIR="$target" \
        cargo build --quiet --release --locked --target x86_64-unknown-linux-gnu --manifest-path "$here/fetch/Cargo.toml"
    cp "$target/x86_64-unknown-linux-gnu/release/kubefarm-fetch" "$1/"
}

parse "$@"
check
mkdir -p "$cache" "$output"
# One at a time: two builds would do the same work twice.
exec 9>"$cache/lock"
flock 9
archive
if [ -z "$FETCH" ]; then
    step fetch "$(key "$here/fetch")" build_fetch
    FETCH=$made/kubefarm-fetch
fi
if [ -z "$KEY" ]; then
    KEY=$output/key.pem
    [ -f "$KEY" ] || {
        "$FETCH" key "$KEY"
        echo "$0: made the key $KEY, which signs the system image; keep it, and keep it to yourself" >&2
    }
fi
debian=$(key "$ARCHIVE" "$SUITE" "$MIRROR" "$SECURITY_MIRROR" "$COMPONENTS" "$APT_OPTIONS" "$SOURCE_DATE_EPOCH" "$here/steps/debian.sh")
step node-root "$(key "$debian" "$RUNTIME_SUITE" "$KERNEL" "$PACKAGES" "$here/lists/node" "$here/steps/node-root.sh")" \
    "$here/steps/node-root.sh"
node_root=$made
step system "$(key "${node_root##*/}" "$PROGRAMS/kubelet" "$PROGRAMS/kubeadm" "$HOOKS" "$FETCH" "$COMPRESSION" "$here/node" \
    "$MODULE_KEY" "$MODULE_CERTIFICATE" \
    "$here/initramfs" "$here/lists/modules-left-out" "$here/steps/system.sh" "$here/steps/sign-module.sh")" \
    "$here/steps/system.sh" "$node_root/node-root.tar"
system=$made
step loaders "$(key "$debian" "$here/lists/loaders" "$here/steps/loaders.sh")" "$here/steps/loaders.sh"
loaders=$made
step server-root "$(key "$debian" "$here/lists/server" "$here/steps/server-root.sh")" "$here/steps/server-root.sh"
server_root=$made
step release "$(key "${system##*/}" "$KEY" "$VERSION" "$here/steps/release.sh")" "$here/steps/release.sh" "$system"
release=$made
cp "$FETCH" "$output/kubefarm-fetch"
"$here/steps/image.sh" "$node_root" "$system" "$server_root" "$loaders" "$release" "$output"

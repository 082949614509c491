#!/bin/sh
# Builds the image of the admin pod and of the Jobs (kubefarm, kubectl, kubeadm) without a container engine.
#
# Usage: build.sh [OPTION...]    prints the folder with layout, archive and SBOM
#
#   --output DIR              the folder (default: tools-image)
#   --name NAME:TAG           the image's name (default: ghcr.io/kubefarm/tools:v0.1.0)
#   --kubefarm FILE           kubefarm's binary (default: the one beside this script, else it is built with cargo)
#   --programs DIR            a folder with kubectl and kubeadm (default: they are downloaded)
#   --kubernetes VERSION      which ones are downloaded: kubernetes.version of the farms (default: v1.37.2)
#   --suite NAME              of Debian or Ubuntu (default: trixie)
#   --mirror URL              where the suite and its -updates are
#   --security-mirror URL     where its -security is
#   --keyring FILE            what the mirrors are signed with, where this computer does not know it
#   --packages 'NAME...'      further packages
#   --max-age DAYS            how old a root in the cache may be (default: 7); 0 makes a new one
#   --level NUMBER            gzip's level; 0 packs nothing (default: 6)
#   --revision COMMIT         for the labels
#
# Root is not needed: mmdebstrap takes a user namespace. It needs mmdebstrap, python3, strip and, for downloads, curl.
# What does not change is kept in ~/.cache/kubefarm/images (KUBEFARM_IMAGE_CACHE), and may be removed at any time. The
# same packages and programs give the same bytes, with the date of SOURCE_DATE_EPOCH.
set -eu
umask 022
here=$(cd "$(dirname "$0")" && pwd)
images=${here%/*}
cache=${KUBEFARM_IMAGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kubefarm/images}
# A date of no meaning, so that images differ only where their content does. A release sets its own.
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-1767225600}"

output=tools-image name=ghcr.io/kubefarm/tools:v0.1.0 kubefarm='' programs='' kubernetes=v1.37.2
suite=trixie mirror=http://deb.debian.org/debian security_mirror=http://deb.debian.org/debian-security
keyring='' packages='' max_age=7 level=6 revision=''

# fail WHAT...
fail() {
    echo "$0: $*" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    [ $# -gt 1 ] || fail "$1: wants a value; the first lines of this script have all options"
    case $1 in
        --output) output=$2 ;;
        --name) name=$2 ;;
        --kubefarm) kubefarm=$2 ;;
        --programs) programs=$2 ;;
        --kubernetes) kubernetes=$2 ;;
        --suite) suite=$2 ;;
        --mirror) mirror=$2 ;;
        --security-mirror) security_mirror=$2 ;;
        --keyring) keyring=$2 ;;
        --packages) packages=$2 ;;
        --max-age) max_age=$2 ;;
        --level) level=$2 ;;
        --revision) revision=$2 ;;
        *) fail "$1: no such option; the first lines of this script have all" ;;
    esac
    shift 2
done
for program in mmdebstrap python3 strip; do
    command -v "$program" >/dev/null || fail "needs $program (Debian packages mmdebstrap, python3-minimal, binutils)"
done
architecture=$(dpkg --print-architecture)
mkdir -p "$cache"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# root: the path of its tar, which is made where the cache has none that is new enough.
root() {
    set -- "$suite" "$mirror" "$security_mirror" "$packages" "$keyring"
    key=$({ cat "$here/root.sh"; echo "$* $architecture $SOURCE_DATE_EPOCH"; } | sha256sum | cut -c1-16)
    tar=$cache/tools-root-$key.tar
    if [ "$max_age" = 0 ] || [ -z "$(find "$tar" -mtime "-$max_age" 2>/dev/null)" ]; then
        echo "making a root of $suite" >&2
        "$here/root.sh" "$cache/.$$.tar" "$@"
        mv "$cache/.$$.tar" "$tar"
    fi
    echo "$tar"
}

# kubernetes_programs: the folder with kubectl and kubeadm.
kubernetes_programs() {
    [ -z "$programs" ] || { echo "$programs"; return; }
    folder=$cache/kubernetes-$kubernetes-$architecture
    if [ ! -d "$folder" ]; then
        echo "downloading kubectl and kubeadm $kubernetes" >&2
        "$here/programs.sh" "$kubernetes" "$architecture" "$folder.$$" >&2
        mv -T "$folder.$$" "$folder" 2>/dev/null || rm -r "$folder.$$"
    fi
    echo "$folder"
}

# own_program: the path of kubefarm's binary.
own_program() {
    project=${images%/*}
    if [ -n "$kubefarm" ]; then
        echo "$kubefarm"
    elif [ -e "$here/kubefarm" ]; then
        echo "$here/kubefarm"
    elif [ -e "$project/Cargo.toml" ]; then
        (cd "$project" && cargo build --release --locked --bin kubefarm) >&2
        echo "${CARGO_TARGET_DIR:-$project/target}/release/kubefarm"
    else
        fail 'there is no kubefarm here, and nothing to build it from: name the binary with --kubefarm'
    fi
}

# version_in_image ROOT-TAR PROGRAM FLAG...: what a program says with the C library that it will have, which has to be
# new enough for it.
version_in_image() {
    tar=$1 program=$2
    shift 2
    if [ ! -d "$work/libraries" ]; then
        mkdir "$work/libraries"
        tar -C "$work/libraries" --wildcards --no-anchored -xf "$tar" 'usr/lib/*/ld-linux*' 'usr/lib/*/lib[cm].so.6' \
            'usr/lib/*/libgcc_s.so.1' 'usr/lib/*/libdl.so.2' 'usr/lib/*/libpthread.so.0' 'usr/lib/*/librt.so.1'
    fi
    loader=$(find "$work/libraries" -name 'ld-linux*' -type f)
    said=$("$loader" --library-path "${loader%/*}" "$program" "$@") ||
        fail "$program does not run in $suite: build it there, or on an older system"
    echo "$said" | grep -o 'v\{0,1\}[0-9][0-9.]*[0-9][^ ]*' | head -n 1
}

root=$(root)
kubernetes_programs=$(kubernetes_programs)
own_program=$(own_program)

mkdir -p "$work/kubernetes/usr/local/bin" "$work/kubefarm/usr/local/bin"
cp "$kubernetes_programs/kubectl" "$kubernetes_programs/kubeadm" "$work/kubernetes/usr/local/bin"
strip -o "$work/kubefarm/usr/local/bin/kubefarm" "$own_program"
chmod 0755 "$work"/*/usr/local/bin/*
own_version=$(version_in_image "$root" "$work/kubefarm/usr/local/bin/kubefarm" --version)
kubernetes_version=$("$kubernetes_programs/kubeadm" version --output short)

papers=$work/kubefarm/usr/share/doc/kubefarm-image
"$images/sbom.py" --name "$name" --output "$papers" \
    --program "kubefarm $own_version Apache-2.0 pkg:github/kubefarm/kubefarm@v$own_version" \
    --program "kubectl $kubernetes_version Apache-2.0 pkg:golang/k8s.io/kubernetes@$kubernetes_version#cmd/kubectl" \
    --program "kubeadm $kubernetes_version Apache-2.0 pkg:golang/k8s.io/kubernetes@$kubernetes_version#cmd/kubeadm" \
    "$root"

"$images/oci.py" --name "$name" --output "$output" --level "$level" --owner 0:0 ${revision:+--revision="$revision"} \
    --description 'kubefarm, kubectl and kubeadm, for the admin pod and the Jobs of a farm' \
    --licenses 'Apache-2.0 AND LicenseRef-Debian' \
    --user 65532:65532 --cmd '["sleep", "infinity"]' \
    "$root" "$work/kubernetes" "$work/kubefarm" >&2
cp "$papers/sbom.spdx.json" "$output/"
(cd "$output" && pwd)

#!/bin/sh
# Builds the boot image for tests, with the kubelet and kubeadm that the tests have built, as far as it is not built yet.
#
# Usage: boot-image.sh    as root or with sudo; prints the folder with the image
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${KUBEFARM_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kubefarm}
programs=${CLUSTER_PROGRAMS:-$("$here/cluster/build.sh" kubelet kubeadm)}
image=$(sed -n 's/^version = "\(.*\)"/ghcr.io\/kubefarm\/boot:v\1/p' "$here/../Cargo.toml" | head -n 1)
as_root=''
[ "$(id -u)" -eq 0 ] || as_root='sudo -E'
mkdir -p "$cache/boot-image"
# A mirror may be older than a week, which is how long a list of testing is valid.
# shellcheck disable=SC2086 # a command
KUBEFARM_BOOT_CACHE="$cache/boot" $as_root "$here/../images/boot/build.sh" --programs "$programs/bin" \
    --image "$image" --output "$cache/boot-image" --compression fast --apt-options check-valid-until=no >&2
echo "$cache/boot-image"

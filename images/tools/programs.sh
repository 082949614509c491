#!/bin/sh
# Downloads programs as Kubernetes publishes them, and checks them against their published sums.
#
# Usage: programs.sh VERSION ARCHITECTURE DIR [PROGRAM...]    for example: programs.sh v1.37.2 amd64 /tmp/programs
#
# Without names: kubectl and kubeadm.
set -eu
version=$1 architecture=$2 folder=$3
shift 3
[ $# -gt 0 ] || set -- kubectl kubeadm
from=https://dl.k8s.io/release/$version/bin/linux/$architecture

mkdir -p "$folder"
cd "$folder"
for program; do
    curl --fail --silent --show-error --location --output "$program" "$from/$program"
    sum=$(curl --fail --silent --show-error --location "$from/$program.sha256")
    echo "$sum  $program" | sha256sum --check --strict --quiet || {
        rm -f "$program"
        echo "$0: $from/$program is not what its published sum says" >&2
        exit 1
    }
    chmod 0755 "$program"
done

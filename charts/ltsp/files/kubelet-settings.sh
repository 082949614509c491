#!/bin/sh
# Writes what follows from this machine's size and disk for its kubelet, before each start of it. What the cluster's own
# configuration sets, which kubeadm has fetched, is left out: the kubelet reads this file after that one.
#
# Usage: kubelet-settings.sh [CONFIGURATION [FOLDER]]
set -eu
configuration=${1:-/var/lib/kubelet/config.yaml}
node=${2:-/run/kubefarm-node}

# has KEY: whether the configuration says something of it. kubeadm writes empty values for some that nobody set.
has() {
    grep -E "^$1:" "$configuration" 2>/dev/null | grep -qvE ': *(\{\}|0s|null|"")? *$' ||
        grep -A 1 -E "^$1: *$" "$configuration" 2>/dev/null | grep -qE '^( |- )'
}

mkdir -p "$node/kubelet.conf.d"
{
    printf 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n'
    for part in "$node"/kubelet/*; do
        if [ ! -e "$part" ]; then
            continue
        elif has "${part##*/}"; then
            echo "${part##*/} is as the cluster's configuration says" >&2
        else
            cat "$part"
        fi
    done
} >"$node/kubelet.conf.d/.new"
mv "$node/kubelet.conf.d/.new" "$node/kubelet.conf.d/50-kubefarm.conf"

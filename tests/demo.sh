#!/bin/sh
# From nothing to a child cluster whose two nodes booted over the network, and what it takes, as it happens.
#
# Usage: demo.sh [--keep]    as root or with sudo
#
# Everything stays up until Enter is pressed; with --keep, until `demo.sh --down`, which may be in another terminal.
set -eu
cd "$(dirname "$0")/.."
lock=/var/tmp/kubefarm-demo.keep
began=$(date +%s)

stage() {
    passed=$(($(date +%s) - began))
    printf '%3d:%02d  %s ...\n' $((passed / 60)) $((passed % 60)) "$1" >&2
}

# quietly COMMAND...: shows what it said only where it fails.
quietly() {
    "$@" >"$log" 2>&1 || {
        cat "$log" >&2
        exit 1
    }
}

run() {
    as_root=''
    [ "$(id -u)" -eq 0 ] || as_root="sudo -E env PATH=$PATH"
    # shellcheck disable=SC2086 # words
    KUBEFARM_BOOT_CHECKS=demo KUBEFARM_DEMO_BEGAN=$began KUBEFARM_BOOT_IMAGE=$image \
        cargo test --quiet --locked --test system \
        --config "target.'cfg(all())'.runner = [$(printf "'%s', " $as_root env)]" -- boot
}

case ${1-} in
    '' | --keep) ;;
    --down)
        rm "$lock" 2>/dev/null || { echo "$0: no demo was told to stay" >&2; exit 1; }
        exit
        ;;
    *)
        sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
esac

log=$(mktemp)
trap 'rm -f "$log" "$lock"' EXIT
stage 'tools of the distribution'
quietly tests/install-tools.sh cluster
stage 'Kubernetes and what goes with it, built from source: minutes the first time'
quietly tests/cluster/build.sh
stage 'the boot image: Debian, kernel, containerd, kubelet, boot loaders: minutes the first time'
quietly tests/boot-image.sh
image=$(tail -n 1 "$log")
stage 'kubefarm'
quietly cargo test --quiet --locked --test system --no-run
stage 'an admin cluster of one node, in namespaces of its own'
if [ "${1-}" = --keep ]; then
    : >"$lock"
    # Its standard input ends when the file goes.
    while [ -e "$lock" ]; do sleep 1; done | run
else
    run
fi

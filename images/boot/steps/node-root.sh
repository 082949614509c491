#!/bin/sh
# The nodes' root file system as Debian's packages make it: node-root.tar.
#
# Usage: node-root.sh OUTPUT_FOLDER    with the settings of build.sh in the environment
set -eu
output=$1
here=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=debian.sh
. "$here/steps/debian.sh"

# A later suite is only for what is named: all else there is out of sight, for hooks that install packages too.
pins() {
    test "$RUNTIME_SUITE" != "$SUITE" || return 0
    printf 'Package: *\nPin: release n=%s\nPin-Priority: -1\n\n' "$RUNTIME_SUITE"
    printf 'Package: containerd runc\nPin: release n=%s\nPin-Priority: 900\n' "$RUNTIME_SUITE"
}

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
pins >"$folder/runtime"
# shellcheck disable=SC2016 # mmdebstrap's argument
runtime_sources | debian "$output/node-root.tar" "$KERNEL $(packages node) $PACKAGES" \
    --setup-hook='mkdir -p "$1/etc/apt/preferences.d"' \
    --setup-hook="copy-in $folder/runtime /etc/apt/preferences.d"

#!/bin/sh
# The nodes' root file system as Debian's packages make it: node-root.tar.
#
# Usage: node-root.sh OUTPUT_FOLDER    with the settings of build.sh in the environment
set -eu
output=$1
here=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=debian.sh
. "$here/steps/debian.sh"

# A later suite is only for what is named: all else there is out of sight.
pins() {
    printf 'Package: *\nPin: release n=%s\nPin-Priority: -1\n\n' "$RUNTIME_SUITE"
    printf 'Package: containerd runc\nPin: release n=%s\nPin-Priority: 900\n' "$RUNTIME_SUITE"
}

pins=$(mktemp)
trap 'rm -f "$pins"' EXIT
pins >"$pins"
# shellcheck disable=SC2016 # mmdebstrap's argument
runtime_sources | debian "$output/node-root.tar" "$KERNEL $(packages node) $PACKAGES" \
    --setup-hook='mkdir -p "$1/etc/apt/preferences.d"' \
    --setup-hook="copy-in $pins /etc/apt/preferences.d" \
    --setup-hook="mv \"\$1/etc/apt/preferences.d/${pins##*/}\" \"\$1/etc/apt/preferences.d/runtime\"" \
    --customize-hook='rm "$1/etc/apt/preferences.d/runtime"'

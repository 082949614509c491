#!/bin/sh
# The boot server's own root file system: server-root.tar.
#
# Usage: server-root.sh OUTPUT_FOLDER    with the settings of build.sh in the environment
set -eu
output=$1
here=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=debian.sh
. "$here/steps/debian.sh"

# Nothing of it starts by itself, and it holds no key.
# shellcheck disable=SC2016 # mmdebstrap's argument
sources | debian "$output/server-root.tar" "$(packages server)" \
    --customize-hook='rm -rf "$1"/etc/ssh/ssh_host_* "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin "$1"/var/log/*.log' \
    --customize-hook='rm -rf "$1"/etc/machine-id "$1"/etc/hostname "$1"/etc/resolv.conf' \
    --customize-hook='mkdir -p "$1"/etc/ltsp "$1"/srv/tftp'

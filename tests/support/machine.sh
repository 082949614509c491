#!/bin/sh
# Runs a command as a container does: in a root file system of its own, seeing no process but its own.
#
# Usage: machine.sh ROOT PROGRAM... -- COMMAND...
#   ROOT     a folder with the files that the command finds; what it writes stays there
#   PROGRAM  a file, found under its name
set -eu

# shellcheck source=tests/support/root.sh
. "${0%/*}/root.sh"
cd "$1"
make_root
shift
mkdir -p opt
while [ "$1" != -- ]; do
    touch "opt/${1##*/}"
    mount --bind "$1" "opt/${1##*/}"
    shift
done
shift
exec chroot . "$@"

#!/bin/sh
# Runs a command in a machine, as root; without one, a shell.
#
# Usage: enter.sh MACHINE [COMMAND...]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/settings.sh"
machine=$1
shift
pid=$(pid_of "$machine") || {
    echo "$0: $machine does not run" >&2
    exit 1
}
[ $# -gt 0 ] || set -- sh
exec nsenter --target "$pid" --mount --uts --ipc --net --pid --root \
    env --chdir=/root KUBECONFIG=/etc/kubernetes/super-admin.conf PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"

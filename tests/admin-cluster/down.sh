#!/bin/sh
# Takes the admin cluster down, whatever is left of it: processes, mounts, namespaces, cgroups, folders.
#
# Usage: down.sh [MACHINE [keep]]    only this machine; with `keep` its disk stays, as when it loses its power
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/settings.sh"

# groups: all of its cgroups, the innermost first.
groups() {
    for hierarchy in $(hierarchies); do
        [ ! -d "$hierarchy/$cluster/${1:-}" ] || find "$hierarchy/$cluster/${1:-}" -depth -type d
    done
}

# A machine without power says no more to the others, not even that its connections end.
if [ $# -gt 0 ] && router=$(pid_of admin); then
    nsenter --target "$router" --net ip link delete "$1" 2>/dev/null || true
fi

# A machine is killed with its init. The namespaces go with the last process in them, and with them all mounts.
tries=0
while processes=$(for group in $(groups "$@"); do cat "$group/cgroup.procs"; done | sort -u) && [ -n "$processes" ]; do
    # shellcheck disable=SC2086 # one word a process
    kill -KILL $processes 2>/dev/null || true
    tries=$((tries + 1))
    [ $tries -lt 100 ] || {
        echo "$0: cannot kill some processes:" >&2
        echo "$processes" >&2
        exit 1
    }
    sleep 0.1
done
for group in $(groups "$@"); do
    rmdir "$group"
done
[ "${2:-}" = keep ] || rm -rf "${state:?}/${1:-}"

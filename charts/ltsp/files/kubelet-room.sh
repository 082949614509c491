#!/bin/sh
# Gives the kubelet room while it evicts: it writes its state into the file system that a pod has filled, and without room
# no eviction comes to its end. Other file systems keep blocks back for root; a tmpfs does not, so a little more of it is
# kept here, is given bit by bit while it is full, and is taken back.
#
# Usage: kubelet-room.sh [FOLDER]
set -eu
folder=${1:-/var/lib/kubelet}
pause=5
step=4096

# Sets $total and $free, in KiB, or fails.
measure() {
    sizes=$(stat -f -c '%b %a %S' "$folder") || return 1
    # shellcheck disable=SC2086 # three numbers
    set -- $sizes
    total=$(($1 * $3 / 1024)) free=$(($2 * $3 / 1024))
}

resize() {
    mount -o "remount,size=$1k" "$folder"
}

# One look.
adjust() {
    measure || return 0
    if [ "$free" -lt 1024 ] && [ $((total + step)) -le "$most" ]; then
        echo "$folder is full; the kubelet gets $step KiB, so that it can evict" >&2
        resize $((total + step))
    elif [ "$total" -gt "$size" ] && [ $((total - free)) -lt $((size * 4 / 5)) ]; then
        echo "$folder has room again" >&2
        resize "$size"
    fi
}

# On a disk, root has blocks of its own.
if [ "$(stat -f -c %T "$folder")" != tmpfs ]; then
    exit
fi
measure
size=$total
# What memory.sh has kept back of its share.
most=$((size + size / 10))
while sleep "$pause"; do
    adjust || echo "$folder cannot be resized" >&2
done

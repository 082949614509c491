#!/bin/sh
# Puts images, the kubelet's files and swap onto a disk of this machine, where the values name one: kubefarm-disk.service
# runs this before containerd and the kubelet. Without such a disk they stay in RAM.
#
# Taken is the file system with the label. Where there is none, a disk that the rule describes and that is empty gets
# it: no partitions, no signature that wipefs knows, nothing but zeros at both ends. A disk that has anything on it is
# formatted only where the values say so, and never one that is in use.
#
# Usage: local-disk.sh    with the settings in /run/kubefarm-node/disk
set -eu
node=/run/kubefarm-node
folder=/var/lib/kubefarm-disk
# What it sets: the pattern is of names below /dev/disk; sizes are quantities of Kubernetes.
label='' pattern='' least='' most='' wipe='' uses='' swap=''
# shellcheck source=/dev/null
. "$node/disk"

# bytes QUANTITY
bytes() {
    test -z "$1" || echo "$1" | awk '{
        unit = $1
        factor = 1
        sub(/^[0-9.]+([eE][-+]?[0-9]+)?/, "", unit)
        first = substr(unit, 1, 1)
        for (power = first == "k" ? 1 : first == "" ? 0 : index("KMGTPE", first); power > 0; power--)
            factor *= unit ~ /i$/ ? 1024 : 1000
        printf "%.0f\n", ($1 + 0) * factor
    }'
}
least=$(bytes "$least")
most=$(bytes "$most")
swap=$(bytes "$swap")

say() {
    echo "local disk: $*" >&2
}

# Sets $device to the file system with the label. udev may be busy with the disks yet.
find_labelled() {
    udevadm settle --timeout=30 || true
    device=$(blkid -L "$label" || true)
    test -n "$device"
}

# Whether the values describe a disk, and not only a label.
has_rule() {
    test -n "$pattern$least$most"
}

# disks: the whole disks that the rule describes, a line each.
disks() {
    lsblk -dnrbo PATH,SIZE,TYPE,RO,RM | sort | while read -r path size type ro removable; do
        case $type,$ro,$path in
        disk,0,/dev/zram* | disk,0,/dev/nbd* | disk,0,/dev/fd*) continue ;;
        disk,0,*) ;;
        *) continue ;;
        esac
        if [ "$size" -ge "${least:-1073741824}" ] && [ "$size" -le "${most:-$size}" ] && is_meant "$path" "$removable"; then
            echo "$path"
        fi
    done
}

# is_meant DISK REMOVABLE: whether one of its names below /dev/disk matches. Without a pattern, a stick is not meant.
is_meant() {
    if [ -z "$pattern" ]; then
        test "$2" = 0
        return
    fi
    for link in $(udevadm info --query=symlink --name="$1"); do
        # shellcheck disable=SC2254 # a pattern
        case ${link#disk/} in
        $pattern) return 0 ;;
        esac
    done
    return 1
}

# is_empty DISK
is_empty() {
    test "$(lsblk -nro PATH "$1" | wc -l)" -eq 1 || return 1
    signatures=$(wipefs --noheadings "$1") || return 1
    test -z "$signatures" || return 1
    length=16777216
    end=$(($(blockdev --getsize64 "$1") - length))
    cmp -s -n "$length" "$1" /dev/zero && cmp -s -i "$end:0" -n "$length" "$1" /dev/zero
}

# is_in_use DISK: mounted, swapped to, or part of an array, a volume group or an encrypted device that is there.
is_in_use() {
    lsblk -nro PATH,TYPE,MOUNTPOINTS "$1" | awk 'NF > 2 || (NR > 1 && $2 != "part") { found = 1 } END { exit !found }'
}

# Sets $disk to the one to format: an empty one, else the first that the values allow to wipe.
choose() {
    disk='' full=''
    for candidate in $(disks); do
        if is_empty "$candidate"; then
            disk=$candidate
            return 0
        elif is_in_use "$candidate"; then
            say "$candidate is in use, and is not touched"
        elif [ "$wipe" = 1 ]; then
            full=${full:-$candidate}
        else
            say "$candidate has something on it, and is not touched; ltsp.config.localDisk.wipe would allow it"
        fi
    done
    disk=$full
    test -n "$disk"
}

format() {
    say "formatting $1${full:+, which had something on it}"
    for part in $(lsblk -nrpo NAME "$1" | sort -r); do
        wipefs --quiet --all --force "$part" || return 1
    done
    mkfs.ext4 -q -F -m 1 -L "$label" "$1" || return 1
    udevadm settle --timeout=30 || true
    device=$1
}

# Sets $device, or fails and says why.
find_device() {
    find_labelled && return
    if ! has_rule; then
        say "no file system has the label $label"
        return 1
    fi
    # A controller may still be looking for its disks.
    for pause in 1 2 4 8 0; do
        if [ -n "$(disks)" ]; then
            find_labelled && return
            choose && format "$disk"
            return
        fi
        sleep "$pause"
    done
    say 'this machine has no disk that the rule describes'
    return 1
}

# wants THING: whether it belongs on the disk.
wants() {
    case " $uses " in
    *" $1 "*) return 0 ;;
    *) return 1 ;;
    esac
}

put_images() {
    mkdir -p "$folder/containerd" /var/lib/containerd
    mount --bind "$folder/containerd" /var/lib/containerd
}

# Pods of the boot before are gone, and so is what they left. Keys stay in RAM: disks are stolen.
put_kubelet() {
    rm -rf --one-file-system "$folder/kubelet"
    mkdir -p "$folder/kubelet" /var/lib/kubelet
    mount --bind "$folder/kubelet" /var/lib/kubelet
    mkdir -m 0700 /var/lib/kubelet/pki
    mount -t tmpfs -o mode=0700,nosuid,nodev,noexec,size=4m tmpfs /var/lib/kubelet/pki
}

# The kubelet has to be told, or it does not start: pods then swap as far as their requests leave room.
put_swap() {
    file=$folder/swap
    if [ "$(stat -c %s "$file" 2>/dev/null)" != "$swap" ]; then
        rm -f "$file"
        (umask 077 && fallocate -l "$swap" "$file") || return 1
    fi
    mkswap -q "$file" && swapon "$file" || return 1
    mkdir -p "$node/kubelet"
    echo 'failSwapOn: false' >"$node/kubelet/failSwapOn"
    printf 'memorySwap:\n  swapBehavior: LimitedSwap\n' >"$node/kubelet/memorySwap"
}

if ! find_device; then
    say 'images and pods stay in RAM'
    exit 1
fi
mkdir -p "$folder"
if ! mount -o noatime "$device" "$folder"; then
    say "$device cannot be mounted; images and pods stay in RAM"
    exit 1
fi
if wants images; then put_images; fi
if wants kubelet; then put_kubelet; fi
if [ -n "$swap" ] && ! put_swap; then
    say "there is no swap on $device: $swap bytes do not fit, or the kernel refuses it"
fi
say "$device: $uses${swap:+, $swap bytes of swap}"

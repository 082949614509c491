#!/bin/sh
# What runs first in the namespaces of a machine, as process 1: makes the root folder and becomes the init.
#
# Usage: start.sh NAME ADDRESS DISK FOLDER IMAGES    as machine.sh says; DISK is the folder for what needs a disk
set -eu
name=$1 address=$2 disk=$3 folder=$4 images=$5
here=$(cd "$(dirname "$0")" && pwd)
. "$here/settings.sh"

mount --make-rprivate /
memory=$disk/memory
root=$memory/root
mkdir -p "$memory"
mount -t tmpfs -o mode=0755 "$name" "$memory"
mkdir "$memory/changes" "$memory/work" "$root"
mount -t overlay -o "lowerdir=/,upperdir=$memory/changes,workdir=$memory/work" "$name" "$root"

# on_disk FOLDER...: empty, whatever the computer has there, and on its disk.
on_disk() {
    for target; do
        mkdir -p "$disk$target" "$root$target"
        mount --bind "$disk$target" "$root$target"
    done
}
on_disk /etc/cni /etc/kubernetes /opt /var/lib/containerd /var/lib/etcd /var/lib/kubelet /var/lib/registry /var/lib/volumes /var/log

mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=0755 run "$root/run"
mount -t tmpfs tmp "$root/tmp"

# The cgroups of the machine are the root of what it sees of them.
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    # A group that has processes cannot hand on controllers.
    mkdir "$root/sys/fs/cgroup/init"
    while read -r process; do
        echo "$process" >"$root/sys/fs/cgroup/init/cgroup.procs" || true
    done <"$root/sys/fs/cgroup/cgroup.procs"
    sed -e 's/ / +/g' -e 's/^/+/' "$root/sys/fs/cgroup/cgroup.controllers" >"$root/sys/fs/cgroup/cgroup.subtree_control"
else
    mount -t tmpfs -o mode=0755 cgroup "$root/sys/fs/cgroup"
    for hierarchy in $(hierarchies); do
        controller=${hierarchy##*/}
        [ "$controller" != systemd ] || controller=none,name=systemd
        mkdir "$root$hierarchy"
        mount -t cgroup -o "$controller" cgroup "$root$hierarchy"
    done
fi

# A kubelet sets these for the whole computer unless they have these values already.
while read -r setting value; do
    echo "$value" >"$memory/${setting##*/}"
    mount --bind "$memory/${setting##*/}" "$root/proc/sys/$setting"
done <<END
kernel/keys/root_maxbytes 25000000
kernel/keys/root_maxkeys 1000000
kernel/panic 10
kernel/panic_on_oops 1
vm/overcommit_memory 1
vm/panic_on_oom 0
END

# The built programs hide others of the same name.
for program in "$CLUSTER_PROGRAMS"/bin/*; do
    target=$root/usr/local/bin/${program##*/}
    : >"$target"
    mount --bind "$(readlink -f "$program")" "$target"
done
mkdir "$root/etc/cluster" "$root/run/images"
cp -r "$here/shared/." "$folder/." "$root/etc/cluster"
cp "$folder/inittab" "$root/etc/inittab"
mkdir -p "$root/etc/cni/net.d"
sed "s/PODS/$(pods_of "$address")/" "$here/shared/cni.conflist" >"$root/etc/cni/net.d/10-bridge.conflist"
mount --bind "$images" "$root/run/images"

hostname "$name"
printf '127.0.0.1 localhost\n%s %s\n' "$address" "$name" >"$root/etc/hosts"
# Nobody answers there: the network has no way out.
rm -f "$root/etc/resolv.conf"
echo "nameserver $admin_address" >"$root/etc/resolv.conf"
ip link set lo up
echo 1 >"$root/proc/sys/net/ipv4/ip_forward"

mkdir "$root/run/computer"
cd "$root"
pivot_root . run/computer
umount -l /run/computer
mount --make-rshared /
boot='busybox init'
[ ! -e /etc/cluster/boot ] || boot=/etc/cluster/boot
# shellcheck disable=SC2086 # a command
exec env -i PATH="$PATH" HOME=/root ADDRESS="$address" $boot </dev/null >/dev/null 2>&1

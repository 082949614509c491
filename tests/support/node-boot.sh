#!/bin/sh
# Boots a node as LTSP does, up to the start of systemd, in namespaces of its own: the real `ltsp init` as
# process 1, in a root file system of its own with this machine's /usr, which it can only read.
#
# Usage: node-boot.sh ROOT DEVICE MAC ADDRESS HOSTNAME
#   ROOT  a folder with etc/ltsp and run/net-DEVICE.conf in it; what the boot writes stays there
set -eu

# shellcheck source=tests/support/root.sh
. "${0%/*}/root.sh"
root=$1 device=$2 mac=$3 address=$4 hostname=$5
cd "$root"
mkdir -p root sbin var/lib var/log var/cache etc/ssh
# The initrd has made it.
mkdir -p run/ltsp/client
make_root
# LTSP takes some of systemd's and polkit's files away.
for changed in usr/lib/systemd/system-generators usr/share/polkit-1; do
    test ! -d "$changed" || mount -t tmpfs none "$changed"
done
printf 'root:x:0:0:root:/root:/bin/sh\nsshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n' >etc/passwd
printf 'root:x:0:\nnogroup:x:65534:\n' >etc/group
printf 'root:*:19000:0:99999:7:::\n' >etc/shadow
printf 'Include /etc/ssh/sshd_config.d/*.conf\n' >etc/ssh/sshd_config
# LTSP ends by starting this.
printf '#!/bin/sh\necho booted\n' >sbin/init
chmod 0755 sbin/init

hostname "$hostname"
ip link set lo up
ip link add dev "$device" type veth peer name switch
ip link set "$device" address "$mac" up
ip link set switch up
ip addr add "$address/8" dev "$device"
ip route add default via 10.64.0.1
exec chroot . /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin /usr/share/ltsp/ltsp init

#!/bin/sh
# Starts a machine: namespaces that look like a computer of its own, with an init, on the admin cluster's network.
#
# Usage: machine.sh NAME ADDRESS MAC FOLDER IMAGES
#
#   ADDRESS, MAC   of its network card eth0; the machine `admin` has the network itself instead
#   FOLDER         what is laid over /etc/cluster, with the inittab of its init
#   IMAGES         a folder of image archives, which its containerd imports
#
# Its root is an overlay over this computer's root, so it has the same programs and changes nothing here. It ends with
# its init, and all of its processes, mounts and network devices end with it. Only `down.sh` removes the rest.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/settings.sh"
name=$1 address=$2 mac=$3 folder=$4 images=$5

[ -z "$(pid_of "$name")" ] || {
    echo "$0: $name runs already" >&2
    exit 1
}

# Puts this shell, and so all that it starts, into cgroups of the machine's own.
for hierarchy in $(hierarchies); do
    for group in "$hierarchy/$cluster" "$hierarchy/$cluster/$name"; do
        mkdir -p "$group"
        # In v1 a new group has no processors and no memory yet.
        for file in cpuset.cpus cpuset.mems; do
            [ ! -e "$hierarchy/tasks" ] || [ ! -e "$group/$file" ] || cat "$group/../$file" >"$group/$file"
        done
    done
    echo $$ >"$hierarchy/$cluster/$name/cgroup.procs"
done

mkdir -p "$state/$name"
setsid unshare --mount --uts --ipc --net --pid --cgroup --fork --kill-child \
    "$here/machine-start.sh" "$name" "$address" "$state/$name" "$folder" "$images" \
    </dev/null >"$state/$name/start.log" 2>&1 &
outside=$!

# The init is the only child of unshare.
pid=''
while [ -z "$pid" ]; do
    kill -0 "$outside" 2>/dev/null || {
        cat "$state/$name/start.log" >&2
        exit 1
    }
    read -r pid <"/proc/$outside/task/$outside/children" || sleep 0.1
done
echo "$pid" >"$state/$name/pid"

# The other end of a card is a port of the bridge `lan`, and the machine `admin` is the router.
if [ "$name" != admin ]; then
    in_machine="nsenter --target $pid --net"
    in_admin="nsenter --target $(pid_of admin) --net"
    $in_machine ip link add eth0 address "$mac" type veth peer name "$name" netns "$(pid_of admin)"
    $in_admin ip link set "$name" master lan up
    $in_machine ip address add "$address/$prefix_length" dev eth0
    $in_machine ip link set eth0 up
    $in_machine ip route add default via "$admin_address"
    # Pods reach each other through the router, which hides no addresses: members of etcd check whose it is.
    $in_admin ip route replace "$(pods_of "$address")/24" via "$address"
fi

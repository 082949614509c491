# Names and addresses of the admin cluster. Sourced by the scripts beside it.
# shellcheck shell=sh disable=SC2034 # used by those that source it

# Several can be up at once, under names of their own.
cluster=${KUBEFARM_CLUSTER:-kubefarm-admin}
# Everything that it keeps on disk.
state=${KUBEFARM_CLUSTER_FOLDER:-/var/tmp/$cluster}

# The network of all machines, in the network namespace of the machine `admin` and of no other: the one that
# examples/generic has its nodes in.
admin_address=10.64.0.1
prefix_length=16

# pods_of ADDRESS: the first address of the pods on the node with this one, e.g. 10.201.16.0 for 10.64.1.16.
pods_of() {
    echo "10.20${1#10.64.}.0"
}

# pid_of MACHINE: the process ID of its init, if it runs.
pid_of() {
    { read -r pid <"$state/$1/pid"; } 2>/dev/null && grep -qs "/$cluster/$1\$" "/proc/$pid/cgroup" && echo "$pid"
}

# hierarchies: the folders of all cgroup hierarchies; cgroup v2 has one, v1 has one for each controller.
hierarchies() {
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
        echo /sys/fs/cgroup
    else
        findmnt --noheadings --list --output TARGET --types cgroup | sort -u
    fi
}

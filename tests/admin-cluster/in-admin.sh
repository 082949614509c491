# What scripts do with the admin cluster that is up. Sourced after settings.sh.
# shellcheck shell=sh disable=SC2154 # of those that source it

# in_admin COMMAND...
in_admin() {
    "$here/enter.sh" admin "$@"
}

# apply: objects on standard input.
apply() {
    in_admin kubectl apply --server-side --filename - >/dev/null
}

# wait_until WHAT COMMAND...: tries every half second, for two minutes.
wait_until() {
    what=$1 deadline=$(($(date +%s) + 120))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt "$deadline" ] || {
            echo "$0: waited in vain until $what; the logs are in $state/*/var/log" >&2
            exit 1
        }
        sleep 0.5
    done
}

# volumes MACHINE COUNT: makes their folders on its disk, and prints their objects.
volumes() {
    for number in $(seq "$2"); do
        mkdir -p "$state/$1/var/lib/volumes/$1-$number"
        sed -e "s/NAME/$1-$number/" -e "s/MACHINE/$1/" "$here/manifests/volume.yaml"
        echo ---
    done
}

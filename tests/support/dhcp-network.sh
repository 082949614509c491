#!/bin/sh
# A network of two cards in a network namespace of its own: a DHCP server on one, machines on the other.
#
# Usage: dhcp-network.sh CARD PYTHON CLIENT LOG COMMAND -- MACHINE… [-- CHANGE MACHINE…]
#   CARD     the server's card, with the address 10.64.0.2/16
#   COMMAND  starts the server, in the foreground, as a text for the shell
#   CHANGE   is run after the first machines have asked; then the next machines ask
set -eu

card=$1 python=$2 client=$3 log=$4 command=$5
shift 6

ip link set lo up
ip link add dev "$card" type veth peer name nodes
ip addr add 10.64.0.2/16 dev "$card"
ip link set "$card" up
ip link set nodes up

sh -c "exec $command" >"$log" 2>&1 &
server=$!
trap 'kill $server; wait $server || true' EXIT
tries=0
until grep -q 'DHCP, sockets bound\|DHCP, IP range\|DHCP, static leases' "$log"; do
    tries=$((tries + 1))
    if [ "$tries" -ge 100 ] || ! kill -0 "$server"; then
        cat "$log" >&2
        exit 1
    fi
    sleep 0.1
done

first=''
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    first="$first $1"
    shift
done
# shellcheck disable=SC2086 # one word a machine
"$python" "$client" nodes $first
if [ $# -gt 0 ]; then
    change=$2
    shift 2
    sh -c "$change"
    sleep 7
    echo
    "$python" "$client" nodes "$@"
fi
cat "$log" >&2

#!/bin/sh
# Runs dnsmasq, and starts it anew when Kubernetes has changed the nodes or addresses that it reads.
# Arguments are more flags for dnsmasq.
#
# dnsmasq can watch folders itself, but not these: Kubernetes replaces a mounted folder by turning a hidden
# link, which dnsmasq ignores. On SIGHUP it would read them again, and may crash: dnsmasq 2.90 frees memory that
# is not its own for nodes with tags that have asked for a lease. Leases are in a file: a new start keeps them.
set -eu

start() {
    # --no-daemon: stay in the foreground, log to stderr, change no user.
    dnsmasq --no-daemon --conf-file=/config/dnsmasq.conf "$@" &
    dnsmasq=$!
}

stop() {
    kill -TERM "$dnsmasq" 2>/dev/null || true
}

contents() {
    for folder in /hosts /address; do
        readlink "$folder/..data" || true
    done
}

seen=$(contents)
stopping=''
start "$@"
trap 'stopping=1; stop' TERM INT

while kill -0 "$dnsmasq" 2>/dev/null; do
    # In the background, so that a signal ends the wait at once.
    sleep 5 &
    wait $! || true
    current=$(contents)
    if [ -n "$stopping" ]; then
        stop
    elif [ "$current" != "$seen" ]; then
        echo "Nodes or addresses have changed; starting anew with them." >&2
        seen=$current
        stop
        wait "$dnsmasq" || true
        test -n "$stopping" || start "$@"
    fi
done
wait "$dnsmasq"

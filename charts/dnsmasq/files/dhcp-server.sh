#!/bin/sh
# Runs dnsmasq, and starts it anew when Kubernetes has changed what it reads.
#
# What is new is checked before the dnsmasq that runs is stopped. What dnsmasq does not take changes nothing: it goes
# on with what it took last, also in another pod, if the volume with the leases is one that stays. The pod is not
# ready then.
#
# dnsmasq can watch folders itself, but not these: Kubernetes replaces a mounted folder by turning a hidden
# link, which dnsmasq ignores. On SIGHUP it would read them again, and may crash: dnsmasq 2.90 frees memory that
# is not its own for nodes with tags that have asked for a lease. A new start is as quick: it listens at once, and
# reads the nodes while requests wait.
set -eu

config=/config
hosts=/hosts
address=/address
state=/var/lib/dnsmasq

used=$state/configuration
next=$state/next
previous=$state/previous
refused=$state/refused
leases=$state/dnsmasq.leases

say() {
    echo "dhcp-server: $*" >&2
}

# The IPv4 addresses of this machine or pod, as the kernel lists them.
addresses() {
    awk '$1 == "|--" { address = $2 } /\/32 host LOCAL/ { print address }' /proc/net/fib_trie | sort -u
}

# Changes with everything that dnsmasq is given.
version() {
    for folder in "$config" "$hosts" "$address"; do
        readlink "$folder/..data" || true
    done
    addresses
}

# Lines of all files of a folder, each with a prefix.
lines() {
    for file in "$2"/*; do
        test ! -f "$file" || awk -v prefix="$1" 'NF { print prefix $0 }' "$file"
    done
}

# Copies what Kubernetes shows, and asks dnsmasq. It checks one file and opens no other, so everything is in one.
take_next() {
    rm -rf "$next" && mkdir -p "$next" &&
        cp "$config/dnsmasq.conf" "$next/dnsmasq.conf" &&
        lines '' "$hosts" >"$next/hosts" &&
        lines '' "$address" >"$next/options" || return 1
    whole=$next/whole.conf
    {
        cat "$next/dnsmasq.conf"
        lines dhcp-host= "$hosts"
        lines dhcp-option= "$address"
    } >"$whole" || return 1
    if ! message=$(dnsmasq --test --conf-file="$whole" 2>&1); then
        say "$message"
        number=$(echo "$message" | sed -n 's/.* at line \([0-9]*\) of .*/\1/p')
        test -z "$number" || say "the line is: $(sed -n "${number}p" "$whole")"
        return 1
    fi
    rm -f "$whole"
}

adopt() {
    rm -rf "$previous"
    test ! -e "$used" || mv "$used" "$previous"
    mv "$next" "$used"
    rm -f "$refused"
}

refuse() {
    say "$* It goes on with what it had."
    : >"$refused" || true
}

# Leases of addresses that are another machine's by now, as `MAC address`: dnsmasq would not give them to it, and a
# lease of a node does not end by itself.
replaced() {
    test -e "$leases" || return 0
    awk '
        # As dnsmasq writes it: two digits each.
        function mac(text, parts, count, i, whole) {
            count = split(text, parts, ":")
            whole = ""
            for (i = 1; i <= count; i++)
                whole = whole (i > 1 ? ":" : "") (length(parts[i]) == 1 ? "0" : "") parts[i]
            return whole
        }
        of == "hosts" {
            address = macs = ""
            count = split(tolower($0), fields, ",")
            for (i = 1; i <= count; i++)
                if (fields[i] ~ /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/)
                    address = fields[i]
                else if (fields[i] ~ /^id:/ || fields[i] ~ /\*/)
                    break
                else if (fields[i] ~ /:/ && fields[i] !~ /^(set|tag|net):/ && fields[i] !~ /^\[/)
                    macs = macs " " mac(fields[i]) " "
            # A node that is known by other things than its MACs may be any machine.
            if (i > count && address != "" && macs != "")
                owner[address] = macs
            next
        }
        ($3 in owner) && !index(owner[$3], " " tolower($2) " ") { print " " $2 " " $3 " " }
    ' of=hosts "$1/hosts" of=leases "$leases"
}

# Only between two runs of dnsmasq, which keeps leases in memory and writes them all.
forget() {
    test -n "$1" || return 0
    grep -vF "$1" "$leases" >"$leases.next" || test $? -eq 1
    mv "$leases.next" "$leases"
}

# A machine that takes another server's offer says so in public, and dnsmasq with dhcp-authoritative would call it
# back. What a relay passes on may name the relay.
own_requests() {
    ! grep -q '^dhcp-proxy' "$used/dnsmasq.conf" || return 0
    own=$(addresses | sed 's/^/--dhcp-match=set:asks-this-server,54,/')
    test -n "$own" || return 0
    echo "$own" --dhcp-match=set:asks-a-server,54 --dhcp-match=set:relayed,82 --dhcp-ignore=tag:asks-another-server \
        --tag-if=set:asks-another-server,tag:asks-a-server,tag:!asks-this-server,tag:!relayed
}

# start FLAGS: --no-daemon is to stay in the foreground, log to stderr and change no user.
start() {
    # shellcheck disable=SC2086 # one word a flag
    dnsmasq --no-daemon --conf-file="$used/dnsmasq.conf" $1 &
    dnsmasq=$!
}

stop() {
    kill -TERM "$dnsmasq" 2>/dev/null || true
}

runs() {
    kill -0 "$dnsmasq" 2>/dev/null
}

# Starts with what is next; where dnsmasq does not stay, with what it had before.
restart() {
    # All this before: while no dnsmasq runs, requests are lost. It reads its files at its start alone.
    leave=$(replaced "$next")
    adopt
    flags=$(own_requests)
    stop
    wait "$dnsmasq" || true
    test -z "$stopping" || return 0
    forget "$leave"
    start "$flags"
    sleep 1
    if ! runs && [ -e "$previous" ] && [ -z "$stopping" ]; then
        rm -rf "$used"
        mv "$previous" "$used"
        refuse 'dnsmasq ended with the new configuration.'
        start "$(own_requests)"
    fi
}

stopping=''
seen=$(version)
if take_next; then
    adopt
elif [ -e "$used/dnsmasq.conf" ]; then
    refuse 'dnsmasq does not take the new configuration.'
else
    exit 1
fi
forget "$(replaced "$used")"
start "$(own_requests)"
trap 'stopping=1; stop' TERM INT

while runs; do
    # In the background, so that a signal ends the wait at once.
    sleep 5 &
    wait $! || true
    current=$(version)
    if [ -n "$stopping" ]; then
        stop
    elif [ "$current" != "$seen" ]; then
        seen=$current
        if take_next; then
            say 'Nodes, addresses or settings have changed; starting anew with them.'
            restart
        else
            refuse 'dnsmasq does not take the new configuration.'
        fi
    fi
done
wait "$dnsmasq"

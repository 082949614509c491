#!/bin/sh
# rack.sh FIRST LAST: machines of a rack are switched on, in the network namespace of the admin cluster, each in one of
# its own: without a processor of theirs, but with the requests of a boot. Each prints how far it came, at its end.
#
#   RACK_SERVER     the boot server's address
#   RACK_SERVICE    HOST:PORT of the join service, and RACK_ADDRESS where that is
#   RACK_AUTHORITY  the file with the authority of its certificate
#   RACK_RELEASE    the path of the system image's folder
#   RACK_STOPS      NUMBER:STAGE for machines that stop there
#   RACK_FOLDER     for their files
set -eu

if [ "$1" != machine ]; then
    for number in $(seq "$1" "$2"); do
        unshare --net sh "$0" machine "$number" &
        # Its namespace comes a moment later.
        until [ "$(readlink "/proc/$!/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
        ip link add "rack$number" type veth peer name eth0 \
            address "$(printf '02:00:00:50:%02x:0a' "$number")" netns "$!"
        ip link set "rack$number" master lan up
    done
    wait
    exit
fi

number=$2
name=$(printf 'b%03d' "$number")
mac=$(printf '02:00:00:50:%02x:0a' "$number")
work=$RACK_FOLDER/$name
mkdir -p "$work"
doing='getting a card'
# Who fails says where.
failed() {
    echo "$name failed: $doing, $(tail -n 3 "$work/dhcp" 2>&1 | tr '\n' ' ')"
}
trap 'test $? = 0 || failed' EXIT
stop=$(echo "$RACK_STOPS" | tr ' ' '\n' | sed -n "s/^$number://p")

# at STAGE: the end of a machine that comes no further.
at() {
    test "$stop" != "$1" || {
        test "$1" != image || load "last-words?mac=$mac&said=NO%20ROOM%20for%20the%20image"
        echo "$name stopped"
        exit 0
    }
}

load() {
    curl -sSf -m 60 -A 'GRUB 2.12' -o "$work/loaded" "http://$RACK_SERVER/ltsp/$1"
}

tries=0
until ip link set eth0 up 2>/dev/null; do
    tries=$((tries + 1))
    if [ "$tries" -gt 100 ]; then
        echo "$name has no card after 10 seconds"
        exit 1
    fi
    sleep 0.1
done
ip link set lo up
cat >"$work/lease" <<'END'
#!/bin/sh
test "$1" != bound || ip addr replace "$ip/16" dev eth0
END
chmod +x "$work/lease"
# The DHCP server learns of new machines with the next file of its ConfigMap.
doing='asking for an address'
busybox udhcpc -i eth0 -f -q -n -t 60 -T 3 -A 1 -s "$work/lease" >"$work/dhcp" 2>&1
at dhcp
doing='loading the boot loader'
curl -sSf -m 60 -o "$work/loaded" "tftp://$RACK_SERVER/ltsp/grub/i386-pc/core.0"
at loader
doing='loading over HTTP'
load grub/settings.cfg
load "$RACK_RELEASE/vmlinuz?first"
at kernel
load "$RACK_RELEASE/root.squashfs.manifest"
for percent in 10 40 70; do
    load "report?mac=$mac&stage=image&percent=$percent"
    at image
done
load "report?mac=$mac&stage=image&percent=100"
at configuration
load "report?mac=$mac&stage=join"
doing='joining'
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/key" -out "$work/request" \
    -subj "/O=system:nodes/CN=system:node:$name" 2>/dev/null
test "$stop" != join || mac=02:00:00:99:99:99
date +%s.%N >"$work/asked"
status=$(curl -sS -m 70 --cacert "$RACK_AUTHORITY" --connect-to "$RACK_SERVICE:$RACK_ADDRESS:" -o "$work/answer" \
    -w '%{http_code}' --data-binary "@$work/request" "https://$RACK_SERVICE/v1/join?name=$name&mac=$mac")
date +%s.%N >"$work/answered"
echo "$name $status"

#!/bin/sh
# Serves the boot loaders over TFTP on port 69. Arguments are more flags for dnsmasq.
#
# One of them matters: --tftp-single-port. A TFTP server normally answers from a new port for each file, and
# a load balancer or NAT in between drops such an answer, because it knows of no connection to it. With one
# port all packets of a transfer look like one connection. Some virtual network cards (virtio with QEMU's
# boot ROM) were seen to time out on it.
set -eu

# The folder is published by boot-config.sh, and dnsmasq refuses to start without it.
while [ ! -e /shared/ltsp/grub/grub.cfg ]; do
    sleep 1
done
# A rack that is switched on asks at once. Of more requests than this number dnsmasq forgets some without a word, and
# firmware gives up after a few tries. The flag may be there once only.
case " $*" in
*' --tftp-max'*) ;;
*) set -- --tftp-max=500 "$@" ;;
esac
# --no-daemon: stay in the foreground, log to stderr, keep the user this runs as.
exec dnsmasq --no-daemon --conf-file=/dev/null --port=0 \
    --enable-tftp --tftp-root=/shared "$@"

#!/bin/sh
# Serves kernel, initrd and system image over HTTP on port 80.
set -eu

echo 'listen 80;' >/tmp/listen.conf
# Without IPv6 in the kernel nginx would refuse to start.
if [ -e /proc/net/if_inet6 ]; then
    echo 'listen [::]:80 ipv6only=on;' >>/tmp/listen.conf
fi
exec nginx -e stderr -c /scripts/nginx.conf

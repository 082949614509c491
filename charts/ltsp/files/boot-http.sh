#!/bin/sh
# Serves kernel, initrd and system image over HTTP on port 80, and over HTTPS on port 443 with the certificate in /tls.
set -eu

echo 'listen 80;' >/tmp/listen.conf
# Without IPv6 in the kernel nginx would refuse to start.
if [ -e /proc/net/if_inet6 ]; then
    echo 'listen [::]:80 ipv6only=on;' >>/tmp/listen.conf
fi
if [ -e /tls/tls.crt ]; then
    echo 'listen 443 ssl; ssl_certificate /tls/tls.crt; ssl_certificate_key /tls/tls.key;' >>/tmp/listen.conf
fi
exec nginx -e stderr -c /scripts/nginx.conf

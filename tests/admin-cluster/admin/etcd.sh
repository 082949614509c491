# On the loopback device, which the network namespace keeps to itself. Nothing here has to survive a power cut.
# shellcheck shell=sh
exec etcd --data-dir=/var/lib/etcd --unsafe-no-fsync

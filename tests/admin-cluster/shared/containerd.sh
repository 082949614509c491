# shellcheck shell=sh
exec containerd --config /etc/cluster/containerd.toml

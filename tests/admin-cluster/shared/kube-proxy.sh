# shellcheck shell=sh
exec kube-proxy --config=/etc/cluster/kube-proxy.yaml

# Enforces NetworkPolicies, and does nothing else of what it could.
# shellcheck shell=sh
exec kube-router --kubeconfig=/etc/kubernetes/kube-router.conf --hostname-override="$(hostname)" \
    --run-firewall=true --run-router=false --run-service-proxy=false --run-loadbalancer=false \
    --service-cluster-ip-range=10.96.0.0/16

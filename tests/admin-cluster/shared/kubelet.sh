# shellcheck shell=sh
exec kubelet \
    --config=/etc/cluster/kubelet.yaml \
    --hostname-override=admin \
    --kubeconfig=/etc/kubernetes/kubelet.conf \
    --node-ip="$ADDRESS"

# A node of the admin cluster. Nodes of child clusters have one of their own.
# shellcheck shell=sh
exec kubelet \
    --config=/etc/cluster/kubelet.yaml \
    --kubeconfig=/etc/kubernetes/kubelet.conf \
    --node-ip="$ADDRESS"

# Makes what the programs read: the network, keys, certificates, kubeconfigs.
# shellcheck shell=sh
ip link add lan type bridge
ip address add "$ADDRESS/16" dev lan
ip link set lan up
# It leads nowhere, but without one no packet is sent to the address of a Service.
ip route add default dev lan

version=$(kubeadm version --output short)
sed -i "s/KUBERNETES_VERSION/$version/" /etc/cluster/kubeadm.yaml
for phase in 'certs all' 'kubeconfig admin' 'kubeconfig super-admin' 'kubeconfig controller-manager' 'kubeconfig scheduler' \
    'kubeconfig kubelet'; do
    # shellcheck disable=SC2086 # two words
    kubeadm init phase $phase --config /etc/cluster/kubeadm.yaml
done
kubeadm kubeconfig user --config /etc/cluster/kubeadm.yaml --client-name system:kube-proxy >/etc/kubernetes/kube-proxy.conf

# Pods have no way to the nodes of child clusters, nor to what runs there, as where these are in networks of their
# own. Nodes come in.
nft -f - <<END
table inet nodes {
    chain forward {
        type filter hook forward priority 0
        ip saddr 10.200.0.0/16 ip daddr { 10.64.1.0/24, 10.201.0.0/16 } ct state new drop
    }
}
END

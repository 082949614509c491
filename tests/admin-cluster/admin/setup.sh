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
for program in system:kube-proxy kube-router; do
    kubeadm kubeconfig user --config /etc/cluster/kubeadm.yaml --client-name "$program" \
        >"/etc/kubernetes/${program#system:}.conf"
done

nft -f /etc/cluster/far-side.nft

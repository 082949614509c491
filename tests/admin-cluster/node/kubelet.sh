# As kubeadm's unit for systemd, with the drop-in that kubefarm writes at boot: there is nothing to do until the node
# has joined.
# shellcheck shell=sh disable=SC2086,SC1091 # flags, one a word; a file that kubeadm writes
until [ -e /var/lib/kubelet/config.yaml ]; do
    sleep 0.5
done
KUBELET_KUBEADM_ARGS=''
[ ! -e /var/lib/kubelet/kubeadm-flags.env ] || . /var/lib/kubelet/kubeadm-flags.env
extra=$(sed -n 's/^Environment="KUBELET_EXTRA_ARGS=\(.*\)"$/\1/p' /etc/systemd/system/kubelet.service.d/99-kubefarm.conf)
exec kubelet \
    --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf \
    --kubeconfig=/etc/kubernetes/kubelet.conf \
    --config=/var/lib/kubelet/config.yaml \
    $KUBELET_KUBEADM_ARGS $extra

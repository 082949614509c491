# shellcheck shell=sh
pki=/etc/kubernetes/pki
exec kube-controller-manager \
    --authentication-kubeconfig=/etc/kubernetes/controller-manager.conf \
    --authorization-kubeconfig=/etc/kubernetes/controller-manager.conf \
    --client-ca-file=$pki/ca.crt \
    --cluster-signing-cert-file=$pki/ca.crt \
    --cluster-signing-key-file=$pki/ca.key \
    --kubeconfig=/etc/kubernetes/controller-manager.conf \
    --leader-elect=false \
    --root-ca-file=$pki/ca.crt \
    --service-account-private-key-file=$pki/sa.key \
    --service-cluster-ip-range=10.96.0.0/16 \
    --use-service-account-credentials

# shellcheck shell=sh
pki=/etc/kubernetes/pki
exec kube-apiserver \
    --advertise-address="$ADDRESS" \
    --allow-privileged \
    --authorization-mode=Node,RBAC \
    --client-ca-file=$pki/ca.crt \
    --enable-admission-plugins=NodeRestriction \
    --enable-bootstrap-token-auth \
    --etcd-servers=http://127.0.0.1:2379 \
    --kubelet-client-certificate=$pki/apiserver-kubelet-client.crt \
    --kubelet-client-key=$pki/apiserver-kubelet-client.key \
    --kubelet-preferred-address-types=InternalIP \
    --proxy-client-cert-file=$pki/front-proxy-client.crt \
    --proxy-client-key-file=$pki/front-proxy-client.key \
    --requestheader-allowed-names=front-proxy-client \
    --requestheader-client-ca-file=$pki/front-proxy-ca.crt \
    --requestheader-extra-headers-prefix=X-Remote-Extra- \
    --requestheader-group-headers=X-Remote-Group \
    --requestheader-username-headers=X-Remote-User \
    --service-account-issuer=https://kubernetes.default.svc.cluster.local \
    --service-account-key-file=$pki/sa.pub \
    --service-account-signing-key-file=$pki/sa.key \
    --service-cluster-ip-range=10.96.0.0/16 \
    --tls-cert-file=$pki/apiserver.crt \
    --tls-private-key-file=$pki/apiserver.key

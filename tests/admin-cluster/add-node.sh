#!/bin/sh
# Adds a node to the admin cluster that is up, and waits until it is ready: a machine with what `admin` runs as a node.
#
# Usage: add-node.sh NAME ADDRESS MAC    as machine.sh says
#
# A machine that lost its power starts again with what is on its disk.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/settings.sh"
. "$here/in-admin.sh"
name=$1
export CLUSTER_PROGRAMS="${CLUSTER_PROGRAMS:-$("$here/../cluster/build.sh")}"

# It may do what a node may, and no more: the certificate names it.
credentials=$state/$name/etc/kubernetes
mkdir -p "$credentials/pki"
cp "$state/admin/etc/kubernetes/pki/ca.crt" "$credentials/pki"
cp "$state/admin/etc/kubernetes/kube-proxy.conf" "$state/admin/etc/kubernetes/kube-router.conf" "$credentials"
in_admin kubeadm kubeconfig user --config /etc/cluster/kubeadm.yaml --org system:nodes \
    --client-name "system:node:$name" >"$credentials/kubelet.conf"

"$here/machine.sh" "$@" "$here/worker" "$state/images"
volumes "$name" 5 | apply
wait_until "$name has its images" "$here/enter.sh" "$name" test -e /run/images-imported
wait_until "the node $name is ready" in_admin kubectl wait --for=condition=Ready "node/$name" --timeout=1s
wait_until "NetworkPolicies are enforced on $name" "$here/enter.sh" "$name" curl -sf http://127.0.0.1:20244/healthz
wait_until "MetalLB's speaker is ready on $name" in_admin kubectl wait --for=condition=Ready pod --all \
    --namespace metallb-system --field-selector "spec.nodeName=$name" --timeout=1s

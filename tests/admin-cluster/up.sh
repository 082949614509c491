#!/bin/sh
# Brings the admin cluster up, and waits until it is ready: a Kubernetes of one node, in namespaces of its own.
#
# Usage: up.sh [VALUES FLAG...]    flags of `kubefarm render`: what they render finds its images there
#
#   KUBEFARM           the program under test (default: target/debug/kubefarm)
#   CLUSTER_PROGRAMS   the folder that tests/cluster/build.sh printed (default: it is run)
#   KUBEFARM_BOOT_IMAGE   the folder that tests/boot-image.sh printed (default: it is run)
#   KUBEFARM_CLUSTER   the cluster's name (default: kubefarm-admin)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/settings.sh"
. "$here/in-admin.sh"
KUBEFARM=$(readlink -f "${KUBEFARM:-$here/../../target/debug/kubefarm}")
CLUSTER_PROGRAMS=${CLUSTER_PROGRAMS:-$("$here/../cluster/build.sh")}
export KUBEFARM CLUSTER_PROGRAMS
KUBEFARM_BOOT_IMAGE=${KUBEFARM_BOOT_IMAGE:-$("$here/../boot-image.sh")}
export KUBEFARM_BOOT_IMAGE
metallb=$CLUSTER_PROGRAMS/metallb/metallb-native.yaml

# image_names: those in manifests, also in manifests that ConfigMaps hold, without repetition.
image_names() {
    sed -n 's/^ *\(- \)\{0,1\}image: *"\{0,1\}\([^" ]*\).*/\2/p' | sort -u
}

# farm_kinds: the CRDs of what farms have beside Kubernetes' own kinds.
farm_kinds() {
    cat "$CLUSTER_PROGRAMS"/crds/*.yaml
    "$KUBEFARM" render --set dhcp.installController=true --show-only 'CustomResourceDefinition/*'
}

# give_addresses: to MetalLB, which takes them once its webhook answers.
give_addresses() {
    apply <"$here/manifests/addresses.yaml"
}

# push_published: into the registry, where every machine of the cluster looks first.
push_published() {
    for folder in "$state"/images/published/*; do
        name=$(sed -n 's|.*"io.containerd.image.name": "[^/]*/\(.*\)",$|\1|p' "$folder/layout/index.json")
        wait_until "the registry has $name" \
            in_admin crane push "/run/images/published/${folder##*/}/layout" "127.0.0.1:5000/$name"
    done
}

[ -z "$(pid_of admin)" ] || {
    echo "$0: $cluster is up already; down.sh takes it down" >&2
    exit 1
}
# What a cluster left behind that ended in another way.
"$here/down.sh"

rendered=$("$KUBEFARM" render "$@")
# shellcheck disable=SC2046 # one word an image
images=$("$here/published.sh" "$state/images/published" \
    $(sed -n 's/^sandbox_image = "\(.*\)"/\1/p' "$here/shared/containerd.toml") \
    $({ cat "$metallb" && echo "$rendered"; } | image_names) \
    registry.k8s.io/e2e-test-images/agnhost:2.66.1)
# shellcheck disable=SC2086 # one word an image
"$here/images.sh" "$state/images" $images
"$here/machine.sh" admin "$admin_address" '' "$here/admin" "$state/images"

push_published
wait_until 'the API server is ready' in_admin kubectl get --raw /readyz
apply <"$metallb"
# Its first request may come before the API server knows of the right that kubeadm gives itself.
wait_until 'kubeadm has applied CoreDNS' in_admin kubeadm init phase addon coredns --config /etc/cluster/kubeadm.yaml
apply <"$here/manifests/kubelet-api.yaml"
apply <"$here/manifests/kube-router.yaml"
apply <"$here/manifests/storage.yaml"
volumes admin 20 | apply
farm_kinds | apply

wait_until 'the node is ready' in_admin kubectl wait --for=condition=Ready node/admin --timeout=1s
wait_until 'NetworkPolicies are enforced' in_admin curl -sf http://127.0.0.1:20244/healthz
wait_until 'all of its pods are ready' \
    in_admin kubectl wait --for=condition=Ready pod --all --all-namespaces --timeout=1s
wait_until 'MetalLB has its addresses' give_addresses
echo "The admin cluster $cluster is up. Enter it with: $here/enter.sh admin"

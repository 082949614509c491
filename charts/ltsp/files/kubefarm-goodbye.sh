#!/bin/sh
# Says of this node, with its own certificate, that nothing more is to be heard of it: its condition Ready becomes
# Unknown, and its Lease goes. The kubelet has ended; it would make the Lease anew. A node may do both to itself alone
# (kubernetes.io/docs/reference/access-authn-authz/node, and its admission plugin NodeRestriction).
set -eu

certificate=/var/lib/kubelet/pki/kubelet-client-current.pem
authority=/etc/kubernetes/pki/ca.crt
test -s "$certificate" || exit 0
name=$(uname -n | tr '[:upper:]' '[:lower:]')
server=$(sed -n 's/^ *server: *//p' /etc/kubernetes/kubelet.conf | head -n 1)
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)

send() {
    curl -sSf -m 5 -o /dev/null --cacert "$authority" --cert "$certificate" --key "$certificate" "$@"
}

send -X PATCH -H 'Content-Type: application/strategic-merge-patch+json' "$server/api/v1/nodes/$name/status" \
    -d "{\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"Unknown\",\"reason\":\"NodeShutdown\",\"message\":\"the node is going down\",\"lastHeartbeatTime\":\"$now\",\"lastTransitionTime\":\"$now\"}]}}"
send -X DELETE "$server/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/$name"

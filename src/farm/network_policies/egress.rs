//! What API servers may connect to: the egress rules of their NetworkPolicy.
//!
//! An API server connects to the endpoints of webhooks and aggregated APIs and to the addresses of Nodes and pods, all of
//! which administrators of the child choose, from a pod of the admin cluster.

use ipnet::IpNet;
use serde_json::{Value, json};

use super::{peers, pods, tcp};
use crate::farm::address_policy::networks;
use crate::farm::spec::{KonnectivityMode, Values};
use crate::farm::subnets::Subnets;

/// Flags that name servers, or files that may name some (kube-apiserver's reference).
const SERVERS: [&str; 11] = [
    "admission-control-config-file",
    "audit-webhook-config-file",
    "authentication-config",
    "authentication-token-webhook-config-file",
    "authorization-config",
    "authorization-webhook-config-file",
    "egress-selector-config-file",
    "etcd-servers",
    "etcd-servers-overrides",
    "oidc-issuer-url",
    "tracing-config-file",
];

/// The rules (`NetworkPolicyEgressRule`); `None` where API servers may connect to everything. `subnets`: those of pods.
pub(super) fn rules(values: &Values, prefix: &str, subnets: &Subnets) -> Option<Vec<Value>> {
    if !is_limited(values) {
        return None;
    }
    let kubernetes = &values.kubernetes;
    let own = |part: &str| [pods("app", &format!("{prefix}-{part}"))];
    // Where the admin cluster has its DNS differs: pods, an address of the node, a port behind a Service.
    let dns = [json!({"port": 53, "protocol": "UDP"}), tcp(53_u16)];
    let mut rules = vec![
        json!({"ports": dns}),
        json!({"to": own("etcd"), "ports": [tcp(kubernetes.etcd.ports.client)]}),
        // Konnectivity's server beside it asks the API server who its agents are.
        json!({"to": own("apiserver"), "ports": [tcp(kubernetes.api_server.port)]}),
    ];
    let server = &kubernetes.konnectivity_server;
    if server.enabled && server.mode == KonnectivityMode::HttpConnect {
        let port = tcp(server.ports.server);
        rules.push(json!({"to": own("konnectivity-server"), "ports": [port]}));
    }
    let nodes = networks(values).unwrap_or_default();
    let nodes = nodes.iter().map(IpNet::to_string);
    let block = |network: String| json!({"ipBlock": {"cidr": network}});
    let others: Vec<Value> = nodes
        .chain(subnets.texts())
        .map(block)
        .chain(peers(&values.network_policies.api_server_peers))
        .collect();
    // An empty list would be everyone.
    if !others.is_empty() {
        rules.push(json!({"to": others}));
    }
    Some(rules)
}

/// Whether the policy has egress rules.
pub fn is_limited(values: &Values) -> bool {
    let policies = &values.network_policies;
    let is_named = !policies.api_server_peers.is_empty() || !may_call_others(values);
    policies.enabled
        && policies
            .api_server_egress
            .unwrap_or_else(|| networks(values).is_some() && reaches_pods(values) && is_named)
}

/// Whether the addresses of the child's pods are known, or not needed.
pub fn reaches_pods(values: &Values) -> bool {
    let networking = &values.kubernetes.networking;
    networking.pod_subnet.is_some()
        || networking.pods_are_routed == Some(false)
        || values.kubernetes.konnectivity_server.enabled
}

/// The user's flags that may name servers outside of the farm.
pub fn flags_with_servers(values: &Values) -> impl Iterator<Item = &'static str> {
    let flags = &values.kubernetes.api_server.extra_args;
    SERVERS
        .into_iter()
        .filter(|name| flags.get(*name).is_some_and(|value| !value.is_null()))
}

/// Whether something in the API servers' pods may have to reach what the farm does not know.
fn may_call_others(values: &Values) -> bool {
    let kubernetes = &values.kubernetes;
    let konnectivity = &kubernetes.konnectivity_server;
    let is_beside = konnectivity.enabled && konnectivity.mode == KonnectivityMode::Grpc;
    !kubernetes.etcd.enabled
        || !kubernetes.api_server.sidecars.is_empty()
        || is_beside && !konnectivity.sidecars.is_empty()
        || flags_with_servers(values).next().is_some()
}

//! Which addresses Nodes and pods may have: API servers connect to whatever address stands in their status.

use ipnet::IpNet;
use serde::Serialize;

use super::control_plane::reader;
use super::spec::Values;
use super::subnets::Subnets;

/// The minor version since which policies may stand in files (KEP-5793, beta).
const POLICIES_IN_FILES: (u32, u32) = (1, 37);

/// A policy in a file of the API server, which nobody in the child sees or removes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AddressPolicy {
    /// The resources that it is about.
    pub resources: Vec<&'static str>,
    /// The networks of the object at hand: an expression of CEL.
    pub networks: String,
}

impl AddressPolicy {
    /// The policy of a farm; `None` where the values do not say where its nodes are, or its API server cannot read one.
    pub fn new(values: &Values, pods: &Subnets) -> Option<AddressPolicy> {
        let nodes = networks(values)?;
        let flags = &values.kubernetes.api_server.extra_args;
        let version = reader(values)?.minor_version();
        let is_users = flags.contains_key("admission-control-config-file");
        (version >= POLICIES_IN_FILES && !is_users).then(|| AddressPolicy::of(&nodes, pods))
    }

    /// Pods with the node's network have its addresses. Where pods have theirs may not be known.
    fn of(nodes: &[IpNet], pods: &Subnets) -> AddressPolicy {
        let nodes = list(nodes.iter().map(IpNet::to_string));
        let pods = pods.texts();
        if pods.is_empty() {
            return AddressPolicy {
                resources: vec!["nodes", "nodes/status"],
                networks: nodes,
            };
        }
        let pods = list(pods.into_iter());
        AddressPolicy {
            resources: vec!["nodes", "nodes/status", "pods", "pods/status"],
            networks: format!("{nodes} + (request.resource.resource == 'pods' ? {pods} : [])"),
        }
    }
}

/// A list in CEL.
fn list(networks: impl Iterator<Item = String>) -> String {
    let networks: Vec<String> = networks
        .map(|network| format!("cidr('{network}')"))
        .collect();
    format!("[{}]", networks.join(", "))
}

/// Where nodes have addresses: in the networks of the pools, and in those beside them. `None` if the values leave that
/// open.
pub fn networks(values: &Values) -> Option<Vec<IpNet>> {
    let further = values.kubernetes.networking.node_networks.as_ref()?;
    let mut all: Vec<IpNet> = Vec::new();
    let further = further.iter().map(|network| network.read().trunc());
    for network in values.node_pools.networks().flatten().chain(further) {
        if !all.contains(&network) {
            all.push(network);
        }
    }
    Some(all)
}

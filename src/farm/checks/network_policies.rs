//! Peers of NetworkPolicies: what Kubernetes would refuse (pkg/apis/networking/validation), or read as everyone.

use ipnet::IpNet;
use serde_json::Value;

use super::pods::known_keys;
use super::services::pools_outside;
use crate::farm::findings::Findings;
use crate::farm::spec::{Fragment, Values};
use crate::values::{Path, Problem};

/// The keys of a NetworkPolicyPeer.
const PEER: [&str; 3] = ["podSelector", "namespaceSelector", "ipBlock"];

/// Checks who may reach what.
pub fn check(values: &Values, findings: &mut Findings) {
    let policies = &values.network_policies;
    let path = Path::from("networkPolicies");
    let boot_clients = policies.boot_clients.as_deref();
    if policies.enabled {
        nodes_outside(values, findings);
    }
    for (key, peers) in [
        ("monitoring", policies.monitoring.as_slice()),
        ("etcdClients", &policies.etcd_clients),
        ("bootClients", boot_clients.unwrap_or_default()),
        ("apiServerPeers", &policies.api_server_peers),
    ] {
        for (index, one) in peers.iter().enumerate() {
            peer(one, &path.join(key).join(index), findings);
        }
    }
    if boot_clients.is_some_and(<[Fragment]>::is_empty) && values.ltsp.enabled {
        let problem = Problem::error("an empty list allows everyone, not no one");
        findings.record(
            &path.join("bootClients"),
            problem.help("leave it out to allow the networks of the node pools; or list networks: [{ipBlock: \
                          {cidr: 10.64.0.0/16}}]"),
        );
    }
}

/// If only networks are listed, nodes of other networks cannot boot.
fn nodes_outside(values: &Values, findings: &mut Findings) {
    let clients = values.network_policies.boot_clients.as_deref();
    let networks = clients.unwrap_or_default().iter().map(|peer| {
        let network = peer.get("ipBlock")?.get("cidr")?.as_str()?;
        network.parse().ok()
    });
    let networks: Option<Vec<IpNet>> = networks.collect();
    let Some(networks) = networks.filter(|networks| values.ltsp.enabled && !networks.is_empty())
    else {
        return;
    };
    for network in pools_outside(values, &networks) {
        findings.warning(
            &Path::from("networkPolicies.bootClients"),
            format!("nodes of {network} are blocked"),
        );
    }
}

fn peer(peer: &Fragment, path: &Path, findings: &mut Findings) {
    known_keys(peer, &PEER, path, findings);
    let block = peer.get("ipBlock");
    if peer.is_empty() {
        let problem = Problem::error("a peer needs one of podSelector, namespaceSelector, ipBlock");
        findings.record(path, problem);
    } else if block.is_some() && peer.len() > 1 {
        findings.error(
            &path.join("ipBlock"),
            "ipBlock cannot be combined with a selector",
        );
    }
    let network = block.and_then(|block| block.get("cidr"));
    let is_network = |text: &str| text.parse::<IpNet>().is_ok();
    if block.is_some() && !network.and_then(Value::as_str).is_some_and(is_network) {
        let problem = Problem::error("an ipBlock needs a network as its `cidr`");
        findings.record(&path.join("ipBlock"), problem.help("{cidr: 10.64.0.0/16}"));
    }
}

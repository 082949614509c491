//! What API servers may connect to: what the values ask for has to be reached.

use crate::farm::address_policy::networks;
use crate::farm::findings::Findings;
use crate::farm::network_policies::{flags_with_servers, is_limited, reaches_pods};
use crate::farm::spec::Values;
use crate::values::{Path, Problem};

/// Checks the egress of API servers.
pub fn check(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    if !kubernetes.enabled || !kubernetes.api_server.enabled {
        return;
    }
    let policies = &values.network_policies;
    let path = Path::from("networkPolicies");
    let has_peers = !policies.api_server_peers.is_empty();
    if !is_limited(values) {
        if has_peers {
            let problem =
                Problem::warning("API servers may connect to everything, not only to these");
            let path = path.join("apiServerPeers");
            findings.record(
                &path,
                problem.help("set networkPolicies.apiServerEgress: true"),
            );
        }
        return;
    }
    let path = path.join("apiServerEgress");
    if networks(values).is_none() {
        let problem = Problem::error("the values do not say where nodes are: no logs, no exec");
        findings.record(
            &path,
            problem.help("make kubernetes.networking.nodeNetworks a list; an empty one if all nodes are in nodePools"),
        );
    }
    if !reaches_pods(values) {
        let problem = Problem::warning(
            "the values do not say where the child's pods are: no webhooks, no aggregated APIs",
        );
        findings.record(
            &path,
            problem.help("set kubernetes.networking.podSubnet, or add their networks to networkPolicies.apiServerPeers"),
        );
    }
    if !has_peers {
        for flag in flags_with_servers(values) {
            let problem =
                Problem::warning("API servers may not connect to servers outside of the farm");
            findings.record(
                &Path::from("kubernetes.apiServer.extraArgs").join(flag),
                problem.help("add the servers that this names to networkPolicies.apiServerPeers: [{ipBlock: {cidr: 192.0.2.10/32}}]"),
            );
        }
    }
}

//! Where nodes have addresses: what the values say of it has to hold for each of them.

use crate::farm::address_policy::networks;
use crate::farm::findings::Findings;
use crate::farm::spec::Values;
use crate::values::{Path, Problem};

/// Listed nodes in none of the networks: the API server would refuse their status, and they would never be Ready.
pub fn check(values: &Values, findings: &mut Findings) {
    let Some(networks) = networks(values) else {
        return;
    };
    let pools = values.node_pools.own();
    let nodes = pools.flat_map(|(_, pool)| &pool.nodes);
    let mut addresses = nodes.flat_map(|node| node.addresses());
    let outside = addresses.find_map(|address| {
        let address = address.network()?;
        let is_inside = networks.iter().any(|network| network.contains(&address));
        (!is_inside).then(|| address.addr())
    });
    if let Some(address) = outside {
        let problem = Problem::error(format!(
            "the node at {address} is in none of these networks, and in no pool's: the API server would refuse it"
        ));
        findings.record(
            &Path::from("kubernetes.networking.nodeNetworks"),
            problem.help("add its network, or write `null`, which accepts any address"),
        );
    }
}

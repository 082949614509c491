//! Services: what Kubernetes would refuse of how they are reached (pkg/apis/core/validation, ValidateService).

use std::net::IpAddr;

use indexmap::IndexSet;
use ipnet::IpNet;

use super::range;
use crate::farm::findings::Findings;
use crate::farm::spec::{Family, FamilyPolicy, KonnectivityMode, ServiceKeys, ServiceType, Values};
use crate::farm::syntax::is_label_key;
use crate::values::{Path, Problem};

/// Checks every Service that may be reached from outside, and the families of etcd's.
pub fn check(values: &Values, findings: &mut Findings) {
    for (path, keys) in services(values) {
        let path = Path::from(path);
        load_balancer(&keys, &path, findings);
        families(&keys, &path, findings);
    }
    nodes_outside(values, findings);
}

/// Networks of node pools that lie in none of `networks`.
pub fn pools_outside(values: &Values, networks: &[IpNet]) -> Vec<IpNet> {
    let outside = |pool: &IpNet| !networks.iter().any(|network| network.contains(pool));
    let pools = range::networks(&values.node_pools).flatten();
    let outside: IndexSet<IpNet> = pools.filter(outside).collect();
    outside.into_iter().collect()
}

/// Nodes that a load balancer does not let in, though they call what is behind it.
fn nodes_outside(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    let konnectivity = &kubernetes.konnectivity_server;
    let dialled = konnectivity.enabled && konnectivity.mode == KonnectivityMode::HttpConnect;
    for (path, keys, is_called) in [
        (
            "kubernetes.apiServer.service",
            kubernetes.api_server.service.keys(),
            kubernetes.enabled,
        ),
        (
            "kubernetes.konnectivityServer.service",
            konnectivity.service.keys(),
            kubernetes.enabled && dialled,
        ),
        (
            "ltsp.service",
            values.ltsp.service.keys(),
            values.ltsp.enabled,
        ),
    ] {
        let ranges = keys.source_ranges.iter();
        let ranges: Option<Vec<IpNet>> = ranges.map(|text| text.trim().parse().ok()).collect();
        let Some(ranges) = ranges.filter(|ranges| is_called && !ranges.is_empty()) else {
            continue;
        };
        for network in pools_outside(values, &ranges) {
            findings.warning(
                &Path::from(path).join("loadBalancerSourceRanges"),
                format!("nodes of {network} are not let in"),
            );
        }
    }
}

fn services(values: &Values) -> [(&'static str, ServiceKeys<'_>); 6] {
    let kubernetes = &values.kubernetes;
    [
        ("kubernetes.etcd.service", kubernetes.etcd.service.keys()),
        (
            "kubernetes.apiServer.service",
            kubernetes.api_server.service.keys(),
        ),
        (
            "kubernetes.controllerManager.service",
            kubernetes.controller_manager.service.keys(),
        ),
        (
            "kubernetes.scheduler.service",
            kubernetes.scheduler.service.keys(),
        ),
        (
            "kubernetes.konnectivityServer.service",
            kubernetes.konnectivity_server.service.keys(),
        ),
        ("ltsp.service", values.ltsp.service.keys()),
    ]
}

/// What only some types of Services have.
fn load_balancer(keys: &ServiceKeys, path: &Path, findings: &mut Findings) {
    if keys.kind == ServiceType::ClusterIP && keys.traffic_policy.is_some() {
        findings.error(
            &path.join("externalTrafficPolicy"),
            "only Services of type LoadBalancer or NodePort have it",
        );
    }
    for (key, is_set) in [
        ("loadBalancerClass", keys.load_balancer_class.is_some()),
        ("loadBalancerSourceRanges", !keys.source_ranges.is_empty()),
        ("allocateLoadBalancerNodePorts", keys.node_ports.is_some()),
    ] {
        if is_set && keys.kind != ServiceType::LoadBalancer {
            let problem = Problem::error("only Services of type LoadBalancer have it");
            let help = format!("leave it out, or set {path}.type: LoadBalancer");
            findings.record(&path.join(key), problem.help(help));
        }
    }
    if let Some(class) = keys
        .load_balancer_class
        .filter(|class| !is_label_key(class))
    {
        findings.error(
            &path.join("loadBalancerClass"),
            format!("`{class}` is not a class of load balancers, such as metallb.io/internal"),
        );
    }
    for (index, range) in keys.source_ranges.iter().enumerate() {
        if range.trim().parse::<IpNet>().is_err() {
            let problem = Problem::error(format!("`{range}` is not a network"));
            findings.record(
                &path.join("loadBalancerSourceRanges").join(index),
                problem.help("an address and the length of its prefix: 10.64.0.0/16"),
            );
        }
    }
}

fn families(keys: &ServiceKeys, path: &Path, findings: &mut Findings) {
    let list = path.join("ipFamilies");
    let address = keys.load_balancer_ip.and_then(|text| text.parse().ok());
    let family = address.map(|address| match address {
        IpAddr::V4(_) => Family::IPv4,
        IpAddr::V6(_) => Family::IPv6,
    });
    match keys.families {
        [one, other] if one == other => {
            findings.error(&list.join(1), "the same family twice");
        }
        [_, _] if keys.family_policy == Some(FamilyPolicy::SingleStack) => {
            findings.error(
                &path.join("ipFamilyPolicy"),
                "SingleStack goes with one family, and ipFamilies has two",
            );
        }
        [_, _, ..] if keys.families.len() > 2 => {
            findings.error(&list, "there are two families of addresses");
        }
        [] => {}
        families => {
            if let Some(family) = family.filter(|family| !families.contains(family)) {
                findings.error(
                    &list,
                    format!("loadBalancerIP is of family {family:?}, which is not among them"),
                );
            }
        }
    }
}

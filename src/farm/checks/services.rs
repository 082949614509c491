//! Services: what Kubernetes would refuse in their addresses and types (pkg/apis/core/validation, ValidateService).

use std::net::IpAddr;

use indexmap::IndexSet;
use ipnet::IpNet;

use crate::farm::findings::Findings;
use crate::farm::spec::{
    Family, FamilyPolicy, KonnectivityMode, Service, ServiceKeys, ServiceType, Values,
};
use crate::values::{Path, Problem};

/// Checks every Service that may be reached from outside, and the families of etcd's.
pub fn check(values: &Values, findings: &mut Findings) {
    for (path, keys) in values.services() {
        let path = Path::from(path.as_str());
        load_balancer(&keys, &path, findings);
        families(&keys, &path, findings);
    }
    nodes_outside(values, findings);
}

/// Networks of node pools that are in none of `networks`.
pub fn pools_outside(values: &Values, networks: &[IpNet]) -> Vec<IpNet> {
    let outside = |pool: &IpNet| !networks.iter().any(|network| network.contains(pool));
    let pools = values.node_pools.networks().flatten();
    let outside: IndexSet<IpNet> = pools.filter(outside).collect();
    outside.into_iter().collect()
}

/// Nodes that a load balancer blocks, though they need the Service behind it.
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
        if !is_called || keys.load_balancer_source_ranges.is_empty() {
            continue;
        }
        let ranges: Vec<IpNet> = keys
            .load_balancer_source_ranges
            .iter()
            .map(|range| *range.read())
            .collect();
        for network in pools_outside(values, &ranges) {
            findings.warning(
                &Path::from(path).join("loadBalancerSourceRanges"),
                format!("nodes of {network} are blocked"),
            );
        }
    }
}

/// Keys that only some types of Services have.
fn load_balancer(keys: &ServiceKeys, path: &Path, findings: &mut Findings) {
    if keys.kind == ServiceType::ClusterIP && keys.external_traffic_policy.is_some() {
        findings.error(
            &path.join("externalTrafficPolicy"),
            "only Services of type LoadBalancer or NodePort have this key",
        );
    }
    for (key, is_set) in [
        ("loadBalancerClass", keys.load_balancer_class.is_some()),
        (
            "loadBalancerSourceRanges",
            !keys.load_balancer_source_ranges.is_empty(),
        ),
        (
            "allocateLoadBalancerNodePorts",
            keys.allocate_load_balancer_node_ports.is_some(),
        ),
    ] {
        if is_set && keys.kind != ServiceType::LoadBalancer {
            let problem = Problem::error("only Services of type LoadBalancer have this key");
            let help = format!("leave it out, or set {path}.type: LoadBalancer");
            findings.record(&path.join(key), problem.help(help));
        }
    }
}

fn families(keys: &ServiceKeys, path: &Path, findings: &mut Findings) {
    let list = path.join("ipFamilies");
    let address = keys.load_balancer_ip.as_ref();
    let family = address.map(|address| match address.read() {
        IpAddr::V4(_) => Family::IPv4,
        IpAddr::V6(_) => Family::IPv6,
    });
    match &keys.ip_families[..] {
        [one, other] if one == other => {
            findings.error(&list.join(1), "this family is in the list twice");
        }
        [_, _] if *keys.ip_family_policy == Some(FamilyPolicy::SingleStack) => {
            findings.error(
                &path.join("ipFamilyPolicy"),
                "SingleStack allows one family, but ipFamilies has two",
            );
        }
        [_, _, ..] if keys.ip_families.len() > 2 => {
            findings.error(&list, "at most two families, IPv4 and IPv6");
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

//! Services: what Kubernetes would refuse of how they are reached (pkg/apis/core/validation, ValidateService).

use std::net::IpAddr;

use ipnet::IpNet;

use crate::farm::findings::Findings;
use crate::farm::spec::{Family, FamilyPolicy, ServiceKeys, ServiceType, Values};
use crate::farm::syntax::is_label_key;
use crate::values::{Path, Problem};

/// Checks every Service that may be reached from outside, and the families of etcd's.
pub fn check(values: &Values, findings: &mut Findings) {
    for (path, keys) in services(values) {
        let path = Path::from(path);
        load_balancer(&keys, &path, findings);
        families(&keys, &path, findings);
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

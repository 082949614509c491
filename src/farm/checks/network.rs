//! The child cluster's addresses: what Kubernetes' own servers would refuse, sooner said.

use std::net::IpAddr;

use crate::farm::findings::Findings;
use crate::farm::spec::Values;
use crate::farm::subnets::Subnets;
use crate::farm::syntax::minor_version;
use crate::farm::syntax::{is_dns_name, is_host_name, split_endpoint};
use crate::values::{Path, Problem};

use super::text_of;

/// Checks the child cluster's ranges and its endpoint.
pub fn check(values: &Values, services: &Subnets, pods: &Subnets, findings: &mut Findings) {
    ranges(values, services, pods, findings);
    names(values, findings);
    if values.kubernetes.enabled {
        parts_of_nodes(values, pods, findings);
    }
}

fn ranges(values: &Values, services: &Subnets, pods: &Subnets, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    let path = Path::from("kubernetes.networking");
    services.check_routed(&path.join("serviceSubnet"), findings);
    let minor = minor_version(&kubernetes.version).unwrap_or(u32::MAX);
    services.check_services(minor, &path.join("serviceSubnet"), findings);
    pods.check_routed(&path.join("podSubnet"), findings);
    if services.overlaps(pods) {
        findings.error(
            &path.join("podSubnet"),
            "the pods' addresses overlap with the Services'",
        );
    }
}

fn names(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    let domain = &kubernetes.networking.dns_domain;
    if !is_dns_name(domain) || domain.bytes().any(|byte| byte.is_ascii_uppercase()) {
        findings.error(
            &Path::from("kubernetes.networking.dnsDomain"),
            format!("`{domain}` is not a lower-case DNS name"),
        );
    }
    let endpoint = kubernetes.control_plane_endpoint.as_deref();
    if let Some(endpoint) = endpoint {
        let host = split_endpoint(endpoint).map(|(host, _)| host);
        if !host.is_some_and(|host| is_host_name(host) || host.parse::<IpAddr>().is_ok()) {
            let problem = Problem::error(format!(
                "`{endpoint}` is not an endpoint: expected HOST:PORT"
            ));
            let help = if endpoint.contains("::") {
                "an IPv6 address goes in brackets: [fd00::1]:6443"
            } else {
                "a DNS name or an IP address, and perhaps a port: 10.0.0.1:6443"
            };
            findings.record(
                &Path::from("kubernetes.controlPlaneEndpoint"),
                problem.help(help),
            );
        }
    }
}

/// With a pod range the controller manager gives every node a part of it, unless its flags say otherwise.
fn parts_of_nodes(values: &Values, pods: &Subnets, findings: &mut Findings) {
    let manager = &values.kubernetes.controller_manager;
    let flags = &manager.extra_args;
    let off = flags.get("allocate-node-cidrs").and_then(text_of);
    let elsewhere = ["cluster-cidr", "cidr-allocator-type", "controllers"]
        .iter()
        .any(|flag| flags.contains_key(*flag));
    if !manager.enabled || elsewhere || off.is_some_and(|value| value == "false") {
        return;
    }
    let prefix = |flag: &str| flags.get(flag).and_then(text_of)?.parse::<u8>().ok();
    let both = prefix("node-cidr-mask-size");
    if pods.families().len() > 1 && both.is_some() {
        let problem = Problem::error(
            "kube-controller-manager refuses this flag where pods have two address families",
        );
        findings.record(
            &Path::from("kubernetes.controllerManager.extraArgs.node-cidr-mask-size"),
            problem.help("set node-cidr-mask-size-ipv4 and node-cidr-mask-size-ipv6"),
        );
        return;
    }
    // The defaults of kube-controller-manager.
    let ipv4 = both.or_else(|| prefix("node-cidr-mask-size-ipv4"));
    let ipv6 = both.or_else(|| prefix("node-cidr-mask-size-ipv6"));
    let prefixes = (ipv4.unwrap_or(24), ipv6.unwrap_or(64));
    let path = Path::from("kubernetes.networking.podSubnet");
    let nodes = values.node_pools.own().map(|(_, pool)| pool.nodes.len());
    pods.check_pods(prefixes, nodes.sum(), &path, findings);
}

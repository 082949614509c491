//! The child cluster's addresses: errors that Kubernetes itself would report only at run time.

use crate::farm::findings::Findings;
use crate::farm::spec::Values;
use crate::farm::subnets::Subnets;
use crate::values::{Path, Problem};
use crate::version::Version;

/// Checks the child cluster's ranges and its endpoint.
pub fn check(values: &Values, services: &Subnets, pods: &Subnets, findings: &mut Findings) {
    ranges(values, services, pods, findings);
    if values.kubernetes.enabled {
        parts_of_nodes(values, pods, findings);
    }
}

fn ranges(values: &Values, services: &Subnets, pods: &Subnets, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    let path = Path::from("kubernetes.networking");
    services.check_routed(&path.join("serviceSubnet"), findings);
    let version = Version::read(&kubernetes.version);
    services.check_services(version, &path.join("serviceSubnet"), findings);
    pods.check_routed(&path.join("podSubnet"), findings);
    if services.overlaps(pods) {
        findings.error(
            &path.join("podSubnet"),
            "the pods' range overlaps with the Services' range",
        );
    }
}

/// With a pod range, the controller manager gives every node a part of it, unless its flags change that.
fn parts_of_nodes(values: &Values, pods: &Subnets, findings: &mut Findings) {
    let manager = &values.kubernetes.controller_manager;
    let flags = &manager.extra_args;
    let off = flags.text("allocate-node-cidrs");
    let elsewhere = ["cluster-cidr", "cidr-allocator-type", "controllers"]
        .iter()
        .any(|flag| flags.contains_key(*flag));
    if !manager.enabled || elsewhere || off.is_some_and(|value| value == "false") {
        return;
    }
    let prefix = |flag: &str| flags.text(flag)?.parse::<u8>().ok();
    let both = prefix("node-cidr-mask-size");
    if pods.families().len() > 1 && both.is_some() {
        let problem = Problem::error(
            "kube-controller-manager refuses this flag if pods have two address families",
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

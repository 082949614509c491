//! Obsolete values: accepted with a warning; dropped or translated where a current Kubernetes would fail.

mod flags;
mod gates;
mod images;
mod kubelet;
mod plugins;
mod servers;
mod successors;

use serde_json::Value;

use super::findings::Findings;
use super::known::KUBE_PROXY;
use super::spec::{Cidrs, OneOrMany, Values};
use crate::values::{Path, Problem};

/// Translates values for old versions of Kubernetes to the current one, and reports each change.
pub fn modernise(values: &mut Values, findings: &mut Findings) {
    service_range_flag(values, findings);
    unknown_to_programs(values, findings);
    agents_port(values, findings);
    issuers(values);
    images::check(values, findings);
    docker_mounts(values, findings);
    unread_keys(values, findings);
}

/// Flags, gates and plugins that the programs do not have in their version, or have under another name.
fn unknown_to_programs(values: &mut Values, findings: &mut Findings) {
    let kubernetes = &mut values.kubernetes;
    for mut server in servers::servers(kubernetes, findings) {
        flags::check(&mut server, findings);
        gates::check(&mut server, findings);
        plugins::check(&mut server, findings);
    }
    let kubelet = servers::kubelet_version(&kubernetes.version);
    let path = Path::from("kubernetes.kubelet.config");
    gates::check_config(&mut kubernetes.kubelet.config, kubelet, &path, findings);
    let proxy = &mut kubernetes.kube_proxy;
    let (version, path) = (&kubernetes.version, Path::from("kubernetes.kubeProxy"));
    let version = servers::program_version(&KUBE_PROXY, &proxy.image, version, &path, findings);
    gates::check_config(&mut proxy.config, version, &path.join("config"), findings);
    kubelet::check(values, findings);
}

/// `service-cluster-ip-range` sets the Services' addresses and overrides `networking`.
fn service_range_flag(values: &mut Values, findings: &mut Findings) {
    let flags = &mut values.kubernetes.api_server.extra_args;
    let Some(Value::String(range)) = flags.get("service-cluster-ip-range") else {
        return;
    };
    let path = Path::from("kubernetes.apiServer.extraArgs.service-cluster-ip-range");
    let problem = Problem::warning("the Services' addresses are taken from this flag")
        .help("set kubernetes.networking.serviceSubnet instead, which every component follows");
    findings.record(&path, problem);
    match Cidrs::parse(&OneOrMany::One(range.clone())) {
        Ok(cidrs) => values.kubernetes.networking.service_subnet = cidrs,
        Err(refusal) => findings.refusal(&path, refusal),
    }
    flags.shift_remove("service-cluster-ip-range");
    findings.moved(Path::from("kubernetes.networking.serviceSubnet"), path);
}

/// The old charts wrote both issuers. The first signs and all are accepted: after the user's, the default one keeps the
/// tokens of running pods valid. Null still leaves the flag out, and kube-apiserver then has no issuer.
fn issuers(values: &mut Values) {
    let domain = &values.kubernetes.networking.dns_domain;
    let ours = Value::from(format!("https://kubernetes.default.svc.{domain}"));
    let flags = &mut values.kubernetes.api_server.extra_args;
    match flags.get_mut("service-account-issuer") {
        None | Some(Value::Null) => {}
        Some(Value::Array(users)) if users.contains(&ours) => {}
        Some(Value::Array(users)) => users.push(ours),
        Some(users) if *users == ours => {}
        Some(users) => *users = Value::from(vec![users.take(), ours]),
    }
}

/// The old template read the agents' node port from `client`, whatever its name says.
fn agents_port(values: &mut Values, findings: &mut Findings) {
    let ports = &mut values.kubernetes.konnectivity_server.service.node_ports;
    let Some(client) = ports.client.take() else {
        return;
    };
    let path = Path::from("kubernetes.konnectivityServer.service.nodePorts.client");
    match ports.agent.replace(client) {
        Some(agent) if agent != client => {
            let message = format!("`client` is the old name of `agent`, which is set to {agent}");
            findings.record(&path, Problem::error(message).help("remove it"));
        }
        _ => {
            let problem =
                Problem::warning("this is the old name of the port for Konnectivity's agents");
            findings.record(&path, problem.help("rename it to `agent`"));
            let agent = Path::from("kubernetes.konnectivityServer.service.nodePorts.agent");
            findings.moved(agent, path);
        }
    }
}

/// A default of the old charts, by which a tag still mounts a folder for Docker.
fn docker_mounts(values: &Values, findings: &mut Findings) {
    for (tag, options) in &values.tags.ltsp_options {
        if options.iter().any(|map| map.contains_key("FSTAB_DOCKER")) {
            let path = Path::from("tags.ltspOptions").join(tag.as_str());
            let problem = Problem::warning("Kubernetes has not run on Docker since 1.24")
                .help("FSTAB_CONTAINERD, which is set by default, mounts containerd's folder");
            findings.record(&path.join("FSTAB_DOCKER"), problem);
        }
    }
}

fn unread_keys(values: &Values, findings: &mut Findings) {
    if values.ltsp.config.docker_config.is_some() {
        let problem = Problem::warning(
            "Kubernetes has not run on Docker since 1.24; the file is delivered, but kubelet does not use it",
        );
        findings.record(
            &Path::from("ltsp.config.dockerConfig"),
            problem.help("set ltsp.config.containerdConfig"),
        );
    }
    if values.global.is_some() {
        findings.warning(&Path::from("global"), "Helm's `global` has no effect here");
    }
    if values
        .kubernetes
        .api_server
        .extra_args
        .contains_key("anonymous-auth")
    {
        let problem = Problem::warning(
            "this flag allows or refuses anonymous access to everything, also for probes and `kubeadm join`",
        );
        findings.record(
            &Path::from("kubernetes.apiServer.extraArgs.anonymous-auth"),
            problem
                .help("without it, anonymous requests reach only health checks and cluster-info"),
        );
    }
}

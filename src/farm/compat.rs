//! Old values that lost their meaning: accepted, told of, and kept from breaking a current Kubernetes.

use serde_json::Value;

use super::findings::Findings;
use super::spec::{Flags, OneOrMany, Values};
use crate::values::{Path, Problem};

/// Flags that were removed since Kubernetes 1.22: component, flag, what to do instead.
const REMOVED_FLAGS: [(&str, &str, &str); 17] = [
    (
        "apiServer",
        "insecure-port",
        "the API server has no insecure port any more",
    ),
    (
        "apiServer",
        "insecure-bind-address",
        "the API server has no insecure port any more",
    ),
    (
        "apiServer",
        "kubelet-https",
        "kubelets are always reached over HTTPS",
    ),
    (
        "apiServer",
        "cloud-provider",
        "run the cloud provider's own controller manager",
    ),
    (
        "apiServer",
        "cloud-config",
        "run the cloud provider's own controller manager",
    ),
    (
        "apiServer",
        "service-account-api-audiences",
        "use api-audiences",
    ),
    ("apiServer", "target-ram-mb", "use default-watch-cache-size"),
    (
        "controllerManager",
        "port",
        "use kubernetes.controllerManager.port",
    ),
    ("controllerManager", "address", "use bind-address"),
    (
        "controllerManager",
        "pod-eviction-timeout",
        "set tolerationSeconds in pods",
    ),
    (
        "controllerManager",
        "experimental-cluster-signing-duration",
        "use cluster-signing-duration",
    ),
    (
        "controllerManager",
        "register-retry-count",
        "nothing reads it any more",
    ),
    (
        "controllerManager",
        "enable-taint-manager",
        "it is always on",
    ),
    ("scheduler", "port", "use kubernetes.scheduler.port"),
    ("scheduler", "address", "use bind-address"),
    (
        "scheduler",
        "policy-config-file",
        "use a KubeSchedulerConfiguration (--config)",
    ),
    (
        "scheduler",
        "algorithm-provider",
        "use a KubeSchedulerConfiguration (--config)",
    ),
];

/// Feature gates that old values files set and that are no more; a component with an unknown gate does not start.
const REMOVED_GATES: [&str; 3] = ["IPv6DualStack", "EndpointSlice", "EphemeralContainers"];

/// Changes the values so that they say to a current Kubernetes what they said to an old one, and tells of it.
pub fn modernise(values: &mut Values, findings: &mut Findings) {
    service_range_flag(values, findings);
    let kubernetes = &mut values.kubernetes;
    for (component, flags) in [
        ("apiServer", &mut kubernetes.api_server.extra_args),
        (
            "controllerManager",
            &mut kubernetes.controller_manager.extra_args,
        ),
        ("scheduler", &mut kubernetes.scheduler.extra_args),
    ] {
        let path = Path::from("kubernetes").join(component).join("extraArgs");
        drop_removed_flags(component, flags, &path, findings);
        drop_removed_gates(flags, &path.join("feature-gates"), findings);
    }
    issuers(values);
    kubelet_gates(values, findings);
    unread_keys(values, findings);
}

/// `service-cluster-ip-range` decides on the Services' addresses, whatever `networking` says.
fn service_range_flag(values: &mut Values, findings: &mut Findings) {
    let flags = &mut values.kubernetes.api_server.extra_args;
    let Some(Value::String(range)) = flags.get("service-cluster-ip-range") else {
        return;
    };
    let path = Path::from("kubernetes.apiServer.extraArgs.service-cluster-ip-range");
    let problem = Problem::warning("the Services' addresses are taken from this flag")
        .help("set kubernetes.networking.serviceSubnet instead, which every component follows");
    values.kubernetes.networking.service_subnet = OneOrMany::One(range.clone());
    findings.record(&path, problem);
    flags.shift_remove("service-cluster-ip-range");
}

/// The old charts wrote both issuers. The first signs and all are accepted: behind the user's, ours keeps the tokens
/// that running pods hold valid. Null still leaves the flag out, and kube-apiserver then has no issuer.
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

fn drop_removed_flags(component: &str, flags: &mut Flags, path: &Path, findings: &mut Findings) {
    for (_, flag, instead) in REMOVED_FLAGS.iter().filter(|(of, _, _)| *of == component) {
        // null asks for the flag to be left out, which it is.
        if flags
            .shift_remove(*flag)
            .is_some_and(|value| !value.is_null())
        {
            let problem = Problem::warning(format!(
                "the flag --{flag} was removed from Kubernetes and is left out"
            ));
            findings.record(&path.join(*flag), problem.help(*instead));
        }
    }
}

fn drop_removed_gates(flags: &mut Flags, path: &Path, findings: &mut Findings) {
    let Some(Value::String(gates)) = flags.get("feature-gates") else {
        return;
    };
    let (gone, left): (Vec<&str>, Vec<&str>) = gates.split(',').partition(|gate| {
        let name = gate.split('=').next().unwrap_or_default().trim();
        REMOVED_GATES.contains(&name)
    });
    if gone.is_empty() {
        return;
    }
    for gate in &gone {
        findings.record(path, removed_gate(gate));
    }
    let left = left.join(",");
    if left.is_empty() {
        flags.shift_remove("feature-gates");
    } else {
        flags.insert("feature-gates".to_owned(), left.into());
    }
}

fn kubelet_gates(values: &mut Values, findings: &mut Findings) {
    let config = &mut values.kubernetes.kubelet.config;
    let path = Path::from("kubernetes.kubelet.config.featureGates");
    let Some(Value::Object(gates)) = config.get_mut("featureGates") else {
        return;
    };
    for gate in REMOVED_GATES {
        if gates.shift_remove(gate).is_some() {
            findings.record(&path.join(gate), removed_gate(gate));
        }
    }
    if gates.is_empty() {
        config.shift_remove("featureGates");
    }
}

fn removed_gate(gate: &str) -> Problem {
    Problem::warning(format!(
        "the feature gate {gate} is always on by now and no longer known"
    ))
    .help("it is left out; remove it")
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
        findings.warning(&Path::from("global"), "nothing reads Helm's `global` here");
    }
    if values
        .kubernetes
        .api_server
        .extra_args
        .contains_key("anonymous-auth")
    {
        let problem = Problem::warning(
            "this flag opens or closes anonymous access to everything, probes and `kubeadm join` included",
        );
        findings.record(
            &Path::from("kubernetes.apiServer.extraArgs.anonymous-auth"),
            problem.help("without it anonymous requests reach only health checks and cluster-info"),
        );
    }
}

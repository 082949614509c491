//! What all components share: flags and labels.

use crate::farm::findings::Findings;
use crate::farm::spec::{Component, Flags, ServiceType, Spread, TextMap, Values};
use crate::farm::syntax::{is_label_key, is_label_value};
use crate::values::{Path, Problem};

/// Checks every component's flags and labels.
pub fn check(values: &Values, findings: &mut Findings) {
    all_flags(values, findings);
    all_labels(values, findings);
}

/// Flags are written into command lines as `--key=value`.
fn all_flags(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    for (path, flags) in [
        ("kubernetes.etcd", &kubernetes.etcd.extra_args),
        ("kubernetes.etcd.backup", &kubernetes.etcd.backup.extra_args),
        ("kubernetes.apiServer", &kubernetes.api_server.extra_args),
        (
            "kubernetes.controllerManager",
            &kubernetes.controller_manager.extra_args,
        ),
        ("kubernetes.scheduler", &kubernetes.scheduler.extra_args),
        (
            "kubernetes.konnectivityServer",
            &kubernetes.konnectivity_server.extra_args,
        ),
        (
            "kubernetes.konnectivityAgent",
            &kubernetes.konnectivity_agent.extra_args,
        ),
        ("kubernetes.kubeProxy", &kubernetes.kube_proxy.extra_args),
        ("kubernetes.coredns", &kubernetes.coredns.extra_args),
        ("ltsp", &values.ltsp.extra_args),
        ("dhcp.controller", &values.dhcp.controller.extra_args),
        ("dhcp.standalone", &values.dhcp.standalone.extra_args),
    ] {
        flags_of(flags, &Path::from(path).join("extraArgs"), findings);
    }
    let path = Path::from("dhcp.controller.dnsmasqArgs");
    flags_of(&values.dhcp.controller.dnsmasq_args, &path, findings);
}

fn flags_of(flags: &Flags, path: &Path, findings: &mut Findings) {
    for (flag, value) in flags {
        let path = path.join(flag.as_str());
        let plain = flag.starts_with(|first: char| first.is_ascii_alphanumeric())
            && flag
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if !plain {
            let problem = Problem::error(format!("`{flag}` is no flag"));
            findings.record_key(
                &path,
                problem.help("write its name without the leading dashes"),
            );
        }
        let scalar = |value: &serde_json::Value| !value.is_object() && !value.is_array();
        let fine = match value {
            serde_json::Value::Array(items) => items.iter().all(scalar),
            value => scalar(value),
        };
        if !fine {
            findings.error(
                &path,
                "a flag's value is a scalar, or a list of scalars to repeat it",
            );
        }
    }
}

fn all_labels(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    let components: [(&str, &dyn Component); 11] = [
        ("kubernetes.etcd", &kubernetes.etcd),
        ("kubernetes.apiServer", &kubernetes.api_server),
        (
            "kubernetes.controllerManager",
            &kubernetes.controller_manager,
        ),
        ("kubernetes.scheduler", &kubernetes.scheduler),
        ("kubernetes.admin", &kubernetes.admin),
        ("kubernetes.coredns", &kubernetes.coredns),
        (
            "kubernetes.konnectivityServer",
            &kubernetes.konnectivity_server,
        ),
        (
            "kubernetes.konnectivityAgent",
            &kubernetes.konnectivity_agent,
        ),
        ("ltsp", &values.ltsp),
        ("dhcp.controller", &values.dhcp.controller),
        ("dhcp.standalone", &values.dhcp.standalone),
    ];
    for (path, component) in components {
        let keys = component.keys();
        let path = Path::from(path);
        labels_of(keys.labels, &path.join("labels"), findings);
        labels_of(keys.pod_labels, &path.join("podLabels"), findings);
        labels_of(keys.node_selector, &path.join("nodeSelector"), findings);
        if matches!(keys.anti_affinity, Some(Spread::Soft | Spread::Hard))
            && keys.topology_key == Some("")
        {
            findings.error(
                &path.join("podAntiAffinityTopologyKey"),
                "pods cannot be kept apart by a node label without a name",
            );
        }
    }
    if kubernetes.api_server.service.kind == ServiceType::ClusterIP
        && kubernetes.api_server.service.node_port.is_some()
    {
        findings.warning(
            &Path::from("kubernetes.apiServer.service.nodePort"),
            "a Service of type ClusterIP has no node port",
        );
    }
}

fn labels_of(labels: &TextMap, path: &Path, findings: &mut Findings) {
    for (key, value) in labels {
        let path = path.join(key.as_str());
        if !is_label_key(key) {
            findings.key_error(&path, format!("`{key}` is no label key"));
        }
        if !is_label_value(value) {
            findings.error(&path, format!("`{value}` is no label value"));
        }
        if key == "app" && !path.to_string().ends_with("nodeSelector.app") {
            findings.key_error(
                &path,
                "the label `app` is how a component finds its own pods",
            );
        }
    }
}

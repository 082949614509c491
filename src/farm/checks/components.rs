//! What all components share: flags.

use crate::farm::findings::Findings;
use crate::farm::spec::{Flags, Values};
use crate::values::{Path, Problem, rewritten};

/// Checks every component's flags, which are written into command lines as `--key=value`.
pub fn check(values: &Values, findings: &mut Findings) {
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
            let problem = Problem::error(format!("`{flag}` is not a flag"));
            findings.record_key(
                &path,
                problem.help("write its name without the leading dashes"),
            );
        }
        for (path, value) in scalars(value, &path) {
            // What was on is on, by whatever word; a number is the text that the program reads.
            let node = findings.node(&path).filter(|_| value.is_number());
            if let Some(problem) = node.and_then(|node| rewritten(node, &path)) {
                findings.record(&path, problem);
            }
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

/// A flag's value, or each that repeats it, with its place.
pub fn scalars<'a>(
    value: &'a serde_json::Value,
    path: &Path,
) -> Vec<(Path, &'a serde_json::Value)> {
    let items = value.as_array().map(|items| items.iter().enumerate());
    match items {
        Some(items) => items
            .map(|(index, item)| (path.join(index), item))
            .collect(),
        None => vec![(path.clone(), value)],
    }
}

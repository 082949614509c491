//! Versions: those that the templates support, and which of them work together.

use crate::farm::findings::Findings;
use crate::farm::spec::{Image, Values};
use crate::farm::syntax::is_kubernetes_version;
use crate::values::{Path, Problem};
use crate::version::Version;

/// The oldest minor version of Kubernetes 1 that the templates support: its kubeadm reads the configuration that nodes
/// join with (kubeadm.k8s.io/v1beta4).
pub const OLDEST: u32 = 31;
/// The version that the flags and configuration in the templates are for.
const NEWEST: u32 = 37;

/// Checks the version of Kubernetes and of the images that follow it.
pub fn check(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    if !kubernetes.enabled {
        return;
    }
    of_kubernetes(&kubernetes.version, findings);
    for (component, image) in [
        ("controllerManager", &kubernetes.controller_manager.image),
        ("scheduler", &kubernetes.scheduler.image),
        ("kubeProxy", &kubernetes.kube_proxy.image),
    ] {
        let server = &kubernetes.api_server.image;
        newer_than_server(component, image, server, &kubernetes.version, findings);
    }
    newer_than_flags(&kubernetes.api_server.image, &kubernetes.version, findings);
    if kubernetes.etcd.enabled {
        of_etcd(&kubernetes.etcd.image, findings);
    }
}

fn of_kubernetes(version: &str, findings: &mut Findings) {
    let path = Path::from("kubernetes.version");
    if !is_kubernetes_version(version) {
        let node = findings.node(&path);
        let written = node.and_then(|node| node.written.as_deref());
        let written = written.unwrap_or(version);
        let problem = Problem::error(format!("`{written}` is not a Kubernetes version"));
        let help = "write it in full and with its v: v1.37.2";
        findings.record(&path, problem.help(help));
        return;
    }
    let known = Version::read(version).filter(|version| version.major == 1);
    match known.map(|version| version.minor) {
        None => {
            let problem = Problem::error(format!("there is no Kubernetes {version}"));
            findings.record(&path, problem.help("its major version is 1: v1.37.2"));
        }
        Some(minor) if minor < OLDEST => {
            let problem = Problem::warning(format!(
                "nodes with kubeadm {version} cannot join: this farm's configuration can be read from 1.{OLDEST} on"
            ));
            let help = format!("use v1.{OLDEST} or newer");
            findings.record(&path, problem.help(help));
        }
        Some(minor) if minor > NEWEST => {
            let problem = Problem::warning(format!(
                "the rendered flags are those of 1.{NEWEST}; {version} may not have all of them"
            ));
            let help = "a newer kubefarm may support it; see the release notes of Kubernetes";
            findings.record(&path, problem.help(help));
        }
        Some(_) => {}
    }
}

/// Nothing may be newer than the API server (kubernetes.io, "Version Skew Policy").
fn newer_than_server(
    component: &str,
    image: &Image,
    server: &Image,
    version: &str,
    findings: &mut Findings,
) {
    let server = server.tag.as_deref().unwrap_or(version);
    let Some(own) = image.tag.as_deref() else {
        return;
    };
    if is_newer(own, server) {
        let problem = Problem::warning(format!(
            "{own} is newer than the API server's {server}, which Kubernetes does not support"
        ));
        let path = Path::from("kubernetes")
            .join(component)
            .join("image")
            .join("tag");
        let help = "remove the tag: every component follows kubernetes.version";
        findings.record(&path, problem.help(help));
    }
}

/// Whether a tag is of a newer minor version than another; where one of them is not a version, nobody knows.
fn is_newer(tag: &str, than: &str) -> bool {
    let both = Version::read(tag).zip(Version::read(than));
    both.is_some_and(|(own, than)| own.minor_version() > than.minor_version())
}

fn newer_than_flags(server: &Image, version: &str, findings: &mut Findings) {
    let tag = server.tag.as_deref().unwrap_or_default();
    if is_newer(tag, version) {
        let problem = Problem::warning(format!(
            "the rendered flags are those of Kubernetes {version}, but this image is {tag}"
        ));
        let help = "set kubernetes.version instead, which every component follows";
        findings.record(
            &Path::from("kubernetes.apiServer.image.tag"),
            problem.help(help),
        );
    }
}

/// etcd's flags were renamed from version to version.
fn of_etcd(image: &Image, findings: &mut Findings) {
    let Some(tag) = image.tag.as_deref() else {
        return;
    };
    let path = Path::from("kubernetes.etcd.image.tag");
    if Version::read(tag).is_none() {
        let problem = Problem::warning(format!(
            "`{tag}` does not contain the version of etcd: the rendered flags are those of the newest"
        ));
        findings.record(&path, problem.help("a tag such as 3.7.0-0"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_what_the_templates_are_made_for() {
        let defaults = include_str!("../../../charts/kubernetes/values.yaml");
        assert!(defaults.contains(&format!("version: v1.{NEWEST}.")));
    }
}

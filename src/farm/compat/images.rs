//! Images of old values files: still taken, and told of.

use crate::farm::findings::Findings;
use crate::farm::spec::{Component, Image, Values};
use crate::farm::syntax::minor_version;
use crate::values::{Path, Problem};

const FROZEN: &str = "this registry is frozen since 2023";
const OLD_TOOLS: &str =
    "this image does not have what the admin pod, the Jobs or the boot server run";
const REGISTRY: &str = "registry.k8s.io replaced it; remove the key to take ours";
const REMOVE: &str = "remove image.repository and image.tag to take ours";

/// How repositories begin that serve no more, with what is wrong and what to do.
const OLD_REPOSITORIES: [(&str, &str, &str); 6] = [
    ("k8s.gcr.io/", FROZEN, REGISTRY),
    // The same registry by its other name, in the old defaults for Konnectivity.
    ("us.gcr.io/k8s-artifacts-prod/", FROZEN, REGISTRY),
    ("ghcr.io/kvaps/kubernetes-tools", OLD_TOOLS, REMOVE),
    ("ghcr.io/kvaps/kubefarm-ltsp", OLD_TOOLS, REMOVE),
    ("docker.io/kvaps/", OLD_TOOLS, REMOVE),
    ("kvaps/", OLD_TOOLS, REMOVE),
];

/// Tells of images that are from another time than the rest.
pub fn check(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    for (component, image) in [
        ("kubernetes.etcd", kubernetes.etcd.keys().image),
        ("kubernetes.apiServer", kubernetes.api_server.keys().image),
        (
            "kubernetes.controllerManager",
            kubernetes.controller_manager.keys().image,
        ),
        ("kubernetes.scheduler", kubernetes.scheduler.keys().image),
        ("kubernetes.admin", kubernetes.admin.keys().image),
        ("kubernetes.kubeProxy", &kubernetes.kube_proxy.image),
        ("kubernetes.coredns", kubernetes.coredns.keys().image),
        (
            "kubernetes.konnectivityServer",
            kubernetes.konnectivity_server.keys().image,
        ),
        (
            "kubernetes.konnectivityAgent",
            kubernetes.konnectivity_agent.keys().image,
        ),
        ("ltsp", values.ltsp.keys().image),
    ] {
        repository(image, &Path::from(component).join("image"), findings);
    }
    for (component, image) in [
        ("apiServer", kubernetes.api_server.keys().image),
        (
            "controllerManager",
            kubernetes.controller_manager.keys().image,
        ),
        ("scheduler", kubernetes.scheduler.keys().image),
    ] {
        let path = Path::from("kubernetes").join(component).join("image");
        older_tag(image, &kubernetes.version, &path, findings);
    }
}

fn repository(image: &Image, path: &Path, findings: &mut Findings) {
    let old = OLD_REPOSITORIES
        .iter()
        .find(|(start, _, _)| image.repository.starts_with(start));
    if let Some((_, wrong, instead)) = old {
        let problem = Problem::warning(*wrong).help(*instead);
        findings.record(&path.join("repository"), problem);
    }
}

/// A component of an older version may not know a flag that its successor needs.
fn older_tag(image: &Image, version: &str, path: &Path, findings: &mut Findings) {
    let tag = image.tag.as_deref().unwrap_or_default();
    if let (Some(own), Some(rendered)) = (minor_version(tag), minor_version(version))
        && own < rendered
    {
        let problem = Problem::warning(format!(
            "the flags rendered are those of Kubernetes {version}, and this image is of {tag}"
        ));
        let problem = problem.help("remove the tag: every component follows kubernetes.version");
        findings.record(&path.join("tag"), problem);
    }
}

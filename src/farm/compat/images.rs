//! Images of old values files: still taken, and told of.

use crate::farm::findings::Findings;
use crate::farm::known::{ETCD, Running};
use crate::farm::spec::{Image, Values};
use crate::values::{Path, Problem};
use crate::version::Version;

const FROZEN: &str = "this registry is frozen since 2023";
const OLD_TOOLS: &str =
    "this image does not have what the admin pod, the Jobs or the boot server run";
const REGISTRY: &str = "registry.k8s.io replaced it; remove the key to take ours";
const REMOVE: &str = "remove image.repository and image.tag to take ours";

/// What is given flags that follow `kubernetes.version`.
const SERVERS: [&str; 3] = [
    "kubernetes.apiServer",
    "kubernetes.controllerManager",
    "kubernetes.scheduler",
];

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
    // DHCP has no images of the old charts'.
    let components = values.components().into_iter();
    let components = components.filter(|(path, _)| !path.starts_with("dhcp."));
    for (name, component) in components {
        let image = component.image();
        let path = Path::from(name).join("image");
        repository(image, &path, findings);
        if name == "kubernetes.etcd" {
            older_etcd(image, &kubernetes.version, &path, findings);
        }
        if SERVERS.contains(&name) {
            older_tag(image, &kubernetes.version, &path, findings);
        }
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

/// What kubeadm 1.37 takes at least (MinExternalEtcdVersion), as minor version and patch release.
const OLDEST_ETCD: (u32, u32) = (5, 24);

/// The first Kubernetes whose kubeadm asks for that.
const FIRST_TO_ASK: (u32, u32) = (1, 37);

/// Kubernetes 1.37 was made for etcd of certain releases; before 3.5 no version of these charts was.
fn older_etcd(image: &Image, version: &str, path: &Path, findings: &mut Findings) {
    let etcd = Running::of(&ETCD, image, "");
    let is_old = (etcd.minor, etcd.patch) < OLDEST_ETCD;
    let read = Version::read(version);
    let asks_for_it = read.is_some_and(|version| version.minor_version() >= FIRST_TO_ASK);
    let tag = image.tag.as_deref().unwrap_or_default();
    if is_old && (asks_for_it || etcd.minor < OLDEST_ETCD.0) {
        let (minor, patch) = OLDEST_ETCD;
        let problem = Problem::warning(format!(
            "Kubernetes {version} is for etcd 3.{minor}.{patch} and newer, and this image is of {tag}"
        ));
        let help = "raise the tag one minor version at a time: etcd skips none";
        findings.record(&path.join("tag"), problem.help(help));
    }
}

/// A component of an older version may not know a flag that its successor needs.
fn older_tag(image: &Image, version: &str, path: &Path, findings: &mut Findings) {
    let tag = image.tag.as_deref().unwrap_or_default();
    if let (Some(own), Some(rendered)) = (Version::read(tag), Version::read(version))
        && own.minor_version() < rendered.minor_version()
    {
        let problem = Problem::warning(format!(
            "the flags rendered are those of Kubernetes {version}, and this image is of {tag}"
        ));
        let problem = problem.help("remove the tag: every component follows kubernetes.version");
        findings.record(&path.join("tag"), problem);
    }
}

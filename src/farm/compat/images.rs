//! Images from old values files: still used, with a warning.

use crate::farm::findings::Findings;
use crate::farm::known::{ETCD, ProgramVersion};
use crate::farm::spec::{Image, Values};
use crate::values::{Path, Problem};
use crate::version::Version;

const FROZEN: &str = "this registry has been frozen since 2023";
const OLD_TOOLS: &str =
    "this image lacks the programs that the admin pod, the Jobs or the boot server run";
const REGISTRY: &str = "registry.k8s.io replaced it; remove the key to use the default";
const REMOVE: &str = "remove image.repository and image.tag to use the default";

/// The components whose rendered flags depend on `kubernetes.version`.
const SERVERS: [&str; 3] = [
    "kubernetes.apiServer",
    "kubernetes.controllerManager",
    "kubernetes.scheduler",
];

/// The prefixes of repositories that are no longer in use, with message and help.
const OLD_REPOSITORIES: [(&str, &str, &str); 6] = [
    ("k8s.gcr.io/", FROZEN, REGISTRY),
    // The other name of that registry, in the old defaults for Konnectivity.
    ("us.gcr.io/k8s-artifacts-prod/", FROZEN, REGISTRY),
    ("ghcr.io/kvaps/kubernetes-tools", OLD_TOOLS, REMOVE),
    ("ghcr.io/kvaps/kubefarm-ltsp", OLD_TOOLS, REMOVE),
    ("docker.io/kvaps/", OLD_TOOLS, REMOVE),
    ("kvaps/", OLD_TOOLS, REMOVE),
];

/// Warns of images that do not match the rest.
pub fn check(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    // The old charts had no images for DHCP.
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

/// The oldest etcd that kubeadm 1.37 accepts (MinExternalEtcdVersion): minor version and patch release.
const OLDEST_ETCD: (u32, u32) = (5, 24);

/// The first Kubernetes whose kubeadm asks for that.
const FIRST_TO_ASK: (u32, u32) = (1, 37);

/// Kubernetes 1.37 needs certain releases of etcd; the charts never supported etcd before 3.5.
fn older_etcd(image: &Image, version: &str, path: &Path, findings: &mut Findings) {
    let etcd = ProgramVersion::of(&ETCD, image, "");
    let is_old = (etcd.minor, etcd.patch) < OLDEST_ETCD;
    let read = Version::read(version);
    let asks_for_it = read.is_some_and(|version| version.minor_version() >= FIRST_TO_ASK);
    let tag = image.tag.as_deref().unwrap_or_default();
    if is_old && (asks_for_it || etcd.minor < OLDEST_ETCD.0) {
        let (minor, patch) = OLDEST_ETCD;
        let problem = Problem::warning(format!(
            "Kubernetes {version} needs etcd 3.{minor}.{patch} or newer, but this image is {tag}"
        ));
        let help = "raise the tag one minor version at a time: etcd cannot skip one";
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
            "the rendered flags are those of Kubernetes {version}, but this image is {tag}"
        ));
        let problem = problem.help("remove the tag: every component follows kubernetes.version");
        findings.record(&path.join("tag"), problem);
    }
}

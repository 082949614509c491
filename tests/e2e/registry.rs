//! The images that this project publishes go the way that they go for users: built, pushed to a registry, pulled.

use std::fs::{read, read_to_string};

use serde_json::Value;

use crate::e2e::Seen;
use crate::e2e::release::Release;

/// Where an image has its papers, and the files that say what is in it.
const PAPERS: &str = "/usr/share/doc/kubefarm-image";

/// The admin pod runs the image that `images/tools/build.sh` built, to the byte, and containerd had it from the
/// registry.
pub fn tools(release: &mut Release) -> Seen {
    let deployment = release.get(&["deployment", &release.object("admin")]);
    let containers = &deployment["spec"]["template"]["spec"]["containers"];
    let image = containers[0]["image"].as_str().expect("an image");
    let digest = built(release, "tools");
    let size = pulled(release, image, &digest);

    let inside = |command: &[&str]| {
        let pod = format!("deploy/{}", release.object("admin"));
        let exec = [&["exec", &pod, "--"], command].concat();
        release.kubectl(&exec).success()
    };
    assert_eq!(inside(&["id", "-un"]).trim(), "tools");
    let version = inside(&["kubefarm", "--version"]);
    let sbom = inside(&["cat", &format!("{PAPERS}/sbom.spdx.json")]);
    let listed: Value = serde_json::from_str(&sbom).expect("JSON");
    let listed = listed["packages"].as_array().expect("a list");
    let own = listed.iter().find(|package| package["name"] == "kubefarm");
    let own = own.and_then(|package| package["versionInfo"].as_str());
    assert_eq!(
        Some(version.trim()),
        own.map(|own| format!("kubefarm {own}")).as_deref()
    );
    let beside = read(published(release, "tools", "sbom.spdx.json")).expect("an SBOM");
    assert_eq!(sbom.as_bytes(), beside);
    format!("{size}, {} packages in it, {}", listed.len(), &digest[..19])
}

fn published(release: &Release, name: &str, file: &str) -> std::path::PathBuf {
    let folder = release.cluster.images().join("published");
    folder.join(name).join(file)
}

/// The digest of an image's manifest as it was built.
fn built(release: &Release, name: &str) -> String {
    let index = read_to_string(published(release, name, "layout/index.json")).expect("an index");
    let index: Value = serde_json::from_str(&index).expect("JSON");
    let digest = index["manifests"][0]["digest"].as_str();
    digest.expect("a digest").to_owned()
}

/// Asserts that containerd pulled this image and no other by its name, and gives its size as it says it.
fn pulled(release: &Release, image: &str, digest: &str) -> String {
    let enter = |command: &[&str]| release.cluster.enter("admin", command).success();
    let name = format!("name=={image}");
    let known = enter(&["ctr", "--namespace", "k8s.io", "images", "list", &name]);
    let line = known.lines().find(|line| line.starts_with(image));
    let words: Vec<&str> = line.expect("it is known").split_whitespace().collect();
    assert_eq!(words[2], digest);
    let (_, path) = image.split_once('/').expect("a registry");
    let (path, _) = path.split_once(':').expect("a tag");
    let requests = enter(&["cat", "/var/log/registry.log"]);
    let manifest = format!("\"GET /v2/{path}/manifests/{digest}");
    let mut fetched = requests.lines().filter(|line| line.contains(&manifest));
    assert!(
        fetched.any(|line| line.contains("containerd/")),
        "containerd did not fetch {image}"
    );
    words[3..5].join(" ")
}

//! Nodes that boot and join: with LTSP's own init, kubelet, containerd and kubeadm, in machines of their own.

use std::collections::BTreeMap;
use std::fs::{copy, create_dir_all, write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::e2e::Seen;
use crate::e2e::release::{Release, have_those_of_their_tags, is_ready};
use crate::support::farms::Objects;
use crate::support::ltsp::configuration;
use crate::support::{project, run};

/// A node of the example `generic`: name, address, MAC.
pub const PLAIN: [&str; 3] = ["r1n01", "10.64.1.11", "02:00:00:40:01:0a"];
/// The one with tags.
pub const STORAGE: [&str; 3] = ["r1n06", "10.64.1.16", "02:00:00:40:06:0a"];

/// What `values.yaml` has for root's password.
pub const PASSWORD: &str =
    "$6$e2e$Y3vPkFZ645xb55cGdfu0fw7Bag3Y0tDNIAHnRxJpvhpRVE9jTX6QAicQKs2K6/cPKdSA8QdyOzgSvDyk.gb.B1";
/// The file of the Secret that nodes get.
pub const SECRET: &str = "--from-literal=token=cannot-be-guessed";

/// Both.
pub const ALL: [[&str; 3]; 2] = [PLAIN, STORAGE];

/// The images that nodes of a farm with Konnectivity run, and the one for tests.
const IMAGES: [&str; 5] = ["pause", "kube-proxy", "coredns", "proxy-agent", "agnhost"];

/// Two nodes boot with what the boot server would hand out, ask the join service, and join.
pub fn join(release: &mut Release) -> Seen {
    let secret = ["create", "secret", "generic", "ipa", SECRET];
    let namespace = ["--namespace", &release.boot_namespace()];
    let create = [&secret[..], &namespace[..]].concat();
    release.cluster.kubectl(&create).success();
    for machine in ALL {
        boot(release, machine, &public(release));
    }
    for [name, ..] in ALL {
        wait_for_node(release, name);
    }
    have_those_of_their_tags(release, |name| release.child_get(&["node", name]));
    wait_for_system_pods(release);
    for [name, ..] in ALL {
        got_what_is_secret(release, name);
    }
    "r1n01 without, r1n06 with those of its tags; password and a Secret's file; CoreDNS and kube-proxy ready".to_owned()
}

/// Starts a machine with what the boot server would hand out, and joins it as its unit does.
pub fn boot(release: &Release, [name, address, mac]: [&str; 3], public: &BTreeMap<String, String>) {
    let folder = boot_files(release, public);
    let images = images(release);
    release
        .cluster
        .start_machine(name, address, mac, &folder, &images);
    // With cgroups of version 1, kubeadm needs a flag that accepts this.
    let join = "[ -e /sys/fs/cgroup/cgroup.controllers ] || set -- --ignore-preflight-errors=SystemVerification\n\
         exec sh /etc/ltsp/kubeadm-join.sh \"$@\"";
    release.cluster.enter(name, &["sh", "-c", join]).success();
}

/// Waits until a Node is Ready.
pub fn wait_for_node(release: &Release, name: &str) {
    let what = format!("the node {name} is ready");
    release
        .cluster
        .wait_until(&what, || is_ready(&release.child_get(&["node", name])));
}

/// What the agent has written for the boot server.
pub fn public(release: &Release) -> BTreeMap<String, String> {
    let name = release.object("ltsp-join");
    let mut files = BTreeMap::new();
    release
        .cluster
        .wait_until("the agent has said how to join", || {
            let found = release.get_boot(&["configmap", &name]);
            files = serde_json::from_value(found["data"].clone()).unwrap_or_default();
            !files.is_empty()
        });
    files
}

/// The hash of root's password, and the file of a Secret.
fn got_what_is_secret(release: &Release, name: &str) {
    let shadow = release.cluster.enter(name, &["cat", "/etc/shadow"]);
    let shadow = shadow.success();
    assert!(shadow.contains(PASSWORD), "{name} has another password");
    let file = release
        .cluster
        .enter(name, &["cat", "/etc/ltsp/token"])
        .success();
    assert!(SECRET.ends_with(&file), "{file}");
}

/// Waits until every pod that each child has is ready.
#[track_caller]
pub fn wait_for_system_pods(release: &Release) {
    let ready = "every pod of the child is ready";
    release
        .cluster
        .wait_until(ready, || system_pods(release).iter().all(is_ready));
}

/// The pods that every child has.
fn system_pods(release: &Release) -> Vec<Value> {
    let list = release.child_get(&["pods", "-n", "kube-system"]);
    let pods = list["items"].as_array().expect("a List").iter();
    pods.cloned().collect()
}

/// What is laid over a node's files: the machine's own, and what the boot server would hand out as /etc/ltsp.
fn boot_files(release: &Release, public: &BTreeMap<String, String>) -> PathBuf {
    let folder = release.cluster.scratch().join("node");
    let etc = folder.join("ltsp");
    create_dir_all(&etc).expect("a folder");
    let own = project().join("tests/admin-cluster/node/.");
    run(std::process::Command::new("cp")
        .arg("-r")
        .args([&own, &folder]))
    .success();
    let rendered = release.rendered(&[]);
    let server = release.object("ltsp");
    for (name, text) in Objects::files(rendered.get("ConfigMap", &server)) {
        write(etc.join(name), text).expect("written");
    }
    write(etc.join("ltsp.conf"), configuration(&rendered, &server)).expect("written");
    for (name, text) in public {
        write(etc.join(name), text).expect("written");
    }
    folder
}

/// A folder with the archives that nodes import.
fn images(release: &Release) -> PathBuf {
    let folder = release.cluster.scratch().join("images");
    create_dir_all(&folder).expect("a folder");
    for image in IMAGES {
        let file = format!("{image}.tar");
        let from: &Path = &release.cluster.images().join(&file);
        copy(from, folder.join(&file)).expect("an image");
    }
    folder
}

//! Nodes that boot and join: with LTSP's own init, kubelet, containerd and kubeadm, in machines of their own.

use std::fs::{copy, create_dir_all, write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::e2e::Seen;
use crate::e2e::release::{Release, have_those_of_their_tags, is_ready};
use crate::e2e::token::join_file;
use crate::support::farms::Objects;
use crate::support::ltsp::configuration;
use crate::support::{project, run};

/// A node of the example `generic`: name, address, MAC.
pub const PLAIN: [&str; 3] = ["r1n01", "10.64.1.11", "02:00:00:40:01:0a"];
/// The one with tags.
pub const STORAGE: [&str; 3] = ["r1n06", "10.64.1.16", "02:00:00:40:06:0a"];

/// Both.
pub const ALL: [[&str; 3]; 2] = [PLAIN, STORAGE];

/// The images that nodes of a farm with Konnectivity run, and the one for tests.
const IMAGES: [&str; 5] = ["pause", "kube-proxy", "coredns", "proxy-agent", "agnhost"];

/// Two nodes boot with what the boot server would hand out, and join with the command that it has for them.
pub fn join(release: &mut Release) -> Seen {
    let folder = boot_files(release);
    let images = images(release);
    for [name, address, mac] in ALL {
        release
            .cluster
            .start_machine(name, address, mac, &folder, &images);
        // With cgroups of version 1, kubeadm needs a flag that accepts this.
        let join = ". /etc/ltsp/kubeadm-join.conf\n\
                    [ -e /sys/fs/cgroup/cgroup.controllers ] || set -- --ignore-preflight-errors=SystemVerification\n\
                    exec $JOIN_COMMAND \"$@\"";
        release.cluster.enter(name, &["sh", "-c", join]).success();
    }
    for [name, ..] in ALL {
        release
            .cluster
            .wait_until(&format!("the node {name} is ready"), || {
                is_ready(&release.child_get(&["node", name]))
            });
    }
    have_those_of_their_tags(release, |name| release.child_get(&["node", name]));
    wait_for_system_pods(release);
    "r1n01 without, r1n06 with those of its tags; CoreDNS and kube-proxy ready".to_owned()
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
fn boot_files(release: &Release) -> PathBuf {
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
    write(etc.join("kubeadm-join.conf"), join_file(release)).expect("written");
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

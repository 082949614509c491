//! The bootstrap token that nodes join with, where the farm asks for it.

use std::collections::BTreeMap;

use crate::e2e::Seen;
use crate::e2e::boot_server;
use crate::e2e::nodes::{boot, wait_for_node};
use crate::e2e::release::{Release, file_of};

const FILE: &str = "kubeadm-join.conf";
/// A node of the example `generic`, which joins with the token and goes again.
const NODE: [&str; 3] = ["r1n02", "10.64.1.12", "02:00:00:40:02:0a"];

/// Where the boot server has it from.
fn join_file(release: &Release) -> String {
    let secret = release.object("ltsp-join-config");
    file_of(&release.get_boot(&["secret", &secret]), FILE)
}

/// The farm changes to the shared token: its Job makes one, its CronJob another, the boot server serves it, and a
/// machine joins with it. Then the farm changes back.
pub fn chosen(release: &mut Release) -> Seen {
    let values = release.values.clone();
    release.add_values(&["--set", "join.mode=token"]);
    release.apply();
    let before = token(&join_file(release));
    release.run_now("ltsp-join-token");
    let file = join_file(release);
    let after = token(&file);
    assert_ne!(before, after);
    let (id, _) = after.split_once('.').expect("ID and secret");
    let secret = format!("bootstrap-token-{id}");
    let secret = release.child_get(&["secret", &secret, "-n", "kube-system"]);
    assert!(
        secret["data"]["expiration"].is_string(),
        "it does not expire"
    );
    // Kubernetes refreshes the files of a Secret about once a minute.
    release
        .cluster
        .wait_until("nodes get the token of now", || {
            boot_server::unpacked(release, FILE) == file
        });
    let [name, ..] = NODE;
    boot(release, NODE, &BTreeMap::from([(FILE.to_owned(), file)]));
    wait_for_node(release, name);
    release.child(&["delete", "node", name]).success();
    release.cluster.remove_machine(name);
    release.values = values;
    release.apply();
    format!("{name} joined with {id}, the second one; and back")
}

/// The token in a join command.
fn token(file: &str) -> String {
    let mut words = file
        .split_whitespace()
        .skip_while(|word| *word != "--token");
    words
        .nth(1)
        .unwrap_or_else(|| panic!("no token in {file}"))
        .to_owned()
}

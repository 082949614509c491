//! The bootstrap token that nodes join with.

use serde_json::Value;

use crate::e2e::Seen;
use crate::e2e::release::{Release, file_of};

/// Where the boot server has it from.
pub fn join_file(release: &Release) -> String {
    let secret = format!("{}-kubernetes-ltsp-join-config", release.name);
    file_of(&release.get_boot(&["secret", &secret]), "kubeadm-join.conf")
}

/// The CronJob, run now, makes a new token, and the child cluster knows it.
pub fn refreshed(release: &mut Release) -> Seen {
    let before = token(&join_file(release));
    release.run_now("ltsp-join-token");
    let after = token(&join_file(release));
    assert_ne!(before, after);

    let (id, _) = after.split_once('.').expect("ID and secret");
    let secret = format!("bootstrap-token-{id}");
    let secret = release.child_get(&["secret", &secret, "-n", "kube-system"]);
    assert!(
        secret["data"]["expiration"].is_string(),
        "it does not expire"
    );
    let signed = release.child_get(&["configmap", "cluster-info", "-n", "kube-public"]);
    let signature = &signed["data"][format!("jws-kubeconfig-{id}")];
    assert_ne!(*signature, Value::Null, "cluster-info is not signed for it");
    let (old, _) = before.split_once('.').expect("ID and secret");
    format!("{id} after {old}")
}

/// The token in a join command.
pub fn token(file: &str) -> String {
    let mut words = file
        .split_whitespace()
        .skip_while(|word| *word != "--token");
    words
        .nth(1)
        .unwrap_or_else(|| panic!("no token in {file}"))
        .to_owned()
}

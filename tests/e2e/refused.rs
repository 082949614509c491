//! Changes that would lose or split what is in etcd are refused, and it is all still there.

use serde_json::{Value, json};

use crate::e2e::Seen;
use crate::e2e::release::Release;
use crate::support::run;

/// What is set, and the name that accepts it.
const CHANGES: [(&str, &str); 6] = [
    ("kubernetes.etcd.replicaCount=1", "etcd-members"),
    ("kubernetes.etcd.replicaCount=5", "etcd-members"),
    ("kubernetes.fullnameOverride=other", "etcd-name"),
    ("kubernetes.etcd.ports.peer=3380", "etcd-address"),
    ("kubernetes.etcd.image.tag=3.5.35-0", "etcd-version"),
    ("kubernetes.etcd.image.tag=3.9.0-0", "etcd-version"),
];

/// Asks for each of them while an object is in the child.
pub fn changes(release: &mut Release) -> Seen {
    release.apply_in_child(&[json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": "kept", "namespace": "default" },
        "data": { "since": "before" },
    })]);
    let etcd = release.object("etcd");
    let state = |release: &Release| {
        let set = release.get(&["statefulset", &etcd]);
        (set["metadata"]["generation"].clone(), members(release))
    };
    let before = state(release);
    let live = before.1.len();
    for (change, risk) in CHANGES {
        let mut command = release.cluster.kubefarm();
        command
            .args(["apply", "-q", "--replace"])
            .args(release.flags());
        let finished = run(command.args(["--set", change]));
        finished.failed(1, &["nothing was changed", &format!("--accept={risk}")]);
    }
    assert_eq!(state(release), before);
    let kept = release.child_get(&["configmap", "kept", "-n", "default"]);
    assert_eq!(kept["data"]["since"], "before");
    format!(
        "{} changes refused; {live} member(s) and their data as before",
        CHANGES.len()
    )
}

/// The members of etcd as they themselves say.
fn members(release: &Release) -> Vec<String> {
    let pod = format!("{}-0", release.object("etcd"));
    let list = [
        "exec", &pod, "-c", "etcd", "--", "etcdctl", "member", "list", "-w", "json",
    ];
    let list: Value = serde_json::from_str(&release.kubectl(&list).success()).expect("JSON");
    let members = list["members"].as_array().expect("members").iter();
    let mut names: Vec<String> = members
        .map(|member| format!("{} {}", member["name"], member["peerURLs"]))
        .collect();
    names.sort();
    names
}

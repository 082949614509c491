//! What nodes need in the child comes back when somebody deletes it.

use std::time::Instant;

use serde_json::Value;

use crate::e2e::Seen;
use crate::e2e::release::Release;

/// Among them the agent's own rights.
const OBJECTS: [[&str; 4]; 4] = [
    ["-n", "default", "endpointslice", "kubernetes-ipv4"],
    ["-n", "kube-system", "configmap", "kubelet-config"],
    ["-n", "kube-system", "clusterrole", "system:coredns"],
    ["-n", "kube-system", "clusterrolebinding", "kubefarm:agent"],
];

/// An administrator of the child deletes them, one after the other and then all at once.
pub fn by_the_admin_pod(release: &mut Release) -> Seen {
    let mut slowest = 0.0_f64;
    for object in OBJECTS {
        let before = uid(release, &object);
        delete(release, &object);
        let began = Instant::now();
        let what = format!("{} {} is back", object[2], object[3]);
        release.cluster.wait_until(&what, || {
            uid(release, &object).is_some_and(|now| Some(now) != before)
        });
        slowest = slowest.max(began.elapsed().as_secs_f64());
    }
    let before = OBJECTS.map(|object| uid(release, &object));
    for object in OBJECTS {
        delete(release, &object);
    }
    release.cluster.wait_until("all of them are back", || {
        let mut now = OBJECTS.iter().zip(&before);
        now.all(|(object, before)| {
            uid(release, object).is_some_and(|now| Some(&now) != before.as_ref())
        })
    });
    let pod = format!("deploy/{}", release.object("admin"));
    let log = release.kubectl(&["logs", &pod]).success();
    let line = "ConfigMap kube-system/kubelet-config was not there; put back";
    assert!(log.contains(line), "no {line}\n{log}");
    format!(
        "{} objects, the slowest after {slowest:.1} s",
        OBJECTS.len()
    )
}

fn uid(release: &Release, object: &[&str]) -> Option<Value> {
    let get = [
        "get",
        "--ignore-not-found",
        "-o",
        "jsonpath={.metadata.uid}",
    ];
    let uid = release.child(&[&get, object].concat()).success();
    (!uid.is_empty()).then(|| uid.into())
}

fn delete(release: &Release, object: &[&str]) {
    release.child(&[&["delete"], object].concat()).success();
}

//! The versions of a living control plane change in order: etcd, API servers, then what talks to them.

use std::collections::BTreeSet;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::apply::GENERIC;
use crate::apply::site::Site;

const OLD: &str = "--set kubernetes.version=v1.36.4,kubernetes.etcd.image.tag=3.6.16-0";
const NEW: &str = "--set kubernetes.version=v1.37.2,kubernetes.etcd.image.tag=3.7.0-0";
/// A component after the first may be new only once all before it are new and ready.
const ORDER: [&str; 4] = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
];
const READY: &str =
    r#"{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}"#;

/// A pod of the control plane: component, whether it is of the new versions, whether it is ready.
struct Pod {
    name: String,
    component: usize,
    is_new: bool,
    is_ready: bool,
}

fn pods(site: &Site) -> Vec<Pod> {
    let list: Value =
        serde_json::from_str(&site.kubectl("get pods -o json").success()).expect("JSON");
    let pods = list["items"].as_array().expect("a List").iter();
    pods.filter_map(|pod| {
        let name = pod["metadata"]["labels"]["app.kubernetes.io/name"].as_str()?;
        let component = ORDER.iter().position(|component| *component == name)?;
        let image = pod["spec"]["containers"][0]["image"].as_str()?;
        let conditions = pod["status"]["conditions"].as_array();
        let is_ready =
            |condition: &Value| condition["type"] == "Ready" && condition["status"] == "True";
        Some(Pod {
            name: pod["metadata"]["name"].as_str()?.to_owned(),
            component,
            is_new: image.contains(":v1.37.") || image.contains(":3.7."),
            is_ready: conditions.is_some_and(|all| all.iter().any(is_ready)),
        })
    })
    .collect()
}

/// Does what a kubelet would: pods of the components `run` become ready, one at a time.
fn run_a_pod(site: &Site, pods: &[Pod], run: &[&str]) {
    let waiting = |pod: &&Pod| !pod.is_ready && run.contains(&ORDER[pod.component]);
    if let Some(pod) = pods.iter().find(waiting) {
        // It may have been replaced meanwhile.
        site.kubectl(&format!(
            "patch pod {} --subresource=status -p {READY}",
            pod.name
        ));
    }
}

/// Plays the kubelet while `kubefarm apply` runs with these arguments, and returns its exit code, what it said, and which
/// components had new pods. Panics where one is new before those that it needs. With `until`, pods of that component do
/// not get ready, and the program is interrupted once there is a new one.
fn watched(
    site: &Site,
    arguments: &str,
    until: Option<usize>,
) -> (Option<i32>, String, BTreeSet<usize>) {
    let mut program = site.command(site.cluster.kubeconfig(), arguments);
    program.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut program = program.spawn().expect("kubefarm starts");
    let run = &ORDER[..until.unwrap_or(ORDER.len())];
    let mut new = BTreeSet::new();
    while program.try_wait().expect("a state").is_none() {
        let pods = pods(site);
        for pod in pods.iter().filter(|pod| pod.is_new) {
            new.insert(pod.component);
            // The scheduler need not wait for the controller manager.
            let needs = pod.component.min(2);
            let late = |other: &&Pod| other.component < needs && !(other.is_new && other.is_ready);
            let late: Vec<&str> = pods.iter().filter(late).map(|pod| &*pod.name).collect();
            assert!(late.is_empty(), "{} is new before {late:?}", pod.name);
        }
        if until.is_some_and(|component| new.contains(&component)) {
            let pid = Pid::from_child(&program);
            kill_process(pid, Signal::INT).expect("it runs, or has not been waited for");
        }
        run_a_pod(site, &pods, run);
    }
    let ended = program.wait_with_output().expect("its output");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    (ended.status.code(), said, new)
}

#[test]
fn each_step_waits_for_the_one_before() {
    let Some(site) = Site::new("upgrade") else {
        return;
    };
    let apply = format!("apply {GENERIC}");
    site.run(&format!("{apply} -q {OLD}")).success();
    site.cluster.wait_until("the old versions are ready", || {
        let pods = pods(&site);
        run_a_pod(&site, &pods, &ORDER);
        pods.len() == 9 && pods.iter().all(|pod| pod.is_ready)
    });

    // The plan is shown before anything changes.
    let steps = "versions change in order, each step once the one before is ready: etcd (3.6.16 to 3.7.0), then API \
                 servers (1.36.4 to 1.37.2), then controller managers and schedulers (1.36.4 to 1.37.2)";
    let dry_run = site.run(&format!("{apply} {NEW} --dry-run=server"));
    assert!(dry_run.stderr.contains(steps), "{}", dry_run.stderr);
    assert!(pods(&site).iter().all(|pod| !pod.is_new));

    // Interrupted while a new API server does not get ready, it stops there.
    let (code, said, new) = watched(&site, &format!("{apply} {NEW}"), Some(1));
    assert_eq!(code, Some(130), "{said}");
    assert_eq!(new, BTreeSet::from([0, 1]), "{said}");

    // Applied again, it goes on there.
    let (code, said, _) = watched(&site, &format!("{apply} {NEW}"), None);
    assert_eq!(code, Some(0), "{said}");
    site.cluster.wait_until("everything is new", || {
        let pods = pods(&site);
        run_a_pod(&site, &pods, &ORDER);
        pods.len() == 9 && pods.iter().all(|pod| pod.is_new && pod.is_ready)
    });
}

//! Parts of the control plane that are killed, as a crash or the kernel would.

use std::time::Duration;

use crate::e2e::Seen;
use crate::e2e::release::{Release, is_ready, name, restarts};
use crate::e2e::writer::Writer;

/// How long nobody may be able to write after the loss of one part.
const PATIENCE: Duration = Duration::from_secs(15);

/// One member of etcd, one API server and the leading controller manager die in turn, while a client writes.
pub fn killed(release: &mut Release) -> Seen {
    let parts = ["etcd", "kube-apiserver", "kube-controller-manager"];
    let mut seen = Vec::new();
    for part in parts {
        let leader = leader(release);
        let victim = match part {
            "etcd" => format!("{}-0", release.object("etcd")),
            "kube-apiserver" => an_api_server(release),
            _ => leader.split('_').next().unwrap_or_default().to_owned(),
        };
        let writer = Writer::start(release, part);
        kill(release, &victim, part);
        release
            .cluster
            .wait_until(&format!("{victim} is back"), || {
                let pod = release.get(&["pod", &victim]);
                restarts(&pod) > 0 && is_ready(&pod) && release.is_ready()
            });
        if part == "kube-controller-manager" {
            another_leads(release, &leader);
        }
        let written = writer.finish(release);
        let gap = written.gap_below(PATIENCE, part);
        seen.push(format!(
            "{part}: {} writes kept, {gap:.1} s without one",
            written.count()
        ));
    }
    seen.join("; ")
}

/// Kills the process of a container, which its kubelet starts again.
pub fn kill(release: &Release, pod: &str, container: &str) {
    signal(release, pod, container, "SIGKILL");
}

/// Sends a signal to the process of a container.
pub fn signal(release: &Release, pod: &str, container: &str, signal: &str) {
    let pod = release.get(&["pod", pod]);
    let statuses = pod["status"]["containerStatuses"]
        .as_array()
        .expect("it ran");
    let status = statuses.iter().find(|status| status["name"] == container);
    let id = status.expect("the container")["containerID"]
        .as_str()
        .expect("an ID");
    let id = id.trim_start_matches("containerd://");
    let kill = [
        "ctr",
        "--namespace",
        "k8s.io",
        "tasks",
        "kill",
        "--signal",
        signal,
        id,
    ];
    release.cluster.enter("admin", &kill).success();
}

/// One of them.
pub fn an_api_server(release: &Release) -> String {
    api_servers(release).remove(0)
}

/// The names of their pods.
pub fn api_servers(release: &Release) -> Vec<String> {
    let app = release.object("apiserver");
    let pods = release.pods();
    let servers = pods
        .iter()
        .filter(|pod| pod["metadata"]["labels"]["app"] == app.as_str());
    let names: Vec<String> = servers.map(|pod| name(pod).to_owned()).collect();
    assert!(!names.is_empty(), "no API server runs");
    names
}

/// Who leads: a pod's name, and an ID that every process makes anew.
fn leader(release: &Release) -> String {
    let lease = release.child_get(&["lease", "kube-controller-manager", "-n", "kube-system"]);
    let holder = lease["spec"]["holderIdentity"].as_str();
    holder.expect("a holder").to_owned()
}

/// Waits until another process leads and works: it gives a new namespace its service account.
fn another_leads(release: &Release, before: &str) {
    release
        .cluster
        .wait_until("another process leads", || leader(release) != before);
    release
        .child(&["create", "namespace", "after-the-leader"])
        .success();
    let account = ["get", "serviceaccount", "default", "-n", "after-the-leader"];
    release.cluster.wait_until("controllers work", || {
        release.child(&account).status.success()
    });
}

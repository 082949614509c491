//! Versions follow each other one by one, each once the one before it has come to its end.

use crate::apply::site::Site;
use crate::apply::{GENERIC, assert_failed};

const ETCD: &str = "statefulset/kubefarm-kubernetes-etcd";
const SERVER: &str = "kubefarm-kubernetes-apiserver";

#[test]
fn an_unfinished_rollout_is_waited_for() {
    let Some(site) = Site::new("rolling") else {
        return;
    };
    let apply = format!("apply -q {GENERIC}");
    site.run(&format!("{apply} --set kubernetes.version=v1.36.4"))
        .success();
    let server = format!("deployment/{SERVER}");
    // Nothing runs here, so that the second version never takes the first one's place.
    site.cluster.wait_until("the pods are there", || {
        site.get(&server)["status"]["updatedReplicas"] == 2
    });
    site.kubectl(&format!(
        "set image {server} kube-apiserver=registry.k8s.io/kube-apiserver:v1.36.5"
    ))
    .success();
    site.cluster.wait_until("the rollout began", || {
        let status = &site.get(&server)["status"];
        status["observedGeneration"] == 2 && status["updatedReplicas"] != status["replicas"]
    });
    let words = [
        "not all of its pods run the version before it yet",
        "kubectl rollout status",
    ];
    assert_failed(&site.run(&format!("{apply} --force-conflicts")), 1, &words);
}

#[test]
fn what_came_from_3_5_needs_a_snapshot_before_3_7() {
    let Some(site) = Site::new("log") else {
        return;
    };
    let apply = format!("apply -q {GENERIC} --set kubernetes.etcd.image.tag=");
    site.run(&format!("{apply}3.5.35-0")).success();
    site.run(&format!("{apply}3.6.16-0")).success();
    // Nothing runs here: the pods have to be made anew for the rollout to end.
    site.cluster.wait_until("etcd is rolled out", || {
        let status = &site.get(ETCD)["status"];
        let is_done = status["observedGeneration"] == 2 && status["updatedReplicas"] == 3;
        if !is_done {
            site.kubectl(
                "delete pod -l app=kubefarm-kubernetes-etcd --wait=false --grace-period=0",
            )
            .success();
        }
        is_done
    });
    let next = format!("{apply}3.7.0-0");
    let parts = [
        "it came from 3.5: 3.7 panics",
        "snapshot-count: 50",
        "--accept=etcd-old-log",
    ];
    assert_failed(&site.run(&next), 1, &parts);
    let image = || site.get(ETCD)["spec"]["template"]["spec"]["containers"][0]["image"].clone();
    assert_eq!(image(), "registry.k8s.io/etcd:3.6.16-0");
    site.run(&format!("{next} --accept=etcd-old-log")).success();
    assert_eq!(image(), "registry.k8s.io/etcd:3.7.0-0");
    let record = site.get("configmap/kubefarm-farm");
    assert_eq!(record["data"]["etcd-versions"], "3.5.35 3.6.16 3.7.0");
}

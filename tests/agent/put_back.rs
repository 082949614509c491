//! `kubefarm agent put-back`, as the admin pod runs it.

use serde_json::Value;

use crate::agent::bootstrap::{JOB, bootstrapped};
use crate::agent::child::Child;
use crate::agent::process::Agent;

/// What nodes cannot join or work without, and the agent's own rights.
const NEEDED: [&str; 8] = [
    "-n default endpointslice/kubernetes-ipv4",
    "-n kube-system configmap/kubeadm-config",
    "-n kube-system configmap/kubelet-config",
    "-n kube-public configmap/cluster-info",
    "-n kube-system daemonset/kube-proxy",
    "clusterrolebinding/kubeadm:kubelet-bootstrap",
    "clusterrole/kubefarm:agent",
    "clusterrolebinding/kubefarm:agent",
];
const RECORD: &str = "-n kube-system configmap/kubefarm-addons-farm";

fn uid(child: &Child, what: &str) -> Value {
    child.get(what)["metadata"]["uid"].clone()
}

#[track_caller]
fn comes_back(child: &Child, what: &str) {
    let before = uid(child, what);
    child.kubectl(&format!("delete {what}")).success();
    child.cluster.wait_until(&format!("{what} is back"), || {
        child.has(what) && uid(child, what) != before
    });
}

#[test]
fn what_somebody_deletes_or_changes_comes_back() {
    let Some((child, site)) = bootstrapped("kept", "") else {
        return;
    };
    // Before it runs.
    let early = "-n kube-system configmap/coredns";
    child.kubectl(&format!("delete {early}")).success();
    let Some(agent) = Agent::that_puts_back(&site, &child) else {
        return;
    };
    child
        .cluster
        .wait_until("what went before is back", || child.has(early));
    for what in NEEDED {
        comes_back(&child, what);
    }
    // All at once, and the record of what there was.
    let versions = NEEDED.map(|what| uid(&child, what));
    child.kubectl(&format!("delete {RECORD}")).success();
    for what in NEEDED {
        child
            .kubectl(&format!("delete {what} --wait=false"))
            .success();
    }
    child.cluster.wait_until("all is back", || {
        let is_new =
            |(what, before): (&str, &Value)| child.has(what) && uid(&child, what) != *before;
        NEEDED.into_iter().zip(&versions).all(is_new)
    });
    // A change; a role with fewer rights; an object without the label by which it is known.
    let rules = "-p [{\"op\":\"remove\",\"path\":\"/rules/0\"}]";
    let all = child.get("clusterrole/kubefarm:agent")["rules"].clone();
    let patch = format!("patch clusterrole kubefarm:agent --type=json {rules}");
    child.kubectl(&patch).success();
    child.cluster.wait_until("the rights are back", || {
        child.get("clusterrole/kubefarm:agent")["rules"] == all
    });
    let label = "applyset.kubernetes.io/part-of";
    let what = NEEDED[2];
    child.kubectl(&format!("label {what} {label}-")).success();
    child.cluster.wait_until("the label is back", || {
        child.get(what)["metadata"]["labels"][label].is_string()
    });

    let reported = agent.end().stderr;
    for line in [
        "ConfigMap kube-system/coredns was not there; put back",
        "EndpointSlice default/kubernetes-ipv4 was not there; put back",
        "ClusterRole kubefarm:agent was not as it has to be; put right",
    ] {
        assert!(reported.contains(line), "no {line}\n{reported}");
    }
    assert!(!reported.contains("trying again"), "{reported}");
}

/// The Job of other values has been there, and the files of this pod are still the old ones.
#[test]
fn what_was_applied_since_is_left_alone() {
    let Some((child, mut site)) = bootstrapped("outdated", "") else {
        return;
    };
    let Some(old) = Agent::that_puts_back(&site, &child) else {
        return;
    };
    let (proxy, kubelet) = (NEEDED[4], NEEDED[2]);
    comes_back(&child, kubelet);
    site.set("--set kubernetes.kubeProxy.enabled=false");
    let job = site.pod_for(JOB, &child).expect("as before");
    job.run().success();
    child.kubectl(&format!("delete {kubelet}")).success();
    // Longer than it took to put something back.
    std::thread::sleep(std::time::Duration::from_secs(8));
    assert!(!child.has(proxy), "it came back");
    assert!(!child.has(kubelet), "the older version of it is back");
    let reported = old.end().stderr;
    let waits = "something else was applied than this pod's files have";
    assert!(reported.contains(waits), "{reported}");

    let new = Agent::that_puts_back(&site, &child).expect("as before");
    child
        .cluster
        .wait_until("it is back", || child.has(kubelet));
    assert!(!child.has(proxy), "it came back");
    new.end();
}

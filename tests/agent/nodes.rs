//! `kubefarm agent look-after-nodes`, as the agent's Deployment runs it, with the agent's own rights in the child.

use std::process::Child as Process;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::agent::bootstrap::bootstrapped;
use crate::agent::child::Child;
use crate::agent::site::{Pod, Site};
use crate::support::Finished;

const AGENT: &str = "kubefarm-kubernetes-agent";
const VALUES: &str = "-f tests/agent/nodes.yaml -f tests/agent/node-tags.yaml";

/// An agent that runs.
struct Agent {
    process: Option<Process>,
    /// Its files.
    _pod: Pod,
}

impl Agent {
    fn start(site: &Site, child: &Child) -> Option<Agent> {
        let pod = site.pod_of(AGENT, child)?;
        Some(Agent {
            process: Some(pod.start()),
            _pod: pod,
        })
    }

    /// Ends it as the kubelet does; gives what it reported.
    fn end(mut self) -> Finished {
        let process = self.process.take().expect("runs");
        // The program is the one child of what made its namespaces.
        let id = process.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let child = children.expect("runs").trim().parse().expect("one child");
        let child = Pid::from_raw(child).expect("an id");
        kill_process(child, Signal::TERM).expect("a signal");
        process.wait_with_output().expect("an end").into()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // The test has failed: what the agent reported may say why.
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            if let Ok(ended) = process.wait_with_output() {
                eprintln!("{}", String::from_utf8_lossy(&ended.stderr));
            }
        }
    }
}

/// A Node as a kubelet registers it.
fn register(child: &Child, name: &str, labels: &Value, taints: &Value, address: &str) {
    let node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": taints},
    });
    let create = ["create", "--field-manager=kubelet", "-f", "-"];
    let created = child.cluster.kubectl_with_stdin(&create, &node.to_string());
    created.success();
    let addresses = json!({"status": {"addresses": [{"type": "InternalIP", "address": address}]}});
    let patch = format!("patch node {name} --subresource=status --type=merge -p {addresses}");
    child.kubectl(&patch).success();
}

fn labels(child: &Child, name: &str) -> Value {
    child.get(&format!("node/{name}"))["metadata"]["labels"].clone()
}

/// `key=value:effect`
fn taints(child: &Child, name: &str) -> Vec<String> {
    let node = child.get(&format!("node/{name}"));
    let taints = node["spec"]["taints"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let text = |taint: &Value| {
        let text = |key: &str| taint[key].as_str().unwrap_or_default().to_owned();
        format!("{}={}:{}", text("key"), text("value"), text("effect"))
    };
    // What the control plane sets because no kubelet reports.
    let ours = taints.iter().map(text);
    ours.filter(|taint| !taint.starts_with("node.kubernetes.io/"))
        .collect()
}

fn remove_nodes(child: &Child) {
    child.kubectl("delete nodes --all").success();
}

#[test]
fn labels_and_taints_follow_the_values() {
    let Some((child, mut site)) = bootstrapped("nodes", VALUES) else {
        return;
    };
    remove_nodes(&child);
    let gpu = json!([{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}]);
    let registered = json!({"rack": "1", "example.org/site": "a"});
    register(&child, "n1", &registered, &gpu, "10.64.0.1");
    // A machine that is not listed, in the range of a pool, and one of which the values know nothing.
    register(&child, "found", &json!({}), &json!([]), "10.64.8.15");
    register(
        &child,
        "foreign",
        &json!({"rack": "9"}),
        &json!([]),
        "10.64.9.1",
    );
    let Some(agent) = Agent::start(&site, &child) else {
        return;
    };
    child
        .cluster
        .wait_until("the found machine has its labels", || {
            labels(&child, "found") == json!({"disks": "many", "example.org/site": "a"})
        });
    let record = |name: &str| {
        let node = child.get(&format!("node/{name}"));
        node["metadata"]["annotations"]["kubefarm.io/taints"].clone()
    };
    child.cluster.wait_until("n1 is taken over", || {
        record("n1") == "dedicated:NoSchedule"
    });
    // Other controllers set something.
    child.kubectl("label node n1 theirs=x").success();
    child.kubectl("taint node n1 theirs=x:NoExecute").success();

    site.set("-f tests/agent/nodes.yaml -f tests/agent/other-node-tags.yaml");
    site.apply();
    let changed = json!({"example.org/site": "a", "row": "7", "theirs": "x"});
    child.cluster.wait_until("labels follow", || {
        labels(&child, "n1")["row"] == "7" && labels(&child, "n1").get("rack").is_none()
    });
    assert_eq!(labels(&child, "n1"), changed);
    let followed = ["theirs=x:NoExecute", "dedicated=cpu:NoExecute"];
    child
        .cluster
        .wait_until("taints follow", || taints(&child, "n1") == followed);
    let node = child.get("node/n1");
    assert_eq!(node["metadata"]["annotations"]["switch"], "sw7");

    // Somebody changes a label of the farm's, and a Node joins anew with what it booted with.
    child.kubectl("label node n1 row=8 --overwrite").success();
    child
        .cluster
        .wait_until("the value is back", || labels(&child, "n1") == changed);
    child.kubectl("delete node n1").success();
    register(&child, "n1", &json!({"row": "7"}), &json!([]), "10.64.0.1");
    child.cluster.wait_until("the new Node has all", || {
        taints(&child, "n1") == ["dedicated=cpu:NoExecute"]
    });

    // A pool that leaves the values leaves nothing behind of what the agent set.
    site.set("-f tests/agent/nodes.yaml");
    site.apply();
    child.cluster.wait_until("nothing is left of the tags", || {
        labels(&child, "n1") == json!({"example.org/site": "a"}) && taints(&child, "n1").is_empty()
    });
    assert_eq!(record("n1"), Value::Null);

    assert_eq!(labels(&child, "foreign"), json!({"rack": "9"}));
    let ended = agent.end();
    let left_alone = "Node foreign is not in the values of the farm; left alone";
    assert!(ended.stderr.contains(left_alone), "{}", ended.stderr);
    assert!(!ended.stderr.contains("trying again"), "{}", ended.stderr);
    remove_nodes(&child);
}

#[test]
fn of_two_agents_one_works_and_the_other_takes_over() {
    let Some((child, site)) = bootstrapped("two-agents", VALUES) else {
        return;
    };
    remove_nodes(&child);
    let Some(first) = Agent::start(&site, &child) else {
        return;
    };
    let lease = format!("lease/{AGENT}");
    let holder = || {
        let found = site.kubectl(&format!("get -o jsonpath={{.spec.holderIdentity}} {lease}"));
        found.stdout
    };
    child
        .cluster
        .wait_until("the first has the Lease", || !holder().is_empty());
    let Some(second) = Agent::start(&site, &child) else {
        return;
    };
    register(&child, "n1", &json!({}), &json!([]), "10.64.0.1");
    child
        .cluster
        .wait_until("the first works", || labels(&child, "n1")["rack"] == "1");
    let ended = first.end();
    assert!(ended.stderr.contains("Node n1: "), "{}", ended.stderr);
    child.kubectl("label node n1 rack=2 --overwrite").success();
    child
        .cluster
        .wait_until("the second works", || labels(&child, "n1")["rack"] == "1");
    let ended = second.end();
    assert!(
        ended.stderr.contains("is working on this farm"),
        "{}",
        ended.stderr
    );
    remove_nodes(&child);
}

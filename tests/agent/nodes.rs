//! `kubefarm agent look-after-nodes`, as the agent's Deployment runs it, with the agent's own rights in the child.

use serde_json::{Value, json};

use crate::agent::bootstrap::bootstrapped;
use crate::agent::child::{AGENT, Child};
use crate::agent::process::Agent;

const VALUES: &str = "-f tests/agent/nodes.yaml -f tests/agent/node-tags.yaml";

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

/// The child refuses a change for good, with the code of one that came too late: it is reported, and made once it may be.
#[test]
fn a_change_that_the_child_refuses_is_reported() {
    let Some((child, site)) = bootstrapped("refusing", VALUES) else {
        return;
    };
    remove_nodes(&child);
    register(&child, "n1", &json!({}), &json!([]), "10.64.0.1");
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "kept-bare"},
        "spec": {
            "matchConstraints": {"resourceRules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["nodes"],
            }]},
            "validations": [{"expression": "!has(object.metadata.labels)", "message": "no labels here"}],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "kept-bare"},
        "spec": {"policyName": "kept-bare", "validationActions": ["Deny"]},
    });
    for object in [policy, binding] {
        let created = child
            .cluster
            .kubectl_with_stdin(&["create", "-f", "-"], &object.to_string());
        created.success();
    }
    child.cluster.wait_until("the policy holds", || {
        let tried = child.kubectl("label node n1 a=b --dry-run=server");
        tried.stderr.contains("no labels here")
    });
    let Some(agent) = Agent::start(&site, &child) else {
        return;
    };
    // Longer than between two attempts.
    std::thread::sleep(std::time::Duration::from_secs(8));
    child
        .kubectl("delete validatingadmissionpolicybinding,validatingadmissionpolicy kept-bare")
        .success();
    child
        .cluster
        .wait_until("the labels follow", || labels(&child, "n1")["rack"] == "1");
    let reported = agent.end().stderr;
    assert!(
        reported.contains("no labels here") && reported.contains("trying again"),
        "{reported}"
    );
}

/// A Node that the values do not have is drained and removed; a budget is respected; listed Nodes are left alone.
#[test]
fn nodes_that_left_the_values_are_drained_and_removed() {
    let values = format!("{VALUES} --set kubernetes.agent.removeNodes=true");
    let Some((child, site)) = bootstrapped("removal", &values) else {
        return;
    };
    remove_nodes(&child);
    register(&child, "n1", &json!({}), &json!([]), "10.64.0.1");
    register(&child, "gone", &json!({}), &json!([]), "10.64.9.1");
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "kept", "namespace": "default", "labels": {"app": "kept"}},
        "spec": {
            "nodeName": "gone", "tolerations": [{"operator": "Exists"}], "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "a", "image": "a"}],
        },
    });
    let budget = json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": "kept", "namespace": "default"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "kept"}}},
    });
    for object in [pod, budget] {
        let created = child
            .cluster
            .kubectl_with_stdin(&["create", "-f", "-"], &object.to_string());
        created.success();
    }
    let running = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
    child
        .kubectl(&format!(
            "patch pod kept --subresource=status --type=merge -p {running}"
        ))
        .success();
    child.cluster.wait_until("the budget knows its pod", || {
        child.get("poddisruptionbudget/kept")["status"]["currentHealthy"] == 1
    });
    let Some(agent) = Agent::start(&site, &child) else {
        return;
    };
    child.cluster.wait_until("no more pods come", || {
        child.get("node/gone")["spec"]["unschedulable"] == true
    });
    std::thread::sleep(std::time::Duration::from_secs(7));
    assert!(child.has("pod/kept"), "its budget was not respected");
    child.kubectl("delete poddisruptionbudget kept").success();
    child
        .cluster
        .wait_until("the Node is gone", || !child.has("node/gone"));
    assert!(!child.has("pod/kept"));
    let listed = child.get("node/n1");
    assert_eq!(listed["spec"]["unschedulable"], Value::Null);
    let reported = agent.end().stderr;
    for line in [
        "Node gone is not in the values of the farm; it will be drained and removed",
        "Node gone: waiting for default/kept to go",
        "Node gone: removed, since the values do not have it",
    ] {
        assert!(reported.contains(line), "{reported}");
    }
}

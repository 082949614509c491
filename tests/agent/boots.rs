//! How far machines are, as the agent knows it without the logs of servers: how they join, and what becomes of their Nodes.

use std::process::Command;

use serde_json::{Value, json};

use crate::agent::asker::Asker;
use crate::agent::child::Child;
use crate::agent::join_service::{VALUES, answering};
use crate::agent::process::Agent;
use crate::support::run;

fn ask(agent: &Agent, path: &str) -> String {
    let mut curl = Command::new("curl");
    curl.args(["-sSf", &format!("http://127.0.0.1:{}{path}", agent.metrics)]);
    run(&mut curl).success()
}

fn machines(agent: &Agent, since: u64) -> (u64, Vec<Value>) {
    let text = ask(agent, &format!("/v1/machines?since={since}"));
    let seen: Value = serde_json::from_str(&text).expect("JSON");
    let machines = seen["machines"].as_array().cloned();
    (
        seen["revision"].as_u64().expect("a number"),
        machines.expect("a list"),
    )
}

fn machine(agent: &Agent, name: &str) -> Value {
    let (_, machines) = machines(agent, 0);
    let found = machines.into_iter().find(|machine| machine["name"] == name);
    found.unwrap_or(Value::Null)
}

fn wait_for(child: &Child, agent: &Agent, name: &str, stage: &str) -> Value {
    let what = format!("{name} is in the stage {stage}");
    child
        .cluster
        .wait_until(&what, || machine(agent, name)["stage"] == stage);
    machine(agent, name)
}

/// A Node, as its kubelet reports it, a day ago or now.
fn report(child: &Child, name: &str, ready: &str, time: &str) {
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}});
    let apply = ["apply", "--server-side", "-f", "-"];
    child
        .cluster
        .kubectl_with_stdin(&apply, &node.to_string())
        .success();
    let condition = json!({"type": "Ready", "status": ready, "reason": "Test", "message": "the disk is full",
        "lastHeartbeatTime": time, "lastTransitionTime": time});
    let status = json!({"status": {"conditions": [condition], "nodeInfo": {
        "machineID": "", "systemUUID": "", "bootID": "", "kernelVersion": "", "osImage": "",
        "containerRuntimeVersion": "", "kubeletVersion": "v1.37.0", "kubeProxyVersion": "",
        "operatingSystem": "linux", "architecture": "amd64"}}});
    let patch = format!("patch node {name} --subresource=status --type=merge -p");
    let mut words: Vec<&str> = patch.split(' ').collect();
    let status = status.to_string();
    words.push(&status);
    child.cluster.kubectl_with_stdin(&words, "").success();
}

fn now() -> String {
    let mut date = Command::new("date");
    run(date.args(["-u", "+%Y-%m-%dT%H:%M:%SZ"]))
        .success()
        .trim()
        .to_owned()
}

#[test]
fn machines_are_known_by_how_they_join_and_by_their_nodes() {
    let Some((child, _site, agent)) = answering("boots", VALUES) else {
        return;
    };
    let here = Asker::new(&agent, &child, "127.0.10.1");
    // Whoever asks in the name of a machine that is not the farm's is not remembered.
    here.ask_for("stranger", "02:00:00:00:00:01")
        .is_refused(403, "");
    assert!(machine(&agent, "stranger").is_null());

    here.ask_for("n1", "02:00:00:00:00:02")
        .is_refused(403, "none of the MACs");
    let refused = machine(&agent, "n1");
    assert_eq!(refused["stage"], "join");
    let fault = refused["fault"].as_str().expect("a reason");
    assert!(fault.contains("none of the MACs of n1"), "{fault}");
    let granted = here.ask_for("n1", "02:00:00:00:00:01");
    assert_eq!(granted.status, 200, "{}", granted.text);
    let (revision, _) = machines(&agent, 0);
    let joining = machine(&agent, "n1");
    assert_eq!(
        (&joining["stage"], &joining["fault"]),
        (&json!("join"), &Value::Null)
    );
    assert_eq!(joining["address"], "127.0.10.1");

    // Ready since yesterday: its kubelet was back before anybody noticed that it was gone.
    report(&child, "n1", "True", &now());
    let ready = wait_for(&child, &agent, "n1", "ready");
    assert_eq!(ready["version"], "v1.37.0");
    // Only what changed since then.
    let (_, changed) = machines(&agent, revision);
    let names: Vec<_> = changed
        .iter()
        .map(|machine| machine["name"].as_str())
        .collect();
    assert_eq!(names, [Some("n1")]);

    report(&child, "n1", "False", &now());
    let not_ready = wait_for(&child, &agent, "n1", "not-ready");
    let last = not_ready["steps"].as_array().and_then(|steps| steps.last());
    assert_eq!(
        last.expect("a step")["text"],
        "is not Ready: the disk is full"
    );
    // Nobody can say of a machine that has joined that it does not go on.
    here.ask_for("n1", "02:00:00:00:00:02").is_refused(403, "");
    assert_eq!(machine(&agent, "n1")["fault"], Value::Null);

    let metrics = ask(&agent, "/metrics");
    for line in [
        "kubefarm_machines{stage=\"not-ready\"} 1",
        "kubefarm_machines{stage=\"ready\"} 0",
        "kubefarm_machines_stopped{stage=\"join\"} 0",
        "kubefarm_join_requests_total{outcome=\"granted\"} 1",
        "kubefarm_join_requests_total{outcome=\"refused\"} 3",
        "kubefarm_boot_duration_seconds_count 0",
        "# EOF",
    ] {
        assert!(metrics.contains(line), "{line}:\n{metrics}");
    }
    let ended = agent.end();
    let said = &ended.stderr;
    for part in [
        "n1: stopped at join: may not join",
        "n1: ready: is Ready",
        "n1: not-ready: is not Ready",
    ] {
        assert!(said.contains(part), "{part}:\n{said}");
    }
}

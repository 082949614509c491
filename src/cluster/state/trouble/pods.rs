//! What is wrong with pods, and with their containers.

use serde_json::{Map, Value as Json};

use crate::cluster::state::readiness::{condition, with_message};
use crate::manifest::json::{text_at, value_at};

/// What is wrong with the pods that are not ready: `pod etcd-0 and 2 more: container etcd: ImagePullBackOff: …`.
/// Pods with the same trouble share a line; the most common trouble comes first.
pub(super) fn lines(pods: &[Map<String, Json>]) -> Vec<String> {
    let mut troubles: Vec<(String, Vec<&str>)> = Vec::new();
    for pod in pods.iter().filter(|pod| !is_well(pod)) {
        let name = text_at(pod, &["metadata", "name"]);
        for trouble in troubles_of(pod) {
            match troubles.iter_mut().find(|(known, _)| *known == trouble) {
                Some((_, names)) => names.push(name),
                None => troubles.push((trouble, vec![name])),
            }
        }
    }
    troubles.sort_by_key(|(_, names)| std::cmp::Reverse(names.len()));
    let lines = troubles.iter().map(|(trouble, names)| {
        let first = names.first().copied().unwrap_or_default();
        match names.len().saturating_sub(1) {
            0 => format!("pod {first}: {trouble}"),
            more => format!("pod {first} and {more} more: {trouble}"),
        }
    });
    lines.collect()
}

fn is_well(pod: &Map<String, Json>) -> bool {
    let is_ready = condition(pod, "Ready").is_some_and(|ready| ready.is_true());
    is_ready || text_at(pod, &["status", "phase"]) == "Succeeded"
}

fn troubles_of(pod: &Map<String, Json>) -> Vec<String> {
    if !text_at(pod, &["metadata", "deletionTimestamp"]).is_empty() {
        return vec!["is being deleted".to_owned()];
    }
    let mut troubles = Vec::new();
    if let Some(scheduled) = condition(pod, "PodScheduled")
        && scheduled.status == "False"
    {
        troubles.push(scheduled.why());
    }
    // `Evicted`, `DeadlineExceeded`
    let reason = text_at(pod, &["status", "reason"]);
    if !reason.is_empty() {
        troubles.push(with_message(reason, text_at(pod, &["status", "message"])));
    }
    for statuses in ["initContainerStatuses", "containerStatuses"] {
        let statuses = value_at(pod, &["status", statuses]).and_then(Json::as_array);
        let statuses = statuses.into_iter().flatten().filter_map(Json::as_object);
        troubles.extend(statuses.filter_map(container));
    }
    if troubles.is_empty() && text_at(pod, &["status", "phase"]) == "Pending" {
        troubles.push(match text_at(pod, &["spec", "nodeName"]) {
            "" => "no scheduler has looked at it".to_owned(),
            node => format!("node {node} has not started it"),
        });
    }
    troubles
}

/// `container etcd: CrashLoopBackOff, exit code 1 (Error): cannot open /data`
fn container(status: &Map<String, Json>) -> Option<String> {
    let object = |path: &[&str]| value_at(status, path).and_then(Json::as_object);
    let last = object(&["lastState", "terminated"]).map(ended);
    let trouble = if let Some(waiting) = object(&["state", "waiting"]) {
        match (text_at(waiting, &["reason"]), last) {
            // The init containers show why.
            ("PodInitializing", _) => return None,
            // Its message says no more than its name.
            (reason @ "CrashLoopBackOff", Some(last)) => format!("{reason}, {last}"),
            (reason, _) => with_message(reason, text_at(waiting, &["message"])),
        }
    } else if let Some(terminated) = object(&["state", "terminated"]) {
        if exit_code(terminated) == 0 {
            return None;
        }
        ended(terminated)
    } else if status.get("ready").and_then(Json::as_bool) == Some(true) {
        return None;
    } else {
        let restarts = status.get("restartCount").and_then(Json::as_u64);
        match (restarts.unwrap_or(0), last) {
            (0, _) | (_, None) => "runs, but is not ready".to_owned(),
            (restarts, Some(last)) => {
                format!("runs, but is not ready; restarted {restarts} times, the last {last}")
            }
        }
    };
    Some(format!(
        "container {}: {trouble}",
        text_at(status, &["name"])
    ))
}

fn exit_code(terminated: &Map<String, Json>) -> i64 {
    let code = terminated.get("exitCode").and_then(Json::as_i64);
    code.unwrap_or(0)
}

/// `exit code 137 (OOMKilled)`, with the message that the container left.
fn ended(terminated: &Map<String, Json>) -> String {
    let code = exit_code(terminated);
    let text = match text_at(terminated, &["reason"]) {
        "" => format!("exit code {code}"),
        reason => format!("exit code {code} ({reason})"),
    };
    with_message(&text, text_at(terminated, &["message"]))
}

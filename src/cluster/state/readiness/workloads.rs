//! The rules for everything that runs pods, and for pods.

use serde_json::{Map, Value as Json};

use super::condition::{Readiness, condition, number_at, unseen, with_message};
use crate::manifest::json::{text_at, value_at};

/// A Deployment without a deadline has this one (`HasProgressDeadline` in the deployment controller).
const NO_DEADLINE: i64 = i32::MAX as i64;

/// The first of some counts that is below what is wanted: `has 1 of 3 replicas ready`.
fn short_of(wanted: i64, counts: &[(i64, &str)]) -> Option<Readiness> {
    let (count, what) = counts.iter().find(|(count, _)| *count < wanted)?;
    let reason = format!("has {count} of {wanted} replicas {what}");
    Some(Readiness::Waiting(reason))
}

fn too_many(replicas: i64, wanted: i64) -> Option<Readiness> {
    let surplus = replicas - wanted;
    (surplus > 0)
        .then(|| Readiness::Waiting(format!("has replicas left that are to end: {surplus}")))
}

/// Replicas that are asked for; 1 where nothing is, as the API server would fill in.
fn wanted_replicas(object: &Map<String, Json>) -> i64 {
    number_at(object, &["spec", "replicas"]).unwrap_or(1)
}

/// A count in the status; counts of zero are left out of it.
fn count(object: &Map<String, Json>, field: &str) -> i64 {
    number_at(object, &["status", field]).unwrap_or(0)
}

fn was_seen(object: &Map<String, Json>) -> bool {
    value_at(object, &["status", "observedGeneration"]).is_some()
}

pub(super) fn deployment(object: &Map<String, Json>) -> Readiness {
    let progressing = condition(object, "Progressing");
    if let Some(progress) = &progressing
        && progress.reason == "ProgressDeadlineExceeded"
    {
        let reason = format!("makes no progress: {}", progress.why());
        return Readiness::Failed(reason);
    }
    if !was_seen(object) {
        return unseen();
    }
    let wanted = wanted_replicas(object);
    let (replicas, updated) = (count(object, "replicas"), count(object, "updatedReplicas"));
    let ready = [
        (count(object, "readyReplicas"), "ready"),
        (count(object, "availableReplicas"), "available"),
    ];
    let behind = short_of(wanted, &[(replicas, "started"), (updated, "updated")])
        .or_else(|| too_many(replicas, wanted))
        .or_else(|| short_of(wanted, &ready));
    if let Some(behind) = behind {
        return behind;
    }
    let deadline = number_at(object, &["spec", "progressDeadlineSeconds"]).unwrap_or(NO_DEADLINE);
    let rolled_out = progressing
        .is_some_and(|progress| progress.is_true() && progress.reason == "NewReplicaSetAvailable");
    if deadline != NO_DEADLINE && !rolled_out {
        return Readiness::waiting("has a new ReplicaSet that is not available");
    }
    match condition(object, "Available") {
        Some(available) if available.is_true() => Readiness::Ready,
        _ => Readiness::waiting("is not available"),
    }
}

pub(super) fn stateful_set(object: &Map<String, Json>) -> Readiness {
    if !was_seen(object) {
        return unseen();
    }
    let wanted = wanted_replicas(object);
    let replicas = count(object, "replicas");
    let ready = count(object, "readyReplicas");
    let behind = short_of(wanted, &[(replicas, "started"), (ready, "ready")])
        .or_else(|| too_many(replicas, wanted));
    if let Some(behind) = behind {
        return behind;
    }
    if text_at(object, &["spec", "updateStrategy", "type"]) == "OnDelete" {
        // Pods are updated only when they are deleted, which is not required.
        return Readiness::Ready;
    }
    let partition = ["spec", "updateStrategy", "rollingUpdate", "partition"];
    let partition = number_at(object, &partition).unwrap_or(0);
    let to_update = (wanted - partition).max(0);
    if let Some(behind) = short_of(to_update, &[(count(object, "updatedReplicas"), "updated")]) {
        return behind;
    }
    let current = text_at(object, &["status", "currentRevision"]);
    let update = text_at(object, &["status", "updateRevision"]);
    if partition == 0 && current != update {
        Readiness::waiting("has not completed its update")
    } else {
        Readiness::Ready
    }
}

pub(super) fn daemon_set(object: &Map<String, Json>) -> Readiness {
    let wanted = number_at(object, &["status", "desiredNumberScheduled"]);
    let Some(wanted) = wanted.filter(|_| was_seen(object)) else {
        return unseen();
    };
    let on_delete = text_at(object, &["spec", "updateStrategy", "type"]) == "OnDelete";
    let updated = if on_delete {
        wanted
    } else {
        count(object, "updatedNumberScheduled")
    };
    let counts = [
        (count(object, "currentNumberScheduled"), "started"),
        (updated, "updated"),
        (count(object, "numberReady"), "ready"),
        (count(object, "numberAvailable"), "available"),
    ];
    short_of(wanted, &counts).unwrap_or(Readiness::Ready)
}

pub(super) fn replica_set(object: &Map<String, Json>) -> Readiness {
    if !was_seen(object) {
        return unseen();
    }
    if let Some(failure) = condition(object, "ReplicaFailure")
        && failure.is_true()
    {
        return Readiness::Waiting(format!("cannot make its pods: {}", failure.why()));
    }
    let wanted = wanted_replicas(object);
    let counts = [
        (count(object, "fullyLabeledReplicas"), "labelled"),
        (count(object, "readyReplicas"), "ready"),
        (count(object, "availableReplicas"), "available"),
    ];
    short_of(wanted, &counts)
        .or_else(|| too_many(count(object, "replicas"), wanted))
        .unwrap_or(Readiness::Ready)
}

/// Complete, failed, or running. A suspended Job counts as ready until it is resumed.
pub(super) fn job(object: &Map<String, Json>) -> Readiness {
    let is = |kind| condition(object, kind).filter(|condition| condition.is_true());
    if is("Complete").is_some() {
        return Readiness::Ready;
    }
    if let Some(failed) = is("Failed") {
        return Readiness::Failed(with_message("failed", &failed.why()));
    }
    if value_at(object, &["spec", "suspend"]).and_then(Json::as_bool) == Some(true) {
        return Readiness::Ready;
    }
    if text_at(object, &["status", "startTime"]).is_empty() {
        return Readiness::waiting("has not started");
    }
    let parallelism = number_at(object, &["spec", "parallelism"]).unwrap_or(1);
    let completions = number_at(object, &["spec", "completions"]).unwrap_or(parallelism);
    Readiness::Waiting(format!(
        "has {} of {completions} completions (pods: {} active, {} failed)",
        count(object, "succeeded"),
        count(object, "active"),
        count(object, "failed"),
    ))
}

pub(super) fn pod(object: &Map<String, Json>) -> Readiness {
    let phase = text_at(object, &["status", "phase"]);
    let is_ready = condition(object, "Ready").is_some_and(|ready| ready.is_true());
    match phase {
        "Succeeded" => Readiness::Ready,
        "Running" if is_ready => Readiness::Ready,
        "Failed" => {
            let reason = text_at(object, &["status", "reason"]);
            let why = with_message(reason, text_at(object, &["status", "message"]));
            Readiness::Failed(with_message("failed", &why))
        }
        "Running" => match crashing(object) {
            names if names.is_empty() => Readiness::waiting("runs, but is not ready"),
            names => Readiness::Failed(format!("has crashing containers: {}", names.join(", "))),
        },
        _ => match condition(object, "PodScheduled") {
            Some(scheduled) if scheduled.status == "False" => {
                Readiness::Waiting(with_message("is not scheduled", &scheduled.why()))
            }
            _ => Readiness::waiting("has not started"),
        },
    }
}

fn crashing(object: &Map<String, Json>) -> Vec<&str> {
    let statuses = value_at(object, &["status", "containerStatuses"]).and_then(Json::as_array);
    statuses
        .into_iter()
        .flatten()
        .filter_map(Json::as_object)
        .filter(|status| text_at(status, &["state", "waiting", "reason"]) == "CrashLoopBackOff")
        .map(|status| text_at(status, &["name"]))
        .collect()
}

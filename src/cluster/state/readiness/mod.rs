//! Whether an object is what its spec asks for, decided by nothing but the object itself.
//!
//! The rules are those of kstatus (`sigs.k8s.io/cli-utils`, `pkg/kstatus`), and stricter where applying a farm
//! needs it: a Job is ready when it is complete, not while it runs; a Service of type LoadBalancer when it has an
//! address; a Pod that ended in failure never is; kinds whose controllers always write a condition are not ready
//! before they did. Reasons are predicates of the object: `has 1 of 3 replicas ready`.

mod condition;
#[cfg(test)]
mod tests;
mod workloads;

use serde_json::{Map, Value as Json};

use crate::manifest::group;
use crate::manifest::json::{text_at, value_at};
use condition::{Condition, generation, unseen};

pub use condition::Readiness;
pub(super) use condition::{condition, with_message};

/// How ready an object is, as the cluster returned it, with its status.
///
/// A PersistentVolumeClaim that is `Pending` waits here, though its StorageClass may bind it only once a pod uses
/// it: [`super::judge::Judge`] knows.
pub fn readiness(object: &Map<String, Json>) -> Readiness {
    if let Some(decided) = by_generic_fields(object) {
        return decided;
    }
    let kind = text_at(object, &["kind"]);
    match (group(object), kind) {
        ("apps", "Deployment") => workloads::deployment(object),
        ("apps", "StatefulSet") => workloads::stateful_set(object),
        ("apps", "DaemonSet") => workloads::daemon_set(object),
        ("apps", "ReplicaSet") => workloads::replica_set(object),
        ("batch", "Job") => workloads::job(object),
        ("", "Pod") => workloads::pod(object),
        ("", "PersistentVolumeClaim") => claim(object),
        ("", "Service") => service(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(object),
        ("apiregistration.k8s.io", "APIService") => by_condition(object, "Available"),
        ("cert-manager.io", "Certificate" | "CertificateRequest" | "ClusterIssuer" | "Issuer") => {
            by_condition(object, "Ready")
        }
        _ => ["Ready", "Available"]
            .into_iter()
            .find(|kind| condition(object, kind).is_some())
            .map_or(Readiness::Ready, |kind| by_condition(object, kind)),
    }
}

/// What fields that every kind may have say: being deleted, a change that the controller has not seen, and the
/// conditions `Stalled` and `Reconciling`.
fn by_generic_fields(object: &Map<String, Json>) -> Option<Readiness> {
    if !text_at(object, &["metadata", "deletionTimestamp"]).is_empty() {
        return Some(Readiness::waiting("is being deleted"));
    }
    let observed = value_at(object, &["status", "observedGeneration"]).and_then(Json::as_i64);
    if observed.is_some_and(|observed| observed < generation(object)) {
        return Some(unseen());
    }
    if let Some(stalled) = condition(object, "Stalled").filter(Condition::is_true) {
        return Some(Readiness::failed(format!("is stalled: {}", stalled.why())));
    }
    let reconciling = condition(object, "Reconciling").filter(Condition::is_true)?;
    let reason = format!("is being reconciled: {}", reconciling.why());
    Some(Readiness::waiting(reason))
}

/// Ready when a condition that the kind's controller always writes is `True`, of the newest generation.
fn by_condition(object: &Map<String, Json>, kind: &str) -> Readiness {
    match condition(object, kind) {
        None => unseen(),
        Some(found) if found.generation.is_some_and(|of| of < generation(object)) => unseen(),
        Some(found) if found.is_true() => Readiness::Ready,
        Some(found) => {
            let state = kind.to_lowercase();
            Readiness::waiting(with_message(&format!("is not {state}"), &found.why()))
        }
    }
}

fn claim(object: &Map<String, Json>) -> Readiness {
    match text_at(object, &["status", "phase"]) {
        "Bound" => Readiness::Ready,
        "Lost" => Readiness::failed("has lost its volume"),
        _ if text_at(object, &["spec", "storageClassName"]).is_empty() => {
            Readiness::waiting("is bound to no volume, and has no storage class")
        }
        _ => Readiness::waiting("is bound to no volume"),
    }
}

fn service(object: &Map<String, Json>) -> Readiness {
    let addresses = value_at(object, &["status", "loadBalancer", "ingress"]);
    let has_address = addresses
        .and_then(Json::as_array)
        .is_some_and(|list| !list.is_empty());
    if text_at(object, &["spec", "type"]) == "LoadBalancer" && !has_address {
        Readiness::waiting("has no address from a load balancer")
    } else {
        Readiness::Ready
    }
}

fn definition(object: &Map<String, Json>) -> Readiness {
    if let Some(names) = condition(object, "NamesAccepted").filter(|names| names.status == "False")
    {
        return Readiness::failed(format!("has names that are taken: {}", names.why()));
    }
    match condition(object, "Established") {
        Some(established) if established.is_true() => Readiness::Ready,
        // `Installing` is the reason for a moment after every creation.
        Some(other) if other.status == "False" && other.reason != "Installing" => {
            Readiness::failed(format!("is not established: {}", other.why()))
        }
        _ => Readiness::waiting("is not established"),
    }
}

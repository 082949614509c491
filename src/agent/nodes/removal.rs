//! Nodes whose machines left the values: drained, and then removed. As `kubectl drain` does it, pods of DaemonSets and
//! static pods stay, and budgets are respected (kubernetes.io/docs/tasks/administer-cluster/safely-drain-node).

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, NodeSpec, Pod};
use kube::api::{DeleteParams, EvictParams, ListParams, Patch, PatchParams, Preconditions};
use kube::{Api, Client, ResourceExt as _};
use serde_json::json;
use tokio::time::Instant;

use crate::agent::farm_agent::{MANAGER, ready};

/// How long the values have to lack a Node before anything is done about it: while a farm is applied, its objects are
/// not all of one version.
const SETTLED: Duration = Duration::from_secs(30);
/// The reason of a Node's condition once its machine said goodbye.
const GOODBYE: &str = "NodeShutdown";
/// The annotation of static pods.
const MIRROR: &str = "kubernetes.io/config.mirror";

/// Nodes that the values do not have.
#[derive(Debug, Default)]
pub(super) struct Leaving {
    /// Since when, by name.
    since: BTreeMap<String, Instant>,
}

/// What became of a Node in one step.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Removed,
    /// Its pods that are still there: `namespace/name`.
    Waiting(Vec<String>),
}

impl Leaving {
    /// Whether it is not known yet that the values do not have it.
    pub fn add(&mut self, name: &str, now: Instant) -> bool {
        let is_new = !self.since.contains_key(name);
        if is_new {
            self.since.insert(name.to_owned(), now);
        }
        is_new
    }

    pub fn remove(&mut self, name: &str) {
        self.since.remove(name);
    }

    pub fn is_empty(&self) -> bool {
        self.since.is_empty()
    }

    /// The Node to remove next: one at a time, so that whoever made a mistake in the values notices before all are gone.
    pub fn next(&self, now: Instant) -> Option<&str> {
        let settled = self
            .since
            .iter()
            .find(|(_, since)| now.duration_since(**since) >= SETTLED);
        settled.map(|(name, _)| name.as_str())
    }
}

/// Does what can be done now: no more pods come, those that are there are asked to go, and once they are gone, or the
/// machine said that it is, the Node goes.
///
/// # Errors
/// The cluster's refusal.
pub(super) async fn step(client: &Client, name: &str) -> Result<Step, kube::Error> {
    let nodes: Api<Node> = Api::all(client.clone());
    let Some(node) = nodes.get_opt(name).await? else {
        return Ok(Step::Removed);
    };
    if !said_goodbye(&node) {
        let left = drain(client, &nodes, &node).await?;
        if !left.is_empty() {
            return Ok(Step::Waiting(left));
        }
    }
    let only = DeleteParams::default().preconditions(Preconditions {
        uid: node.uid(),
        resource_version: None,
    });
    nodes.delete(name, &only).await?;
    Ok(Step::Removed)
}

/// Asks pods to go; gives those that are still there.
async fn drain(
    client: &Client,
    nodes: &Api<Node>,
    node: &Node,
) -> Result<Vec<String>, kube::Error> {
    let name = node.name_any();
    let takes_pods = |spec: &NodeSpec| spec.unschedulable != Some(true);
    if node.spec.as_ref().is_none_or(takes_pods) {
        let params = PatchParams {
            field_manager: Some(MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let cordon = Patch::Merge(json!({"spec": {"unschedulable": true}}));
        nodes.patch(&name, &params, &cordon).await?;
    }
    let pods: Api<Pod> = Api::all(client.clone());
    let on_it = ListParams::default().fields(&format!("spec.nodeName={name}"));
    let mut left = Vec::new();
    for pod in pods
        .list(&on_it)
        .await?
        .items
        .iter()
        .filter(|pod| has_to_go(pod))
    {
        let (namespace, name) = (pod.namespace().unwrap_or_default(), pod.name_any());
        let here: Api<Pod> = Api::namespaced(client.clone(), &namespace);
        if pod.metadata.deletion_timestamp.is_none() {
            match here.evict(&name, &EvictParams::default()).await {
                Ok(_) => {}
                // A budget does not allow it now; or it has gone.
                Err(kube::Error::Api(status)) if matches!(status.code, 404 | 429) => {}
                Err(error) => return Err(error),
            }
        }
        left.push(format!("{namespace}/{name}"));
    }
    Ok(left)
}

/// Whether a drain moves a pod.
fn has_to_go(pod: &Pod) -> bool {
    let phase = pod
        .status
        .as_ref()
        .and_then(|status| status.phase.as_deref());
    let is_over = matches!(phase, Some("Succeeded" | "Failed"));
    let is_static = pod.annotations().contains_key(MIRROR);
    let mut owners = pod.owner_references().iter();
    !is_over && !is_static && !owners.any(|owner| owner.kind == "DaemonSet")
}

/// Whether the machine reported its own shutdown; nothing runs on it any more.
fn said_goodbye(node: &Node) -> bool {
    ready(node)
        .is_some_and(|ready| ready.status == "Unknown" && ready.reason.as_deref() == Some(GOODBYE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_node_goes_at_a_time_and_none_at_once() {
        let start = Instant::now();
        let mut leaving = Leaving::default();
        assert!(leaving.add("b", start));
        assert!(!leaving.add("b", start + SETTLED));
        assert!(leaving.add("a", start + SETTLED / 2));
        assert_eq!(leaving.next(start + SETTLED / 2), None);
        assert_eq!(leaving.next(start + SETTLED), Some("b"));
        // It is in the values again.
        leaving.remove("b");
        assert_eq!(leaving.next(start + SETTLED), None);
        assert_eq!(leaving.next(start + SETTLED * 2), Some("a"));
    }

    #[test]
    fn a_drain_leaves_pods_of_daemon_sets_static_and_finished_ones() {
        let pod = |text: serde_json::Value| -> Pod { serde_json::from_value(text).unwrap() };
        let owned = |kind: &str| {
            let owner = json!({"apiVersion": "apps/v1", "kind": kind, "name": "a", "uid": "a"});
            pod(json!({"metadata": {"ownerReferences": [owner]}}))
        };
        assert!(has_to_go(&owned("ReplicaSet")));
        assert!(has_to_go(&pod(
            json!({"metadata": {}, "status": {"phase": "Running"}})
        )));
        assert!(!has_to_go(&owned("DaemonSet")));
        assert!(!has_to_go(&pod(
            json!({"metadata": {"annotations": {(MIRROR): "x"}}})
        )));
        assert!(!has_to_go(&pod(
            json!({"metadata": {}, "status": {"phase": "Failed"}})
        )));
    }
}

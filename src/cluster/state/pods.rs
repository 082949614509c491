//! Pods of a farm, as far as they are found and connected with.

use serde_json::{Map, Value as Json};

use crate::cluster::client::{Api, ClusterError, Detail, Resource};
use crate::manifest::json::{text_at, value_at};

/// The pods with a label `app`.
pub(super) async fn pods(
    api: &Api,
    namespace: &str,
    app: &str,
) -> Result<Vec<Map<String, Json>>, ClusterError> {
    let pods = Resource::core("Pod", "pods");
    let selector = format!("app={app}");
    api.list(&pods, Some(namespace), &selector, Detail::Whole)
        .await
}

pub(super) fn is_running(pod: &Map<String, Json>) -> bool {
    let is_leaving = value_at(pod, &["metadata", "deletionTimestamp"]).is_some();
    text_at(pod, &["status", "phase"]) == "Running" && !is_leaving
}

/// The number of a port that has a name.
pub(super) fn port(pod: &Map<String, Json>, name: &str) -> Option<u16> {
    let containers = value_at(pod, &["spec", "containers"])?.as_array()?;
    let ports = containers
        .iter()
        .filter_map(|container| container.get("ports")?.as_array());
    let mut ports = ports.flatten();
    let found = ports.find(|port| port.get("name").and_then(Json::as_str) == Some(name))?;
    u16::try_from(found.get("containerPort")?.as_u64()?).ok()
}

/// The same; a pod without it cannot be reached.
///
/// # Errors
/// Where it has none of the name.
pub(super) fn port_called(pod: &Map<String, Json>, name: &str) -> Result<u16, ClusterError> {
    port(pod, name).ok_or_else(|| ClusterError::Unreachable {
        server: format!("pod {}", text_at(pod, &["metadata", "name"])),
        reason: format!("it has no port called {name}"),
    })
}

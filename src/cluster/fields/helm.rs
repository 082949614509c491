//! Objects that a Helm release owns, and taking them over.

use serde_json::{Map, Value as Json, json};

use super::managed_fields::{moved, owners_besides};
use crate::cluster::client::{Api, ClusterError, FIELD_MANAGER, Resource};
use crate::manifest::Key;
use crate::manifest::json::{text_at, value_at};

/// Helm's field manager; Helm 3 patches as it too.
const MANAGERS: [&str; 1] = ["helm"];
const RELEASE: &str = "meta.helm.sh/release-name";

/// Whether an object has Helm's annotation of a release, and Helm still owns fields of it.
pub fn owns(live: &Map<String, Json>) -> bool {
    let managers = owners_besides(live, FIELD_MANAGER);
    release(live).is_some() && managers.iter().any(|manager| is_manager(manager))
}

/// The Helm release that an object belongs to.
pub fn release(live: &Map<String, Json>) -> Option<&str> {
    let name = text_at(live, &["metadata", "annotations", RELEASE]);
    (!name.is_empty()).then_some(name)
}

/// Whether a field manager is Helm.
pub fn is_manager(name: &str) -> bool {
    MANAGERS.contains(&name)
}

/// Moves the ownership of every field that Helm owns to us. The next apply then removes those that are not rendered.
///
/// # Errors
/// Where the cluster refuses, also because the object changed meanwhile.
pub async fn take_over(
    api: &Api,
    resource: &Resource,
    key: &Key,
    live: &Map<String, Json>,
) -> Result<(), ClusterError> {
    let Some(Json::Array(entries)) = value_at(live, &["metadata", "managedFields"]) else {
        return Ok(());
    };
    let operations = [
        json!({
            "op": "test",
            "path": "/metadata/resourceVersion",
            "value": text_at(live, &["metadata", "resourceVersion"]),
        }),
        json!({
            "op": "replace",
            "path": "/metadata/managedFields",
            "value": moved(entries, &MANAGERS, FIELD_MANAGER),
        }),
    ];
    api.patch(resource, key, &operations).await.map(drop)
}

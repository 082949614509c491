//! Objects that a Helm release owns, and taking them over.

use serde_json::{Map, Value as Json, json};

use super::managed_fields::{moved, owners_besides};
use crate::cluster::client::{Api, ClusterError, FIELD_MANAGER, Resource};
use crate::manifest::Key;
use crate::manifest::json::{text_at, value_at};

/// Helm's field manager; Helm 3 patches as it too.
const MANAGERS: [&str; 1] = ["helm"];
const RELEASE: &str = "meta.helm.sh/release-name";
/// How often an object is tried that changes all the time.
const ATTEMPTS: u32 = 5;

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

/// Moves the ownership of every field that Helm owns to us. The next apply then removes those that are not rendered. An
/// object that changed meanwhile is read again: controllers write its status at any time.
///
/// # Errors
/// Where the cluster refuses, also because the object goes on changing, or is another one by now.
pub async fn take_over(
    api: &Api,
    resource: &Resource,
    key: &Key,
    live: &Map<String, Json>,
) -> Result<(), ClusterError> {
    let mut live = live.clone();
    for _ in 1..ATTEMPTS {
        match move_ownership(api, resource, key, &live).await {
            Err(error) if is_outdated(&error) => match api.get(resource, key).await? {
                Some(now) if is_same(&now, &live) => live = now,
                _ => return Err(error),
            },
            outcome => return outcome,
        }
    }
    move_ownership(api, resource, key, &live).await
}

/// A JSON Patch whose test fails is an invalid one (422).
fn is_outdated(error: &ClusterError) -> bool {
    let status = error.status();
    status.is_some_and(|status| matches!(status.code, 409 | 422))
}

fn is_same(one: &Map<String, Json>, other: &Map<String, Json>) -> bool {
    text_at(one, &["metadata", "uid"]) == text_at(other, &["metadata", "uid"])
}

async fn move_ownership(
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

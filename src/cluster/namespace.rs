//! The namespace of a release.

use serde_json::json;

use super::apply::ApplyError;
use super::{Api, ApplyMode, ClusterError, Resource, into_object, text_at};
use crate::manifest::Key;

/// Whether it exists. Where the user may not look, it is taken to exist.
///
/// # Errors
/// One that is being deleted, or where the cluster cannot be asked.
pub(super) async fn is_ready(api: &Api, name: &str) -> Result<bool, ApplyError> {
    match api.get(&resource(), &key(name)).await {
        Ok(Some(found)) if text_at(&found, &["status", "phase"]) == "Terminating" => {
            Err(ApplyError::Terminating(name.to_owned()))
        }
        Ok(found) => Ok(found.is_some()),
        Err(error) if error.is_forbidden() => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Creates it.
///
/// # Errors
/// Where the cluster refuses.
pub(super) async fn create(api: &Api, name: &str) -> Result<(), ClusterError> {
    let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
    let object = into_object(object);
    let mode = ApplyMode::default();
    api.apply(&resource(), &key(name), &object, mode).await?;
    Ok(())
}

fn key(name: &str) -> Key {
    Key {
        group: String::new(),
        kind: "Namespace".to_owned(),
        namespace: String::new(),
        name: name.to_owned(),
    }
}

fn resource() -> Resource {
    Resource::well_known("", "Namespace", "namespaces")
}

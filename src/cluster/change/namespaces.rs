//! The namespaces of a release: its own, and those that further objects of it are in.

use std::collections::BTreeSet;

use serde_json::json;

use super::error::ApplyError;
use crate::cluster::client::{Api, ApplyMode, ClusterError, Resource};
use crate::farm::Release;
use crate::manifest::json::{into_object, text_at};
use crate::manifest::{Key, Object};

/// Whether a namespace exists. Where the user may not read it, it is taken to exist.
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

/// The namespaces of a release and of its objects that do not exist, and that do not come with the objects.
///
/// # Errors
/// As [`is_ready`].
pub(super) async fn missing(
    api: &Api,
    release: &Release,
    objects: &[Object],
) -> Result<Vec<String>, ApplyError> {
    let rendered = rendered(objects);
    let mut missing = Vec::new();
    for name in of_all(release, objects) {
        // The release's own has to be there before all objects, for the Lease.
        let is_applied = rendered.contains(name) && name != release.namespace;
        if !is_applied && !is_ready(api, name).await? {
            missing.push(name.to_owned());
        }
    }
    Ok(missing)
}

/// The namespaces that a release and its objects are in.
pub(super) fn of_all<'a>(release: &'a Release, objects: &'a [Object]) -> BTreeSet<&'a str> {
    let namespaces = objects.iter().filter_map(Object::namespace);
    let namespaces = namespaces.filter(|name| !name.is_empty());
    namespaces.chain([release.namespace.as_str()]).collect()
}

/// The namespaces that are among the objects.
pub(super) fn rendered(objects: &[Object]) -> BTreeSet<&str> {
    let is_namespace = |object: &&Object| object.group().is_empty() && object.kind() == "Namespace";
    let namespaces = objects.iter().filter(is_namespace);
    namespaces.map(Object::name).collect()
}

/// Creates a namespace.
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
    Key::core("Namespace", "", name)
}

fn resource() -> Resource {
    Resource::core("Namespace", "namespaces")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(api_version: &str, kind: &str, namespace: &str, name: &str) -> Object {
        let content = json!({
            "apiVersion": api_version, "kind": kind,
            "metadata": { "namespace": namespace, "name": name },
        });
        Object::new("test", into_object(content))
    }

    #[test]
    fn namespaces_are_those_of_objects_and_those_among_them() {
        let release = Release {
            name: "farm".to_owned(),
            namespace: "clusters".to_owned(),
        };
        let objects = [
            object("v1", "Namespace", "", "brought"),
            object("v1", "ConfigMap", "boot", "map"),
            object("example.org/v1", "Namespace", "", "theirs"),
            object("apps/v1", "Deployment", "boot", "server"),
        ];
        assert_eq!(rendered(&objects), BTreeSet::from(["brought"]));
        let all = of_all(&release, &objects);
        assert_eq!(all, BTreeSet::from(["boot", "clusters"]));
    }
}

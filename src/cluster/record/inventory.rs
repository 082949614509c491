//! The members of a farm that are in the cluster, and the record that says where to look for them.

use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Map, Value as Json};

use super::applyset::{NotOurs, PART_OF, Parent};
use crate::cluster::client::{Api, ApplyMode, ClusterError, Detail, FIELD_MANAGER, Resource};
use crate::farm::Release;
use crate::farm::certificates::AUTHORITY;
use crate::manifest::Key;
use crate::manifest::json::{text_at, value_at};

/// The label with the component that an object is of.
const COMPONENT: &str = "app.kubernetes.io/name";

/// Delete and prune skip objects with this annotation and the value `true`.
pub const KEEP: &str = "kubefarm.io/keep";

/// An object of the farm, as the cluster has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    pub key: Key,
    pub resource: Resource,
    pub uid: String,
    /// Why it is not to be deleted.
    pub kept: Option<Kept>,
}

/// Why an object outlives its farm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It holds data of etcd, or backups.
    Volume,
    /// Deleting it deletes everything in it, volumes and other people's objects too.
    Namespace,
    /// All objects of its kind would be deleted with it, also those of others.
    Definition,
    /// A certificate authority: what it signed would be worthless.
    Authority,
    /// It has the annotation `kubefarm.io/keep`.
    Asked,
}

impl Kept {
    /// As people read it.
    pub fn reason(self) -> &'static str {
        match self {
            Kept::Volume => "a volume",
            Kept::Namespace => "a namespace, with all that is in it",
            Kept::Definition => "a CustomResourceDefinition, with all objects of its kind",
            Kept::Authority => "a certificate authority",
            Kept::Asked => "kubefarm.io/keep",
        }
    }
}

/// Why the inventory cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    #[error(transparent)]
    NotOurs(#[from] NotOurs),
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

/// Reads the farm's record; `None` where there is no such farm.
///
/// # Errors
/// Where the cluster refuses, or something else has the record's name.
pub async fn read(api: &Api, release: &Release) -> Result<Option<Parent>, InventoryError> {
    let found = api.get(&config_map(), &release.parent()).await?;
    Ok(found.map(|object| Parent::read(&object)).transpose()?)
}

/// Writes the farm's record. One with the same content is not touched.
///
/// # Errors
/// Where the cluster refuses.
pub async fn write(api: &Api, release: &Release, parent: &Parent) -> Result<(), ClusterError> {
    let mode = ApplyMode {
        // No other manager has a share in the record.
        force: true,
        dry_run: false,
    };
    let object = parent.write(release);
    api.apply(&config_map(), &release.parent(), &object, mode)
        .await?;
    Ok(())
}

/// The farm's objects, in every kind and namespace that its record names. Kinds that the cluster no longer serves have none.
///
/// # Errors
/// Where the cluster refuses to list a kind.
pub async fn members(
    api: &Api,
    release: &Release,
    parent: &Parent,
    concurrency: usize,
) -> Result<Vec<Member>, ClusterError> {
    let found = listed(api, release, parent, concurrency, detail_for).await?;
    Ok(found.into_iter().map(|(member, _)| member).collect())
}

/// As [`members`], with the whole objects.
///
/// # Errors
/// Where the cluster refuses to list a kind.
pub async fn objects(
    api: &Api,
    release: &Release,
    parent: &Parent,
    concurrency: usize,
) -> Result<Vec<(Member, Map<String, Json>)>, ClusterError> {
    listed(api, release, parent, concurrency, |_| Detail::Whole).await
}

/// Which part of a farm objects are, whatever their names.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// `Deployment`
    pub kind: &'static str,
    /// The label `app.kubernetes.io/name`: `boot-server`.
    pub component: &'static str,
}

/// The objects of a part, in the order of their keys.
///
/// # Errors
/// Where the cluster refuses to list the kind.
pub async fn parts(
    api: &Api,
    release: &Release,
    mut parent: Parent,
    part: Part,
    concurrency: usize,
) -> Result<Vec<Map<String, Json>>, ClusterError> {
    parent.kinds.retain(|kind| kind.kind == part.kind);
    let found = objects(api, release, &parent, concurrency).await?;
    let found = found.into_iter().map(|(_, object)| object);
    let is_it = |object: &Map<String, Json>| {
        text_at(object, &["metadata", "labels", COMPONENT]) == part.component
    };
    Ok(found.filter(is_it).collect())
}

async fn listed(
    api: &Api,
    release: &Release,
    parent: &Parent,
    concurrency: usize,
    detail_for: fn(&Resource) -> Detail,
) -> Result<Vec<(Member, Map<String, Json>)>, ClusterError> {
    let mut locations = Vec::new();
    for kind in &parent.kinds {
        let Some(resource) = api.resources.preferred(&kind.group, &kind.kind) else {
            continue;
        };
        if !resource.namespaced {
            locations.push((resource, None))
        } else {
            locations.push((resource, Some(release.namespace.as_str())));
            let others = parent.namespaces.iter();
            locations.extend(others.map(|namespace| (resource, Some(namespace.as_str()))));
        }
    }
    let selector = format!("{PART_OF}={}", release.id());
    let lists = stream::iter(locations).map(|(resource, namespace)| {
        let selector = &selector;
        async move {
            let detail = detail_for(resource);
            let found = api.list(resource, namespace, selector, detail).await?;
            let members = found
                .into_iter()
                .filter(|object| !is_copy(resource, object))
                .map(|object| (member(resource, &object), object));
            Ok::<Vec<_>, ClusterError>(members.collect())
        }
    });
    let lists: Vec<Vec<_>> = lists.buffer_unordered(concurrency).try_collect().await?;
    let mut members: Vec<_> = lists.into_iter().flatten().collect();
    members.sort_by(|(a, _), (b, _)| a.key.cmp(&b.key));
    Ok(members)
}

/// Whether a controller made the object for a Service and gave it the Service's labels, that of the set among them.
fn is_copy(resource: &Resource, object: &Map<String, Json>) -> bool {
    let kind = (resource.group.as_str(), resource.kind.as_str());
    if !matches!(
        kind,
        ("", "Endpoints") | ("discovery.k8s.io", "EndpointSlice")
    ) {
        return false;
    }
    let managers = value_at(object, &["metadata", "managedFields"]).and_then(Json::as_array);
    let mut managers = managers.into_iter().flatten();
    !managers.any(|entry| entry["manager"] == FIELD_MANAGER)
}

/// Metadata is enough, except for Certificates, whose spec says whether they are certificate authorities.
fn detail_for(resource: &Resource) -> Detail {
    match (resource.group.as_str(), resource.kind.as_str()) {
        ("cert-manager.io", "Certificate") => Detail::Whole,
        _ => Detail::Metadata,
    }
}

/// An object as a member, known from its metadata.
pub fn member(resource: &Resource, object: &Map<String, Json>) -> Member {
    Member {
        key: Key {
            group: resource.group.clone(),
            kind: resource.kind.clone(),
            namespace: text_at(object, &["metadata", "namespace"]).to_owned(),
            name: text_at(object, &["metadata", "name"]).to_owned(),
        },
        resource: resource.clone(),
        uid: text_at(object, &["metadata", "uid"]).to_owned(),
        kept: kept(resource, object),
    }
}

/// Whether an object of the cluster is to be kept, and why.
pub fn kept(resource: &Resource, object: &Map<String, Json>) -> Option<Kept> {
    let is_set = |annotation| text_at(object, &["metadata", "annotations", annotation]) == "true";
    let is_authority = object
        .get("spec")
        .and_then(|spec| spec.get("isCA"))
        .and_then(Json::as_bool)
        .unwrap_or_default();
    match (resource.group.as_str(), resource.kind.as_str()) {
        _ if is_set(KEEP) => Some(Kept::Asked),
        ("", "PersistentVolumeClaim" | "PersistentVolume") => Some(Kept::Volume),
        ("", "Namespace") => Some(Kept::Namespace),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => Some(Kept::Definition),
        ("cert-manager.io", "Certificate") if is_authority => Some(Kept::Authority),
        ("", "Secret") if is_set(AUTHORITY) => Some(Kept::Authority),
        _ => None,
    }
}

/// Whether an object is for every farm of the cluster, and so a member of none: a CustomResourceDefinition that is to be
/// kept. Deleting one deletes the resources of all farms.
pub fn is_shared(object: &Map<String, Json>) -> bool {
    text_at(object, &["kind"]) == "CustomResourceDefinition"
        && text_at(object, &["apiVersion"]).starts_with("apiextensions.k8s.io/")
        && text_at(object, &["metadata", "annotations", KEEP]) == "true"
}

/// The kind of the record.
pub fn config_map() -> Resource {
    Resource::core("ConfigMap", "configmaps")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kept_as(group: &str, kind: &str, object: Json) -> Option<Kept> {
        let resource = Resource::well_known(group, kind, "things");
        kept(&resource, object.as_object().unwrap())
    }

    #[test]
    fn what_holds_data_or_trust_outlives_its_farm() {
        let annotated = |annotation: &str, value: &str| json!({"metadata": {"annotations": {annotation: value}}});
        let authority = json!({"spec": {"isCA": true}});
        let issues = "cert-manager.io";
        for (group, kind, object, expected) in [
            ("", "PersistentVolumeClaim", json!({}), Some(Kept::Volume)),
            ("", "PersistentVolume", json!({}), Some(Kept::Volume)),
            ("example.org", "PersistentVolume", json!({}), None),
            ("", "Namespace", json!({}), Some(Kept::Namespace)),
            (
                "apiextensions.k8s.io",
                "CustomResourceDefinition",
                json!({}),
                Some(Kept::Definition),
            ),
            ("", "CustomResourceDefinition", json!({}), None),
            (
                issues,
                "Certificate",
                authority.clone(),
                Some(Kept::Authority),
            ),
            (
                issues,
                "Certificate",
                json!({"spec": {"isCA": false}}),
                None,
            ),
            (issues, "Issuer", authority, None),
            (
                "",
                "Secret",
                annotated(AUTHORITY, "true"),
                Some(Kept::Authority),
            ),
            ("", "Secret", annotated(AUTHORITY, "false"), None),
            ("", "ConfigMap", annotated(AUTHORITY, "true"), None),
            ("", "ConfigMap", annotated(KEEP, "true"), Some(Kept::Asked)),
            ("", "ConfigMap", annotated(KEEP, "yes"), None),
            ("", "ConfigMap", json!({}), None),
        ] {
            let told = format!("{group} {kind} {object}");
            assert_eq!(kept_as(group, kind, object), expected, "{told}");
        }
    }

    #[test]
    fn a_definition_that_is_kept_is_for_every_farm() {
        let definition = |kind: &str, version: &str, keep: &str| {
            let metadata = json!({"annotations": {KEEP: keep}});
            let object = json!({"apiVersion": version, "kind": kind, "metadata": metadata});
            is_shared(object.as_object().unwrap())
        };
        let (kind, version) = ("CustomResourceDefinition", "apiextensions.k8s.io/v1");
        assert!(definition(kind, version, "true"));
        assert!(!definition("ConfigMap", version, "true"));
        assert!(!definition(kind, "v1", "true"));
        assert!(!definition(kind, version, "false"));
    }

    /// A controller copies a Service's labels to these; what a farm applies itself is its own.
    #[test]
    fn what_a_controller_made_of_a_service_is_no_member() {
        let by = |manager: &str| json!({"metadata": {"managedFields": [{"manager": manager}]}});
        let copied = |group: &str, kind: &str, object: Json| {
            let resource = Resource::well_known(group, kind, "things");
            is_copy(&resource, object.as_object().unwrap())
        };
        let controller = "kube-controller-manager";
        assert!(copied("", "Endpoints", by(controller)));
        assert!(copied("discovery.k8s.io", "EndpointSlice", by(controller)));
        assert!(copied("discovery.k8s.io", "EndpointSlice", json!({})));
        assert!(!copied(
            "discovery.k8s.io",
            "EndpointSlice",
            by(FIELD_MANAGER)
        ));
        assert!(!copied("", "Service", by(controller)));
    }
}

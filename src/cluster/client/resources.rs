//! What kinds the cluster serves, and under which path (the discovery API).

use std::collections::HashMap;

use kube::discovery::{ApiGroup, Scope};
use kube::{Client, Discovery};
use serde_json::{Map, Value as Json};

use crate::manifest::json::text_at;
use crate::manifest::{Key, group};

/// A kind as the cluster serves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// `` for the core group.
    pub group: String,
    pub version: String,
    pub kind: String,
    /// The name in paths: `statefulsets`.
    pub plural: String,
    pub namespaced: bool,
}

/// Every kind of a cluster, in every version that it serves.
#[derive(Debug, Clone, Default)]
pub struct Resources {
    /// By group and kind; the version that the cluster prefers comes first.
    kinds: HashMap<(String, String), Vec<Resource>>,
}

impl Resource {
    /// A kind in version `v1` that every cluster serves, so that it needs no discovery.
    pub fn well_known(group: &str, kind: &str, plural: &str) -> Resource {
        Resource {
            group: group.to_owned(),
            version: "v1".to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            namespaced: kind != "Namespace",
        }
    }

    /// A kind of version `v1` in the core group.
    pub fn core(kind: &str, plural: &str) -> Resource {
        Resource::well_known("", kind, plural)
    }

    /// The key of an object of this kind.
    pub fn key(&self, namespace: &str, name: &str) -> Key {
        Key {
            group: self.group.clone(),
            kind: self.kind.clone(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// `apps/v1`, or `v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// The path of all objects of the kind, in a namespace or in all of them.
    pub fn path(&self, namespace: Option<&str>) -> String {
        let root = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        match namespace.filter(|_| self.namespaced) {
            Some(namespace) => format!("{root}/namespaces/{namespace}/{}", self.plural),
            None => format!("{root}/{}", self.plural),
        }
    }

    /// The path of one object.
    pub fn path_of(&self, key: &Key) -> String {
        format!("{}/{}", self.path(Some(&key.namespace)), key.name)
    }
}

impl Resources {
    /// Asks the cluster, in two requests.
    ///
    /// # Errors
    /// As [`Client::send`] fails.
    pub async fn discover(client: &Client) -> Result<Resources, kube::Error> {
        let discovery = Discovery::new(client.clone()).run_aggregated().await?;
        let mut resources = Resources::default();
        for group in discovery.groups() {
            resources.add(group);
        }
        Ok(resources)
    }

    fn add(&mut self, group: &ApiGroup) {
        let preferred = group.preferred_version_or_latest();
        let others = group.versions().filter(|version| *version != preferred);
        for version in std::iter::once(preferred).chain(others) {
            for (resource, capabilities) in group.versioned_resources(version) {
                let key = (resource.group.clone(), resource.kind.clone());
                self.kinds.entry(key).or_default().push(Resource {
                    group: resource.group,
                    version: resource.version,
                    kind: resource.kind,
                    plural: resource.plural,
                    namespaced: capabilities.scope == Scope::Namespaced,
                });
            }
        }
    }

    /// The kind of an object, in the very version it is written in.
    pub fn of(&self, object: &Map<String, Json>) -> Option<&Resource> {
        let version = text_at(object, &["apiVersion"]);
        let kinds = self.versions(group(object), text_at(object, &["kind"]));
        kinds
            .iter()
            .find(|resource| resource.api_version() == version)
    }

    /// A kind in the version that the cluster prefers.
    pub fn preferred(&self, group: &str, kind: &str) -> Option<&Resource> {
        self.versions(group, kind).first()
    }

    fn versions(&self, group: &str, kind: &str) -> &[Resource] {
        let key = (group.to_owned(), kind.to_owned());
        self.kinds.get(&key).map_or(&[], Vec::as_slice)
    }
}

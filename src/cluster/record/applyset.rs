//! Which objects belong to a farm: an ApplySet (KEP-3659, "kubectl apply --prune v2").
//!
//! The set's parent is a ConfigMap in the release's namespace. It names the kinds and namespaces in which members may
//! be found; a member carries the set's id as a label. So membership is written with the object itself, and no moment
//! exists in which an object is there and nobody knows whose it is. Beyond the KEP, the parent's data say what was
//! applied last: an object a line, with the digest of what was applied, for `status` to find what is gone or changed.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use crate::farm::Release;
use crate::manifest::Key;
use crate::manifest::json::{into_object, text_at, value_at};

/// On a member: the id of its set.
pub const PART_OF: &str = "applyset.kubernetes.io/part-of";
/// On a parent: the id of the set.
pub const ID: &str = "applyset.kubernetes.io/id";
const TOOLING: &str = "applyset.kubernetes.io/tooling";
const GROUP_KINDS: &str = "applyset.kubernetes.io/contains-group-kinds";
const NAMESPACES: &str = "applyset.kubernetes.io/additional-namespaces";

/// How a cluster keeps account of a release.
impl Release {
    /// The parent's name, and that of the Lease which guards the farm.
    pub fn parent_name(&self) -> String {
        format!("{}-farm", self.name)
    }

    /// The parent's key.
    pub fn parent(&self) -> Key {
        Key::core("ConfigMap", &self.namespace, &self.parent_name())
    }

    /// The set's id: `applyset-<base64url(sha256(name.namespace.kind.group))>-v1`.
    pub fn id(&self) -> String {
        let text = format!("{}.{}.ConfigMap.", self.parent_name(), self.namespace);
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(text));
        format!("applyset-{hash}-v1")
    }

    /// Makes an object a member.
    pub fn adopt(&self, object: &mut Map<String, Json>) {
        let metadata = object
            .entry("metadata")
            .or_insert_with(|| Json::Object(Map::new()));
        let Json::Object(metadata) = metadata else {
            return;
        };
        let labels = metadata
            .entry("labels")
            .or_insert_with(|| Json::Object(Map::new()));
        if let Json::Object(labels) = labels {
            labels.insert(PART_OF.to_owned(), self.id().into());
        }
    }
}

/// A kind in which members may be found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupKind {
    pub group: String,
    pub kind: String,
}

/// The content of a parent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parent {
    pub kinds: BTreeSet<GroupKind>,
    /// Besides the parent's own.
    pub namespaces: BTreeSet<String>,
    /// What was applied last: objects in install order with their digests.
    pub objects: Vec<(Key, String)>,
    /// The volumes that StatefulSets claim, which carry no label of the set: `namespace/template-statefulset`.
    pub claims: BTreeSet<String>,
    /// Facts for people: the version of kubefarm, of Kubernetes, …
    pub facts: BTreeMap<String, String>,
}

/// A ConfigMap with the parent's name that is not a parent of kubefarm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotOurs(String);

impl Parent {
    /// Reads a parent.
    ///
    /// # Errors
    /// A ConfigMap that is not the parent of a set of this program.
    pub fn read(object: &Map<String, Json>) -> Result<Parent, NotOurs> {
        let tooling = annotation(object, TOOLING);
        if !is_ours(object) {
            let name = text_at(object, &["metadata", "name"]);
            return Err(NotOurs(match tooling {
                "" => format!("ConfigMap {name} exists and is not a record of a farm"),
                other => format!("ConfigMap {name} is the ApplySet of {other}"),
            }));
        }
        let kinds = annotation(object, GROUP_KINDS).split(',');
        let namespaces = annotation(object, NAMESPACES).split(',');
        let mut facts = BTreeMap::new();
        let mut objects = Vec::new();
        let mut claims = BTreeSet::new();
        if let Some(Json::Object(data)) = object.get("data") {
            for (key, value) in data {
                let text = value.as_str().unwrap_or_default();
                match key.as_str() {
                    "objects" => objects = text.lines().filter_map(read_line).collect(),
                    "claims" => claims = owned_set(text.lines()),
                    _ => drop(facts.insert(key.clone(), text.to_owned())),
                }
            }
        }
        Ok(Parent {
            kinds: kinds.filter_map(GroupKind::read).collect(),
            namespaces: owned_set(namespaces),
            objects,
            claims,
            facts,
        })
    }

    /// Adds where `keys` are to be found.
    pub fn include<'a>(&mut self, release: &Release, keys: impl Iterator<Item = &'a Key>) {
        for key in keys {
            self.kinds.insert(GroupKind {
                group: key.group.clone(),
                kind: key.kind.clone(),
            });
            if !key.namespace.is_empty() && key.namespace != release.namespace {
                self.namespaces.insert(key.namespace.clone());
            }
        }
    }

    /// The ConfigMap with this content.
    pub fn write(&self, release: &Release) -> Map<String, Json> {
        let mut kinds: Vec<String> = self.kinds.iter().map(GroupKind::write).collect();
        // In the order of kubectl, so that it finds nothing to change.
        kinds.sort();
        let namespaces: Vec<&str> = self.namespaces.iter().map(String::as_str).collect();
        let mut annotations = Map::new();
        let tooling = format!("kubefarm/v{}", env!("CARGO_PKG_VERSION"));
        annotations.insert(TOOLING.to_owned(), tooling.into());
        annotations.insert(GROUP_KINDS.to_owned(), kinds.join(",").into());
        if !namespaces.is_empty() {
            annotations.insert(NAMESPACES.to_owned(), namespaces.join(",").into());
        }
        let mut data = Map::new();
        for (key, value) in &self.facts {
            data.insert(key.clone(), value.clone().into());
        }
        if !self.claims.is_empty() {
            let lines: Vec<&str> = self.claims.iter().map(String::as_str).collect();
            data.insert("claims".to_owned(), lines.join("\n").into());
        }
        let lines: String = self.objects.iter().map(write_line).collect();
        data.insert("objects".to_owned(), lines.into());
        into_object(json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": release.parent_name(),
                "namespace": release.namespace,
                "labels": {
                    ID: release.id(),
                    "app.kubernetes.io/instance": release.name,
                    "app.kubernetes.io/managed-by": "kubefarm",
                    "app.kubernetes.io/part-of": "kubefarm",
                },
                "annotations": annotations,
            },
            "data": data,
        }))
    }
}

/// Whether a ConfigMap is the parent of a farm.
pub fn is_ours(object: &Map<String, Json>) -> bool {
    let tooling = annotation(object, TOOLING);
    tooling == "kubefarm" || tooling.starts_with("kubefarm/")
}

impl GroupKind {
    /// Reads `Deployment.apps`, or `ConfigMap` of the core group.
    fn read(text: &str) -> Option<GroupKind> {
        let text = text.trim();
        let (kind, group) = text.split_once('.').unwrap_or((text, ""));
        (!kind.is_empty()).then(|| GroupKind {
            group: group.to_owned(),
            kind: kind.to_owned(),
        })
    }

    fn write(&self) -> String {
        if self.group.is_empty() {
            self.kind.clone()
        } else {
            format!("{}.{}", self.kind, self.group)
        }
    }
}

/// `apps/StatefulSet/farm/etcd 3f2a…`
fn write_line((key, digest): &(Key, String)) -> String {
    let Key {
        group,
        kind,
        namespace,
        name,
    } = key;
    format!("{group}/{kind}/{namespace}/{name} {digest}\n")
}

fn read_line(line: &str) -> Option<(Key, String)> {
    let (path, digest) = line.rsplit_once(' ')?;
    let mut parts = path.splitn(4, '/').map(str::to_owned);
    let key = Key {
        group: parts.next()?,
        kind: parts.next()?,
        namespace: parts.next()?,
        name: parts.next()?,
    };
    Some((key, digest.to_owned()))
}

fn annotation<'a>(object: &'a Map<String, Json>, name: &str) -> &'a str {
    value_at(object, &["metadata", "annotations", name])
        .and_then(Json::as_str)
        .unwrap_or_default()
}

fn owned_set<'a>(texts: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let texts = texts.map(str::trim).filter(|text| !text.is_empty());
    texts.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release() -> Release {
        Release {
            name: "farm".to_owned(),
            namespace: "clusters".to_owned(),
        }
    }

    fn key(group: &str, kind: &str, namespace: &str, name: &str) -> Key {
        Key {
            group: group.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    #[test]
    fn a_parent_reads_what_it_wrote() {
        let keys = [
            key("apps", "StatefulSet", "clusters", "etcd"),
            key("", "ConfigMap", "elsewhere", "a"),
            key("rbac.authorization.k8s.io", "ClusterRole", "", "x:y"),
        ];
        let mut parent = Parent::default();
        parent.include(&release(), keys.iter());
        parent.claims = ["clusters/data-etcd".to_owned()].into();
        parent.facts.insert("kubernetes".into(), "v1.37.2".into());
        parent.objects = keys.map(|key| (key, "0a".to_owned())).into();
        let written = parent.write(&release());
        assert_eq!(
            annotation(&written, GROUP_KINDS),
            "ClusterRole.rbac.authorization.k8s.io,ConfigMap,StatefulSet.apps"
        );
        assert_eq!(annotation(&written, NAMESPACES), "elsewhere");
        assert_eq!(Parent::read(&written), Ok(parent));
    }

    #[test]
    fn another_tools_set_is_left_alone() {
        let mut theirs = Parent::default().write(&release());
        theirs["metadata"]["annotations"][TOOLING] = "kubectl/v1.37".into();
        assert_eq!(
            Parent::read(&theirs).unwrap_err().to_string(),
            "ConfigMap farm-farm is the ApplySet of kubectl/v1.37"
        );
    }
}

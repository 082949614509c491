//! A Kubernetes object and its key.

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value as Json};

use super::lists::Lists;

/// A Kubernetes object: a map with `apiVersion`, `kind` and `metadata.name`.
#[derive(Debug, Clone)]
pub struct Object {
    /// The template it comes from: `kubernetes/templates/etcd.yaml`.
    pub source: String,
    /// Without its long lists, until [`complete`](Object::complete) puts them in.
    pub content: Map<String, Json>,
    pub lists: Lists,
}

impl PartialEq for Object {
    fn eq(&self, other: &Object) -> bool {
        self.source == other.source && self.whole() == other.whole()
    }
}

/// The identity of an object in a cluster. The version is not part of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The API group: `apps`, and `` for the core group.
    pub group: String,
    pub kind: String,
    /// `` for cluster-scoped objects.
    pub namespace: String,
    pub name: String,
}

impl Key {
    /// The key of an object of the core group.
    pub fn core(kind: &str, namespace: &str, name: &str) -> Key {
        Key {
            group: String::new(),
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// The key of an object; missing parts are empty.
    pub fn of(content: &Map<String, Json>) -> Key {
        Key {
            group: group(content).to_owned(),
            kind: text(content, "kind").to_owned(),
            namespace: metadata(content, "namespace")
                .unwrap_or_default()
                .to_owned(),
            name: metadata(content, "name").unwrap_or_default().to_owned(),
        }
    }
}

/// `StatefulSet farm/etcd`, or `ClusterRole reader` without a namespace.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.kind)?;
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        f.write_str(&self.name)
    }
}

impl Object {
    /// An object without long lists.
    pub fn new(source: impl Into<String>, content: Map<String, Json>) -> Object {
        Object {
            source: source.into(),
            content,
            lists: Lists::default(),
        }
    }

    /// The content with its long lists, which are built for this.
    pub fn whole(&self) -> Cow<'_, Map<String, Json>> {
        self.lists.insert_into(&self.content)
    }

    /// Puts the long lists into the content.
    pub fn complete(&mut self) {
        if let Cow::Owned(whole) = self.whole() {
            self.content = whole;
            self.lists = Lists::default();
        }
    }

    /// `apps/v1`, or `v1` for the core group.
    pub fn api_version(&self) -> &str {
        text(&self.content, "apiVersion")
    }

    /// The API group: `apps`, and `` for the core group.
    pub fn group(&self) -> &str {
        group(&self.content)
    }

    /// `StatefulSet`
    pub fn kind(&self) -> &str {
        text(&self.content, "kind")
    }

    pub fn name(&self) -> &str {
        metadata(&self.content, "name").unwrap_or_default()
    }

    /// The namespace in the object, if it has one.
    pub fn namespace(&self) -> Option<&str> {
        metadata(&self.content, "namespace")
    }

    /// Its key.
    pub fn key(&self) -> Key {
        Key::of(&self.content)
    }

    /// Puts the object into a namespace.
    pub(super) fn set_namespace(&mut self, namespace: &str) {
        if let Some(Json::Object(metadata)) = self.content.get_mut("metadata") {
            // Right after the name, where people look for it.
            let name = metadata.keys().position(|key| key == "name");
            let place = name.map_or(metadata.len(), |place| place + 1);
            metadata.shift_remove("namespace");
            metadata.shift_insert(
                place.min(metadata.len()),
                "namespace".to_owned(),
                namespace.into(),
            );
        }
    }
}

/// The API group of an object: `apps`, and `` for the core group.
pub fn group(content: &Map<String, Json>) -> &str {
    text(content, "apiVersion")
        .rsplit_once('/')
        .map_or("", |(group, _)| group)
}

fn metadata<'a>(content: &'a Map<String, Json>, key: &str) -> Option<&'a str> {
    content.get("metadata")?.get(key)?.as_str()
}

pub(super) fn text<'a>(map: &'a Map<String, Json>, key: &str) -> &'a str {
    map.get(key).and_then(Json::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(content: Json) -> Object {
        let Json::Object(content) = content else {
            panic!("{content} is not an object");
        };
        Object::new("x", content)
    }

    #[test]
    fn an_object_has_a_group_a_kind_and_a_key() {
        let object_of_a_group = object(
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "namespace": "b"}}),
        );
        assert_eq!(object_of_a_group.api_version(), "apps/v1");
        assert_eq!(object_of_a_group.group(), "apps");
        assert_eq!(object_of_a_group.key().to_string(), "Deployment b/a");
        let core = object(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}));
        assert_eq!((core.group(), core.namespace()), ("", None));
    }
}

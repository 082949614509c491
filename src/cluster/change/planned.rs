//! An object of a plan, and what will become of it.

use serde_json::{Map, Value as Json};

use crate::cluster::client::{FieldConflict, Resource, Status};
use crate::cluster::guard::Danger;
use crate::manifest::Key;

/// An object, and what will become of it.
#[derive(Debug, Clone)]
pub struct Planned {
    pub key: Key,
    /// With the label of its farm.
    pub content: Map<String, Json>,
    /// `None` where the cluster does not serve the kind, yet.
    pub resource: Option<Resource>,
    pub live: Option<Map<String, Json>>,
    pub step: Step,
    pub warnings: Vec<String>,
}

/// What has to be done.
#[derive(Debug, Clone)]
pub enum Step {
    /// The object is as it should be.
    Nothing,
    /// Apply it, which gives this object.
    Apply(Map<String, Json>),
    /// Apply it, taking these fields from others.
    Take(Map<String, Json>, Vec<FieldConflict>),
    /// Move what Helm owns to us, then apply it.
    Adopt(Map<String, Json>),
    /// Delete it and apply it.
    Replace,
    /// Apply it; its kind or its namespace comes with this very apply, so the server could not say what it gives.
    Unseen,
    /// It cannot be applied.
    Refuse(Refusal),
}

/// Why an object cannot be applied.
#[derive(Debug, Clone, PartialEq)]
pub enum Refusal {
    /// Other managers own fields.
    Conflicts(Vec<FieldConflict>),
    /// A part can never change; whether the object may be replaced.
    Immutable { status: Status, replaceable: bool },
    /// It belongs to another farm or ApplySet, of this id.
    Foreign(String),
    /// The cluster does not know the kind.
    UnknownKind,
    /// Its namespace does not exist.
    NoNamespace,
    /// It can destroy the living child cluster.
    Danger(Danger),
    /// The server's own words.
    Server(Status),
}

/// A refusal as people may read it: without the values of a Secret. A user who lacks a right gets the whole of it,
/// which quotes no values.
pub(super) fn masked(status: Status, key: &Key) -> Status {
    let is_secret = key.group.is_empty() && key.kind == "Secret";
    if is_secret && status.code != 403 {
        status.without_values()
    } else {
        status
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_quote_a_secrets_values_is_masked() {
        let secret = Key::core("Secret", "farm", "a");
        let map = Key::core("ConfigMap", "farm", "a");
        let other = Key {
            group: "example.org".to_owned(),
            ..secret.clone()
        };
        for (key, code, is_masked) in [
            (&secret, 422, true),
            (&secret, 400, true),
            (&secret, 403, false),
            (&map, 422, false),
            (&map, 403, false),
            (&other, 422, false),
        ] {
            let status = Status::new(code, "Refused", "Invalid value: \"hunter2\"");
            let text = masked(status, key).to_string();
            assert_eq!(!text.contains("hunter2"), is_masked, "{key} {code}: {text}");
        }
    }
}

//! Fields that a patch must not change: the identity of the object, and the labels by which it is found.

use serde_json::{Map, Value as Json};

use super::Fault;
use crate::manifest::json::value_at;

/// The paths of an object's identity.
const IDENTITY: [&[&str]; 4] = [
    &["apiVersion"],
    &["kind"],
    &["metadata", "name"],
    &["metadata", "namespace"],
];

/// The labels that selectors, guards and `kubefarm list` read, as the template function `labels` sets them.
const LABELS: [&str; 5] = [
    "app",
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/part-of",
    "app.kubernetes.io/managed-by",
];

/// The prefix of the labels and annotations of ApplySets, which only apply sets.
const APPLYSET: &str = "applyset.kubernetes.io/";

/// The paths of the metadata of an object and of its pods.
const METADATA: [&[&str]; 3] = [
    &["metadata"],
    &["spec", "template", "metadata"],
    &["spec", "jobTemplate", "spec", "template", "metadata"],
];

/// Compares an object before and after a patch.
///
/// # Errors
/// The first changed field that a patch must not change, with its path in the object.
pub(super) fn check(before: &Map<String, Json>, after: &Map<String, Json>) -> Result<(), Fault> {
    for path in IDENTITY {
        if value_at(before, path) != value_at(after, path) {
            let message =
                "a patch cannot change what the object is: apiVersion, kind, name and namespace";
            return Err(Fault::new(message).below(path));
        }
    }
    for metadata in METADATA {
        let labels = [metadata, &["labels"]].concat();
        check_labels(value_at(before, &labels), value_at(after, &labels))
            .map_err(|fault| fault.below(&labels))?;
    }
    let annotations = value_at(after, &["metadata", "annotations"]).and_then(Json::as_object);
    if let Some(key) = annotations.and_then(|annotations| applyset_key(annotations)) {
        return Err(set_by_apply(key).below(&["metadata", "annotations"]));
    }
    Ok(())
}

fn check_labels(before: Option<&Json>, after: Option<&Json>) -> Result<(), Fault> {
    let label = |labels: Option<&Json>, name| labels.and_then(|labels| labels.get(name)).cloned();
    for name in LABELS {
        let found = label(before, name);
        if found.is_some() && found != label(after, name) {
            let message =
                "a patch cannot change this label, by which kubefarm and selectors find the object";
            return Err(Fault::new(message).inside(name));
        }
    }
    match after.and_then(Json::as_object).and_then(applyset_key) {
        Some(key) => Err(set_by_apply(key)),
        None => Ok(()),
    }
}

fn applyset_key(map: &Map<String, Json>) -> Option<&str> {
    let mut keys = map.keys().map(String::as_str);
    keys.find(|key| key.starts_with(APPLYSET))
}

fn set_by_apply(key: &str) -> Fault {
    Fault::new("kubefarm apply sets this itself").inside(key)
}

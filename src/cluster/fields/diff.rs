//! What would change in an object, fit to be shown: without what the cluster writes itself, and without any secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json};

use crate::manifest::Key;
use crate::manifest::json::{text_at, value_at};
use crate::values::write::map_to_yaml;

/// Fields of `metadata` that the API server writes.
const SERVERS_METADATA: [&str; 6] = [
    "creationTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];
/// A copy of the object that `kubectl apply` keeps in it.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The fields of a Secret that hold its values.
const SECRET_FIELDS: [&str; 2] = ["data", "stringData"];

/// In place of a secret value.
const MASK: &str = "<secret>";
/// In place of one that changes.
const MASKS_OF_CHANGED: [&str; 2] = ["<secret, old>", "<secret, new>"];

/// An object before and after, as YAML in which secrets are masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectDiff {
    pub key: Key,
    pub change: Change,
    /// Empty where the object is created.
    pub before: String,
    /// Empty where it is deleted.
    pub after: String,
}

/// What happens to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Create,
    Update,
    Delete,
}

/// What people and values files can change in an object, with sorted keys: without `status`, the API server's own fields
/// of `metadata`, and kubectl's copy of the object. Secrets are **not** masked: this is for comparing, not for showing.
pub fn comparable(object: &Map<String, Json>) -> Map<String, Json> {
    let mut object = object.clone();
    object.shift_remove("status");
    if let Some(Json::Object(metadata)) = object.get_mut("metadata") {
        metadata.retain(|key, _| !SERVERS_METADATA.contains(&key.as_str()));
        if let Some(Json::Object(annotations)) = metadata.get_mut("annotations") {
            annotations.shift_remove(LAST_APPLIED);
            if annotations.is_empty() {
                metadata.shift_remove("annotations");
            }
        }
    }
    object.sort_keys();
    object.values_mut().for_each(Json::sort_all_objects);
    object
}

/// How an object differs from what it was, as [`comparable`] sees it; `None` where it does not. No object `before` means
/// that it is created, none `after` that it is deleted.
///
/// Each value of a Secret becomes `<secret>`, or `<secret, old>` and `<secret, new>` where it changes. So does an
/// annotation of a Secret that repeats one of the values.
pub fn difference(
    before: Option<&Map<String, Json>>,
    after: Option<&Map<String, Json>>,
) -> Option<ObjectDiff> {
    let change = match (before, after) {
        (None, None) => return None,
        (None, Some(_)) => Change::Create,
        (Some(_), Some(_)) => Change::Update,
        (Some(_), None) => Change::Delete,
    };
    let key = Key::of(after.or(before)?);
    let mut sides = [before, after].map(|side| side.map(comparable).unwrap_or_default());
    let [old, new] = &sides;
    if old == new {
        return None;
    }
    if sides
        .iter()
        .any(|side| text_at(side, &["kind"]) == "Secret")
    {
        mask(&mut sides);
    }
    let [before, after] = sides.map(|side| {
        if side.is_empty() {
            String::new()
        } else {
            map_to_yaml(&side)
        }
    });
    Some(ObjectDiff {
        key,
        change,
        before,
        after,
    })
}

fn mask(sides: &mut [Map<String, Json>; 2]) {
    let secrets: Vec<String> = sides.iter().flat_map(secret_texts).collect();
    let repeats = |value: &Json| {
        let text = value.as_str().unwrap_or_default();
        secrets.iter().any(|secret| text.contains(secret.as_str()))
    };
    for field in SECRET_FIELDS {
        mask_field(sides, &[field], |_| true);
    }
    mask_field(sides, &["metadata", "annotations"], repeats);
}

/// Masks the entries of the map at a path that `is_secret` picks on either side, and whatever else is there instead of
/// a map.
fn mask_field(
    sides: &mut [Map<String, Json>; 2],
    path: &[&str],
    is_secret: impl Fn(&Json) -> bool,
) {
    let [old, new] = sides;
    let originals = [&*old, &*new].map(|side| value_at(side, path).cloned());
    let [old_values, new_values] = &originals;
    let [old_mask, new_mask] = MASKS_OF_CHANGED;
    for (side, others, changed) in [(old, new_values, old_mask), (new, old_values, new_mask)] {
        match value_at_mut(side, path) {
            Some(Json::Object(entries)) => {
                for (name, value) in entries {
                    let other = others.as_ref().and_then(|others| others.get(name));
                    if !is_secret(value) && !other.is_some_and(&is_secret) {
                        continue;
                    }
                    let differs = other.is_some_and(|other| other != value);
                    *value = Json::from(if differs { changed } else { MASK });
                }
            }
            Some(value) => {
                let differs = others.as_ref().is_some_and(|other| other != value);
                *value = Json::from(if differs { changed } else { MASK });
            }
            None => {}
        }
    }
}

fn value_at_mut<'a>(object: &'a mut Map<String, Json>, path: &[&str]) -> Option<&'a mut Json> {
    let (first, rest) = path.split_first()?;
    let start = object.get_mut(*first)?;
    rest.iter()
        .try_fold(start, |value, key| value.get_mut(*key))
}

/// The values of a Secret in every form in which a copy of the object may repeat them: as they are, decoded, and both as
/// a string in JSON.
fn secret_texts(secret: &Map<String, Json>) -> Vec<String> {
    let mut texts = Vec::new();
    for field in SECRET_FIELDS {
        let entries = secret.get(field).and_then(Json::as_object);
        for value in entries
            .into_iter()
            .flat_map(Map::values)
            .filter_map(Json::as_str)
        {
            let decoded = STANDARD.decode(value).ok();
            let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
            texts.extend(decoded);
            texts.push(value.to_owned());
        }
    }
    texts.retain(|text| !text.is_empty());
    let in_json: Vec<String> = texts.iter().map(|text| in_json(text)).collect();
    texts.extend(in_json);
    texts
}

/// As a string in JSON, without the quotes around it.
fn in_json(text: &str) -> String {
    let quoted = Json::from(text).to_string();
    let start = quoted.strip_prefix('"').unwrap_or(&quoted);
    start.strip_suffix('"').unwrap_or(start).to_owned()
}

#[cfg(test)]
mod tests;

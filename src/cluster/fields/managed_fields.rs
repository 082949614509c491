//! Who set which fields of an object in a cluster, by its `metadata.managedFields`.
//!
//! Every entry there names a manager, an operation (`Apply` or `Update`), a subresource, and a set of fields in the
//! format FieldsV1 (Kubernetes documentation, "Server-Side Apply"; structured-merge-diff, package `fieldpath`): nested
//! maps whose keys are `f:name` (a field), `k:{"name":"x"}` (the list item with these values), `v:value` (the list item
//! with this value) and `i:0` (the list item at this place). What is beneath a key is owned as the keys in its map say;
//! `.` beside them, or an empty map, says that the thing itself is owned.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};

use crate::hexadecimal::hexadecimal;
use crate::manifest::json::{into_object, text_at, value_at};

/// A set of fields in the format FieldsV1.
type Fields = Map<String, Json>;

/// The part of an object that a manager owns by server-side apply, with sorted keys; subresources are left out.
///
/// A list has the items of which the manager owns something, in the object's order and with the values that identify
/// them. Of a map or list in which others own single fields or items, and the manager only the thing itself, there is
/// `{}` or `[]`. Fields that the object does not have are left out: the object has to be read in the version that it
/// was applied in. What a Secret was given as `stringData` is found in `data`, where the API server puts it.
pub fn owned(object: &Map<String, Json>, manager: &str) -> Json {
    let mut ours = Fields::new();
    let mut others = Fields::new();
    for entry in entries(object) {
        let set = if is_applied_by(entry, manager) {
            &mut ours
        } else {
            &mut others
        };
        add(set, fields(entry));
    }
    if is_secret(object) {
        move_string_data(&mut ours);
    }
    let mut part = Json::Object(part_of_map(object, &ours, &others));
    part.sort_all_objects();
    part
}

/// SHA-256, in hexadecimal digits, of what [`owned`] gives, as JSON: a different one later means that another manager
/// changed, took or removed a field that the manager had applied.
///
/// Of a Secret's `data` only the keys count: the hash of a short password in a place that more people can read would
/// reveal the password. So a changed value of a Secret does not show here, a removed one does.
pub fn digest(object: &Map<String, Json>, manager: &str) -> String {
    let mut part = owned(object, manager);
    if is_secret(object) {
        match part.get_mut("data") {
            Some(Json::Object(data)) => data.values_mut().for_each(|value| *value = Json::Null),
            Some(data) => *data = Json::Null,
            None => {}
        }
    }
    hexadecimal(Sha256::digest(part.to_string()))
}

/// The other managers of an object, by name; those of its subresources are left out.
pub fn owners_besides(object: &Map<String, Json>, manager: &str) -> Vec<String> {
    let whole = entries(object).iter().filter(|entry| is_about_whole(entry));
    let names: BTreeSet<&str> = whole.map(|entry| text(entry, "manager")).collect();
    names
        .into_iter()
        .filter(|name| !name.is_empty() && *name != manager)
        .map(str::to_owned)
        .collect()
}

/// `managedFields` in which `to` owns, as if applied, what the managers `from` owned by any operation, besides what it
/// owned already. Entries about subresources stay. The next apply as `to` removes what it does not mention of these.
///
/// The merged entry has the `apiVersion` of `to`'s own entry, else of the newest one, and the latest time. Without an
/// entry of `from`, everything stays as it is.
pub fn moved(managed_fields: &[Json], from: &[&str], to: &str) -> Vec<Json> {
    let is_source = |entry: &Json| is_about_whole(entry) && from.contains(&text(entry, "manager"));
    if !managed_fields.iter().any(is_source) {
        return managed_fields.to_vec();
    }
    let (taken, mut entries): (Vec<&Json>, Vec<&Json>) = managed_fields
        .iter()
        .partition(|entry| is_source(entry) || is_applied_by(entry, to));
    let merged = merged(&taken, to);
    entries.push(&merged);
    entries.into_iter().cloned().collect()
}

/// One entry of `manager` for all these.
fn merged(entries: &[&Json], manager: &str) -> Json {
    let newest = entries.iter().max_by_key(|entry| text(entry, "time"));
    let own = entries.iter().find(|entry| is_applied_by(entry, manager));
    let mut set = Fields::new();
    for entry in entries {
        add(&mut set, fields(entry));
    }
    let mut merged = into_object(json!({
        "apiVersion": own.or(newest).map_or("", |entry| text(entry, "apiVersion")),
        "fieldsType": "FieldsV1",
        "fieldsV1": set,
        "manager": manager,
        "operation": "Apply",
    }));
    if let Some(time) = newest.and_then(|entry| entry.get("time")) {
        merged.insert("time".to_owned(), time.clone());
    }
    let mut merged = Json::Object(merged);
    merged.sort_all_objects();
    merged
}

fn entries(object: &Map<String, Json>) -> &[Json] {
    let entries = value_at(object, &["metadata", "managedFields"]).and_then(Json::as_array);
    entries.map_or(&[], Vec::as_slice)
}

fn is_about_whole(entry: &Json) -> bool {
    text(entry, "subresource").is_empty()
}

fn is_applied_by(entry: &Json, manager: &str) -> bool {
    is_about_whole(entry)
        && text(entry, "operation") == "Apply"
        && text(entry, "manager") == manager
}

fn text<'a>(entry: &'a Json, field: &str) -> &'a str {
    entry.get(field).and_then(Json::as_str).unwrap_or_default()
}

fn fields(entry: &Json) -> Option<&Fields> {
    entry.get("fieldsV1").and_then(Json::as_object)
}

/// Any kind named Secret, whatever its group: masking too much does no harm.
fn is_secret(object: &Map<String, Json>) -> bool {
    text_at(object, &["kind"]) == "Secret"
}

fn move_string_data(fields: &mut Fields) {
    let Some(Json::Object(given)) = fields.shift_remove("f:stringData") else {
        return;
    };
    if !owns_itself_only(&given) {
        let data = fields
            .entry("f:data")
            .or_insert_with(|| Json::from(given.clone()));
        unite(data, &Json::Object(given));
    }
}

/// Adds the fields of `more` to a set.
fn add(set: &mut Fields, more: Option<&Fields>) {
    for (key, beneath) in more.into_iter().flatten() {
        match set.get_mut(key) {
            Some(known) => unite(known, beneath),
            None => {
                set.insert(key.clone(), beneath.clone());
            }
        }
    }
}

/// Adds what is owned at one place and beneath. An empty map owns the place itself, which has to be said with `.` as soon
/// as there is something beneath.
fn unite(known: &mut Json, more: &Json) {
    let (Json::Object(known), Json::Object(more)) = (known, more) else {
        return;
    };
    let owns_itself = known.is_empty() || more.is_empty();
    add(known, Some(more));
    if owns_itself && !known.is_empty() {
        known.insert(".".to_owned(), json!({}));
    }
}

fn owns_itself(fields: &Fields) -> bool {
    fields.is_empty() || fields.contains_key(".")
}

/// Whether there is nothing beneath.
fn owns_itself_only(fields: &Fields) -> bool {
    fields.keys().all(|key| key == ".")
}

fn part_of_map(map: &Map<String, Json>, ours: &Fields, others: &Fields) -> Map<String, Json> {
    let named = ours
        .iter()
        .filter_map(|(key, beneath)| Some((key, key.strip_prefix("f:")?, beneath.as_object()?)));
    named
        .filter_map(|(key, name, beneath)| {
            let part = part(map.get(name)?, beneath, beneath_of(others, key))?;
            Some((name.to_owned(), part))
        })
        .collect()
}

fn beneath_of<'a>(others: &'a Fields, key: &str) -> Option<&'a Fields> {
    others.get(key).and_then(Json::as_object)
}

/// What is owned of a value; `None` for nothing. `others` is what others own at the same place.
fn part(value: &Json, ours: &Fields, others: Option<&Fields>) -> Option<Json> {
    let leaf = owns_itself_only(ours);
    // Nobody can own a part of what is owned as a whole, so here it is not.
    let whole = leaf && others.is_none_or(owns_itself_only);
    let none = Fields::new();
    let others = others.unwrap_or(&none);
    let part = match value {
        _ if whole => return Some(value.clone()),
        Json::Object(map) => Json::Object(part_of_map(map, ours, others)),
        Json::Array(items) => Json::Array(part_of_list(items, ours, others)),
        scalar => return owns_itself(ours).then(|| scalar.clone()),
    };
    let is_empty =
        part.as_object().is_some_and(Map::is_empty) || part.as_array().is_some_and(Vec::is_empty);
    (owns_itself(ours) || !is_empty).then_some(part)
}

/// How a set of fields names an item of a list.
enum Item {
    With(Map<String, Json>),
    Value(Json),
    At(usize),
}

impl Item {
    /// `None` for a key that is about no item.
    fn read(key: &str) -> Option<Item> {
        let (form, content) = key.split_once(':')?;
        match form {
            "k" => serde_json::from_str(content).ok().map(Item::With),
            "v" => serde_json::from_str(content).ok().map(Item::Value),
            "i" => content.parse().ok().map(Item::At),
            _ => None,
        }
    }

    fn is(&self, item: &Json, place: usize) -> bool {
        match self {
            Item::With(values) => values
                .iter()
                .all(|(name, value)| item.get(name) == Some(value)),
            Item::Value(value) => item == value,
            Item::At(index) => *index == place,
        }
    }
}

fn part_of_list(items: &[Json], ours: &Fields, others: &Fields) -> Vec<Json> {
    let named: Vec<(Item, &String, &Fields)> = ours
        .iter()
        .filter_map(|(key, beneath)| Some((Item::read(key)?, key, beneath.as_object()?)))
        .collect();
    let parts = items.iter().enumerate().filter_map(|(place, item)| {
        let (name, key, beneath) = named.iter().find(|(name, ..)| name.is(item, place))?;
        let mut part = part(item, beneath, beneath_of(others, key))?;
        if let (Item::With(values), Json::Object(part)) = (name, &mut part) {
            part.extend(values.clone());
        }
        Some(part)
    });
    parts.collect()
}

#[cfg(test)]
mod tests;

//! The JSON of objects: values by path, and keys without a value.

use serde_json::{Map, Value as Json};

/// The map of a `json!({…})`.
pub fn into_object(value: Json) -> Map<String, Json> {
    match value {
        Json::Object(object) => object,
        _ => Map::new(),
    }
}

/// The text at a path in an object; empty if it has none.
pub fn text_at<'a>(object: &'a Map<String, Json>, path: &[&str]) -> &'a str {
    value_at(object, path)
        .and_then(Json::as_str)
        .unwrap_or_default()
}

/// The value at a path in an object.
pub fn value_at<'a>(object: &'a Map<String, Json>, path: &[&str]) -> Option<&'a Json> {
    let (first, rest) = path.split_first()?;
    let start = object.get(*first)?;
    rest.iter().try_fold(start, |value, key| value.get(*key))
}

/// Removes keys without a value from all maps of a value.
pub fn drop_nulls(value: &mut Json) {
    match value {
        Json::Object(map) => drop_nulls_in(map),
        Json::Array(list) => list.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// Removes keys without a value from a map, and from all maps in it.
pub fn drop_nulls_in(map: &mut Map<String, Json>) {
    leave_out_nulls(map);
    map.values_mut().for_each(drop_nulls);
}

/// Removes keys without a value from a map, but not from those in it.
pub fn leave_out_nulls(map: &mut Map<String, Json>) {
    // Keeping the order of a map is costly, even if no key is removed.
    if map.values().any(Json::is_null) {
        map.retain(|_, value| !value.is_null());
    }
}

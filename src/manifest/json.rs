//! The JSON of objects: what is at a path, and keys without a value.

use serde_json::{Map, Value as Json};

/// The object that a `json!({…})` is.
pub fn into_object(value: Json) -> Map<String, Json> {
    match value {
        Json::Object(object) => object,
        _ => Map::new(),
    }
}

/// The text at a path in an object; `` where there is none.
pub fn text_at<'a>(object: &'a Map<String, Json>, path: &[&str]) -> &'a str {
    value_at(object, path)
        .and_then(Json::as_str)
        .unwrap_or_default()
}

/// What is at a path in an object.
pub fn value_at<'a>(object: &'a Map<String, Json>, path: &[&str]) -> Option<&'a Json> {
    let (first, rest) = path.split_first()?;
    let start = object.get(*first)?;
    rest.iter().try_fold(start, |value, key| value.get(*key))
}

/// Leaves out the keys without a value in all maps of a value.
pub fn drop_nulls(value: &mut Json) {
    match value {
        Json::Object(map) => drop_nulls_in(map),
        Json::Array(list) => list.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// Leaves out the keys without a value of a map, and of all maps in it.
pub fn drop_nulls_in(map: &mut Map<String, Json>) {
    leave_out_nulls(map);
    map.values_mut().for_each(drop_nulls);
}

/// Leaves out the keys without a value of a map, and not of those in it.
pub fn leave_out_nulls(map: &mut Map<String, Json>) {
    // What keeps a map in order is costly, also where there is nothing to leave out.
    if map.values().any(Json::is_null) {
        map.retain(|_, value| !value.is_null());
    }
}

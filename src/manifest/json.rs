//! Reading what the JSON of an object has at a path.

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

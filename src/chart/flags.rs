//! Command-line flags of a container, from defaults and a user's `extraArgs`.

use std::collections::BTreeMap;

use minijinja::Value;
use minijinja::value::ValueKind;

use super::escape::{scalar, type_name};

/// The flags `--key=value`: the defaults in their order, then new keys by name.
///
/// A key of `extra` replaces the default of that name in its place. Null leaves a flag out; a list repeats it, an
/// empty one leaves it out.
///
/// # Errors
/// A key that is no flag's name, or a value that has no text.
pub(super) fn flags(defaults: &Value, extra: &Value) -> Result<Vec<String>, String> {
    let mut extra: BTreeMap<String, Value> = entries(extra)?.into_iter().collect();
    let mut flags = Vec::new();
    for (key, default) in entries(defaults)? {
        let value = extra.remove(&key).unwrap_or(default);
        push(&mut flags, &key, &value)?;
    }
    for (key, value) in extra {
        push(&mut flags, &key, &value)?;
    }
    Ok(flags)
}

fn push(flags: &mut Vec<String>, key: &str, value: &Value) -> Result<(), String> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if key.is_empty() || key.starts_with('-') || !key.bytes().all(is_name) {
        return Err(format!(
            "{key:?} is no flag's name; it is written without the dashes before it"
        ));
    }
    let values = match value.kind() {
        ValueKind::None => return Ok(()),
        ValueKind::Seq | ValueKind::Iterable => value
            .try_iter()
            .map_err(|error| error.to_string())?
            .collect(),
        _ => vec![value.clone()],
    };
    for value in values {
        let text = scalar(&value).map_err(|problem| format!("the flag --{key}: {problem}"))?;
        flags.push(format!("--{key}={text}"));
    }
    Ok(())
}

/// The entries of a map in its order; null is an empty map.
pub(super) fn entries(map: &Value) -> Result<Vec<(String, Value)>, String> {
    match map.kind() {
        ValueKind::None => return Ok(Vec::new()),
        ValueKind::Map => {}
        kind => return Err(format!("expected a map, found {}", type_name(kind))),
    }
    let mut entries = Vec::new();
    for key in map.try_iter().map_err(|error| error.to_string())? {
        let value = map.get_item(&key).map_err(|error| error.to_string())?;
        entries.push((scalar(&key)?, value));
    }
    Ok(entries)
}

//! Values with brackets, on one line.

use serde_json::Value;

use crate::values::write::quoted;

/// A value as YAML with brackets; its texts are in quotes, which mean the same to every reader.
pub fn flow(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| entry(key, value));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Array(list) => {
            let items: Vec<String> = list.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Value::String(text) => in_quotes(text),
        other => other.to_string(),
    }
}

/// A key with its value.
pub fn entry(key: &str, value: &Value) -> String {
    let is_plain = key.starts_with(|first: char| first.is_ascii_lowercase())
        && key.len() > 1
        && !["null", "true", "false", "yes", "no", "on", "off"].contains(&key)
        && key.bytes().all(|byte| byte.is_ascii_alphabetic());
    let key = if is_plain {
        key.to_owned()
    } else {
        in_quotes(key)
    };
    format!("{key}: {}", flow(value))
}

fn in_quotes(text: &str) -> String {
    let mut out = String::new();
    quoted(&mut out, text);
    out
}

//! The functions and filters of the templates.
//!
//! | name | result |
//! |---|---|
//! | `file(name, key=value, …)` | the chart's `files/NAME`, rendered with the same context and the keys given |
//! | `flags(defaults, extra)` | a list of `--key=value` |
//! | `dnsmasq_flags(flags)` | the same for dnsmasq, where true is a flag without a value |
//! | `labels(name, component, extra)` | the labels of an object |
//! | `merged(a, b)` | one map, in which `b` wins; null where it is empty |
//! | `sha256(text)`, `short_hash(text)` | 64 hexadecimal digits; ten characters for a name |
//! | `b64(text)`, `to_json(value)`, `to_yaml(value)` | text |
//! | `section(name)` | the line that opens a section of `ltsp.conf` |
//! | `sections(nodes)` | the sections of nodes in `ltsp.conf` |
//! | `fail(message)` | an error with this message |
//! | `text \| raw` | the text as it is, without an escape |

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use minijinja::value::{Kwargs, ValueKind, merge_maps};
use minijinja::{Environment, Error, ErrorKind, State, Value};
use sha2::{Digest as _, Sha256};

use super::escape::{json, ltsp, scalar};
use super::flags::{dnsmasq_flags, entries, flags};
use super::nodes::Sections;
use super::{ChartFiles, file, held};
use crate::hexadecimal::hexadecimal;
use crate::values::nearest::nearest;
use crate::values::write;

/// Adds the functions and filters, and removes built-in ones that would bypass the escapes.
pub(super) fn register(environment: &mut Environment<'static>) {
    for unescaped in ["safe", "escape", "e"] {
        environment.remove_filter(unescaped);
    }
    environment.remove_global("debug");
    environment.add_filter("raw", |text: String| Value::from_safe_string(text));

    environment.add_function("flags", |defaults: Value, extra: Value| {
        flags(&defaults, &extra).map_err(invalid)
    });
    environment.add_function("dnsmasq_flags", |flags: Value| {
        dnsmasq_flags(&flags).map_err(invalid)
    });
    environment.add_function("merged", |a: Value, b: Value| {
        merged(&a, &b).map_err(invalid)
    });
    environment.add_function("fail", |message: String| Err::<(), Error>(invalid(message)));
    environment.add_function("section", |name: String| {
        ltsp::section(&name)
            .map(Value::from_safe_string)
            .map_err(invalid)
    });
    environment.add_function("sections", |nodes: Value| {
        let nodes = nodes.downcast_object_ref::<Sections>();
        let text = nodes.ok_or_else(|| "sections() takes the nodes of ltsp".to_owned());
        text.and_then(sections)
            .map(Value::from_safe_string)
            .map_err(invalid)
    });
    add_text_filters(environment);
}

/// Adds the functions that need the context or the chart.
pub(super) fn register_bound(
    environment: &mut Environment<'static>,
    files: Arc<ChartFiles>,
    chart: &str,
    context: Value,
) {
    let release = context.get_attr("release").unwrap_or_default();
    environment.add_function(
        "labels",
        move |name: String, component: String, extra: Option<Value>| {
            labels(&release, &name, &component, extra).map_err(invalid)
        },
    );
    let folder = format!("{chart}/files/");
    environment.add_function(
        "file",
        move |state: &mut State, name: String, extra: Kwargs| {
            let inside = format!("{folder}{name}");
            let Some(file) = files.get(inside.as_str()) else {
                return Err(invalid(no_file(&files, &folder, &name)));
            };
            let extra = extra
                .args()
                .map(|key| Ok((key.to_owned(), extra.get::<Value>(key)?)));
            let extra: Result<Vec<(String, Value)>, Error> = extra.collect();
            let context = merge_maps([context.clone(), Value::from_pairs(extra?)]);
            file::render(state.env(), &inside, &file.text, &context)
        },
    );
}

/// The sections of nodes as text of `ltsp.conf`. The names of their tags have been checked.
fn sections(nodes: &Sections) -> Result<String, String> {
    let mut text = String::new();
    for node in nodes.iter() {
        text.extend([&*ltsp::section(&node.section)?, "\n"]);
        for name in node.includes.iter() {
            text.extend(["INCLUDE=", name, "\n"]);
        }
    }
    Ok(text)
}

/// Adds those that are both functions and filters.
fn add_text_filters(environment: &mut Environment<'static>) {
    environment.add_function("sha256", |state: &State, text: String| {
        sha256(&held::written_values(state, &text))
    });
    environment.add_filter("sha256", |state: &State, text: String| {
        sha256(&held::written_values(state, &text))
    });
    environment.add_function("short_hash", |state: &State, text: String| {
        short_hash(&held::written_values(state, &text))
    });
    environment.add_filter("short_hash", |state: &State, text: String| {
        short_hash(&held::written_values(state, &text))
    });
    environment.add_function("b64", |text: String| BASE64_STANDARD.encode(text));
    environment.add_filter("b64", |text: String| BASE64_STANDARD.encode(text));
    environment.add_function("to_json", |value: Value| {
        json::to_json(&value).map_err(invalid)
    });
    environment.add_filter("to_json", |value: Value| {
        json::to_json(&value).map_err(invalid)
    });
    environment.add_function("to_yaml", |value: Value| to_yaml(&value));
    environment.add_filter("to_yaml", |value: Value| to_yaml(&value));
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

fn no_file(files: &ChartFiles, folder: &str, name: &str) -> String {
    let names = files.keys().filter_map(|file| file.strip_prefix(folder));
    match nearest(name, names) {
        Some(near) => format!("there is no file {folder}{name}; did you mean {near:?}?"),
        None => format!("there is no file {folder}{name}"),
    }
}

/// Two maps as one; `b` wins. Null is an empty map, and an empty result is null: such a key is left out.
fn merged(a: &Value, b: &Value) -> Result<Value, String> {
    let mut merged = entries(a)?;
    for (key, value) in entries(b)? {
        match merged.iter_mut().find(|(existing, _)| *existing == key) {
            Some(entry) => entry.1 = value,
            None => merged.push((key, value)),
        }
    }
    if merged.is_empty() {
        return Ok(Value::from(()));
    }
    Ok(Value::from_pairs(merged))
}

/// The labels of an object: `app`, which selectors use, the recommended ones
/// (kubernetes.io, "Recommended Labels"), then a user's own.
fn labels(
    release: &Value,
    name: &str,
    component: &str,
    extra: Option<Value>,
) -> Result<Value, String> {
    let instance = release
        .get_attr("name")
        .ok()
        .filter(|name| name.kind() == ValueKind::String);
    let instance = instance.ok_or("labels() needs release.name in the context")?;
    let mut labels = vec![
        ("app".to_owned(), Value::from(name)),
        ("app.kubernetes.io/name".to_owned(), Value::from(component)),
        ("app.kubernetes.io/instance".to_owned(), instance),
        (
            "app.kubernetes.io/part-of".to_owned(),
            Value::from("kubefarm"),
        ),
        (
            "app.kubernetes.io/managed-by".to_owned(),
            Value::from("kubefarm"),
        ),
    ];
    for (key, value) in entries(&extra.unwrap_or(Value::from(())))? {
        if value.is_none() {
            continue;
        }
        let value =
            Value::from(scalar(&value).map_err(|problem| format!("the label {key}: {problem}"))?);
        match labels.iter_mut().find(|(existing, _)| *existing == key) {
            Some((_, own)) if key == "app" && *own != value => {
                return Err(format!(
                    "the label app is {name:?}, as selectors use it; it cannot be {value}"
                ));
            }
            Some(label) => label.1 = value,
            None => labels.push((key, value)),
        }
    }
    Ok(Value::from_pairs(labels))
}

fn sha256(text: &str) -> String {
    hexadecimal(Sha256::digest(text))
}

/// The length of a short hash.
pub const SHORT_HASH: usize = 10;

/// Ten characters of `a-z0-9`: 51 bits of the text's SHA-256, in base 36.
pub fn short_hash(text: &str) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let digest = Sha256::digest(text);
    let mut rest = digest
        .iter()
        .take(8)
        .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    let mut hash = String::with_capacity(SHORT_HASH);
    for _ in 0..SHORT_HASH {
        let digit = DIGITS.get((rest % 36) as usize).copied().unwrap_or(b'0');
        hash.push(char::from(digit));
        rest /= 36;
    }
    hash
}

fn to_yaml(value: &Value) -> Result<String, Error> {
    let json = json::to_json(value).map_err(invalid)?;
    let value = serde_json::from_str(&json).map_err(|error| invalid(error.to_string()))?;
    Ok(write::to_yaml(&value))
}

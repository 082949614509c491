//! The values' JSON Schema, from the types' own doc comments.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::spec::Values;
use crate::values::Path;

/// The JSON Schema (draft 2020-12) of a values file, with `defaults` beside the keys that have one. Descriptions are the
/// types' doc comments; see [`describe`].
///
/// No key of a values file is required: each has a default. `null` is allowed for every optional value. The schema
/// accepts what the program accepts, as far as a schema can express it: see the table in `tests/docs`.
pub fn json_schema(defaults: &Value) -> Value {
    let mut schema = generated();
    let root = Spot {
        has_defaults: true,
        is_optional: false,
    };
    fit(&mut schema, root);
    add_defaults(&mut schema, defaults);
    if let Value::Object(schema) = &mut schema {
        schema.insert("title".to_owned(), "Kubefarm values".into());
    }
    schema
}

/// Whether the value at this path is a section: a map with known keys, which every farm needs.
pub fn is_section(path: &Path) -> bool {
    static SECTIONS: LazyLock<HashSet<Path>> = LazyLock::new(|| {
        let mut found = HashSet::new();
        add_sections(&Path::default(), &generated(), &mut found);
        found
    });
    SECTIONS.contains(path)
}

fn add_sections(path: &Path, schema: &Value, found: &mut HashSet<Path>) {
    if let Some(Value::Object(properties)) = schema.get("properties") {
        found.insert(path.clone());
        for (key, property) in properties {
            add_sections(&path.join(key.as_str()), property, found);
        }
    }
}

fn generated() -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let generator = settings.into_generator();
    generator.into_root_schema_for::<Values>().to_value()
}

/// The context of a schema inside the values.
#[derive(Clone, Copy)]
struct Spot {
    /// Defaults are merged in here, so every key is optional.
    has_defaults: bool,
    /// Null, and the empty text, stand for "not set".
    is_optional: bool,
}

/// Adapts the schema to values files: keys with defaults are optional, unknown keys are refused, and text may be
/// written as other scalars and other scalars as text, as far as the program accepts that.
fn fit(schema: &mut Value, spot: Spot) {
    let Value::Object(object) = schema else {
        return;
    };
    for name in ["format", "default", "writeOnly"] {
        object.remove(name);
    }
    let required = match object.get("required") {
        Some(Value::Array(names)) => names.clone(),
        _ => Vec::new(),
    };
    if spot.has_defaults {
        object.remove("required");
    }
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        for (key, property) in properties.iter_mut() {
            let is_optional = !required.contains(&key.as_str().into());
            let below = Spot {
                has_defaults: spot.has_defaults,
                is_optional,
            };
            fit(property, below);
            if spot.has_defaults || is_optional {
                allow_null(property);
            }
        }
        object.insert("additionalProperties".to_owned(), false.into());
    }
    let item = Spot {
        has_defaults: false,
        is_optional: false,
    };
    for name in ["items", "additionalProperties"] {
        if let Some(inner) = object.get_mut(name) {
            fit(inner, item);
        }
    }
    for name in ["anyOf", "oneOf"] {
        let choices = object.get_mut(name).and_then(Value::as_array_mut);
        for choice in choices.into_iter().flatten() {
            let spot = Spot {
                has_defaults: false,
                ..spot
            };
            fit(choice, spot);
        }
    }
    widen(object, spot.is_optional);
}

/// `true` and `3` may be quoted, text may be a number or a boolean; text with a rule has a pattern.
fn widen(object: &mut Map<String, Value>, is_optional: bool) {
    if object.contains_key("const") {
        return;
    }
    let mut kinds = kinds(object);
    if object.contains_key("enum") {
        // The empty text stands for "not set", and is not one of the choices.
        if let Some(Value::Array(values)) = object.get_mut("enum")
            && is_optional
            && kinds.contains(&"string")
            && !values.contains(&"".into())
        {
            values.push("".into());
        }
        return;
    }
    let empty = if is_optional { "?" } else { "" };
    let own = object.get("pattern").and_then(Value::as_str);
    let pattern = match kinds.first() {
        // A type with a rule of its own.
        Some(&"string") if own.is_some() => own.map(|pattern| format!("^(?:{pattern}){empty}$")),
        Some(&"string") => {
            kinds.retain(|kind| matches!(*kind, "string" | "null"));
            kinds.extend(["number", "boolean"]);
            None
        }
        Some(&"boolean") => {
            kinds.push("string");
            Some("^(?:true|false)?$".to_owned())
        }
        Some(&"integer") => {
            kinds.push("string");
            Some(format!("^(?:0*{}){empty}$", digits(object)))
        }
        _ => return,
    };
    kinds.sort_by_key(|kind| *kind == "null");
    let kinds = json!(kinds);
    object.insert("type".to_owned(), kinds);
    if let Some(pattern) = pattern {
        object.insert("pattern".to_owned(), pattern.into());
    }
    let example = object
        .get("examples")
        .and_then(|examples| examples.get(0)?.as_str());
    if let Some(example) = example {
        // The message that an editor shows instead of the pattern (yaml-language-server and VS Code).
        let wanted = format!("Expected a value such as {example}");
        object.insert("patternErrorMessage".to_owned(), wanted.into());
    }
}

/// The types of a schema, without `null`.
fn kinds(object: &Map<String, Value>) -> Vec<&'static str> {
    const KINDS: [&str; 7] = [
        "string", "boolean", "integer", "number", "object", "array", "null",
    ];
    let is_named = |kind: &&str| match object.get("type") {
        Some(Value::String(name)) => name == kind,
        Some(Value::Array(names)) => names.contains(&(*kind).into()),
        _ => false,
    };
    KINDS.into_iter().filter(is_named).collect()
}

/// The pattern of an integer as text; also sets its limits as a number.
fn digits(object: &mut Map<String, Value>) -> &'static str {
    const BYTES_2: &str =
        "(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";
    match object.get("maximum").and_then(Value::as_u64) {
        Some(65535) => BYTES_2,
        _ => {
            object.insert("maximum".to_owned(), u32::MAX.into());
            "[0-9]{1,9}"
        }
    }
}

fn allow_null(schema: &mut Value) {
    let Value::Object(object) = schema else {
        return;
    };
    match object.get_mut("type") {
        Some(Value::Array(kinds)) => {
            if !kinds.contains(&"null".into()) {
                kinds.push("null".into());
            }
        }
        Some(kind) => *kind = json!([kind.clone(), "null"]),
        None => {
            for choice in ["anyOf", "oneOf"] {
                if let Some(Value::Array(choices)) = object.get_mut(choice)
                    && !choices.contains(&json!({"type": "null"}))
                {
                    choices.push(json!({"type": "null"}));
                }
            }
        }
    }
    if let Some(Value::Array(values)) = object.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
}

fn add_defaults(schema: &mut Value, defaults: &Value) {
    let Some(Value::Object(properties)) = schema.get_mut("properties") else {
        return;
    };
    for (key, property) in properties.iter_mut() {
        let Some(default) = defaults.get(key) else {
            continue;
        };
        if property.get("properties").is_some() {
            add_defaults(property, default);
        } else if let Value::Object(property) = property
            // An editor's completion would stop at a null (yaml-language-server 1.25, toYamlStringScalar).
            && !default.is_null()
        {
            property.insert("default".to_owned(), default.clone());
        }
    }
}

/// Replaces descriptions from the types by the comments in the charts' values files.
pub fn describe(schema: &mut Value, comments: &HashMap<Path, String>) {
    describe_below(schema, &Path::default(), comments);
}

fn describe_below(schema: &mut Value, path: &Path, comments: &HashMap<Path, String>) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (key, property) in properties.into_iter().flatten() {
        let path = path.join(key.as_str());
        describe_below(property, &path, comments);
        if let (Some(comment), Value::Object(property)) = (comments.get(&path), property) {
            property.insert("description".to_owned(), comment.as_str().into());
        }
    }
}

/// Adds the default to each description, for editors that show only the description of a key.
pub fn describe_defaults(schema: &mut Value) {
    const LONGEST: usize = 80;
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (_, property) in properties.into_iter().flatten() {
        describe_defaults(property);
        let Some(default) = property.get("default").map(Value::to_string) else {
            continue;
        };
        let Some(Value::String(description)) = property.get_mut("description") else {
            continue;
        };
        if default.len() <= LONGEST && !matches!(default.as_str(), "\"\"" | "{}" | "[]") {
            description.push_str(&format!("\n\nDefault: `{}`", default.trim_matches('"')));
        }
    }
}

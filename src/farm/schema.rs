//! The values' JSON Schema, from the types' own doc comments.

use std::collections::HashSet;
use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::spec::Values;
use crate::values::Path;

/// The JSON Schema (draft 2020-12) of a values file, with `defaults` beside the keys that have one.
///
/// A values file need not hold anything: what it leaves out has a default. `null` is allowed everywhere, since it
/// removes a default, and a number or a boolean wherever text is.
pub fn json_schema(defaults: &Value) -> Value {
    let mut schema = generated();
    relax(&mut schema);
    add_defaults(&mut schema, defaults);
    if let Value::Object(schema) = &mut schema {
        schema.insert("title".to_owned(), "Kubefarm values".into());
        // What a file may hold for others: see `values::layers::is_aside`.
        schema.insert(
            "patternProperties".to_owned(),
            json!({"^(x-|\\.|\\$schema$)": {}}),
        );
    }
    schema
}

/// Whether a map of known keys stands at this path, which no farm can be without.
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

/// Loosens what the types ask for to what files may leave out, and closes objects whose keys are known.
fn relax(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(relax),
        Value::Object(object) => {
            object.remove("required");
            object.remove("format");
            object.remove("default");
            if object.contains_key("properties") {
                object.insert("additionalProperties".to_owned(), false.into());
            }
            for (key, value) in object.iter_mut() {
                match key.as_str() {
                    // What is named here are keys and values of the user's, not of the schema.
                    "enum" | "const" | "description" => {}
                    "properties" => {
                        let properties = value.as_object_mut().into_iter().flatten();
                        properties.for_each(|(_, property)| {
                            relax(property);
                            allow_null(property);
                        });
                    }
                    _ => relax(value),
                }
            }
            widen_text(object);
        }
        _ => {}
    }
}

fn widen_text(object: &mut Map<String, Value>) {
    let text = match object.get("type") {
        Some(Value::String(kind)) => kind == "string",
        Some(Value::Array(kinds)) => kinds.contains(&"string".into()),
        _ => false,
    };
    if text && !object.contains_key("enum") && !object.contains_key("const") {
        let types = json!(["string", "number", "boolean", "null"]);
        object.insert("type".to_owned(), types);
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
        } else if let Value::Object(property) = property {
            property.insert("default".to_owned(), default.clone());
        }
    }
}

//! `docs/values.md`: the reference of all values, written from their JSON Schema.

use std::fmt::Write as _;

use serde_json::Value;

/// The reference of all values as Markdown, from a schema with defaults (see [`super::schema::json_schema`]).
pub fn markdown(schema: &Value) -> String {
    let mut text = String::from(
        "# Values\n\n\
         <!-- Generated from the defaults and their comments in charts/*/values.yaml and the types in src/farm/spec: `make docs`. -->\n\n\
         Every key that a values file may hold. Maps merge, lists and scalars replace, `null` removes a default.\n\
         `kubefarm schema` prints the same as a JSON Schema for editors.\n",
    );
    section(&mut text, schema, "");
    text
}

/// A table of an object's plain keys, then a section for each key that is an object of its own.
fn section(text: &mut String, schema: &Value, path: &str) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return;
    };
    let (nested, plain): (Vec<_>, Vec<_>) = properties
        .iter()
        .partition(|(_, property)| nested(property).is_some());
    if !plain.is_empty() {
        text.push_str("\n| key | type | default | |\n|---|---|---|---|\n");
    }
    for (key, property) in plain {
        let default = property.get("default").unwrap_or(&Value::Null);
        // Writing into a String cannot fail.
        let _ = writeln!(
            text,
            "| `{key}` | {} | {} | {} |",
            type_name(property),
            default_text(default),
            cell(&prose(description(property)))
        );
    }
    for (key, property) in nested {
        let (suffix, inner) = nested_parts(property);
        let path = match path {
            "" => format!("{key}{suffix}"),
            path => format!("{path}.{key}{suffix}"),
        };
        let depth = "#".repeat((path.matches('.').count() + 2).min(4));
        let said = prose(description(property));
        let _ = writeln!(text, "\n{depth} {path}\n\n{said}");
        section(text, inner, &path);
    }
}

/// The schema of the object behind a key: the key's own, or of a list's or map's items.
fn nested(property: &Value) -> Option<(&'static str, &Value)> {
    if property.get("properties").is_some() {
        return Some(("", property));
    }
    if let Some(items) = property.get("items") {
        return nested(items).map(|(_, inner)| ("[]", inner));
    }
    let choices = ["anyOf", "oneOf"]
        .iter()
        .find_map(|key| property.get(key))?;
    let inner = choices
        .as_array()?
        .iter()
        .filter(|choice| choice.get("type") != Some(&"null".into()))
        .find_map(nested)?;
    // As for `imagePullSecrets`: a choice between a text and a small object needs no section.
    let several = choices
        .as_array()?
        .iter()
        .any(|choice| type_name(choice) == "text");
    (!several).then_some(inner)
}

fn nested_parts(property: &Value) -> (&'static str, &Value) {
    nested(property).unwrap_or(("", property))
}

fn description(property: &Value) -> &str {
    property
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

/// A text as Markdown: text between backticks is code, and the rest has no HTML or emphasis.
fn prose(text: &str) -> String {
    let parts = text.split('`').enumerate().map(|(number, part)| {
        let is_code = number % 2 == 1;
        if is_code {
            part.to_owned()
        } else {
            part.replace('<', "\\<").replace('*', "\\*")
        }
    });
    parts.collect::<Vec<_>>().join("`")
}

fn default_text(default: &Value) -> String {
    match default {
        Value::Null => String::new(),
        value => format!("`{}`", cell(&value.to_string())),
    }
}

fn type_name(property: &Value) -> String {
    if let Some(values) = property.get("enum").and_then(Value::as_array) {
        let values = values.iter().filter_map(Value::as_str);
        return values
            .map(|value| format!("`{value:?}`"))
            .collect::<Vec<_>>()
            .join(", ")
            .replace('"', "");
    }
    let names: Vec<&str> = match property.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => {
            let choices = ["anyOf", "oneOf"].iter().find_map(|key| property.get(key));
            let choices = choices.and_then(Value::as_array).into_iter().flatten();
            let mut names: Vec<String> = choices
                .filter_map(|choice| match choice.get("const").and_then(Value::as_str) {
                    Some(value) => Some(format!("`{value}`")),
                    None => {
                        Some(type_name(choice)).filter(|name| !name.is_empty() && name != "null")
                    }
                })
                .collect();
            names.dedup();
            return names.join(" or ");
        }
    };
    // A quoted text may replace other scalars.
    if names.contains(&"integer") {
        return "integer".to_owned();
    }
    if names.contains(&"boolean") && !names.contains(&"number") {
        return "boolean".to_owned();
    }
    if names.contains(&"string") {
        return "text".to_owned();
    }
    if names == ["null"] {
        return String::new();
    }
    let name = names
        .into_iter()
        .find(|name| *name != "null")
        .unwrap_or("any");
    match name {
        "object" => "map".to_owned(),
        "array" => "list".to_owned(),
        name => name.to_owned(),
    }
}

//! Every key is explained, and once: where it has a default, above that in the chart's values file; where it has none, at
//! its type.

use std::collections::BTreeMap;
use std::fs;

use kubefarm::chart::Charts;
use kubefarm::farm::schema::{describe, json_schema};
use serde_json::Value;

use crate::support::project;

/// The properties of a schema that are not sections, by path, with their descriptions.
fn leaves(schema: &Value, path: &str, found: &mut Vec<(String, String)>) {
    let properties = schema["properties"].as_object().into_iter().flatten();
    for (key, property) in properties {
        let path = format!("{path}.{key}");
        if property.get("properties").is_some() {
            leaves(property, &path, found);
        } else {
            let description = property["description"].as_str().unwrap_or_default();
            found.push((path, words(description)));
        }
    }
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn described(with_comments: bool) -> Vec<(String, String)> {
    let mut schema = json_schema(&Value::Null);
    if with_comments {
        describe(&mut schema, &Charts::embedded().comments());
    }
    let mut found = Vec::new();
    leaves(&schema, "", &mut found);
    found
}

#[test]
fn every_key_is_explained() {
    let found = described(true);
    assert!(found.len() > 400, "{} keys", found.len());
    let bare: Vec<&String> = found
        .iter()
        .filter(|(_, text)| text.is_empty())
        .map(|(path, _)| path)
        .collect();
    assert!(bare.is_empty(), "{bare:#?}");
}

/// What is said at the fields of the values' types.
fn said_at_fields() -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(project().join("src/farm/spec")).expect("the types") {
        let Ok(text) = fs::read_to_string(entry.expect("an entry").path()) else {
            // A folder: types of single texts, which have no keys.
            continue;
        };
        let mut doc = Vec::new();
        for line in text.lines().map(str::trim) {
            if let Some(said) = line.strip_prefix("///") {
                doc.push(said);
            } else if !line.starts_with("#[") {
                if line.starts_with("pub ") && line.contains(": ") && !doc.is_empty() {
                    found.push(words(&doc.join(" ")));
                }
                doc.clear();
            }
        }
    }
    found
}

#[test]
fn no_key_is_explained_twice() {
    let comments: BTreeMap<String, String> = described(true).into_iter().collect();
    let mut is_read: BTreeMap<String, bool> = BTreeMap::new();
    for (path, text) in described(false) {
        let has_comment = comments[&path] != text;
        *is_read.entry(text).or_default() |= !has_comment;
    }
    let twice: Vec<String> = said_at_fields()
        .into_iter()
        .filter(|text| is_read.get(text) == Some(&false))
        .collect();
    assert!(
        twice.is_empty(),
        "these are only in charts/*/values.yaml: {twice:#?}"
    );
}

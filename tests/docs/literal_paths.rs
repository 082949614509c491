//! The paths of values that the code names exist: a check with a wrong one would put its mark on the section above.

use std::collections::BTreeSet;

use serde_json::Value;

use super::imports::{Modules, code};
use super::schema::schema;

/// Texts that look like paths and are names of something else.
const OTHER_NAMES: [&str; 4] = [
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.io",
    "ltsp.conf",
];

/// Whether a schema, one of its alternatives or the items of its list know a key; and what they know below it.
fn below<'a>(schema: &'a Value, key: &str) -> Option<&'a Value> {
    let named = schema.get("properties").and_then(|keys| keys.get(key));
    let free = schema.get("additionalProperties");
    let free = free.filter(|free| **free != Value::Bool(false));
    let found = named.or(free);
    found.or_else(|| {
        let alternatives = ["anyOf", "oneOf", "allOf"];
        let lists = alternatives.iter().filter_map(|name| schema.get(name));
        let alternatives = lists.filter_map(Value::as_array).flatten();
        let mut inside = alternatives.chain(schema.get("items"));
        inside.find_map(|inside| below(inside, key))
    })
}

fn exists(schema: &Value, path: &str) -> bool {
    let mut keys = path.split('.');
    keys.try_fold(schema, |schema, key| below(schema, key))
        .is_some()
}

/// The texts in a module that are paths: what [`Path::from`](kubefarm::values::Path) reads, and all others that begin
/// with a section's name and a dot.
fn literal_paths(module: &[String], sections: &BTreeSet<&str>) -> BTreeSet<String> {
    let words = code(module);
    let mut found = BTreeSet::new();
    for (at, word) in words.iter().enumerate() {
        let Some(text) = word
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
        else {
            continue;
        };
        let is_read = words[..at].ends_with(&["Path", "::", "from", "("].map(str::to_owned));
        let is_path = |text: &str| {
            let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '.';
            let section = text.split_once('.').map(|(section, _)| section);
            text.chars().all(is_letter)
                && !text.ends_with('.')
                && !OTHER_NAMES.contains(&text)
                && section.is_some_and(|name| sections.contains(name))
        };
        if is_read || is_path(text) {
            found.insert(text.to_owned());
        }
    }
    found
}

#[test]
fn every_path_in_the_code_is_one_of_a_value() {
    let schema = schema();
    let sections = schema["properties"].as_object().expect("sections").keys();
    let sections: BTreeSet<&str> = sections.map(String::as_str).collect();
    let modules = Modules::read();
    let rooms = ["farm", "render"];
    let modules = modules.paths().filter(|module| {
        let room = module.first().map_or("", String::as_str);
        rooms.contains(&room)
    });
    let (mut count, mut wrong) = (0, Vec::new());
    for module in modules {
        for path in literal_paths(module, &sections) {
            count += 1;
            if !exists(&schema, &path) {
                wrong.push(format!("{}: {path}", module.join("/")));
            }
        }
    }
    assert!(count > 50, "only {count} paths were found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

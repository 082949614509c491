//! Parses objects in the values, and reports errors at their place there.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::{Key, Object, parse};
use crate::values::write::to_yaml;
use crate::values::{Node, Path, Problem, Value};

/// The objects in the texts of the map at `path` of the values. An object's source is `path` and the map's key, joined
/// by a slash.
///
/// # Errors
/// Every text that is not a manifest, at its place in the `tree`.
pub fn from_values(
    path: &str,
    texts: &IndexMap<String, String>,
    tree: &Node,
) -> Result<Vec<Object>, Vec<Problem>> {
    let mut objects = Vec::new();
    let mut problems = Vec::new();
    for (name, text) in texts {
        match parse(name, text) {
            Ok(parsed) => objects.extend(parsed.into_iter().map(|object| Object {
                source: format!("{path}/{name}"),
                ..object
            })),
            Err(error) => {
                let path = Path::from(path).join(name.as_str());
                let places = wrong_objects(name, &path, tree);
                let places = if places.is_empty() {
                    vec![(path, error.to_string())]
                } else {
                    places
                };
                problems.extend(places.into_iter().map(|(path, reason)| {
                    let problem = Problem::error(format!("not a manifest: {reason}"));
                    problem.at(tree.origin_at(&path).clone()).about(path)
                }));
            }
        }
    }
    if problems.is_empty() {
        Ok(objects)
    } else {
        Err(problems)
    }
}

/// Errors of objects that were written as values and not as text.
fn wrong_objects(name: &str, path: &Path, tree: &Node) -> Vec<(Path, String)> {
    let objects: Vec<(Path, &Node)> = match tree.get(path) {
        Some(node) => match &node.value {
            Value::List(items) => {
                let items = items.iter().enumerate();
                items
                    .map(|(index, item)| (path.join(index), item))
                    .collect()
            }
            Value::Map(_) => vec![(path.clone(), node)],
            _ => Vec::new(),
        },
        None => Vec::new(),
    };
    let reasons = objects.into_iter().filter_map(|(path, node)| {
        let text = to_yaml(&serde_json::Value::from(node));
        Some((path, parse(name, &text).err()?.reason()))
    });
    reasons.collect()
}

/// Errors for objects of the map at `path` that are in `rendered` already, or in the map twice.
pub fn duplicates(path: &str, own: &[Object], rendered: &[Object], tree: &Node) -> Vec<Problem> {
    let mut sources: HashMap<Key, &str> = if own.is_empty() {
        HashMap::new()
    } else {
        let rendered = rendered.iter();
        rendered
            .map(|object| (object.key(), object.source.as_str()))
            .collect()
    };
    let mut problems = Vec::new();
    for object in own {
        let key = object.key();
        let Some(first) = sources.get(&key) else {
            sources.insert(key, &object.source);
            continue;
        };
        let name = object.source.split_once('/').map_or("", |(_, name)| name);
        let at = Path::from(path).join(name);
        let problem = Problem::error(format!("{key} is in {first} already"))
            .at(tree.origin_at(&at).clone())
            .about(at);
        problems.push(if first.contains("/templates/") {
            problem.help("`patches` changes objects of the farm")
        } else {
            problem
        });
    }
    problems
}

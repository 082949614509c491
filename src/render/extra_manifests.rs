//! The user's own manifests. They travel to the child cluster as text, and a Job there would be the first to read them.

use crate::farm::Farm;
use crate::manifest::parse;
use crate::values::write::to_yaml;
use crate::values::{Node, Path, Problem, Value};

/// Where one of them is not a manifest, and why.
pub fn check(farm: &Farm, tree: &Node) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, text) in farm.extra_manifests.iter().flatten() {
        if let Err(error) = parse(name, text) {
            let path = Path::from("kubernetes.extraManifests").join(name.as_str());
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
    problems
}

/// The objects that the user wrote as values, and so not as text with lines of its own, that are not manifests.
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

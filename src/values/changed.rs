//! The difference between merged values and their defaults.

use super::merge::Removed;
use super::tree::{Entry, Map, Node, Path, Segment, Value};

/// The part of merged values that differs from the defaults; merged over the defaults, it gives the same values.
/// `removed` are the defaults that null removed: they are nulls in the result.
pub fn changed(values: &Node, defaults: &Node, removed: &[Removed]) -> Node {
    let mut found = difference(values, defaults).unwrap_or_else(|| empty(values));
    for removed in removed {
        add_null(&mut found, &removed.path, removed);
    }
    found
}

/// `None` where both are the same.
fn difference(value: &Node, default: &Node) -> Option<Node> {
    let (Value::Map(map), Value::Map(defaults)) = (&value.value, &default.value) else {
        return (!is_same(value, default)).then(|| value.clone());
    };
    let entries = map.iter().filter_map(|(key, entry)| {
        let node = match defaults.get(key) {
            Some(default) => difference(&entry.node, &default.node)?,
            None => entry.node.clone(),
        };
        let key_origin = entry.key_origin.clone();
        Some((key.clone(), Entry { key_origin, node }))
    });
    let entries: Map = entries.collect();
    (!entries.is_empty()).then(|| Node::new(Value::Map(Box::new(entries)), value.origin.clone()))
}

/// Whether two nodes have the same content, wherever it was written.
fn is_same(left: &Node, right: &Node) -> bool {
    match (&left.value, &right.value) {
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| is_same(left, right))
        }
        (Value::Map(left), Value::Map(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, entry)| {
                    right
                        .get(key)
                        .is_some_and(|other| is_same(&entry.node, &other.node))
                })
        }
        (left, right) => left == right,
    }
}

fn empty(like: &Node) -> Node {
    Node::new(Value::Map(Box::default()), like.origin.clone())
}

/// Adds a null, with the maps that lead to it.
fn add_null(tree: &mut Node, path: &Path, removed: &Removed) {
    let null = Node::new(Value::Null, removed.origin.clone());
    for length in 1..path.0.len() {
        let parent = Path(
            path.0
                .iter()
                .take(length)
                .cloned()
                .collect::<Vec<Segment>>(),
        );
        if tree.get(&parent).is_none() {
            let map = empty(&null);
            tree.put(&parent, Some(map));
        }
    }
    tree.put(path, Some(null));
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::super::layers::{Defaults, Input, load_with_stdin};
    use super::*;

    const TEXT: &str = "a: {x: 1, list: [p, q], m: {w: 2, z: 3}}\nb: 2\nc: {}\n";

    fn loaded(layer: &str) -> (Node, Node, Vec<Removed>) {
        let defaults = Defaults {
            layers: vec![("d.yaml", TEXT)],
            is_section: |_| false,
        };
        let input = Input::Builtin {
            name: "layer".to_owned(),
            text: layer.to_owned(),
        };
        let load =
            |inputs: &[Input]| load_with_stdin(&defaults, inputs, &mut std::io::empty()).unwrap();
        let all = load(&[input]);
        (all.tree, load(&[]).tree, all.removed)
    }

    #[test]
    fn only_what_differs_is_left_and_comes_to_the_same() {
        for (layer, expected) in [
            ("{}", json!({})),
            ("{a: {x: 1}, b: 3}", json!({"b": 3})),
            (
                "{a: {list: [p, q], m: {w: 5}}}",
                json!({"a": {"m": {"w": 5}}}),
            ),
            ("{a: {list: [q, p]}}", json!({"a": {"list": ["q", "p"]}})),
            (
                "{a: {m: null}, b: null}",
                json!({"a": {"m": null}, "b": null}),
            ),
            (
                "{a: null, c: {new: null}}",
                json!({"a": null, "c": {"new": null}}),
            ),
            (
                "{a: {m: 1}, c: {k: []}}",
                json!({"a": {"m": 1}, "c": {"k": []}}),
            ),
        ] {
            let (tree, defaults, removed) = loaded(layer);
            let found = changed(&tree, &defaults, &removed);
            assert_eq!(sorted(&Json::from(&found)), sorted(&expected), "{layer}");
            let (again, _, _) = loaded(&Json::from(&found).to_string());
            assert_eq!(Json::from(&again), Json::from(&tree), "{layer}");
        }
    }

    /// Whatever the order of keys.
    fn sorted(value: &Json) -> String {
        match value {
            Json::Object(map) => {
                let mut entries: Vec<String> = map
                    .iter()
                    .map(|(key, value)| format!("{key}={}", sorted(value)))
                    .collect();
                entries.sort();
                format!("{{{}}}", entries.join(","))
            }
            other => other.to_string(),
        }
    }
}

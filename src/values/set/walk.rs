//! Follows the key of a flag through the tree, and creates what is missing.

use super::super::merge;
use super::super::problem::Problem;
use super::super::tree::{Entry, Map, Node, Origin, Value};
use super::super::yaml::MAX_DEPTH;
use super::MAX_NESTED_NAMES;

/// The depth of a key.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Depth {
    names: usize,
    steps: usize,
}

impl Depth {
    /// One level deeper, by a dot after a name.
    pub fn name(self) -> Result<Depth, String> {
        let names = self.names + 1;
        if names > MAX_NESTED_NAMES {
            return Err(format!(
                "the key has more than {MAX_NESTED_NAMES} nested names"
            ));
        }
        Depth { names, ..self }.step()
    }

    /// One level deeper.
    pub fn step(self) -> Result<Depth, String> {
        let steps = self.steps + 1;
        if steps >= MAX_DEPTH {
            return Err(format!("the key is nested deeper than {MAX_DEPTH} levels"));
        }
        Ok(Depth { steps, ..self })
    }
}

/// Sets a map's entry, unless a list would replace a map or a map a list.
pub(super) fn set(map: &mut Map, key: String, node: Node, origin: &Origin) -> Result<(), Problem> {
    let clash = map
        .get(&key)
        .and_then(|earlier| merge::clash(&earlier.node, &node));
    if let Some(problem) = clash {
        return Err(problem);
    }
    let key_origin = origin.clone();
    map.insert(key, Entry { key_origin, node });
    Ok(())
}

/// The map at a key, created if there is none.
pub(super) fn map_at<'a>(
    map: &'a mut Map,
    key: &str,
    origin: &Origin,
) -> Result<&'a mut Map, String> {
    let node = node_at(map, key, || Value::Map(Box::default()), origin);
    match &mut node.value {
        Value::Map(inner) => Ok(inner),
        other => Err(not_a(key, other, "map", &node.origin)),
    }
}

/// The list at a key, created if there is none.
pub(super) fn list_at<'a>(
    map: &'a mut Map,
    key: &str,
    origin: &Origin,
) -> Result<&'a mut Vec<Node>, String> {
    let node = node_at(map, key, || Value::List(Vec::new()), origin);
    match &mut node.value {
        Value::List(list) => Ok(list),
        other => Err(not_a(key, other, "list", &node.origin)),
    }
}

fn not_a(key: &str, found: &Value, wanted: &str, origin: &Origin) -> String {
    format!(
        "{key:?} is {} ({origin}), not a {wanted}",
        found.type_name()
    )
}

fn node_at<'a>(
    map: &'a mut Map,
    key: &str,
    new: impl FnOnce() -> Value,
    origin: &Origin,
) -> &'a mut Node {
    let entry = map.entry(key.to_owned()).or_insert_with(|| Entry {
        key_origin: origin.clone(),
        node: Node::new(new(), origin.clone()),
    });
    &mut entry.node
}

/// The element at an index; missing ones before it become null.
pub(super) fn element<'a>(list: &'a mut Vec<Node>, index: usize, origin: &Origin) -> &'a mut Node {
    if list.len() <= index {
        list.resize_with(index + 1, || Node::new(Value::Null, origin.clone()));
    }
    #[allow(clippy::indexing_slicing, reason = "it was made that long just now")]
    &mut list[index]
}

/// An element as a map; any other element becomes an empty one, as in Helm.
pub(super) fn map_in<'a>(element: &'a mut Node, origin: &Origin) -> Result<&'a mut Map, String> {
    if !matches!(element.value, Value::Map(_)) {
        *element = Node::new(Value::Map(Box::default()), origin.clone());
    }
    match &mut element.value {
        Value::Map(map) => Ok(map),
        other => Err(format!("the element is {}, not a map", other.type_name())),
    }
}

/// An element as a list; null becomes an empty one.
pub(super) fn list_in<'a>(
    element: &'a mut Node,
    origin: &Origin,
) -> Result<&'a mut Vec<Node>, String> {
    if element.value == Value::Null {
        *element = Node::new(Value::List(Vec::new()), origin.clone());
    }
    match &mut element.value {
        Value::List(list) => Ok(list),
        other => Err(format!("the element is {}, not a list", other.type_name())),
    }
}

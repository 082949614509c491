//! Machines as a layer of values.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::{Found, Wishes};
use crate::values::to_yaml;

/// What stands above the values.
const HEADER: &str = "\
# Node pools by name: a later layer adds to them. They cannot be laid over a file in which nodePools is a list.
";

/// The text of a layer with these machines. Tags belong to pools: machines of one pool with other tags get a pool of
/// their own, named after the tags as well.
pub fn layer(found: &[Found], wishes: &Wishes) -> String {
    let mut groups = Groups::new();
    for machine in found {
        let pool = machine.pool.as_deref().unwrap_or(&wishes.pool);
        let tags = machine.tags.iter().map(|tag| &**tag).collect();
        groups.entry((pool, tags)).or_default().push(node(machine));
    }
    let mut pools = Map::new();
    for (pool, tags) in groups.keys() {
        let name = name_of(pool, tags, &groups, &pools);
        let mut content = Map::new();
        let nodes = groups.get(&(*pool, tags.clone())).cloned();
        content.insert("nodes".to_owned(), nodes.unwrap_or_default().into());
        if !tags.is_empty() {
            content.insert("tags".to_owned(), json!(tags));
        }
        pools.insert(name, content.into());
    }
    HEADER.to_owned() + &to_yaml(&json!({ "nodePools": pools }))
}

/// Machines by the name of their pool and its tags.
type Groups<'a> = IndexMap<(&'a str, Vec<&'a str>), Vec<Value>>;

/// The name of a pool that is not taken. The first with a name keeps it.
fn name_of(pool: &str, tags: &[&str], groups: &Groups<'_>, named: &Map<String, Value>) -> String {
    let first = groups.keys().find(|(other, _)| *other == pool);
    if first.is_some_and(|(_, first)| first == tags) {
        return pool.to_owned();
    }
    let tags = if tags.is_empty() {
        "untagged".to_owned()
    } else {
        tags.join("-")
    };
    let mut name = format!("{pool}-{tags}");
    while named.contains_key(&name) || groups.keys().any(|(other, _)| *other == name) {
        name.push_str("-2");
    }
    name
}

fn node(machine: &Found) -> Value {
    let mut node = Map::new();
    if let Some(name) = &machine.name {
        node.insert("name".to_owned(), name.as_str().into());
    }
    for (key, values) in [("mac", &machine.macs), ("ip", &machine.addresses)] {
        match values.as_slice() {
            [] => None,
            [one] => node.insert(key.to_owned(), one.as_str().into()),
            several => node.insert(key.to_owned(), json!(several)),
        };
    }
    node.into()
}

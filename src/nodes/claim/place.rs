//! Where in a file a node is added, and what is written there.

use serde_json::{Value as Json, json};

use super::layout::Layout;
use super::{Document, FIRST_POOL, path_of};
use crate::values::{Entry, Node, Origin, Path, Problem, Segment, Value, nearest};

/// A place to which something is added.
pub struct Place<'a> {
    /// The pool that the node gets into.
    pub pool: Segment,
    at: At<'a>,
}

enum At<'a> {
    /// A list of nodes.
    Nodes(&'a Node),
    /// A key without a value, and what belongs under it.
    Key(&'a Origin, Lacking),
    /// A map that lacks a key.
    Map(&'a Node, Lacking),
    /// A list of pools without any.
    Pools(&'a Node),
    /// A file without any value.
    File,
}

/// What is missing above the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lacking {
    Pools,
    Pool,
    Nodes,
}

impl Lacking {
    /// The missing key, and its value with the node in it.
    fn entry(self, pool: &Segment, node: &Json) -> (String, Json) {
        let nodes = json!([node]);
        match (self, pool) {
            (Lacking::Nodes, _) => ("nodes".to_owned(), nodes),
            (Lacking::Pool, Segment::Key(name)) => (name.clone(), json!({ "nodes": nodes })),
            (Lacking::Pool, Segment::Index(_)) => {
                (FIRST_POOL.to_owned(), json!({ "nodes": nodes }))
            }
            (Lacking::Pools, pool) => {
                let (name, content) = Lacking::Pool.entry(pool, node);
                ("nodePools".to_owned(), json!({ name: content }))
            }
        }
    }
}

impl<'a> Place<'a> {
    /// Finds the pool that is named, or the only one.
    pub fn find(document: &'a Document, wanted: Option<&str>) -> Result<Place<'a>, Problem> {
        let new = |at| Place {
            pool: Segment::from(wanted.unwrap_or(FIRST_POOL)),
            at,
        };
        let Some(root) = &document.0 else {
            return Ok(new(At::File));
        };
        let Value::Map(map) = &root.value else {
            return Ok(new(At::File));
        };
        let Some(pools) = map.get("nodePools") else {
            return Ok(new(At::Map(root, Lacking::Pools)));
        };
        match &pools.node.value {
            Value::Null => Ok(new(At::Key(&pools.key_origin, Lacking::Pool))),
            Value::Map(map) if map.is_empty() => Ok(new(At::Map(&pools.node, Lacking::Pool))),
            Value::List(list) if list.is_empty() && matches!(wanted, None | Some("0")) => {
                Ok(Place {
                    pool: Segment::Index(0),
                    at: At::Pools(&pools.node),
                })
            }
            _ => Place::among(pools, wanted),
        }
    }

    /// The same where there are pools.
    fn among(pools: &'a Entry, wanted: Option<&str>) -> Result<Place<'a>, Problem> {
        let origin = &pools.key_origin;
        let (pool, node, entry) = match &pools.node.value {
            Value::Map(map) => {
                let names: Vec<&str> = map.keys().map(String::as_str).collect();
                let name = chosen(&names, wanted, origin)?;
                let entry = map.get(name);
                (Segment::from(name), entry.map(|entry| &entry.node), entry)
            }
            Value::List(list) => {
                let names: Vec<String> = (0..list.len()).map(|index| index.to_string()).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let name = chosen(&names, wanted, origin)?;
                let index = names.iter().position(|known| *known == name);
                let index = index.unwrap_or_default();
                (Segment::Index(index), list.get(index), None)
            }
            _ => return Err(not_a_pool(&Path::from("nodePools"), &pools.node.origin)),
        };
        let path = path_of(&pool);
        in_pool(pool, node, entry).ok_or_else(|| not_a_pool(&path, origin))
    }

    /// The place in the file called `source`, for messages.
    pub fn origin(&self, source: &str) -> Origin {
        match &self.at {
            At::Nodes(node) | At::Map(node, _) | At::Pools(node) => node.origin.clone(),
            At::Key(origin, _) => (*origin).clone(),
            At::File => Origin::Place {
                source: source.to_owned().into(),
                line: 1,
                column: 1,
            },
        }
    }

    /// The text with the node in its place; `None` where the place is not as expected.
    pub fn edit(&self, layout: &Layout<'_>, node: &Json) -> Option<String> {
        match &self.at {
            At::Nodes(list) => layout.with_item(list, node),
            At::Pools(list) => layout.with_item(list, &json!({ "nodes": [node] })),
            At::Map(map, lacking) => {
                let (key, value) = lacking.entry(&self.pool, node);
                layout.with_key(map, &key, &value)
            }
            At::Key(key, lacking) => {
                // The key is there: what it lacks is its value.
                let value = match lacking {
                    Lacking::Nodes => json!([node]),
                    Lacking::Pool => {
                        let (name, content) = Lacking::Pool.entry(&self.pool, node);
                        json!({ name: content })
                    }
                    Lacking::Pools => json!({ "nodes": [node] }),
                };
                layout.with_value(key, &value)
            }
            At::File => {
                let (key, value) = Lacking::Pools.entry(&self.pool, node);
                Some(layout.at_end(&json!({ key: value })))
            }
        }
    }
}

/// The place in a pool that is there; `None` where it is not a pool.
fn in_pool<'a>(
    pool: Segment,
    node: Option<&'a Node>,
    entry: Option<&'a Entry>,
) -> Option<Place<'a>> {
    let node = node?;
    let at = match (&node.value, entry) {
        (Value::Null, Some(entry)) => At::Key(&entry.key_origin, Lacking::Pools),
        (Value::Map(map), _) => match map.get("nodes") {
            None => At::Map(node, Lacking::Nodes),
            Some(nodes) => match &nodes.node.value {
                Value::Null => At::Key(&nodes.key_origin, Lacking::Nodes),
                Value::List(_) => At::Nodes(&nodes.node),
                _ => return None,
            },
        },
        _ => return None,
    };
    Some(Place { pool, at })
}

/// The name of the pool that is wanted.
fn chosen<'n>(
    names: &[&'n str],
    wanted: Option<&str>,
    origin: &Origin,
) -> Result<&'n str, Problem> {
    let all = || format!("this file has {}", names.join(", "));
    match (wanted, names) {
        (Some(wanted), names) => {
            let found = names.iter().find(|name| **name == wanted);
            found.copied().ok_or_else(|| {
                let problem = Problem::error(format!("there is no pool {wanted:?}"));
                let near = nearest(wanted, names.iter().copied());
                let help = near.map_or_else(all, |near| format!("did you mean {near}?"));
                problem.at(origin.clone()).help(help)
            })
        }
        (None, [only]) => Ok(only),
        (None, _) => {
            let problem = Problem::error("there are several pools").at(origin.clone());
            Err(problem.help(format!("name one with --pool; {}", all())))
        }
    }
}

fn not_a_pool(path: &Path, origin: &Origin) -> Problem {
    let problem =
        Problem::error("a node cannot be added here: this is not a pool with a list of nodes");
    problem.at(origin.clone()).about(path.clone())
}

//! Adds a node to a values file, as a change of its text: everything else stays as it is, byte for byte.
//!
//! The place follows from where the reader found the pools. What comes out is read again, and has to be what was there
//! with that one node; else nothing is changed.

mod flow;
mod layout;
mod place;
mod taken;

use serde_json::{Map, Value as Json, json};

pub use taken::taken;

use crate::values::{Node, Path, Problem, Segment, Value, yaml};
use layout::Layout;
use place::Place;

/// The pool of a file that has none.
pub const FIRST_POOL: &str = "claimed";

/// A node that is to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNode {
    pub name: String,
    pub mac: String,
    pub address: Option<String>,
}

impl NewNode {
    /// The node as values have it.
    pub fn as_json(&self) -> Json {
        let mut node = Map::new();
        node.insert("name".to_owned(), self.name.as_str().into());
        node.insert("mac".to_owned(), self.mac.as_str().into());
        if let Some(address) = &self.address {
            node.insert("ip".to_owned(), address.as_str().into());
        }
        node.into()
    }
}

/// A file with a node more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    pub text: String,
    /// The node's pool.
    pub pool: Segment,
}

/// The text of a values file with a node more, at the end of a pool: the one named, or the only one.
///
/// # Errors
/// A file that is not one map of values, a pool that is not there or has to be named, and a layout in which the place
/// cannot be found.
pub fn claim(
    source: &str,
    text: &str,
    pool: Option<&str>,
    node: &NewNode,
) -> Result<Claimed, Problem> {
    let plain = text.trim_start_matches('\u{feff}');
    let root = document(source, plain)?;
    let place = Place::find(&root, pool)?;
    let layout = Layout::new(plain);
    let edited = place.edit(&layout, &node.as_json());
    let wanted = with_node(root.as_json(), &place.pool, &node.as_json()).to_string();
    let is_meant = |edited: &String| {
        let read = document(source, edited);
        read.is_ok_and(|document| document.as_text() == wanted)
    };
    let Some(edited) = edited.filter(is_meant) else {
        let problem = Problem::error("this layout cannot be changed without changing more than it");
        let problem = problem.at(place.origin(source));
        let item = flow::flow(&node.as_json());
        return Err(problem.help(format!("add it to the pool by hand: - {item}")));
    };
    let mark = text.strip_suffix(plain).unwrap_or_default();
    Ok(Claimed {
        text: format!("{mark}{edited}"),
        pool: place.pool.clone(),
    })
}

/// The values with a node more at the end of a pool, which is made where it is not there.
pub fn with_node(values: Json, pool: &Segment, node: &Json) -> Json {
    let mut values = map_of(values);
    let pools = values.entry("nodePools").or_insert(Json::Null);
    let one = match (&mut *pools, pool) {
        (Json::Array(list), Segment::Index(index)) => {
            if *index == list.len() {
                list.push(Json::Null);
            }
            list.get_mut(*index)
        }
        (pools, Segment::Key(name)) => {
            *pools = map_of(pools.take()).into();
            pools
                .as_object_mut()
                .map(|map| map.entry(name).or_insert(Json::Null))
        }
        _ => None,
    };
    if let Some(one) = one {
        let mut map = map_of(one.take());
        match map.entry("nodes").or_insert(Json::Null) {
            Json::Array(nodes) => nodes.push(node.clone()),
            nodes => *nodes = json!([node]),
        }
        *one = map.into();
    }
    values.into()
}

fn map_of(value: Json) -> Map<String, Json> {
    match value {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}

/// The one document of a file.
struct Document(Option<Node>);

impl Document {
    fn as_json(&self) -> Json {
        self.0.as_ref().map_or(Json::Null, Json::from)
    }

    /// The same as text, which has the order of the keys too.
    fn as_text(&self) -> String {
        self.as_json().to_string()
    }
}

fn document(source: &str, text: &str) -> Result<Document, Problem> {
    let mut documents = yaml::parse(source, text)?.into_iter();
    let first = documents.next();
    if let Some(second) = documents.next() {
        let problem = Problem::error("this file has several documents").at(second.origin);
        return Err(problem.help("name a file with one: a node is added to that"));
    }
    let wrong = first
        .as_ref()
        .filter(|node| !matches!(node.value, Value::Map(_) | Value::Null));
    match wrong {
        Some(node) => {
            let message = format!("values are a map, and this is {}", node.value.type_name());
            Err(Problem::error(message).at(node.origin.clone()))
        }
        None => Ok(Document(first)),
    }
}

/// The path of a pool.
fn path_of(pool: &Segment) -> Path {
    Path::from("nodePools").join(pool.clone())
}

#[cfg(test)]
mod tests;

//! The merged values: a tree in which every node remembers where it was written.

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Number;

/// Where a value was written. It is small, as there are many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A place in a layer: a file's path, `-` for stdin, or `builtin:NAME`. Lines and columns count from 1.
    Place {
        source: Arc<String>,
        line: u32,
        column: u32,
    },
    /// A flag with the key that it set, as the user wrote it, without the value: `--set ltsp.replicaCount`.
    Flag(Arc<String>),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Place {
                source,
                line,
                column,
            } => write!(f, "{source}:{line}:{column}"),
            Origin::Flag(flag) => f.write_str(flag),
        }
    }
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub value: Value,
    /// How a scalar was written, if that is not its text now: `3.10`, `yes`, `0777`.
    pub written: Option<Box<str>>,
    pub origin: Origin,
}

// With many nodes of a farm, the tree is most of what a rendering needs.
const _: () = assert!(size_of::<Node>() <= 64);

/// The content of a node: JSON's types, since Kubernetes and Helm have no others.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    List(Vec<Node>),
    /// In a box: there are many nodes, and few of them are maps.
    Map(Box<Map>),
}

/// A map in the order in which its keys were first written.
pub type Map = IndexMap<String, Entry>;

/// A map's value, and where its key was written (for messages about the key itself).
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub key_origin: Origin,
    pub node: Node,
}

impl Value {
    /// The name of this type in a message.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

impl Node {
    /// A value that was written literally at this place.
    pub fn new(value: Value, origin: Origin) -> Node {
        let written = None;
        Node {
            value,
            written,
            origin,
        }
    }

    /// A JSON value as a node; every part of it has this origin.
    pub fn from_json(value: serde_json::Value, origin: &Origin) -> Node {
        let value = match value {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(value) => Value::Bool(value),
            serde_json::Value::Number(value) => Value::Number(value),
            serde_json::Value::String(value) => Value::String(value),
            serde_json::Value::Array(list) => Value::List(
                list.into_iter()
                    .map(|value| Node::from_json(value, origin))
                    .collect(),
            ),
            serde_json::Value::Object(map) => {
                let entries = map.into_iter().map(|(key, value)| {
                    let node = Node::from_json(value, origin);
                    let key_origin = origin.clone();
                    (key, Entry { key_origin, node })
                });
                Value::Map(Box::new(entries.collect()))
            }
        };
        Node::new(value, origin.clone())
    }

    /// The node at `path`, or `None` if there is none.
    pub fn get(&self, path: &Path) -> Option<&Node> {
        path.0.iter().try_fold(self, Node::child)
    }

    /// The node one step further.
    fn child(&self, segment: &Segment) -> Option<&Node> {
        match (&self.value, segment) {
            (Value::Map(map), Segment::Key(key)) => map.get(key).map(|entry| &entry.node),
            (Value::List(list), Segment::Index(index)) => list.get(*index),
            _ => None,
        }
    }

    /// Replaces or removes the node at `path`. A missing key is added if its map exists; otherwise a missing path
    /// changes nothing.
    pub fn put(&mut self, path: &Path, node: Option<Node>) {
        let Some((last, parents)) = path.0.split_last() else {
            return;
        };
        let mut parent = self;
        for segment in parents {
            let child = match (&mut parent.value, segment) {
                (Value::Map(map), Segment::Key(key)) => {
                    map.get_mut(key).map(|entry| &mut entry.node)
                }
                (Value::List(list), Segment::Index(index)) => list.get_mut(*index),
                _ => None,
            };
            match child {
                Some(child) => parent = child,
                None => return,
            }
        }
        match (&mut parent.value, last, node) {
            (Value::Map(map), Segment::Key(key), Some(node)) => {
                let key_origin = node.origin.clone();
                map.insert(key.clone(), Entry { key_origin, node });
            }
            (Value::Map(map), Segment::Key(key), None) => {
                map.shift_remove(key);
            }
            (Value::List(list), Segment::Index(index), Some(node)) => {
                if let Some(place) = list.get_mut(*index) {
                    *place = node;
                }
            }
            (Value::List(list), Segment::Index(index), None) if *index < list.len() => {
                list.remove(*index);
            }
            _ => {}
        }
    }

    /// The origin of the node at `path`, or of its nearest ancestor that exists.
    pub fn origin_at(&self, path: &Path) -> &Origin {
        let mut node = self;
        for segment in &path.0 {
            match node.child(segment) {
                Some(child) => node = child,
                None => break,
            }
        }
        &node.origin
    }

    /// The origin of the last key of `path`, if it is a key of a map that exists.
    pub fn key_origin_at(&self, path: &Path) -> Option<&Origin> {
        let (last, parents) = path.0.split_last()?;
        let parent = self.get(&Path(parents.to_vec()))?;
        match (&parent.value, last) {
            (Value::Map(map), Segment::Key(key)) => map.get(key).map(|entry| &entry.key_origin),
            _ => None,
        }
    }
}

impl From<&Node> for serde_json::Value {
    fn from(node: &Node) -> Self {
        match &node.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Number(value) => value.clone().into(),
            Value::String(value) => value.clone().into(),
            Value::List(list) => list.iter().map(serde_json::Value::from).collect(),
            Value::Map(map) => map
                .iter()
                .map(|(key, entry)| (key.clone(), serde_json::Value::from(&entry.node)))
                .collect(),
        }
    }
}

/// The path from the root to a node, shown as `nodePools[0].nodes[2].mac`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(pub Vec<Segment>);

/// One step of a [`Path`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    Key(String),
    Index(usize),
}

impl Path {
    /// This path, one step further.
    pub fn join(&self, segment: impl Into<Segment>) -> Path {
        let mut segments = self.0.clone();
        segments.push(segment.into());
        Path(segments)
    }
}

impl From<&str> for Segment {
    fn from(key: &str) -> Self {
        Segment::Key(key.to_owned())
    }
}

impl From<usize> for Segment {
    fn from(index: usize) -> Self {
        Segment::Index(index)
    }
}

/// Reads a dotted path without indices: `kubernetes.apiServer.port`.
impl From<&str> for Path {
    fn from(dotted: &str) -> Self {
        Path(dotted.split('.').map(Segment::from).collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) => {
                    if position > 0 {
                        f.write_str(".")?;
                    }
                    // A key with a dot in it is shown as --set needs it.
                    f.write_str(&key.replace('.', "\\."))?;
                }
            }
        }
        Ok(())
    }
}

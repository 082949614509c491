//! Nodes from the parser's events.

use std::collections::HashMap;
use std::sync::Arc;

use granit_parser::{Event, ScalarStyle, Span, Tag};

use super::super::problem::Problem;
use super::super::tree::{Entry, Map, Node, Origin, Value};
use super::meaning::{check_plain_key, check_tag, scalar_value, unknown_tag};
use super::plain::Build;
use super::{MAX_ALIASED, MAX_DEPTH, place, too_deep};

/// Puts nodes together from the parser's events, without recursion.
pub(super) struct Builder {
    pub source: Arc<str>,
    /// The documents read so far.
    pub documents: Vec<Node>,
    open: Vec<Collection>,
    anchors: HashMap<usize, Anchored>,
    aliased: usize,
}

/// A list or a map whose end was not read yet.
struct Collection {
    content: Content,
    origin: Origin,
    anchor: usize,
}

enum Content {
    List(Vec<Node>),
    Map {
        entries: Map,
        /// The key whose value comes next.
        key: Option<Key>,
        /// What `<<` names, in the order written.
        merged: Vec<Node>,
    },
}

enum Key {
    Text(String, Origin),
    Merge,
}

/// A node that aliases may name.
struct Anchored {
    node: Node,
    weight: usize,
    height: usize,
}

impl Builder {
    pub fn new(source: &str) -> Builder {
        Builder {
            source: Arc::from(source),
            documents: Vec::new(),
            open: Vec::new(),
            anchors: HashMap::default(),
            aliased: 0,
        }
    }

    pub fn event(&mut self, event: Event<'_>, span: &Span) -> Result<(), Problem> {
        let origin = || place(&self.source, &span.start);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let origin = origin();
                let plain = style == ScalarStyle::Plain;
                if self.expects_key() {
                    return self.key(&text, plain, tag.as_deref(), anchor, origin);
                }
                let value = scalar_value(text.into_owned(), plain, tag.as_deref())
                    .map_err(|problem| problem.at(origin.clone()))?;
                self.finish(Node { value, origin }, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                let origin = origin();
                check_tag(tag.as_deref(), "seq").map_err(|problem| problem.at(origin.clone()))?;
                self.start(Content::List(Vec::new()), anchor, origin)
            }
            Event::MappingStart(_, anchor, tag) => {
                let origin = origin();
                check_tag(tag.as_deref(), "map").map_err(|problem| problem.at(origin.clone()))?;
                let content = Content::Map {
                    entries: Map::default(),
                    key: None,
                    merged: Vec::new(),
                };
                self.start(content, anchor, origin)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => {
                let origin = origin();
                self.alias(anchor)
                    .map_err(|problem| problem.at(origin.clone()))
                    .and_then(|node| self.place_alias(node, origin))
            }
            Event::DocumentEnd => {
                self.anchors.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn expects_key(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Collection {
                content: Content::Map { key: None, .. },
                ..
            })
        )
    }

    fn start(&mut self, content: Content, anchor: usize, origin: Origin) -> Result<(), Problem> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep().at(origin));
        }
        if self.expects_key() {
            return Err(Problem::error("a key must be text, not a map or a list")
                .at(origin)
                .help("quote a value that starts with { or ["));
        }
        self.open.push(Collection {
            content,
            origin,
            anchor,
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Problem> {
        let Some(collection) = self.open.pop() else {
            return Ok(());
        };
        let value = match collection.content {
            Content::List(list) => Value::List(list),
            Content::Map {
                mut entries,
                merged,
                ..
            } => {
                merge_into(&mut entries, merged)?;
                Value::Map(entries)
            }
        };
        let node = Node {
            value,
            origin: collection.origin,
        };
        self.finish(node, collection.anchor)
    }

    /// Remembers a whole node for its aliases, and puts it where it belongs.
    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), Problem> {
        if anchor > 0 {
            self.remember(anchor, &node);
        }
        let Some(collection) = self.open.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        match &mut collection.content {
            Content::List(list) => list.push(node),
            Content::Map {
                entries,
                key,
                merged,
            } => match key.take() {
                Some(Key::Text(key, key_origin)) => {
                    entries.insert(key, Entry { key_origin, node });
                }
                Some(Key::Merge) => merged.push(node),
                // A key never comes here: `event` and `place_alias` ask `expects_key` first.
                None => {}
            },
        }
        Ok(())
    }

    fn key(
        &mut self,
        text: &str,
        plain: bool,
        tag: Option<&Tag>,
        anchor: usize,
        origin: Origin,
    ) -> Result<(), Problem> {
        if text == "<<" && plain && tag.is_none() {
            return self.set_key(Key::Merge);
        }
        let checked = match tag {
            Some(tag) if !tag.is_yaml_core_schema_tag("str") => Err(unknown_tag(tag)),
            None if plain => check_plain_key(text),
            _ => Ok(()),
        };
        checked.map_err(|problem| problem.at(origin.clone()))?;
        if anchor > 0 {
            let value = Value::String(text.to_owned());
            let origin = origin.clone();
            self.remember(anchor, &Node { value, origin });
        }
        self.set_key(Key::Text(text.to_owned(), origin))
    }

    fn set_key(&mut self, new: Key) -> Result<(), Problem> {
        let Some(Collection {
            content: Content::Map { entries, key, .. },
            ..
        }) = self.open.last_mut()
        else {
            return Ok(());
        };
        if let Key::Text(text, origin) = &new
            && let Some(first) = entries.get(text)
        {
            let message = format!(
                "duplicate key {text:?}, first written at {}",
                first.key_origin
            );
            return Err(Problem::error(message).at(origin.clone()));
        }
        *key = Some(new);
        Ok(())
    }

    fn remember(&mut self, anchor: usize, node: &Node) {
        let (weight, height) = measure(node);
        let node = node.clone();
        self.anchors.insert(
            anchor,
            Anchored {
                node,
                weight,
                height,
            },
        );
    }

    fn alias(&mut self, anchor: usize) -> Result<Node, Problem> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            return Err(Problem::error("this alias stands inside what it names"));
        };
        self.aliased = self.aliased.saturating_add(anchored.weight);
        if self.aliased > MAX_ALIASED {
            return Err(Problem::error(format!(
                "aliases bring in more than {MAX_ALIASED} values"
            )));
        }
        if self.open.len() + anchored.height > MAX_DEPTH {
            return Err(too_deep());
        }
        Ok(anchored.node.clone())
    }

    fn place_alias(&mut self, node: Node, origin: Origin) -> Result<(), Problem> {
        if !self.expects_key() {
            return self.finish(node, 0);
        }
        match node.value {
            Value::String(text) => self.set_key(Key::Text(text, origin)),
            other => Err(
                Problem::error(format!("a key must be text, not {}", other.type_name())).at(origin),
            ),
        }
    }
}

impl Build for Builder {
    fn event(&mut self, event: Event<'_>, span: &Span) -> Option<()> {
        Builder::event(self, event, span).ok()
    }
}

/// The weight (see [`MAX_ALIASED`]) and the height of a node; a scalar has height 0.
fn measure(node: &Node) -> (usize, usize) {
    const BYTES_OF_ONE: usize = 32;
    let children: &mut dyn Iterator<Item = (usize, &Node)> = match &node.value {
        Value::List(list) => &mut list.iter().map(|child| (0, child)),
        Value::Map(map) => &mut map.iter().map(|(key, entry)| (key.len(), &entry.node)),
        Value::String(text) => return (1 + text.len() / BYTES_OF_ONE, 0),
        _ => return (1, 0),
    };
    children.fold((1, 1), |(weight, height), (key_length, child)| {
        let (child_weight, child_height) = measure(child);
        (
            weight + key_length / BYTES_OF_ONE + child_weight,
            height.max(child_height + 1),
        )
    })
}

/// Adds what `<<` names; keys that are already there win, and so does what was named earlier.
fn merge_into(entries: &mut Map, merged: Vec<Node>) -> Result<(), Problem> {
    for node in merged {
        match node.value {
            Value::Map(map) => {
                for (key, entry) in map {
                    entries.entry(key).or_insert(entry);
                }
            }
            Value::List(list) if list.iter().all(|node| matches!(node.value, Value::Map(_))) => {
                merge_into(entries, list)?;
            }
            _ => {
                return Err(Problem::error("<< takes a map or a list of maps").at(node.origin));
            }
        }
    }
    Ok(())
}

//! Builds nodes from the parser's events.

use std::collections::HashMap;
use std::sync::Arc;

use granit_parser::{Event, Marker, ScalarStyle, Span, StructureStyle, Tag};

use super::super::problem::Problem;
use super::super::tree::{Entry, Map, Node, Origin, Value};
use super::meaning::{check_plain_key, check_tag, scalar_value};
use super::plain::Build;
use super::{MAX_ALIASED, MAX_DEPTH, place, too_deep};

/// Builds nodes from the parser's events, without recursion.
pub(super) struct Builder {
    pub source: Arc<String>,
    /// The documents read so far.
    pub documents: Vec<Node>,
    open: Vec<Collection>,
    anchors: HashMap<usize, Anchored>,
    /// The weight of all nodes that were copied for anchors.
    anchored: usize,
    /// The weight of all nodes that aliases expanded to.
    aliased: usize,
}

/// A list or a map whose end has not been read yet.
struct Collection {
    content: Content,
    origin: Origin,
    start: Marker,
    has_brackets: bool,
    anchor: usize,
}

enum Content {
    List(Vec<Node>),
    Map {
        entries: Map,
        /// The key that waits for its value.
        key: Option<Key>,
        merge: Option<Box<Merge>>,
    },
}

/// A map's `<<`.
struct Merge {
    key_origin: Origin,
    /// The node that it merges, once that was read.
    node: Option<Node>,
}

enum Key {
    Text(String, Origin),
    Merge,
}

/// A node with an anchor, for aliases.
struct Anchored {
    node: Node,
    weight: usize,
    height: usize,
}

impl Builder {
    pub fn new(source: &str) -> Builder {
        Builder {
            source: Arc::new(source.to_owned()),
            documents: Vec::new(),
            open: Vec::new(),
            anchors: HashMap::default(),
            anchored: 0,
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
                    // The parser gives `~` for an empty value.
                    let is_nowhere = span.start.index() == span.end.index();
                    let is_empty = plain && text == "~" && is_nowhere;
                    let text = if is_empty { "" } else { &text };
                    return self.key(text, plain, tag.as_deref(), anchor, origin);
                }
                let (value, written) = scalar_value(text.into_owned(), plain, tag.as_deref())
                    .map_err(|problem| problem.at(origin.clone()))?;
                let node = Node {
                    value,
                    written,
                    origin,
                };
                self.finish(node, anchor)
            }
            Event::SequenceStart(style, anchor, tag) => {
                let origin = origin();
                check_tag(tag.as_deref(), "seq", "a list")
                    .map_err(|problem| problem.at(origin.clone()))?;
                self.start(
                    Content::List(Vec::new()),
                    anchor,
                    origin,
                    (span.start, style),
                )
            }
            Event::MappingStart(style, anchor, tag) => {
                let origin = origin();
                check_tag(tag.as_deref(), "map", "a map")
                    .map_err(|problem| problem.at(origin.clone()))?;
                let content = Content::Map {
                    entries: Map::default(),
                    key: None,
                    merge: None,
                };
                self.start(content, anchor, origin, (span.start, style))
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

    /// Where the innermost list or map begins, if it has brackets and is open.
    pub fn open_bracket(&self) -> Option<Marker> {
        let innermost = self.open.last()?;
        innermost.has_brackets.then_some(innermost.start)
    }

    /// The columns, from 0, of the open lists and maps without brackets.
    pub fn open_columns(&self) -> Vec<usize> {
        let open = self.open.iter();
        let blocks = open.filter(|collection| !collection.has_brackets);
        blocks.map(|collection| collection.start.col()).collect()
    }

    fn start(
        &mut self,
        content: Content,
        anchor: usize,
        origin: Origin,
        (start, style): (Marker, StructureStyle),
    ) -> Result<(), Problem> {
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
            start,
            has_brackets: style == StructureStyle::Flow,
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
                mut entries, merge, ..
            } => {
                if let Some(node) = merge.and_then(|merge| merge.node) {
                    merge_into(&mut entries, node)?;
                }
                Value::Map(Box::new(entries))
            }
        };
        let node = Node::new(value, collection.origin);
        self.finish(node, collection.anchor)
    }

    /// Stores a complete node for its aliases, and adds it to its collection.
    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), Problem> {
        if anchor > 0 {
            self.remember(anchor, &node)?;
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
                merge,
            } => match key.take() {
                Some(Key::Text(key, key_origin)) => {
                    entries.insert(key, Entry { key_origin, node });
                }
                Some(Key::Merge) => {
                    if let Some(merge) = merge {
                        merge.node = Some(node);
                    }
                }
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
            return self.set_merge_key(origin);
        }
        let checked = match tag {
            None if plain => check_plain_key(text),
            tag => check_tag(tag, "str", "a key"),
        };
        checked.map_err(|problem| problem.at(origin.clone()))?;
        if anchor > 0 {
            let value = Value::String(text.to_owned());
            self.remember(anchor, &Node::new(value, origin.clone()))?;
        }
        self.set_key(text.to_owned(), origin)
    }

    fn set_key(&mut self, text: String, origin: Origin) -> Result<(), Problem> {
        if let Some(collection) = self.open.last_mut()
            && let Content::Map { entries, key, .. } = &mut collection.content
        {
            if let Some(first) = entries.get(&text) {
                return Err(duplicate_key(&text, &first.key_origin).at(origin));
            }
            *key = Some(Key::Text(text, origin));
        }
        Ok(())
    }

    fn set_merge_key(&mut self, key_origin: Origin) -> Result<(), Problem> {
        if let Some(collection) = self.open.last_mut()
            && let Content::Map { merge, key, .. } = &mut collection.content
        {
            if let Some(first) = merge {
                return Err(duplicate_key("<<", &first.key_origin).at(key_origin));
            }
            let node = None;
            *merge = Some(Box::new(Merge { key_origin, node }));
            *key = Some(Key::Merge);
        }
        Ok(())
    }

    fn remember(&mut self, anchor: usize, node: &Node) -> Result<(), Problem> {
        let (weight, height) = measure(node);
        self.anchored = self.anchored.saturating_add(weight);
        if self.anchored > MAX_ALIASED {
            let message = format!("anchors hold more than {MAX_ALIASED} values");
            return Err(Problem::error(message).at(node.origin.clone()));
        }
        let node = node.clone();
        self.anchors.insert(
            anchor,
            Anchored {
                node,
                weight,
                height,
            },
        );
        Ok(())
    }

    fn alias(&mut self, anchor: usize) -> Result<Node, Problem> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            return Err(Problem::error("this alias is inside of its own anchor"));
        };
        self.aliased = self.aliased.saturating_add(anchored.weight);
        if self.aliased > MAX_ALIASED {
            return Err(Problem::error(format!(
                "aliases expand to more than {MAX_ALIASED} values"
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
            Value::String(text) => self.set_key(text, origin),
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

fn duplicate_key(text: &str, first: &Origin) -> Problem {
    Problem::error(format!("duplicate key {text:?}, first written at {first}"))
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

/// Adds the entries of `<<`; keys that exist are kept, and so are those of an earlier map in its list.
fn merge_into(entries: &mut Map, merged: Node) -> Result<(), Problem> {
    match merged.value {
        Value::Map(map) => {
            for (key, entry) in *map {
                entries.entry(key).or_insert(entry);
            }
            Ok(())
        }
        Value::List(list) if list.iter().all(|node| matches!(node.value, Value::Map(_))) => list
            .into_iter()
            .try_for_each(|node| merge_into(entries, node)),
        _ => Err(Problem::error("<< takes a map or a list of maps").at(merged.origin)),
    }
}
